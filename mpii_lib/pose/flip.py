"""Mirrored pictures: joints and heatmaps of the mirror image, and predictions averaged over both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def flip_joints(
    joints: ArrayLike, visibility: ArrayLike, order: ArrayLike, width: int
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Joints of the mirror image: x becomes width - 1 - x, and left and right change places.

    Parameters
    ----------
    joints, visibility
        (..., K, 2) in pixels of a picture, and (..., K).
    order
        (K,) `skeleton.flip_order`.
    width
        Width of the picture in pixels.

    Returns
    -------
    joints, visibility : numpy.ndarray
        float64 (..., K, 2) and int8 (..., K).
    """
    points = np.array(joints, float)
    points[..., 0] = width - 1 - points[..., 0]
    swap = np.asarray(order)
    return points[..., swap, :], np.asarray(visibility, np.int8)[..., swap]


def flip_heatmaps(heatmaps: ArrayLike, order: ArrayLike, offset: float = 0.0) -> NDArray[np.floating[Any]]:
    """Bring the heatmaps of a mirrored picture back to the picture: mirror them, and swap left and right.

    Mirroring is exact for maps in the convention of this package, cell j at (j + 0.5) s - 0.5, and in that of UDP
    (Huang et al. 2020), where the outermost cells lie on the outermost pixels. In maps where cell j lies at j s, as
    much published code has it, the mirrored ones come out (s - 1) / s cells too far to the left: with s = 4 and the
    mean of both, joints are off by 1.5 input pixels.

    Parameters
    ----------
    heatmaps
        (B, height, width, K), of mirrored pictures.
    order
        (K,) `skeleton.flip_order`.
    offset
        Move the mirrored maps to the right by this many cells, between cells linearly: (s - 1) / s for maps in the
        convention j s, 0 for this package's.

    Returns
    -------
    numpy.ndarray
        (B, height, width, K), in the type of `heatmaps`.
    """
    maps = np.asarray(heatmaps)
    mirrored = maps[:, :, ::-1, :][..., np.asarray(order)]
    if offset == 0:
        return mirrored
    whole = int(np.floor(offset))
    part = np.asarray(offset - whole, maps.dtype)
    return np.asarray((1 - part) * _moved(mirrored, whole) + part * _moved(mirrored, whole + 1))


def flip_test(
    predict: Callable[[Any], Any], pictures: ArrayLike, order: ArrayLike, offset: float = 0.0
) -> NDArray[np.floating[Any]]:
    """Mean of the heatmaps of pictures and of their mirror images, brought back.

    Parameters
    ----------
    predict
        Takes pictures (B, H, W, C) and gives heatmaps (B, height, width, K).
    pictures
        (B, H, W, C).
    order, offset
        As in `flip_heatmaps`.

    Returns
    -------
    numpy.ndarray
        (B, height, width, K).
    """
    batch = np.asarray(pictures)
    straight = np.asarray(predict(batch))
    mirrored = np.asarray(predict(np.ascontiguousarray(batch[:, :, ::-1])))
    return np.asarray((straight + flip_heatmaps(mirrored, order, offset)) / 2)


def _moved(maps: NDArray[Any], cells: int) -> NDArray[Any]:
    """Moved to the right by whole cells; the outermost column is repeated where nothing comes in."""
    width = maps.shape[2]
    return np.asarray(maps[:, :, np.clip(np.arange(width) - cells, 0, width - 1), :])
