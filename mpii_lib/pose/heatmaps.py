"""Joints as images and back: one heatmap a joint, for whole batches at once.

Every recipe here is separable: a heatmap is a column of numbers times a row of numbers. So B x K maps cost two small
tables and one product, whatever the recipe. Coordinates count pixel centres in the input and cell centres in the map,
so cell j of a map with stride s lies at (j + 0.5) s - 0.5 in the input.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mpii_lib.errors import AnnotationError

Method: TypeAlias = Literal["gaussian", "unbiased", "thesis"]
Decoder: TypeAlias = Literal["argmax", "quarter", "dark"]
Resize: TypeAlias = Literal["bilinear", "antialias", "area"]
Widths: TypeAlias = float | tuple[float, float] | None

_SMALLEST = 1e-10  # below this a logarithm says nothing about a shape


def encode_heatmaps(
    joints: ArrayLike,
    visibility: ArrayLike,
    size: tuple[int, int] = (64, 64),
    input_size: tuple[int, int] = (256, 256),
    method: Method = "gaussian",
    sigma: Widths = None,
    resize: Resize = "bilinear",
) -> NDArray[np.float32]:
    """Draw one heatmap for each joint.

    Parameters
    ----------
    joints
        (B, K, 2) x and y in input pixels, pixel centres; rounded to float32.
    visibility
        (B, K) 0 not annotated, 1 occluded, 2 visible.
    size, input_size
        (height, width) of the maps in cells and of the input in pixels.
    method
        "gaussian": a Gaussian of height 1 on the middle of the cell that holds the joint (Newell et al. 2016).
        "unbiased": the same on the joint itself, between the cells (Zhang et al. 2020, DARK).
        "thesis": a one on the pixel that holds the joint in a map as large as the input, a Gaussian filter, and a
        resize to `size` (A. O. Andersen 2021, section 2.2.3). Equal to SciPy's `gaussian_filter` and the resize.
    sigma
        Standard deviation, one number or (visible, occluded): in cells for "gaussian" and "unbiased", None is 2 for
        both; in input pixels for "thesis", None is the thesis' 0.5 and 1.
    resize
        For "thesis", which does not name its filter: "bilinear" reads the nearest pixels (OpenCV's default),
        "antialias" is the triangle as wide as the step (Pillow's bilinear), "area" the mean of the block.

    Returns
    -------
    numpy.ndarray
        float32 (B, height, width, K). All zero where the joint is not annotated or lies outside the input; leave these
        out of the loss with `joint_mask`.

    Raises
    ------
    AnnotationError
        Shapes do not fit, a name is unknown, or a width is not positive.
    """
    points, seen = _checked(joints, visibility)
    widths = checked_widths(method, sigma)
    mask = joint_mask(points, seen, input_size)[..., None]
    points = np.where(mask > 0, points, np.float32(0))
    rows, columns = (
        _profiles(points[..., axis], seen, size[place], input_size[place], method, widths, resize)
        for axis, place in ((1, 0), (0, 1))
    )
    rows *= mask
    return np.swapaxes(rows, 1, 2)[:, :, None, :] * np.swapaxes(columns, 1, 2)[:, None, :, :]


def joint_mask(
    joints: ArrayLike, visibility: ArrayLike, input_size: tuple[int, int] = (256, 256)
) -> NDArray[np.float32]:
    """float32 (B, K): 1 where a joint is annotated and inside the input, 0 where its map has to be left out of a loss.

    Parameters as in `encode_heatmaps`.
    """
    points, seen = _checked(joints, visibility)
    limits = np.array([input_size[1], input_size[0]], np.float32) - 0.5
    with np.errstate(invalid="ignore"):
        inside = ((points >= -0.5) & (points < limits)).all(axis=-1)
    return np.asarray(inside & (seen > 0), np.float32)


def decode_heatmaps(
    heatmaps: ArrayLike,
    input_size: tuple[int, int] = (256, 256),
    method: Decoder = "argmax",
    smooth: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Find the joint in each heatmap.

    Parameters
    ----------
    heatmaps
        (B, height, width, K).
    input_size
        (height, width) in pixels of the input that the maps belong to.
    method
        "argmax": the middle of the highest cell. "quarter": a quarter of a cell further, along each axis, to the higher
        neighbour (Newell et al. 2016). "dark": the top of the parabola through the logarithms of the highest cell and
        its neighbours, exact for a Gaussian (Zhang et al. 2020); at most one cell away.
    smooth
        For "dark", standard deviation in cells of a Gaussian filter before it, which predicted maps need (the paper
        takes the width of the training targets); clean maps need none.

    Returns
    -------
    joints : numpy.ndarray
        float64 (B, K, 2) x and y in input pixels; NaN where a map is equal everywhere and so shows no place.
    scores : numpy.ndarray
        float32 (B, K), the highest value of each map, before smoothing.

    Raises
    ------
    AnnotationError
        The shape is not (B, height, width, K), the name is unknown, or there are too few cells to refine.
    """
    maps = np.asarray(heatmaps)
    if maps.ndim != 4:
        raise AnnotationError(f"decode_heatmaps: heatmaps have shape {maps.shape}; give (B, height, width, K)")
    if method not in ("argmax", "quarter", "dark"):
        raise AnnotationError(f'decode_heatmaps: method {method!r}; use "argmax", "quarter" or "dark"')
    batch, height, width, count = maps.shape
    if method != "argmax" and min(height, width) < 3:
        raise AnnotationError(f"decode_heatmaps: {method} needs three cells a side, not {height} x {width}; use argmax")
    flat = np.moveaxis(maps, 3, 1).reshape(batch, count, height * width)
    scores = flat.max(axis=2)
    peaked = scores > flat.min(axis=2)
    if method == "dark" and smooth > 0:
        flat = ndimage.gaussian_filter(np.moveaxis(maps, 3, 1), (0, 0, smooth, smooth)).reshape(flat.shape)
    row, column = np.divmod(flat.argmax(axis=2), width)
    cells = np.stack([column, row], axis=-1).astype(float)
    if method == "quarter":
        cells += 0.25 * _uphill(flat.reshape(batch, count, height, width), row, column)
    elif method == "dark":
        cells += _parabola(flat.reshape(batch, count, height, width), row, column)
    stride = np.array([input_size[1] / width, input_size[0] / height])
    joints = np.where(peaked[..., None], (cells + 0.5) * stride - 0.5, np.nan)
    return joints, np.nan_to_num(scores).astype(np.float32)


def resize_weights(cells: int, pixels: int, resize: Resize) -> NDArray[np.float64]:
    """(cells, pixels) matrix that resizes one axis; each row sums to 1."""
    if resize not in ("bilinear", "antialias", "area"):
        raise AnnotationError(f'encode_heatmaps: resize {resize!r}; use "bilinear", "antialias" or "area"')
    stride = pixels / cells
    place = (np.arange(cells) + 0.5) * stride - 0.5
    distance = np.abs(np.arange(pixels) - place[:, None])
    if resize == "area":
        # What of each pixel lies in the cell.
        weights = np.clip(stride / 2 + 0.5 - distance, 0, min(1, stride))
    else:
        weights = np.clip(1 - distance / (max(1, stride) if resize == "antialias" else 1), 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@lru_cache(maxsize=16)
def thesis_table(cells: int, pixels: int, width: float, resize: Resize) -> NDArray[np.float32]:
    """(pixels, cells) float32: row x is what the thesis' recipe makes along one axis of a joint at pixel x."""
    filtered = ndimage.gaussian_filter1d(np.eye(pixels), width, axis=1)  # row x: a one at x, filtered
    table = np.asarray(filtered @ resize_weights(cells, pixels, resize).T, np.float32)
    table.flags.writeable = False  # the cache hands the same array to everyone
    return table


def checked_widths(method: Method, sigma: Widths) -> tuple[float, float]:
    """Widths (visible, occluded) of a method, its own where `sigma` is None."""
    if method not in ("gaussian", "unbiased", "thesis"):
        raise AnnotationError(f'encode_heatmaps: method {method!r}; use "gaussian", "unbiased" or "thesis"')
    if sigma is None:
        sigma = (0.5, 1.0) if method == "thesis" else 2.0
    visible, occluded = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    if not (visible > 0 and occluded > 0):
        raise AnnotationError(
            f"encode_heatmaps: sigma {sigma}; give a positive number, or one for visible and occluded"
        )
    return float(visible), float(occluded)


def _checked(joints: ArrayLike, visibility: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    points, seen = np.asarray(joints, np.float32), np.asarray(visibility)
    if points.ndim != 3 or points.shape[2] != 2 or seen.shape != points.shape[:2]:
        raise AnnotationError(
            f"encode_heatmaps: joints {points.shape} and visibility {seen.shape}; give (B, K, 2) and (B, K)"
        )
    return points, seen.astype(np.int8)


def _profiles(
    positions: NDArray[np.float32],
    seen: NDArray[np.int8],
    cells: int,
    pixels: int,
    method: Method,
    widths: tuple[float, float],
    resize: Resize,
) -> NDArray[np.float32]:
    """float32 (B, K, cells): the heatmaps along one axis."""
    if method == "thesis":
        nearest = np.clip(np.floor(positions + 0.5), 0, pixels - 1).astype(int)
        visible, occluded = (thesis_table(cells, pixels, width, resize) for width in widths)
        return np.where((seen == 1)[..., None], occluded[nearest], visible[nearest])
    stride = np.float32(pixels / cells)
    place = (positions + np.float32(0.5)) / stride
    centre = np.floor(place) if method == "gaussian" else place - np.float32(0.5)
    width = np.where(seen == 1, np.float32(widths[1]), np.float32(widths[0]))[..., None]
    steps = (np.arange(cells, dtype=np.float32) - centre[..., None]) / width
    return np.exp(np.float32(-0.5) * steps * steps)


def _uphill(maps: NDArray[np.floating], row: NDArray[np.intp], column: NDArray[np.intp]) -> NDArray[np.float64]:
    """(B, K, 2): -1, 0 or 1 towards the higher neighbour along x and y; 0 at the border, where one is missing."""
    _, _, height, width = maps.shape
    first, second = np.ogrid[: maps.shape[0], : maps.shape[1]]
    right, left = np.minimum(column + 1, width - 1), np.maximum(column - 1, 0)
    below, above = np.minimum(row + 1, height - 1), np.maximum(row - 1, 0)
    along_x = np.sign(maps[first, second, row, right] - maps[first, second, row, left])
    along_y = np.sign(maps[first, second, below, column] - maps[first, second, above, column])
    return np.stack([along_x * (right - left == 2), along_y * (below - above == 2)], axis=-1).astype(float)


def _parabola(maps: NDArray[np.floating], row: NDArray[np.intp], column: NDArray[np.intp]) -> NDArray[np.float64]:
    """(B, K, 2): from the highest cell to the top of the parabola through the logarithms around it."""
    _, _, height, width = maps.shape
    first, second = np.ogrid[: maps.shape[0], : maps.shape[1]]
    # A cell at the border lacks a neighbour; the parabola through the cell next to it has the same top.
    y, x = np.clip(row, 1, height - 2), np.clip(column, 1, width - 2)

    def log(down: int, right: int) -> NDArray[np.float64]:
        return np.asarray(np.log(np.maximum(maps[first, second, y + down, x + right], _SMALLEST), dtype=float))

    middle = log(0, 0)
    slope_x, slope_y = (log(0, 1) - log(0, -1)) / 2, (log(1, 0) - log(-1, 0)) / 2
    bend_x, bend_y = log(0, 1) - 2 * middle + log(0, -1), log(1, 0) - 2 * middle + log(-1, 0)
    twist = (log(1, 1) - log(1, -1) - log(-1, 1) + log(-1, -1)) / 4
    determinant = bend_x * bend_y - twist * twist
    hill = (bend_x < 0) & (determinant > 1e-12)  # neither a valley nor a saddle
    safe = np.where(hill, determinant, 1)
    shift_x = (twist * slope_y - bend_y * slope_x) / safe + x - column
    shift_y = (twist * slope_x - bend_x * slope_y) / safe + y - row
    shift = np.stack([shift_x, shift_y], axis=-1)
    return np.where(hill[..., None], np.clip(shift, -1, 1), 0.0)
