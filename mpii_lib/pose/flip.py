"""Joints and heatmaps of mirrored images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage


def flip_joints(
    joints: ArrayLike, visibility: ArrayLike, order: ArrayLike, width: int
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Joints of the mirror image: x becomes width - 1 - x, and left and right change places.

    Parameters
    ----------
    joints, visibility
        (..., K, 2) in pixels of an image, and (..., K).
    order
        (K,) `skeleton.flip_order`.
    width
        Width of the image in pixels.

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
    """Bring the heatmaps of a mirrored image back to the image: mirror them, and swap left and right.

    Mirroring is exact for maps in the convention of this package, cell j at (j + 0.5) s - 0.5, and in that of UDP
    (Huang et al. 2020), where the outermost cells lie on the outermost pixels. In maps where cell j lies at j s, as
    much published code has it, the mirrored ones come out (s - 1) / s cells too far to the left: with s = 4 and the
    mean of both, joints are off by 1.5 input pixels.

    Parameters
    ----------
    heatmaps
        (B, height, width, K), of mirrored images.
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
    return mirrored if offset == 0 else ndimage.shift(mirrored, (0, 0, offset, 0), order=1, mode="nearest")
