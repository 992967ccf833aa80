"""Heatmaps inside a training graph: `encode_heatmaps` and its way back in `keras.ops`, on every backend."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import AnnotationError
from mpii_lib.pose.heatmaps import Method, Resize, Widths, checked_widths, thesis_table

ops = keras.ops


def encode_heatmaps_graph(
    joints: Any,
    visibility: Any,
    size: tuple[int, int] = (64, 64),
    input_size: tuple[int, int] = (256, 256),
    method: Method = "gaussian",
    sigma: Widths = None,
    resize: Resize = "bilinear",
) -> tuple[Any, Any]:
    """Draw heatmaps in the graph, equal to `encode_heatmaps` to 1e-5.

    Parameters
    ----------
    joints, visibility
        Tensors (B, K, 2) and (B, K); else as in `encode_heatmaps`.
    size, input_size, method, sigma, resize
        As in `encode_heatmaps`.

    Returns
    -------
    heatmaps : tensor
        float32 (B, height, width, K).
    mask : tensor
        float32 (B, K), 1 where a joint is annotated and inside the input, as `joint_mask` gives it.

    Raises
    ------
    AnnotationError
        A name is unknown, or a width is not positive.
    """
    widths = checked_widths(method, sigma)
    points = ops.cast(joints, "float32")
    seen = ops.cast(visibility, "int32")
    limits = np.array([input_size[1], input_size[0]], np.float32) - 0.5
    inside = ops.all(ops.logical_and(points >= -0.5, points < limits), axis=-1)  # false for NaN
    mask = ops.cast(ops.logical_and(inside, seen > 0), "float32")
    known = ops.where(mask[..., None] > 0, points, 0.0)
    rows, columns = (
        _profiles(known[..., axis], seen, size[place], input_size[place], method, widths, resize)
        for axis, place in ((1, 0), (0, 1))
    )
    rows = ops.transpose(rows * mask[..., None], (0, 2, 1))
    return rows[:, :, None, :] * ops.transpose(columns, (0, 2, 1))[:, None, :, :], mask


def decode_heatmaps_graph(
    heatmaps: Any, input_size: tuple[int, int] = (256, 256), method: Literal["argmax", "soft"] = "argmax"
) -> tuple[Any, Any]:
    """Find joints in the graph.

    Parameters
    ----------
    heatmaps
        Tensor (B, height, width, K). For "soft" these are the logits of a softmax over the cells.
    input_size
        (height, width) of the input in pixels.
    method
        "argmax": the middle of the highest cell, as `decode_heatmaps`. "soft": the mean place under the softmax, which
        has a gradient.

    Returns
    -------
    joints : tensor
        float32 (B, K, 2) in input pixels.
    scores : tensor
        float32 (B, K): the highest value, or for "soft" the highest probability.

    Raises
    ------
    AnnotationError
        The name is unknown.
    """
    if method not in ("argmax", "soft"):
        raise AnnotationError(f'decode_heatmaps_graph: method {method!r}; use "argmax" or "soft"')
    _, height, width, count = heatmaps.shape
    flat = ops.reshape(ops.transpose(ops.cast(heatmaps, "float32"), (0, 3, 1, 2)), (-1, count, height * width))
    if method == "argmax":
        best = ops.argmax(flat, axis=-1)
        row, column = ops.floor_divide(best, width), ops.mod(best, width)
        cells = ops.cast(ops.stack([column, row], axis=-1), "float32")
        scores = ops.max(flat, axis=-1)
    else:
        share = ops.softmax(flat, axis=-1)
        row, column = np.divmod(np.arange(height * width, dtype=np.float32), width)
        cells = ops.matmul(share, np.stack([column, row], axis=-1))
        scores = ops.max(share, axis=-1)
    stride = np.array([input_size[1] / width, input_size[0] / height], np.float32)
    return (cells + 0.5) * stride - 0.5, scores


def _profiles(
    positions: Any,
    seen: Any,
    cells: int,
    pixels: int,
    method: Method,
    widths: tuple[float, float],
    resize: Resize,
) -> Any:
    """float32 (B, K, cells): the heatmaps along one axis."""
    occluded = (seen == 1)[..., None]
    if method == "thesis":
        nearest = ops.cast(ops.clip(ops.floor(positions + 0.5), 0, pixels - 1), "int32")
        tables = [ops.convert_to_tensor(thesis_table(cells, pixels, width, resize)) for width in widths]
        return ops.where(occluded, ops.take(tables[1], nearest, axis=0), ops.take(tables[0], nearest, axis=0))
    place = (positions + 0.5) / np.float32(pixels / cells)
    centre = ops.floor(place) if method == "gaussian" else place - 0.5
    width = ops.where(occluded, np.float32(widths[1]), np.float32(widths[0]))
    steps = (np.arange(cells, dtype=np.float32) - centre[..., None]) / width
    return ops.exp(-0.5 * steps * steps)
