"""Joints as images and back: one heatmap a joint, for whole batches at once.

Every recipe here is separable: a heatmap is a column of numbers times a row of numbers. So B x K maps cost two small
tables and one product, whatever the recipe. Coordinates count pixel centres in the input and cell centres in the map,
so cell j of a map with stride s lies at (j + 0.5) s - 0.5 in the input.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError

Method: TypeAlias = Literal["gaussian", "unbiased", "thesis"]
Decoder: TypeAlias = Literal["argmax", "quarter", "dark"]
Resize: TypeAlias = Literal["bilinear", "antialias", "area"]
Width: TypeAlias = Annotated[float, 1e-3, 1e3]
Widths: TypeAlias = Width | tuple[Width, Width] | None
Size: TypeAlias = tuple[Annotated[int, 1, 4096], Annotated[int, 1, 4096]]

Joints: TypeAlias = Annotated[ArrayLike, "B K 2"]
Visibility: TypeAlias = Annotated[ArrayLike, "B K"]
Maps: TypeAlias = NDArray[np.floating[Any]]
Places: TypeAlias = NDArray[np.intp]

_SMALLEST = 1e-10  # below this a logarithm says nothing about a shape


@checked
def encode_heatmaps(
    joints: Joints,
    visibility: Visibility,
    size: Size = (64, 64),
    input_size: Size = (256, 256),
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
        Visibility holds other numbers.
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


@checked
def joint_mask(joints: Joints, visibility: Visibility, input_size: Size = (256, 256)) -> NDArray[np.float32]:
    """float32 (B, K): 1 where a joint is annotated and inside the input, 0 where its map has to be left out of a loss.

    Parameters as in `encode_heatmaps`.
    """
    points, seen = _checked(joints, visibility)
    limits = np.array([input_size[1], input_size[0]], np.float32) - 0.5
    with np.errstate(invalid="ignore"):
        inside = ((points >= -0.5) & (points < limits)).all(axis=-1)
    return np.asarray(inside & (seen > 0), np.float32)


@checked
def decode_heatmaps(
    heatmaps: Annotated[ArrayLike, "B h w K"],
    input_size: Size = (256, 256),
    method: Decoder = "argmax",
    smooth: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Find the joint in each heatmap.

    Parameters
    ----------
    heatmaps
        (B, height, width, K) of any type of numbers.
    input_size
        (height, width) in pixels of the input that the maps belong to.
    method
        "argmax": the middle of the highest cell. "quarter": a quarter of a cell further, along each axis, to the higher
        neighbour (Newell et al. 2016). "dark": the top of the parabola through the logarithms of the highest cell and
        its neighbours, exact for a Gaussian (Zhang et al. 2020); at most one cell away.
    smooth
        For "dark", standard deviation in cells of a Gaussian filter before it, which predicted maps need (the paper
        takes the width of the training targets); clean maps need none. At the border, where the filter lacks a part of
        what it averages and would move the top inwards, a Gaussian is fitted to the cells that are there instead.

    Returns
    -------
    joints : numpy.ndarray
        float64 (B, K, 2) x and y in input pixels; NaN where a map shows no place: it is equal everywhere, or holds NaN
        or infinity.
    scores : numpy.ndarray
        float32 (B, K), the highest value of each map, before smoothing; 0 where that is not finite.

    Raises
    ------
    AnnotationError
        The maps are empty or True and False, there are too few cells to refine, or `smooth` is negative or wider than
        a quarter of the maps.
    """
    maps = np.asarray(heatmaps)
    if maps.dtype.kind == "b" or not maps.shape[1] * maps.shape[2]:
        raise AnnotationError(f"decode_heatmaps: heatmaps {maps.shape} of type {maps.dtype}; give heights of the cells")
    batch, height, width, count = maps.shape
    if method != "argmax" and min(height, width) < 3:
        raise AnnotationError(f"decode_heatmaps: {method} needs three cells a side, not {height} x {width}; use argmax")
    if not 0 <= smooth <= max(height, width) / 4:
        raise AnnotationError(f"decode_heatmaps: smooth is {smooth}; give cells, from 0 to a quarter of the map")
    exact = np.float32 if np.can_cast(maps.dtype, np.float32) else np.float64
    flat: Maps = np.moveaxis(maps, 3, 1).reshape(batch * count, height, width).astype(exact, copy=False)
    high, low = flat.max(axis=(1, 2)), flat.min(axis=(1, 2))
    finite = np.isfinite(high) & np.isfinite(low)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if method == "dark" and smooth > 0:
            cells = _smoothed_tops(flat, smooth)
        else:
            row, column = _highest(flat)
            cells = np.stack([column, row], axis=-1).astype(float)
            if method != "argmax":
                cells += (_parabola if method == "dark" else _uphill)(flat, row, column)
        scores = np.nan_to_num(np.where(finite, high, 0).astype(np.float32))
    stride = np.array([input_size[1] / width, input_size[0] / height])
    joints = np.where((finite & (high > low))[:, None], (cells + 0.5) * stride - 0.5, np.nan)
    return joints.reshape(batch, count, 2), scores.reshape(batch, count)


