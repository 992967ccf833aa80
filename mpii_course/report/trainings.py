"""The classifier trainings of a run, read from their records, and set beside the original report's rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mpii_course.report.original import ORIGINAL, OriginalRow, weights_in_words

if TYPE_CHECKING:
    import pandas as pd

#: What the original report's backbones started from: its text calls all of them pretrained, as Keras offers them.
ORIGINAL_WEIGHTS = weights_in_words("imagenet", 1)
#: Models that the original report names among those it used, and of which it gives no number.
NAMED_ONLY = ("VGG19",)
#: What the record of a network for poses says of its backbone; it has a table of its own (`poses`).
POSE_MODEL = "hourglass"
#: The backbones in the order of the course.
BACKBONES = ("Xception", "ResNet50", "VGG16", "VGG19", "InceptionResNetV2")


@dataclass(frozen=True)
class Training:
    """One row of this run's results; accuracies in per cent, None where it was not measured."""

    name: str
    model: str
    weights: str
    recipe: str
    epochs: str
    train: float | None
    validation: float | None
    test: float | None
    interval: tuple[float, float] | None
    seconds: float | None
    memory: float | None
    majority: float | None = None
    macro_f1: float | None = None
    optimizer: str = ""
    batch: int | None = None


@dataclass(frozen=True)
class Beside:
    """Rows of the original report, and this run's nearest training (None: not run)."""

    model: str
    original: list[OriginalRow]
    ours: Training | None

    @property
    def named_only(self) -> bool:
        """Whether the original report names the model and gives no number for it."""
        return self.model in NAMED_ONLY and not self.original


def read_trainings(folder: Path) -> tuple[list[Training], list[tuple[str, str]]]:
    """Read the run records below a folder: the finished classifier trainings, and the records that cannot be read."""
    from mpii_lib.training import read_records

    if not folder.is_dir():
        return [], []
    records = read_records(folder)
    rows = [_training(row) for _, row in records.iterrows() if text(row, "backbone").lower() not in ("", POSE_MODEL)]
    return rows, records.attrs.get("skipped", [])


def best(trainings: Iterable[Training]) -> Training | None:
    """Choose by validation, among those that were tested if there are any: the best of test scores would be too good.

    A training that was chosen by its notebook is the one that it tested.
    """
    known = list(trainings)
    tested = [training for training in known if training.test is not None]
    return max(tested or known, key=lambda training: training.validation or 0, default=None)


def by_model(trainings: Sequence[Training]) -> list[Beside]:
    """Group the original's models and tests by backbone, each with this run's best training of it (by validation).

    The backbones come in the order of the course, others after them.
    """
    rows = [row for row in ORIGINAL if row.table in ("models", "testing")]
    given = [*BACKBONES, *(row.model for row in rows), *(training.model for training in trainings)]
    return [
        Beside(
            name,
            [row for row in rows if row.model.lower() == key],
            best(training for training in trainings if training.model.lower() == key),
        )
        for key, name in {name.lower(): name for name in given}.items()
    ]


def by_parameter(trainings: Sequence[Training]) -> list[Beside]:
    """Each row of the original's parameter table, with this run's best training of the same optimizer and batch."""
    found = []
    for row in (row for row in ORIGINAL if row.table == "parameters"):
        optimizer = "nesterov" if "Nesterov" in row.optimizer else row.optimizer.lower()
        alike = [t for t in trainings if t.model.lower() == row.model.lower() and t.batch == row.batch]
        same = [t for t in alike if optimizer in t.optimizer.lower()]
        ours = max(same, key=lambda training: training.validation or 0, default=None)
        found.append(Beside(row.model, [row], ours))
    return found


def weights_of(trainings: Iterable[Training | None]) -> list[str]:
    """The different weights that trainings started from, in words: more than one, and a table mixes them."""
    return sorted({training.weights for training in trainings if training is not None})


def _training(row: pd.Series) -> Training:
    low, high = number(row, "test.accuracy_low"), number(row, "test.accuracy_high")
    batch = number(row, "batch")
    optimizer = text(row, "optimizer")
    epochs, kept = number(row, "epochs_run"), number(row, "best_epoch")
    parts = [
        optimizer,
        f"batch {batch:.0f}" if batch else "",
        f"head {text(row, 'head')}" if text(row, "head") else "",
        f"frozen {text(row, 'freeze')}" if text(row, "freeze") else "",
    ]
    return Training(
        name=text(row, "run"),
        model=text(row, "backbone"),
        weights=weights_in_words(text(row, "weights"), number(row, "width")),
        recipe=", ".join(filter(None, parts)),
        epochs=f"{epochs or 0:.0f}" + (f" (best {kept:.0f})" if kept and kept != epochs else ""),
        train=per_cent(number(row, "accuracy")),
        validation=per_cent(number(row, "val_accuracy")),
        test=per_cent(number(row, "test.accuracy")),
        interval=(100 * low, 100 * high) if low is not None and high is not None else None,
        seconds=number(row, "seconds"),
        memory=number(row, "peak_memory_mib"),
        majority=per_cent(number(row, "test.majority")),
        macro_f1=number(row, "test.macro_f1"),
        optimizer=optimizer,
        batch=int(batch) if batch else None,
    )


def number(row: pd.Series, name: str) -> float | None:
    """A number of a record's row; None where it is missing or no number."""
    value = row.get(name)
    known = isinstance(value, int | float) or hasattr(value, "dtype")
    return float(value) if known and not math.isnan(value) else None


def text(row: pd.Series, name: str) -> str:
    """A text of a record's row; empty where it is missing."""
    value = row.get(name)
    return "" if value is None or value != value else str(value).strip('"')


def per_cent(value: float | None) -> float | None:
    """A share in per cent; None stays None."""
    return None if value is None else 100 * value
