"""The classifiers are ordinary Keras models on JAX as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_on_jax_the_classifiers_are_ordinary_keras_models_too() -> None:
    options = ["-k", "all_of_a_frozen or training_the_head", "-W", "ignore:__array__ implementation doesn't"]
    file = Path(__file__).with_name("test_plain_keras.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *options, str(file)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