def resize_weights(cells: int, pixels: int, resize: Resize) -> NDArray[np.float64]:
    """(cells, pixels) matrix that resizes one axis; each row sums to 1."""
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
    if sigma is None:
        sigma = (0.5, 1.0) if method == "thesis" else 2.0
    visible, occluded = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    return float(visible), float(occluded)


def _checked(joints: ArrayLike, visibility: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    with np.errstate(over="ignore"):  # infinite: outside of any image
        points, seen = np.asarray(joints, np.float32), np.asarray(visibility)
    if not ((seen >= 0) & (seen <= 2)).all():
        raise AnnotationError("encode_heatmaps: visibility holds other numbers than 0, 1 and 2")
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


def _highest(maps: Maps) -> tuple[Places, Places]:
    """Row and column (N,) of the highest cell of each map."""
    count, height, width = maps.shape
    return np.divmod(maps.reshape(count, height * width).argmax(axis=1), width)


def _uphill(maps: Maps, row: Places, column: Places) -> NDArray[np.float64]:
    """(N, 2): a quarter towards the higher neighbour along x and y; 0 at the border, where one is missing."""
    _, height, width = maps.shape
    each = np.arange(len(maps))
    right, left = np.minimum(column + 1, width - 1), np.maximum(column - 1, 0)
    below, above = np.minimum(row + 1, height - 1), np.maximum(row - 1, 0)
    along_x = np.sign(maps[each, row, right] - maps[each, row, left])
    along_y = np.sign(maps[each, below, column] - maps[each, above, column])
    return 0.25 * np.stack([along_x * (right - left == 2), along_y * (below - above == 2)], axis=-1).astype(float)


def _parabola(maps: Maps, row: Places, column: Places) -> NDArray[np.float64]:
    """(N, 2): from the highest cell to the top of the parabola through the logarithms around it."""
    _, height, width = maps.shape
    each = np.arange(len(maps))
    # A cell at the border lacks a neighbour; the parabola through the cell next to it has the same top.
    y, x = np.clip(row, 1, height - 2), np.clip(column, 1, width - 2)
    step = np.arange(-1, 2)[:, None]
    logs = np.log(np.maximum(maps[each, y + step[:, None], x + step], _SMALLEST), dtype=float)  # (3, 3, N)
    lines = (logs[1], logs[:, 1])
    slopes, bends = [(z[2] - z[0]) / 2 for z in lines], [z[2] - 2 * z[1] + z[0] for z in lines]
    twist = (logs[2, 2] - logs[2, 0] - logs[0, 2] + logs[0, 0]) / 4
    shift = _top([*slopes, *bends, twist]) + np.stack([x - column, y - row], axis=-1)
    return np.nan_to_num(np.clip(shift, -1, 1))


def _top(terms: Any) -> NDArray[np.float64]:
    """(N, 2) from the origin to the top of parabolas (5, N); NaN where they have none, as a valley and a saddle."""
    slope_x, slope_y, bend_x, bend_y, twist = terms
    determinant = bend_x * bend_y - twist * twist
    height = np.where((bend_x < 0) & (determinant > 1e-12), determinant, np.nan)
    shift = np.stack([twist * slope_y - bend_y * slope_x, twist * slope_x - bend_x * slope_y], axis=-1)
    return np.asarray(shift / height[:, None])


def _filter(cells: int, width: float) -> NDArray[np.float64]:
    """(cells, cells) Gaussian around each cell, of length 1: at the border, where it is cut off, it finds its like."""
    steps = (np.arange(cells) - np.arange(cells)[:, None]) / width
    around = np.exp(-0.5 * steps * steps)
    return around / np.linalg.norm(around, axis=1, keepdims=True)


def _smoothed_tops(maps: Maps, width: float) -> NDArray[np.float64]:
    """(N, 2) x and y in cells of the tops of the smoothed maps.

    A smooth map is looked at in every second cell first, then in each cell around the highest of these.
    """
    count, height, wide = maps.shape
    rows, columns = _filter(height, width).astype(maps.dtype), _filter(wide, width).astype(maps.dtype)
    step = 2 if width >= 1 else 1
    coarse = rows[::step] @ (maps.reshape(-1, wide) @ columns[::step].T).reshape(count, height, len(columns[::step]))
    row, column = _highest(coarse)
    down, right = np.arange(min(height, 7)), np.arange(min(wide, 7))
    row, column = np.clip(step * row - 3, 0, height - len(down)), np.clip(step * column - 3, 0, wide - len(right))
    near = rows[row[:, None] + down] @ maps @ columns[column[:, None] + right].swapaxes(1, 2)
    place = _highest(near)
    row, column = row + place[0], column + place[1]
    cells = np.stack([column, row], axis=-1) + _parabola(near, *place)
    edge = 2 * width + 1
    cut = (np.minimum(row, height - 1 - row) < edge) | (np.minimum(column, wide - 1 - column) < edge)
    cells[cut] = _fitted_tops(maps[cut], row[cut], column[cut], width)
    return np.asarray(np.clip(cells, -0.5, [wide - 0.5, height - 0.5]))


def _fitted_tops(maps: Maps, row: Places, column: Places, width: float) -> NDArray[np.float64]:
    """(N, 2) x and y in cells of the Gaussian fitted to the cells around the highest, as far as the map goes.

    A parabola through their logarithms, each weighted by the square of its height (Guo 2011), first as it is, then as
    the fit has it.
    """
    count, height, wide = maps.shape
    reach = max(2, round(1.5 * width))
    steps = np.arange(-reach, reach + 1)
    rows, columns = row[:, None, None] + steps[:, None], column[:, None, None] + steps
    there = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < wide)
    around = maps[np.arange(count)[:, None, None], rows.clip(0, height - 1), columns.clip(0, wide - 1)]
    heights = np.where(there, np.maximum(around, 0), 0).reshape(count, len(steps) ** 2).astype(float)
    heights /= np.maximum(heights.max(axis=1, keepdims=True), _SMALLEST)
    logs = np.log(np.maximum(heights, _SMALLEST))
    x, y = np.tile(steps / reach, len(steps)), np.repeat(steps / reach, len(steps))
    terms = np.stack([np.ones_like(x), x, y, x * x / 2, y * y / 2, x * y])
    products = (terms[:, None] * terms).reshape(36, -1)
    weights = heights**2
    for _ in range(3):
        normal = (weights @ products.T).reshape(count, 6, 6) + 1e-9 * np.eye(6)
        fit = np.linalg.solve(normal, ((weights * logs) @ terms.T)[..., None])[..., 0]
        weights = np.exp(2 * np.minimum(fit @ terms, 0)) * (heights > 0)
    return np.asarray(np.stack([column, row], axis=-1) + np.nan_to_num(np.clip(_top(fit.T[1:]), -1, 1)) * reach)
