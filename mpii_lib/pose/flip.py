"""Heatmaps of mirrored images."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError


@checked
def flip_heatmaps(
    heatmaps: Annotated[ArrayLike, "B h w K"],
    order: Annotated[ArrayLike, "K"],
    offset: Annotated[float, -4096, 4096] = 0.0,
) -> NDArray[np.floating[Any]]:
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
        (B, height, width, K), in the type of `heatmaps`; with an offset in one that holds fractions.

    Raises
    ------
    AnnotationError
        `order` is no order of the joints.
    """
    maps, swap = np.asarray(heatmaps), np.asarray(order)
    if not np.array_equal(np.sort(swap), np.arange(len(swap))):
        raise AnnotationError("flip: order does not name each joint once; give skeleton.flip_order")
    mirrored = maps[:, :, ::-1, :][..., swap.astype(int)]
    if offset == 0:
        return mirrored
    exact = mirrored.astype(np.result_type(maps, np.float32), copy=False)  # SciPy shifts no half precision
    return ndimage.shift(exact, (0, 0, offset, 0), order=1, mode="nearest")
