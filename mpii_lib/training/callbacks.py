"""The callbacks of a run: Keras' own, and what they lack to survive a kill and to leave a record."""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import TrainingError
from mpii_lib.files import file_bytes, make_folder, want_room
from mpii_lib.training import records

BEST = "best.weights.h5"
BACKUP = "backup"
LATEST = f"{BACKUP}/latest.weights.h5"
PREVIOUS = f"{LATEST}.bkp"  # as `BackupAndRestore` names it


@checked
def run_callbacks(
    folder: str | Path,
    data: Any = None,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    patience: int | None = None,
    monitor: str = "val_loss",
    mode: Literal["auto", "min", "max"] = "auto",
    seed: int = 0,
    extra: Iterable[keras.callbacks.Callback] = (),
) -> list[keras.callbacks.Callback]:
    """Callbacks for `model.fit` that keep a run in a folder, from which it goes on after a kill, with the same result.

    Calling `fit` again with the same arguments goes on after the last whole epoch; with more `epochs` it trains on; a
    run that is finished is only loaded. The `history` that `fit` returns has all epochs of the run, not only the last
    call's. The list holds, in this order:

    - `extra`, which may add to the logs of an epoch;
    - `RunRecord`, which writes `run.json` and ends a training whose loss is not a number;
    - `keras.callbacks.ModelCheckpoint`, which keeps the best weights in `best.weights.h5`;
    - `keras.callbacks.EarlyStopping`, if `patience` is given, which also puts the best weights back at the end;
    - `keras.callbacks.BackupAndRestore`, which keeps the latest weights and the optimizer in `backup/`;
    - `ResumeRun`, which gives the callbacks above what they knew before the kill;
    - `EpochSeeds`, which tells the dataset and the random layers which epoch it is.

    Parameters
    ----------
    folder
        Of this run alone. A folder with a run of other settings is refused, and they are named.
    data
        What is trained on: an `ImageDataset` or `PoseDataset`, which is told the epoch, the `Features` of
        `cached_features`, or a tuple of arrays. A run on other data is refused; without it nobody can tell.
    hyperparameters
        What describes the run to a reader of its record: numbers, text, paths, lists of them. They must be the same
        for the run to go on, "epochs" apart.
    patience
        Stop after this many epochs in a row without an improvement. The model then ends with the weights of the best
        epoch; without it, with those of the last.
    monitor, mode
        Column of the history that decides what is best, and whether it gets better by falling ("min") or rising
        ("max"). "auto" knows the way of losses, accuracies and PCKh, and no other: an error taken for a score would
        keep the worst weights.
    seed
        Of dropout, and of the order of arrays.

    Raises
    ------
    TrainingError
        The folder cannot be written, holds another run, or the direction of `monitor` is not known. While it trains:
        when the loss becomes NaN, or the disk has no room for the weights of an epoch.
    """
    if not 0 <= seed < 2**32 or (patience is not None and patience < 1):
        raise TrainingError(f"seed {seed}, patience {patience}: give a seed of 0 to {2**32 - 1}, a patience from 1 on")
    folder = Path(folder).expanduser()
    make_folder(folder, TrainingError)
    if mode == "auto":
        if not monitor.endswith(("loss", "accuracy", "pckh")):
            raise TrainingError(f'monitor {monitor!r}: say mode="min" or mode="max", whichever way it gets better')
        mode = "min" if monitor.endswith("loss") else "max"
    watch = {"monitor": monitor, "mode": mode}
    asked = json.loads(records.to_json(hyperparameters or {}, "hyperparameters"))
    record = RunRecord(folder, data, asked, {**watch, "patience": patience, "seed": seed})
    # Keras formats the path: braces in a folder's name are doubled so that they stay what they are.
    best = str(folder / BEST).replace("{", "{{").replace("}", "}}")
    checkpoint = keras.callbacks.ModelCheckpoint(best, save_best_only=True, save_weights_only=True, **watch)
    stopping = []
    if patience is not None:
        stopping = [keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True, **watch)]
    backup = keras.callbacks.BackupAndRestore(folder / BACKUP, double_checkpoint=True, delete_checkpoint=False)
    resume = ResumeRun(record, checkpoint, stopping[0] if stopping else None)
    return [*extra, record, checkpoint, *stopping, backup, resume, EpochSeeds(data, seed)]


