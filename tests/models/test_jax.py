"""The classifiers are ordinary Keras models on JAX as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_on_jax_the_classifiers_are_ordinary_keras_models_too() -> None:
    file = Path(__file__).with_name("test_plain_keras.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-k",
        "trainable or head",
        str(file),
    ]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
