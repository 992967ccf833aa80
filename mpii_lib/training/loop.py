"""`fit`: a training that shows its progress, stops early, and goes on after a kill as if nothing had happened."""

from __future__ import annotations

import html
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.files import PARTIAL, make_folder
from mpii_lib.models import head_model
from mpii_lib.training import checkpoint, compiling
from mpii_lib.training.data import Source
from mpii_lib.training.description import identity, new_record
from mpii_lib.training.frozen_front import REST, frozen_front
from mpii_lib.training.plan import Plan
from mpii_lib.training.progress import Show, progress_line
from mpii_lib.training.records import FINISHED, RECORD_NAME, peak_memory_mib, read_record, write_record

_SHOWN_ROWS = 8
EachEpoch = Callable[[keras.Model], Mapping[str, float]]


@dataclass(frozen=True)
class TrainingRun:
    """What a training left: its history, its record, and a folder with the best and the last weights."""

    history: pd.DataFrame  # epoch (from 1), loss, accuracy, val_loss, val_accuracy, ..., seconds
    record: dict[str, Any]
    folder: Path

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) that was best in the watched quantity."""
        return int(self.record["best"]["epoch"])

    def load(self, model: keras.Model, which: str = "best") -> keras.Model:
        """Load the "best" or the "last" weights of this run into a model of the same structure, and return it.

        A run on cached features takes the whole classifier, frozen as it was, and loads its head or what it trained.
        """
        names = {"best": checkpoint.BEST, "last": checkpoint.LAST}
        if which not in names:
            raise TrainingError(f"weights {which!r} are unknown: use best or last")
        part, target = self.record["model"].get("trained_part"), model
        if part and "features" in [layer.name for layer in model.layers]:
            cut = frozen_front(model) if part == REST else None
            target = cut[1] if cut else head_model(model)
        checkpoint.load(target, self.folder / names[which])
        return model

    def __repr__(self) -> str:
        best = self.record["best"]
        value = "" if best["value"] is None else f" ({best['monitor']} {best['value']:.3f})"
        epochs = f"{len(self.history)} epoch{'s' * (len(self.history) != 1)}"
        return (
            f"{self.record['status']} after {epochs}, best epoch {best['epoch']}{value}, {self.record['seconds']:.0f} s"
        )

    def _repr_html_(self) -> str:
        table = self.history.round(3)
        if len(table) > _SHOWN_ROWS:
            positions = np.unique(np.linspace(0, len(table) - 1, _SHOWN_ROWS).round().astype(int))
            table = table.iloc[sorted({*positions.tolist(), self.best_epoch - 1})]
        table = table.assign(seconds=table["seconds"].round(1))
        table.insert(1, "", ["best" if epoch == self.best_epoch else "" for epoch in table["epoch"]])
        return f"<p>{html.escape(repr(self))}</p>{table.to_html(index=False, border=0, na_rep='')}"


def fit(
    model: keras.Model,
    train: Any,
    validation: Any = None,
    *,
    epochs: int,
    folder: str | Path,
    optimizer: str | keras.optimizers.Optimizer = "adam",
    learning_rate: float | None = None,
    loss: compiling.Loss | None = None,
    metrics: list[Any] | None = None,
    class_weight: Mapping[int, float] | None = None,
    early_stopping: int | None = None,
    monitor: str | None = None,
    batch: int = 32,
    shuffle: bool = True,
    seed: int = 0,
    mixed_precision: bool = False,
    jit_compile: bool = False,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
    each_epoch: EachEpoch | None = None,
) -> TrainingRun:
    """Train a model, and write what is needed to go on, to report and to use it into a folder.

    After each epoch the folder holds `last.weights.h5` (weights, optimizer and the state of the run), `best.weights.h5`
    (weights alone) and `run.json` (see `mpii_lib.training.records`), each replaced as a whole. Calling `fit` again
    with the same arguments goes on after the last whole epoch, with the result of a run that was never broken off:
    order and noise of an epoch depend on `seed` and the epoch alone (on a GPU the results agree to rounding). With
    more `epochs` it trains on; a run that is complete is only loaded.

    Parameters
    ----------
    model
        Any Keras model; it is compiled here, and holds the trained weights afterwards.
    train, validation
        An `ImageDataset`, `Features`, or arrays (inputs (N, ...), labels (N,) integer or (N, C) multi-hot).
    epochs
        Whole passes over the training data, counted from the start of the run.
    folder
        Of this run alone. A folder with a run of other settings is refused.
    optimizer, learning_rate
        "sgd" (0.01), "nesterov" (SGD, momentum 0.9, Nesterov; 0.01), "adam" (0.001), "rmsprop" (0.001), with that
        default learning rate (`LEARNING_RATES`), or a Keras optimizer, which is copied.
    loss, metrics
        As for `keras.Model.compile`. By default accuracy, and sparse categorical cross-entropy, or binary
        cross-entropy where the model ends in a sigmoid (multilabel); accuracy is then the share of single yes-or-no
        answers that are right, which is near 1 for a model that never says yes.
    class_weight
        Class -> weight of its examples in the loss; classes that are not named weigh 1. For one label an example only.
    early_stopping
        Stop after this many epochs in a row without a better `monitor`. The model then ends with the weights of the
        best epoch; without early stopping, with those of the last.
    monitor
        Column of the history that decides what is best: "val_loss" by default, "loss" without validation. Names with
        "loss" or "error" get better by falling, all others by rising.
    batch, shuffle
        For arrays only; an `ImageDataset` has its own.
    seed
        Of the order of arrays and of dropout. The initial weights come from the model.
    mixed_precision, jit_compile
        16-bit arithmetic and XLA compilation. Both are left off on a CPU, whatever is asked; the record says so.
    parameters
        Whatever describes the run to a reader of its record. It must be the same for the run to go on, "epochs" apart.
    progress
        Show one updating line where a person looks on; nothing remains of it.
    each_epoch
        Called with the model after each epoch; the numbers it returns by name become columns of the history, which
        `monitor` may watch. It must not change the model.

    Raises
    ------
    TrainingError
        When the data or settings make no sense, the folder cannot be written or holds another run, or the loss
        becomes NaN.
    """
    plan = Plan(
        epochs, optimizer, learning_rate, loss or compiling.default_loss(model), metrics, class_weight, early_stopping,
        monitor or ("loss" if validation is None else "val_loss"), batch, shuffle, seed, mixed_precision, jit_compile,
    )  # fmt: skip
    sources = plan.sources(model, train, validation)
    return _train(model, sources, plan, Path(folder), parameters or {}, progress, each_epoch)


def _train(
    model: keras.Model,
    sources: dict[str, Source],
    plan: Plan,
    folder: Path,
    parameters: Mapping[str, Any],
    progress: bool,
    each_epoch: EachEpoch | None,
) -> TrainingRun:
    """Take up or start the run of a folder, and train what is missing."""
    make_folder(folder, TrainingError)
    for leftover in folder.glob(f"{PARTIAL}*"):  # of a run that was killed
        leftover.unlink(missing_ok=True)
    optimizer = plan.compile(model)
    record = new_record(folder, model, sources, plan.settings(optimizer, sources["train"]), parameters)
    state = _resume(folder, model, identity(model, record, optimizer), plan.epochs)
    loop = _Loop(model, sources, plan, state, folder, record, each_epoch)
    if loop.finished():
        loop.keep_record()
    else:
        loop.run(progress)
    if plan.early_stopping is not None:
        checkpoint.load(model, folder / checkpoint.BEST)
    return TrainingRun(pd.DataFrame(state.rows), loop.record, folder)


class _Loop:
    """The epochs of one run: trains one, decides whether it was the best, and writes it down."""

    def __init__(
        self,
        model: keras.Model,
        sources: dict[str, Source],
        plan: Plan,
        state: checkpoint.RunState,
        folder: Path,
        record: dict[str, Any],
        each_epoch: EachEpoch | None,
    ) -> None:
        self.model, self.sources, self.plan, self.each_epoch = model, sources, plan, each_epoch
        self.state, self.folder, self.record = state, folder, record
        self.class_weight = plan.class_weights(model)

    @property
    def stopped_early(self) -> bool:
        return self.plan.early_stopping is not None and self.state.waited >= self.plan.early_stopping

    def finished(self) -> bool:
        return self.stopped_early or self.state.epochs_run >= self.plan.epochs

    @property
    def ending(self) -> str:
        return "stopped early" if self.state.epochs_run < self.plan.epochs else "complete"

    def keep_record(self) -> None:
        """Take over the record of a finished run, with its scores, unless a kill left it behind the checkpoint."""
        kept = read_record(self.folder) if (self.folder / RECORD_NAME).exists() else {}
        if kept.get("status") in FINISHED:
            self.record = kept
        else:
            self.write(self.ending)

    def run(self, progress: bool) -> None:
        status = "failed"
        self.write("running")
        try:
            with progress_line(progress) as show:
                while not self.finished():
                    self._epoch(show)
                    self.write("running")
            status = self.ending
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self.write(status)

    def _epoch(self, show: Show) -> None:
        index = self.state.epochs_run
        started = time.perf_counter()
        compiling.set_noise(self.model, self.plan.seed, index)
        arguments = self.sources["train"].epoch(index, self.class_weight)
        if "validation" in self.sources:
            arguments["validation_data"] = self.sources["validation"].validation()
        watch = _Watch(self.plan.epochs, self.sources["train"].steps, show, self.state, self.folder)
        with warnings.catch_warnings():
            # Said of every stream whose length is not known before its end, as some pictures may be unreadable.
            warnings.filterwarnings("ignore", message="Your input ran out of data")
            history = self.model.fit(
                **arguments,
                initial_epoch=index,
                epochs=index + 1,
                shuffle=False,  # the sources have put the examples in their order
                verbose=0,
                callbacks=[watch],
            ).history
        watch.correct_iterations()
        row = {"epoch": index + 1} | {name: float(values[-1]) for name, values in history.items()}
        if self.each_epoch is not None:
            row |= {name: float(value) for name, value in self.each_epoch(self.model).items()}
        row["seconds"] = round(time.perf_counter() - started, 3)
        self._judge(row)

    def _judge(self, row: dict[str, Any]) -> None:
        if self.plan.monitor not in row:
            known = ", ".join(list(row)[1:-1])
            raise TrainingError(f"monitor {self.plan.monitor!r} is not in the history: use one of {known}")
        value, state = row[self.plan.monitor], self.state
        if not math.isfinite(value):
            raise TrainingError(_nan_message(row["epoch"], self.plan.monitor, self.model, self.folder))
        falling = "loss" in self.plan.monitor or "error" in self.plan.monitor
        better = state.best_value is None or (value < state.best_value if falling else value > state.best_value)
        state.rows.append(row)
        state.waited = 0 if better else state.waited + 1
        if better:
            state.best_epoch, state.best_value = row["epoch"], value
        state.peak_memory_mib = max(filter(None, (state.peak_memory_mib, peak_memory_mib())), default=None)
        checkpoint.save(self.model, state, self.folder, best=better)

    def write(self, status: str) -> None:
        state, rows = self.state, self.state.rows
        columns = list(dict.fromkeys(name for row in rows for name in row))
        self.record |= {
            "status": status,
            "history": {name: [row.get(name) for row in rows] for name in columns},
            "best": {"epoch": state.best_epoch, "monitor": self.plan.monitor, "value": state.best_value},
            "kept_epoch": state.best_epoch if self.plan.early_stopping is not None else len(rows),
            "seconds": round(sum(row["seconds"] for row in rows), 3),
            "peak_memory_mib": state.peak_memory_mib,
            "data": {name: source.describe() for name, source in self.sources.items()},
        }
        write_record(self.folder, self.record)


class _Watch(keras.callbacks.Callback):
    """Shows each step and ends the training at the first loss that is no number."""

    def __init__(self, epochs: int, steps: int, show: Show, state: checkpoint.RunState, folder: Path) -> None:
        super().__init__()
        self.epochs, self.steps, self.show, self.state, self.folder = epochs, steps, show, state, folder
        self.taken, self.before = 0, 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.before = int(np.asarray(self.model.optimizer.iterations))

    def correct_iterations(self) -> None:
        """Take back the step that the optimizer counts when a stream of unknown length has ended.

        Keras learns of the end inside a step that it has begun to count (3.10 to 3.15, TensorFlow). Adam's correction
        of its first steps and learning rate schedules go by that number. Of scaled losses not every step counts.
        """
        if not hasattr(self.model.optimizer, "inner_optimizer"):
            self.model.optimizer.iterations.assign(self.before + self.taken)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.taken += 1
        epoch = self.state.epochs_run + 1
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            raise TrainingError(_nan_message(epoch, "loss", self.model, self.folder))
        done = (epoch - 1 + min(1.0, (batch + 1) / self.steps)) / self.epochs
        last = self.state.rows[-1] if self.state.rows else {}
        known = ", ".join(f"{name} {last[name]:.3f}" for name in ("val_loss", "val_accuracy") if name in last)
        self.show(f"epoch {epoch}/{self.epochs}, step {batch + 1}/{self.steps}{', ' + known if known else ''}", done)


def _nan_message(epoch: int, name: str, model: keras.Model, folder: Path) -> str:
    rate = float(np.asarray(model.optimizer.learning_rate))
    return (
        f"{folder}: {name} is not a number in epoch {epoch}; train in a new folder with a learning rate below {rate:g},"
        " and look for empty or extreme inputs"
    )


def _resume(folder: Path, model: keras.Model, own: dict[str, Any], epochs: int) -> checkpoint.RunState:
    """Take up the run of the folder, or start one and write its initial weights, so that epoch 1 can be repeated."""
    state = checkpoint.read_state(folder)
    if state is None:
        state = checkpoint.RunState(own)
        checkpoint.save(model, state, folder, best=False)
        return state
    names = [name for name in {**state.identity, **own} if state.identity.get(name) != own.get(name)]
    if names:
        told = ", ".join(f"{name} {state.identity.get(name)} there and {own.get(name)} here" for name in names[:4])
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        raise TrainingError(
            f"{folder}: holds a run with other settings ({told}{more}); give another folder, or delete this one"
        )
    if state.epochs_run > epochs:
        raise TrainingError(
            f"{folder}: this run has {state.epochs_run} epochs already, {epochs} are asked for; "
            "give another folder, or as many epochs"
        )
    checkpoint.load(model, folder / checkpoint.LAST)
    return state
