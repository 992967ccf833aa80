"""Keras, loaded without the lines that TensorFlow writes to standard error while it starts.

Modules that need Keras from their first line write `from mpii_lib._keras import keras`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: TensorFlow's C++ part writes there, past `sys.stderr`."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with silenced_stderr():
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # The first question for devices is what makes TensorFlow speak up about missing GPU drivers.
        tf.config.list_logical_devices()
        tf.get_logger().setLevel("ERROR")


def without_xla_on_cpu(model: keras.Model) -> keras.Model:
    """Keep Keras from compiling a network with XLA where there is only a CPU, and return it.

    A model that went through `compile` does without XLA there by itself; one that only predicts, as a feature extractor
    does, is compiled (Keras 3.10 to 3.15), which takes minutes for a hundred layers.
    """
    if keras.backend.backend() == "tensorflow" and not tf.config.list_physical_devices("GPU"):
        model.supports_jit = False
    return model


__all__ = ["keras", "silenced_stderr", "without_xla_on_cpu"]