class EpochSeeds(keras.callbacks.Callback):
    """Puts everything random where it stands at the start of an epoch, so that any epoch can be trained again.

    The dataset draws its order and changes for that epoch. Dropout's generators get seeds of that epoch: their state
    is in no weight file. So do Python's and NumPy's global generators, with which Keras shuffles batches and arrays.
    """

    @checked
    def __init__(self, dataset: Any = None, seed: int = 0) -> None:
        super().__init__()
        self.dataset, self.seed = dataset, seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the epoch."""
        random.seed(f"{self.seed} {epoch}")
        np.random.seed([self.seed, epoch])  # noqa: NPY002 - it is the one that Keras draws from
        if hasattr(self.dataset, "epoch"):
            self.dataset.epoch = epoch
        states = [variable for variable in self.model.variables if variable.path.endswith("seed_generator_state")]
        for index, state in enumerate(states):
            words = np.random.SeedSequence([self.seed, epoch, index]).generate_state(2) & 0x7FFFFFFF
            state.assign(words.astype(str(state.dtype)))


class RunRecord(keras.callbacks.Callback):
    """Writes the record of a run, `run.json`: what was trained, on what, and how each epoch went.

    Parameters
    ----------
    folder
        Of this run alone.
    dataset
        The training data; its `fingerprint`, `batch_size` and `skipped` are noted where it has them.
    hyperparameters, watch
        What the caller says of the run; what the callbacks go by (monitor, mode, patience, seed).
    """

    @checked
    def __init__(
        self, folder: Path, dataset: Any, hyperparameters: Mapping[str, Any], watch: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.folder, self.dataset, self.hyperparameters, self.watch = folder, dataset, hyperparameters, watch
        self.rows: list[dict[str, float]] = []  # the history, a dict for each whole epoch
        self.record: dict[str, Any] = {}
        self._started = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Refuse the folder of another run; take up the rows of this one."""
        self.record = self._describe()
        self.rows = []
        if not (self.folder / records.RECORD_NAME).exists():
            return
        old = records.read_record(self.folder)
        there, here = _identity(old), json.loads(records.to_json(_identity(self.record), "record"))
        names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
        if names and old["history"]:
            found = ", ".join(f"{n:.60} {there.get(n)!s:.60} there and {here.get(n)!s:.60} here" for n in names[:4])
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            raise TrainingError(
                f"{self.folder}: holds a run with other settings ({found}{more}); give another folder, or delete this"
            )
        columns = old["history"]
        if columns and not {*records.BESIDE_LOGS, self.watch["monitor"]} <= set(columns):
            raise TrainingError(f"{self.folder}: field history of its record is not that of a run; delete the folder")
        whole = ([math.nan if value is None else value for value in column] for column in columns.values())
        self.rows = [dict(zip(columns, values, strict=True)) for values in zip(*whole, strict=True)]
        if len(self.rows) > self.params["epochs"]:
            raise TrainingError(
                f"{self.folder}: this run has {len(self.rows)} epochs already, {self.params['epochs']} are wanted; "
                "give another folder, or as many epochs"
            )
        self.record |= {name: old[name] for name in ("scores", "started", "peak_memory_mib") if name in old}
        mend_backup(self.model, self.folder, [row["steps"] for row in self.rows])

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        if epoch == len(self.rows):
            self.write("running")

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """End the training at the first loss that is not a number."""
        self._check("loss", logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch, before any weights of it are written: what a kill may leave is a row too many, never none."""
        if self.watch["monitor"] not in (logs or {}):
            found = f"use one of {', '.join(logs)}, or give validation_data" if logs else "training data gave no batch"
            raise TrainingError(f"monitor {self.watch['monitor']!r} is not in the history: {found}")
        self._check(self.watch["monitor"], logs)
        # The three files of weights find room, or HDF5 would end the interpreter: 4 bytes a number, and a header each.
        size = 3 * sum(4 * math.prod(v.shape) + 4096 for v in [*self.model.variables, *self.model.optimizer.variables])
        there = sum(max(0, file_bytes(self.folder / name)) for name in (BEST, LATEST, PREVIOUS))
        want_room(self.folder, size - there, TrainingError)
        seconds = round(time.perf_counter() - self._started, 3)
        values = {name: float(value) for name, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1, **values, "seconds": seconds, "steps": steps_of(self.model)})
        peaks = (self.record.get("peak_memory_mib"), records.peak_memory_mib())
        self.record["peak_memory_mib"] = max(filter(None, peaks), default=None)
        self.write("running")

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Say how it ended, and give `fit` the whole history to return."""
        columns = self._columns()
        self.model.history.epoch = [epoch - 1 for epoch in columns.get("epoch", [])]
        self.model.history.history = {
            name: column for name, column in columns.items() if name not in records.BESIDE_LOGS
        }
        self.model._initial_epoch = None  # else the next `fit` of this model, in another folder, would begin there
        self.write("stopped early" if len(self.rows) < self.params["epochs"] else "complete")

    def write(self, status: str, **fields: Any) -> None:
        """Write the record with what is known by now."""
        best = best_row(self.rows, self.watch["monitor"], self.watch["mode"])
        value = self.rows[best][self.watch["monitor"]] if self.rows else None
        kept = len(self.rows) if self.watch["patience"] is None else best + 1
        self.record |= {
            "status": status,
            "history": self._columns(),
            "best": {"epoch": best + 1, "monitor": self.watch["monitor"], "value": value},
            "kept_epoch": kept,
            "seconds": round(sum(row["seconds"] for row in self.rows), 3),
            "skipped": list(getattr(self.dataset, "skipped", [])),
            **fields,
        }
        records.write_record(self.folder, self.record)

    def _columns(self) -> dict[str, list[float]]:
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: [row.get(name, math.nan) for row in self.rows] for name in names}

    def _check(self, name: str, logs: Mapping[str, float] | None) -> None:
        if math.isfinite((logs or {}).get(name, 0.0)):
            return
        rate = float(np.asarray(self.model.optimizer.learning_rate))
        reason = (
            f"{self.folder}: {name} is not a number in epoch {len(self.rows) + 1}; train in a new folder with a "
            f"learning rate below {rate:g}, and look for empty or extreme inputs and class weights"
        )
        self.write("failed", error=reason)
        raise TrainingError(reason)

    def _describe(self) -> dict[str, Any]:
        optimizer, model, data = optimizer_of(self.model), self.model, self.dataset
        config = {k: v for k, v in optimizer.get_config().items() if k not in ("name", "learning_rate")}
        rate = optimizer.get_config().get("learning_rate")  # a float32 of Keras: 0.01 comes back as 0.0099999998
        loss = model.loss if isinstance(model.loss, str) else getattr(model.loss, "name", None) or str(model.loss)
        structure: list[Any] = [(type(layer).__name__, layer.trainable) for layer in model.layers]
        structure += [(list(v.shape), str(v.dtype), v.trainable) for v in model.weights]
        training = {
            "optimizer": "nesterov" if config.get("nesterov") else type(optimizer).__name__.lower(),
            "learning_rate": float(f"{rate:.6g}") if isinstance(rate, int | float) else json.dumps(rate, default=str),
            "loss": loss,
            "batch_size": getattr(data, "batch_size", None),
            "steps": self.params.get("steps"),
            "epochs": self.params["epochs"],
            **self.watch,
        }
        fingerprints = {
            "training data": fingerprint_of(data),
            "model layers": hashlib.sha256(json.dumps(structure).encode()).hexdigest()[:12],
            "optimizer settings": json.dumps(config, sort_keys=True, default=str),
        }
        return records.new_record(self.folder, model, self.hyperparameters, training, fingerprints)


