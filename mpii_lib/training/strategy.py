"""The places where training needs TensorFlow itself: several devices, and arrays as a stream."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError


def distribution_strategy(devices: Sequence[str] | None = None) -> Any:
    """Choose how to train on the devices of this machine.

    Build the model inside `with distribution_strategy().scope():`, and call `fit` as ever. The batch is shared out
    among the devices, so its size stays that of the dataset, and the result that of one device up to rounding.

    Measured with TensorFlow 2.21 and Keras 3.15: `MirroredStrategy` and Keras' `fit` give the same loss as one
    device. `MultiWorkerMirroredStrategy` and `fit` **fail** (a PerReplica ValueError, Keras issue 20585), so it is
    never returned. For several machines, and for TPUs, use the JAX backend (`KERAS_BACKEND=jax`) with
    `keras.distribution.initialize(address, processes, rank)` and
    `keras.distribution.set_distribution(keras.distribution.DataParallel())`; `fit` stays as it is.

    Parameters
    ----------
    devices
        Names such as ["GPU:0", "GPU:1"]; by default all GPUs.

    Returns
    -------
    tf.distribute.Strategy
        `MirroredStrategy` over two devices or more, else TensorFlow's default strategy, which changes nothing.

    Raises
    ------
    TrainingError
        On another backend than TensorFlow, for a device that is not there, and when TF_CONFIG names several workers.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise TrainingError(
            f"distribution_strategy is for the TensorFlow backend, this is {backend}: "
            "use keras.distribution.set_distribution(keras.distribution.DataParallel())"
        )
    if _workers() > 1:
        raise TrainingError(
            f"TF_CONFIG names {_workers()} workers: Keras' fit fails under MultiWorkerMirroredStrategy; "
            "unset TF_CONFIG, or use the JAX backend with keras.distribution"
        )
    import tensorflow as tf

    names = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices()]
    if devices is None:
        devices = [name for name in names if name.startswith("GPU")]
    for name in devices:
        if name not in names:
            raise TrainingError(f"device {name!r} is not here: use some of {', '.join(names)}")
    return tf.distribute.MirroredStrategy(list(devices)) if len(devices) > 1 else tf.distribute.get_strategy()


def stream_arrays(arrays: Sequence[np.ndarray], batch: int) -> Any:
    """Make a `tf.data.Dataset` of batches from arrays of equal length.

    Keras' own way from arrays to batches traces four functions each time, a tenth of a second that a run of `fit` would
    pay in each epoch; this traces none.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):
        return tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(batch).prefetch(2)


def _workers() -> int:
    try:
        return len(json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {}).get("worker", []))
    except (ValueError, AttributeError):
        return 0
