"""The original report's result tables, to stand beside every run.

Source: "Human Pose Detection Project, based on MPII Dataset" (K. Ezzat, R. Nour El-Din, M. Hussein, A. Medhat), with
which this course began. `original_report.csv` holds its rows: accuracies in per cent as printed there, empty where the
report gives none. All of them come from a random split of single images, on which frames of one video stand on both
sides.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mpii_lib.arguments import checked
from mpii_lib.errors import ReportError

TABLES = ("models", "parameters", "testing", "activities")
_TEXTS = ["optimizer", "frozen", "note"]


@checked
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
        Columns table, model, epochs, optimizer, batch_size, frozen, train, validation, test, accuracy (of images that
        the report does not name) and note; accuracies in per cent, NaN where the report gives none.

    Raises
    ------
    ReportError
        For a table that the report does not have.
    """
    if table is not None and table not in TABLES:
        raise ReportError(f"the original report has no table {table!r}; choose one of {', '.join(TABLES)}")
    rows = pd.read_csv(Path(__file__).with_suffix(".csv"), dtype={"epochs": "Int64", "batch_size": "Int64"})
    rows = rows.fillna(dict.fromkeys(_TEXTS, ""))
    if table is not None:
        rows = rows[rows["table"] == table].reset_index(drop=True)
    if model is None:
        return rows
    own = rows[rows["model"].map(lambda name: name.lower() == model.lower())].drop(columns="model")
    own = own.astype(object).where(own.notna(), "")
    return own.loc[:, (own != "").any()].reset_index(drop=True)


@checked
def beside_report(
    model: str, *, data: str, weights: str, width: float, validation: float, test: float, split: str = "by video"
) -> pd.DataFrame:
    """Put a run beside what the original report says of the same backbone, with what has to be known to compare them.

    Parameters
    ----------
    model
        The backbone.
    data, split
        What this run was trained on, and how its images were divided.
    weights, width
        What its backbone started from, and its share of the filters, as in its run record.
    validation, test
        Its accuracies, 0 to 1.

    Returns
    -------
    DataFrame
        Columns "the report" and "this run". The report gives a range where it has several trainings.
    """
    rows = original_rows()
    own = rows["model"].map(lambda name: name.lower() == model.lower())
    rows = rows[own & rows["table"].isin(["models", "testing"])]
    report = {"images": "MPII", "split": "random", "weights": weights_in_words("imagenet", 1)}
    report |= {name: _range(rows[name].dropna()) for name in ("validation", "test")}
    ours = {"images": data, "split": split, "weights": weights_in_words(weights, width)}
    ours |= {"validation": f"{validation:.1%}", "test": f"{test:.1%}"}
    return pd.DataFrame({"the report": report, "this run": ours})


def weights_in_words(weights: str | None, width: float | None = None) -> str:
    """Name a backbone's weights as a reader of a table needs it: "ImageNet", "sample, 1/8 of the filters"."""
    name = "" if pd.isna(weights) else str(weights)
    known = {"imagenet": "ImageNet", "none": "random", "": "not known"}
    filters = "" if not width or pd.isna(width) or width == 1 else f", 1/{1 / width:g} of the filters"
    return known.get(name.lower(), name) + filters


def _range(values: pd.Series) -> str:
    ends = dict.fromkeys((values.min(), values.max()))
    return " to ".join(f"{value:g}" for value in ends) + " %" if len(values) else "none given"
