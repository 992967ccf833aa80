"""The original report's result tables as data, to stand beside every run.

Source: "Human Pose Detection Project, based on MPII Dataset" (K. Ezzat, R. Nour El-Din, M. Hussein, A. Medhat), with
which this course began. Accuracies are per cent as printed there; None where the report gives none. All of them come
from a random split of single pictures, on which frames of one video stand on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("models", "parameters", "testing", "activities")


@dataclass(frozen=True)
class OriginalRow:
    """One row of the original report: the recipe, and the accuracies in per cent (None: not given)."""

    table: str
    model: str
    epochs: int | None = None
    optimizer: str = ""
    batch: int | None = None
    frozen: str = ""
    train: float | None = None
    validation: float | None = None
    test: float | None = None
    accuracy: float | None = None
    note: str = ""


_SAID_TEXT = "from the report's text, not its tables"
_WHICH = "the table does not say on which pictures"

ORIGINAL: tuple[OriginalRow, ...] = (
    OriginalRow("models", "VGG16", 10, "Adam", 50, "[-10]", 93, 73, note="first attempt"),
    OriginalRow("models", "InceptionResNetV2", 10, "Adam", 100, "", 93, 64, note="first attempt"),
    OriginalRow("models", "Xception", 10, "Adam", 30, "[-7]", 99, 74, note="first attempt"),
    OriginalRow("models", "VGG16", 30, "Adam", 50, "[-10]", 98, 72, note="second attempt"),
    OriginalRow("models", "InceptionResNetV2", 10, "Adam", 100, "", 94, 65, note="second attempt"),
    OriginalRow("models", "Xception", 30, "Adam", 30, "[-47]", 100, 81, note="second attempt"),
    OriginalRow("models", "ResNet50", 30, "Adam", None, "[-10]", 97, 40, 83, note=_SAID_TEXT),
    OriginalRow("parameters", "Xception", 30, "Adam", 30, "[-7]", accuracy=86, note=_WHICH),
    OriginalRow("parameters", "Xception", 30, "Adam", 100, "[-7]", accuracy=99, note=_WHICH),
    OriginalRow("parameters", "Xception", 30, "SGD, Nesterov", 100, "[-7]", accuracy=78, note=_WHICH),
    OriginalRow("parameters", "Xception", 30, "SGD, Nesterov", 100, "[-47]", accuracy=99, note=_WHICH),
    OriginalRow("parameters", "Xception", 30, "Adam", 100, "[-47]", accuracy=100, note=_WHICH),
    OriginalRow("testing", "Xception", 30, "Adam", 100, "[-7]", test=83.5),
    OriginalRow("testing", "Xception", 30, "SGD, Nesterov", 100, "[-47]", test=72.9),
    OriginalRow(
        "testing", "InceptionResNetV2", 10, "SGD", 100, "", test=67.2, note="Adam in the report's other tables"
    ),
    OriginalRow("activities", "softmax over activity names", None, "SGD", 100, "", 99.91, 56.66, 7.8),
    OriginalRow("activities", "softmax over activity names", None, "Adam", 100, "", 95.24, 47.75),
    OriginalRow("activities", "multi-label", 30, "Adam", 100, "", accuracy=64.4, note=_WHICH),
)


def original_rows(table: str | None = None, *, model: str | None = None) -> pd.DataFrame:
    """Return the original report's rows as a table.

    Parameters
    ----------
    table : {"models", "parameters", "testing", "activities"}, optional
        Which of the report's tables; all of them when left out.
    model
        Only the rows of this backbone, in any case of its letters, as one shows them: columns in which it has nothing
        are left out, and a cell without a value is empty text.

    Returns
    -------
    DataFrame
        Columns as the fields of `OriginalRow`; accuracies in per cent, NaN where the report gives none.

    Raises
    ------
    ReportError
        For a table that the report does not have.
    """
    import pandas as pd

    from mpii_lib.errors import ReportError

    if table is not None and table not in TABLES:
        raise ReportError(f"the original report has no table {table!r}; choose one of {', '.join(TABLES)}")
    rows = pd.DataFrame([asdict(row) for row in ORIGINAL if table in (None, row.table)])
    numbers = ["train", "validation", "test", "accuracy"]
    rows = rows.astype({**dict.fromkeys(numbers, "float64"), "epochs": "Int64", "batch": "Int64"})
    if model is None:
        return rows
    own = rows[rows["model"].str.lower() == model.lower()].drop(columns="model")
    own = own.astype(object).where(lambda cells: cells.notna(), "")
    return own.loc[:, (own != "").any()].reset_index(drop=True)


def beside_report(
    model: str, *, data: str, weights: str, width: float, validation: float, test: float, split: str = "by video"
) -> pd.DataFrame:
    """Put a run beside what the original report says of the same backbone, with what has to be known to compare them.

    Parameters
    ----------
    model
        The backbone.
    data, split
        What this run was trained on, and how its pictures were divided.
    weights, width
        What its backbone started from, and its share of the filters, as in its run record.
    validation, test
        Its accuracies, 0 to 1.

    Returns
    -------
    DataFrame
        Columns "the report" and "this run". The report gives a range where it has several trainings.
    """
    import pandas as pd

    rows = [row for row in ORIGINAL if row.model.lower() == model.lower() and row.table in ("models", "testing")]
    report = {"pictures": "MPII", "split": "random", "weights": weights_in_words("imagenet", 1)}
    report |= {name: _range(getattr(row, name) for row in rows) for name in ("validation", "test")}
    ours = {"pictures": data, "split": split, "weights": weights_in_words(weights, width)}
    ours |= {"validation": f"{validation:.1%}", "test": f"{test:.1%}"}
    return pd.DataFrame({"the report": report, "this run": ours})


def weights_in_words(weights: str, width: float | None = None) -> str:
    """Name a backbone's weights as a reader of a table needs it: "ImageNet", "sample, 1/8 of the filters"."""
    known = {"imagenet": "ImageNet", "none": "random", "": "not said"}
    filters = "" if width is None or width == 1 else f", 1/{1 / width:g} of the filters"
    return known.get(weights.lower(), weights) + filters


def _range(values: Iterable[float | None]) -> str:
    known = sorted({value for value in values if value is not None})
    if not known:
        return "none given"
    return " to ".join(f"{value:g}" for value in dict.fromkeys((known[0], known[-1]))) + " %"
