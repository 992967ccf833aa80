"""What every notebook does first: seeds, the figure style, and a short table of what this machine is."""

from __future__ import annotations

import os
import platform
import random
import sys
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType

import numpy as np

from mpii_lib import plots
from mpii_lib._html import html_table
from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError


@dataclass(frozen=True)
class SessionInfo:
    """Versions, device and seed of this session; shows itself as a table in a notebook."""

    rows: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.rows)

    def _repr_html_(self) -> str:
        return html_table(dict(self.rows), "This session")


@checked
def setup(seed: int = 0, keras: bool = False) -> SessionInfo:
    """Seed every source of randomness, set the figure style, and say what this session runs on.

    Parameters
    ----------
    seed
        One number for Python's, NumPy's and (when it is loaded) Keras' random numbers.
    keras
        Load Keras as well, without the messages that TensorFlow prints while it loads (some eight seconds on a laptop);
        afterwards `import keras` costs nothing. Notebooks that only need NumPy leave it out and start at once.

    Returns
    -------
    SessionInfo
        A table of versions, device and seed.

    Raises
    ------
    MpiiError
        When NumPy does not take the seed.
    """
    if not 0 <= seed < 2**32:
        raise MpiiError(f"setup: SEED is {seed}; give a whole number from 0 to {2**32 - 1}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - third-party code in a notebook may still draw from the global generator
    plots.use_style()
    device = f"{os.cpu_count()} CPU cores"
    versions = ["numpy", "pandas", "matplotlib"]
    if keras or "keras" in sys.modules:
        from mpii_lib._keras import keras as module  # silences what TensorFlow prints while it loads

        module.utils.set_random_seed(seed)
        device = _device_name(module)
        versions = ["keras", module.backend.backend(), *versions]
    rows = [
        ("mpii_lib", _version("mpii-notebooks")),
        ("Python", platform.python_version()),
        *[(name, _version(name)) for name in versions],
        ("device", device),
        ("seed", str(seed)),
    ]
    return SessionInfo(tuple(rows))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _device_name(keras: ModuleType) -> str:
    """The accelerator's name where there is one, else the number of CPU cores."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            details = tf.config.experimental.get_device_details(gpus[0])
            return f"{len(gpus)} x {details.get('device_name', 'GPU')}"
        return f"{os.cpu_count()} CPU cores (no GPU)"
    return ", ".join(keras.distribution.list_devices())
