"""The classifier trainings of a run, read from their records, and set beside the original report's rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mpii_course.report.original_report import original_rows, weights_in_words

#: A row of a table by column; None where it has no value.
Row = dict[str, Any]

#: The backbones in the order of the course, with their notebooks.
BACKBONE_NOTEBOOKS = {
    "Xception": "21_xception",
    "ResNet50": "22_resnet50",
    "VGG16": "23_vgg16",
    "VGG19": "24_vgg19",
    "InceptionResNetV2": "25_inception_resnet_v2",
}
#: What the original report's backbones started from: its text calls all of them pretrained, as Keras offers them.
ORIGINAL_WEIGHTS = weights_in_words("imagenet", 1)
#: Models that the original report names among those it used, and of which it gives no number.
NAMED_ONLY = ("VGG19",)
#: What the record of a network for poses says of its backbone; it has a table of its own (`poses`).
POSE_MODEL = "hourglass"


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
    majority: float | None
    macro_f1: float | None
    optimizer: str
    batch_size: int | None


@dataclass(frozen=True)
class Beside:
    """Rows of the original report, and this run's nearest training (None: not run)."""

    model: str
    original: list[Row]
    ours: Training | None

    @property
    def named_only(self) -> bool:
        """Whether the original report names the model and gives no number for it."""
        return self.model in NAMED_ONLY and not self.original


def read_rows(folder: Path) -> tuple[list[Row], list[tuple[str, str]]]:
    """Read the run records below a folder, a row each, and list those that cannot be read."""
    from mpii_lib.training import read_records

    records = read_records(folder)
    return plain_rows(records), records.attrs["skipped"]


def plain_rows(table: pd.DataFrame) -> list[Row]:
    """A table as one dictionary a row, in which a missing value is None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def classifier_trainings(rows: Iterable[Row]) -> list[Training]:
    """The trainings of category classifiers among the rows of the records; activities are another task."""
    categories = [row for row in rows if text(row, "target") in ("", "category")]
    return [_training(row) for row in categories if text(row, "backbone").lower() not in ("", POSE_MODEL)]


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
    rows = [row for row in plain_rows(original_rows()) if row["table"] in ("models", "testing")]
    given = [*BACKBONE_NOTEBOOKS, *(row["model"] for row in rows), *(training.model for training in trainings)]
    return [
        Beside(
            name,
            [row for row in rows if row["model"].lower() == key],
            best(training for training in trainings if training.model.lower() == key),
        )
        for key, name in {name.lower(): name for name in given}.items()
    ]


def by_parameter(trainings: Sequence[Training]) -> list[Beside]:
    """Each row of the original's parameter table, with this run's best training of that optimizer and batch size."""
    found = []
    for row in plain_rows(original_rows("parameters")):
        optimizer = "nesterov" if "Nesterov" in row["optimizer"] else row["optimizer"].lower()
        alike = [t for t in trainings if t.model == row["model"] and t.batch_size == row["batch_size"]]
        same = [t for t in alike if optimizer in t.optimizer.lower()]
        found.append(Beside(row["model"], [row], max(same, key=lambda t: t.validation or 0, default=None)))
    return found


def weights_of(trainings: Iterable[Training | None]) -> list[str]:
    """The different weights that trainings started from, in words: more than one, and a table mixes them."""
    return sorted({training.weights for training in trainings if training is not None})


def _training(row: Row) -> Training:
    epochs, kept, batch_size = row["epochs_run"], row.get("best_epoch"), row.get("batch_size")
    parts = {"": text(row, "optimizer"), "batch size ": f"{batch_size:.0f}" if batch_size else ""}
    parts |= {"head ": text(row, "head"), "frozen ": text(row, "freeze")}
    return Training(
        name=row["run"],
        model=text(row, "backbone"),
        weights=weights_in_words(text(row, "weights"), row.get("width")),
        recipe=", ".join(word + value for word, value in parts.items() if value),
        epochs=f"{epochs:.0f}" + (f" (best {kept:.0f})" if kept and kept != epochs else ""),
        train=per_cent(row, "accuracy"),
        validation=per_cent(row, "val_accuracy"),
        test=per_cent(row, "test.accuracy"),
        interval=interval(row, "test.accuracy"),
        seconds=row.get("seconds"),
        memory=row.get("peak_memory_mib"),
        majority=per_cent(row, "test.majority"),
        macro_f1=row.get("test.macro_f1"),
        optimizer=text(row, "optimizer"),
        batch_size=batch_size,
    )


def text(row: Row, name: str) -> str:
    """A value as text; empty where it is missing."""
    value = row.get(name)
    return "" if value is None else str(value)


def per_cent(row: Row, name: str) -> float | None:
    """A share in per cent; None where it is missing."""
    value = row.get(name)
    return None if value is None else 100 * value


def interval(row: Row, name: str) -> tuple[float, float] | None:
    """The interval of a share in per cent; None where it is missing."""
    low, high = per_cent(row, f"{name}_low"), per_cent(row, f"{name}_high")
    return None if low is None or high is None else (low, high)