class ResumeRun(keras.callbacks.Callback):
    """Finds out which epoch the restored weights belong to, and gives the other callbacks their memory back.

    Which epoch it is says the optimizer's count of steps, which lies in the same file as the weights: so a kill between
    the two files that `BackupAndRestore` writes changes nothing. `ModelCheckpoint` and `EarlyStopping` forget at a
    restart what was best.
    """

    @checked
    def __init__(
        self,
        record: RunRecord,
        checkpoint: keras.callbacks.ModelCheckpoint,
        stopping: keras.callbacks.EarlyStopping | None,
    ) -> None:
        super().__init__()
        self.record, self.checkpoint, self.stopping = record, checkpoint, stopping

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Set the epoch at which the training goes on; at its end when there is nothing left to train."""
        folder, rows = self.record.folder, self.record.rows
        steps = [row["steps"] for row in rows]
        epoch = steps.index(steps_of(self.model)) + 1 if (folder / LATEST).exists() else 0
        del rows[epoch:]
        self.model._initial_epoch = epoch
        if not epoch:
            return
        best = best_row(rows, self.record.watch["monitor"], self.record.watch["mode"])
        self.checkpoint.best = rows[best][self.record.watch["monitor"]]
        if self.stopping is None:
            return
        self.stopping.best, self.stopping.best_epoch = self.checkpoint.best, best
        self.stopping.wait = epoch - 1 - best
        with suppress(Exception):  # torn by the kill, in an epoch that is trained again now and is the best again
            self.model.load_weights(folder / BEST)
            self.stopping.best_weights = self.model.get_weights()
        self.model.load_weights(folder / LATEST)
        if self.stopping.wait >= self.stopping.patience:
            self.model._initial_epoch = self.params["epochs"]


def fingerprint_of(data: Any) -> str:
    """Twelve letters that stand for a dataset or for arrays; empty where there is nothing to go by."""
    if hasattr(data, "fingerprint"):
        return data.fingerprint[:12]
    digest = hashlib.sha256()
    for array in data if isinstance(data, tuple) else ():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]


def best_row(rows: list[dict[str, float]], monitor: str, mode: str) -> int:
    """Position of the first best row; -1 when there is none."""
    values = [row[monitor] for row in rows]
    return values.index(min(values) if mode == "min" else max(values)) if values else -1


def optimizer_of(model: keras.Model) -> keras.optimizers.Optimizer:
    """Optimizer of a model; where half precision scales the loss, the one inside."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def steps_of(model: keras.Model) -> int:
    """Steps that the model's optimizer has taken."""
    return int(keras.ops.convert_to_numpy(optimizer_of(model).iterations))


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that must be equal for a run to go on, flat, in words that an error can repeat."""
    asked = {f"hyperparameters {k}": v for k, v in record.get("hyperparameters", {}).items() if k.lower() != "epochs"}
    training = {name: value for name, value in record.get("training", {}).items() if name != "epochs"}
    described = {name: record.get("model", {}).get(name) for name in ("backbone", "weights")}
    return described | training | asked | record.get("fingerprints", {})


def mend_backup(model: keras.Model, folder: Path, steps: list[float]) -> None:
    """See that what `BackupAndRestore` will load is whole: a kill may have come while it was written.

    Whole are weights that can be loaded and whose count of steps stands in the record (`steps`, of each epoch). Where
    the latest are not, those of the epoch before take their place; where there are none, the run begins anew.
    """
    latest, number = folder / LATEST, folder / BACKUP / "training_metadata.json"
    number.unlink(missing_ok=True)  # ResumeRun counts the epochs itself, and this file may be torn
    saved = [path for path in (latest, folder / PREVIOUS) if path.exists()]
    if not saved:
        return
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    for path in saved:
        os.replace(path, latest)
        with suppress(Exception):  # HDF5 and Keras raise a dozen kinds for a torn file
            model.load_weights(latest)
            if steps_of(model) in steps:
                return
    if len(steps) > 1:
        raise TrainingError(f"{folder}: its weights are damaged or not those of its record; delete the folder")
    latest.unlink()
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
