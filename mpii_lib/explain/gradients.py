"""The one place of the library where a gradient is taken by hand: Keras 3 has no function of its own for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError


def gradient(function: Callable[[Any], Any], inputs: Any) -> np.ndarray:
    """Gradient of a sum of numbers with respect to a batch.

    Parameters
    ----------
    function
        Takes a tensor (B, ...) and returns one number for each row, (B,); row i may depend on no other row.
    inputs
        Array or tensor (B, ...).

    Returns
    -------
    float32 of the shape of `inputs`: row i is the gradient of the i-th number.

    Raises
    ------
    ModelError
        On a Keras backend other than TensorFlow and JAX.
    """
    backend = keras.backend.backend()
    point = keras.ops.convert_to_tensor(inputs, dtype="float32")
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(point)
            values = function(point)
        slope = tape.gradient(values, point, unconnected_gradients="zero")
    elif backend == "jax":
        import jax

        slope = jax.grad(lambda x: function(x).sum())(point)
    else:
        raise ModelError(f"gradients are not written for the Keras backend {backend!r}; use TensorFlow or JAX")
    return keras.ops.convert_to_numpy(slope)
