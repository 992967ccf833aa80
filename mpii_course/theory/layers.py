"""The layers from which the backbone notebooks rebuild their blocks, for one image, in NumPy.

Notebooks 07 and 23 write the convolution step by step, and 21 the normalization; here they take any kernel and layer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


def convolve(maps: Array, kernels: Array, bias: ArrayLike = 0.0) -> Array:
    """Convolution of stride 1 with zeros around the border, as Keras' Conv2D with `padding="same"` computes it.

    Parameters
    ----------
    maps
        (H, W, C), one image or the maps of one layer.
    kernels
        (k, m, C, D): height, width, channels that come in, channels that go out; k and m odd.
    bias
        (D,) or one number.

    Returns
    -------
    ndarray
        (H, W, D).
    """
    height, width = kernels.shape[:2]
    padded = np.pad(maps, ((height // 2, height // 2), (width // 2, width // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(0, 1))
    return np.einsum("hwcij,ijcd->hwd", windows, kernels, optimize=True) + bias


def normalise(maps: Array, *stored: Array, epsilon: float = 1e-3) -> Array:
    """Batch normalization as it is used after training: a shift and a scale for each channel, with stored numbers.

    Parameters
    ----------
    maps
        (H, W, C).
    stored
        What `get_weights()` of a Keras BatchNormalization gives, each (C,): gamma, beta, mean, variance; or beta, mean,
        variance, where the layer has no scale of its own (gamma is 1 then).
    epsilon
        The layer's `epsilon`, which keeps the division from zero.
    """
    gamma, (beta, mean, variance) = (np.ones(1), stored) if len(stored) == 3 else (stored[0], stored[1:])
    return gamma * (maps - mean) / np.sqrt(variance + epsilon) + beta
