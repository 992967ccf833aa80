"""Checkpoints: weights, optimizer and the state of a run in one HDF5 file, so that they can never disagree."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.files import replacing

LAST, BEST = "last.weights.h5", "best.weights.h5"
_STATE = "mpii_state"


@dataclass
class RunState:
    """Where a run stands after a whole number of epochs."""

    identity: dict[str, Any]  # what must be the same for the run to go on; see `loop.fit`
    rows: list[dict[str, float]] = field(default_factory=list)  # the history, a dict for each finished epoch
    best_epoch: int = 0  # from 1; 0 before the first epoch
    best_value: float | None = None
    waited: int = 0  # epochs since the best one
    peak_memory_mib: float | None = None

    @property
    def epochs_run(self) -> int:
        """Finished epochs."""
        return len(self.rows)


def save(model: keras.Model, state: RunState, folder: Path, best: bool) -> None:
    """Write `last.weights.h5`, and the weights alone as `best.weights.h5` when this epoch is the best so far.

    The best file goes first: a kill between the two leaves the older `last`, from which the same epoch, and so the
    same best file, is made again.
    """
    with replacing(folder / LAST, TrainingError) as temporary:
        model.save_weights(temporary)
        with h5py.File(temporary, "a") as file:
            text = json.dumps(asdict(state)).encode()
            file.create_dataset(_STATE, data=np.frombuffer(text, dtype=np.uint8))  # attributes end at 64 KiB
        if best:
            with replacing(folder / BEST, TrainingError) as weights:
                _copy_weights(temporary, weights)


def read_state(folder: Path) -> RunState | None:
    """Read the state of the run in a folder; None when there is no run, TrainingError when its file is broken."""
    path = folder / LAST
    if not path.exists():
        return None
    try:
        with h5py.File(path, "r") as file:
            return RunState(**json.loads(file[_STATE][()].tobytes()))
    except (OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"{path}: is no checkpoint of fit ({reason}); move it away or delete it to train anew"
        ) from None


def load(model: keras.Model, path: Path) -> None:
    """Load the weights (and, from `last`, the optimizer of a compiled model) of a checkpoint into a model."""
    try:
        with warnings.catch_warnings():
            # The best weights have no optimizer beside them, and Keras says so each time.
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(
            f"{path}: does not fit this model ({reason}); build the model as it was trained, or delete the folder"
        ) from None


def _copy_weights(source: Path, target: Path) -> None:
    """Copy a checkpoint without its optimizer and state: a third of the size with Adam."""
    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value
        for name in old:
            if name not in (_STATE, "optimizer"):
                old.copy(name, new)
