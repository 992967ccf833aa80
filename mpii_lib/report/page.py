"""Put executed notebooks and run records on one page, beside the original report's tables."""

from __future__ import annotations

import math
import os
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpii_lib.errors import ReportError
from mpii_lib.files import make_folder, replacing
from mpii_lib.report.notebook_page import Figure, figures_of, notebook_body, title_of
from mpii_lib.report.original import ORIGINAL, OriginalRow
from mpii_lib.report.parameters import notebook_parameters
from mpii_lib.report.run import NotebookRun, read_run, require_notebook_tools

if TYPE_CHECKING:
    import pandas as pd

#: A page with this in its head is ours and may be replaced.
GENERATOR = "mpii report"
_DATA_NAMES = {
    "sample": "the drawn sample of mpii_lib",
    "mpii": "MPII Human Pose",
    "coco": "COCO keypoints 2017",
}
_MOST_FIGURES = {"90_report": 8}


@dataclass(frozen=True)
class Chapter:
    """One notebook in the report: how it ran, its title, its figures, and what it was run with."""

    run: NotebookRun
    title: str
    figures: list[Figure]
    parameters: dict[str, Any]

    @property
    def is_summary(self) -> bool:
        """Whether its figures go first."""
        return self.run.name in _MOST_FIGURES


@dataclass(frozen=True)
class Training:
    """One row of this run's results; accuracies in per cent, None where it was not measured."""

    name: str
    model: str
    recipe: str
    epochs: str
    train: float | None
    validation: float | None
    test: float | None
    interval: tuple[float, float] | None
    seconds: float | None
    memory: float | None
    majority: float | None = None
    optimizer: str = ""
    batch: int | None = None


@dataclass(frozen=True)
class Beside:
    """Rows of the original report, and this run's nearest training (None: not run)."""

    model: str
    original: list[OriginalRow]
    ours: Training | None


def build_report(folder: str | Path) -> Path:
    """Build index.html in a folder that holds executed notebooks and run records, and a page for each notebook.

    Parameters
    ----------
    folder
        Holds `notebooks/` (as `run_notebooks` leaves them) and `runs/` (run records; may be missing).

    Returns
    -------
    Path
        The index. It and `pages/` load nothing from elsewhere; each file is replaced whole, the index last.

    Raises
    ------
    ReportError
        When there is no executed notebook, the folder cannot be written, or its index.html was made by something else.
    """
    require_notebook_tools()
    folder = Path(folder)
    check_index(folder)
    found = sorted((folder / "notebooks").glob("[!.]*.ipynb"))
    if not found:
        raise ReportError(f"{folder / 'notebooks'}: holds no executed notebook; run `mpii report` or `mpii run` first")
    make_folder(folder / "pages", ReportError)
    names = {path.name.split(".")[0] for path in found}
    chapters = []
    for path in found:
        run, notebook = read_run(path)
        parameters = {n: p.default for n, p in notebook_parameters(path).items()} | _given(notebook)
        figures = figures_of(notebook, _MOST_FIGURES.get(run.name, 2))
        chapter = Chapter(run, title_of(notebook, run.name), figures, parameters)
        chapters.append(chapter)
        body = notebook_body(notebook, run.source, names)
        page = _render("notebook.html", chapter=chapter, body=body, data=_data(chapters[-1:]))
        _write(folder / "pages" / f"{run.name}.html", page)
    trainings, skipped = read_trainings(folder / "runs")
    index = _render(
        "index.html",
        chapters=chapters,
        failed=[c for c in chapters if not c.run.ok],
        data=_data(chapters),
        trainings=trainings,
        skipped=skipped,
        best=_best(t for t in trainings if t.test is not None),
        models=_by_model(trainings),
        parameter_rows=_by_parameter(trainings),
        activities=[row for row in ORIGINAL if row.table == "activities"],
        versions=_versions(),
        settings=_common(chapters),
    )
    return _write(folder / "index.html", index)


def check_index(folder: Path) -> None:
    """Raise ReportError when the folder's index.html is somebody else's page."""
    index = folder / "index.html"
    if not index.exists():
        return
    head = index.read_bytes()[:2000].decode("utf-8", "replace") if index.is_file() else ""
    if f'content="{GENERATOR}"' not in head:
        raise ReportError(f"{index}: is there and is not a report of ours; choose another folder (--folder)")


def _given(notebook: Any) -> dict[str, Any]:
    return dict(notebook.metadata.get("papermill", {}).get("parameters") or {})


def _common(chapters: list[Chapter]) -> list[tuple[str, str]]:
    """Parameters of the notebooks, each with the value most of them ran with; the folder of the records is no news."""
    values: dict[str, Counter[str]] = {}
    for chapter in chapters:
        for name, value in chapter.parameters.items():
            if name != "RUNS":
                values.setdefault(name, Counter())[str(value)] += 1
    return [
        (name, ", ".join(v or "(default)" for v, _ in count.most_common())) for name, count in sorted(values.items())
    ]


def _data(chapters: list[Chapter]) -> dict[str, Any]:
    """Which data the notebooks ran on, and whether a banner has to say that these are not MPII scores."""
    kinds = sorted({str(c.parameters["DATA"]).lower() for c in chapters if "DATA" in c.parameters})
    names = [_DATA_NAMES.get(kind, kind) for kind in kinds]
    return {"kinds": kinds, "text": " and ".join(names), "sample": "sample" in kinds}


def read_trainings(folder: Path) -> tuple[list[Training], list[tuple[str, str]]]:
    """Read the run records below a folder: the finished classifier trainings, and the records that cannot be read."""
    from mpii_lib.training import read_records

    if not folder.is_dir():
        return [], []
    records = read_records(folder)
    rows = [_training(row) for _, row in records.iterrows() if _text(row, "backbone")]
    return rows, records.attrs.get("skipped", [])


def _training(row: pd.Series) -> Training:
    low, high = _number(row, "test.accuracy_low"), _number(row, "test.accuracy_high")
    batch = _number(row, "batch")
    optimizer = _text(row, "optimizer")
    epochs, kept = _number(row, "epochs_run"), _number(row, "best_epoch")
    parts = [
        optimizer,
        f"batch {batch:.0f}" if batch else "",
        f"frozen {_text(row, 'freeze')}" if _text(row, "freeze") else "",
        f"weights {_text(row, 'weights')}" if _text(row, "weights") else "",
    ]
    return Training(
        name=_text(row, "run"),
        model=_text(row, "backbone"),
        recipe=", ".join(filter(None, parts)),
        epochs=(f"{epochs:.0f}" if epochs else "") + (f" (best {kept:.0f})" if kept and kept != epochs else ""),
        train=_per_cent(_number(row, "accuracy")),
        validation=_per_cent(_number(row, "val_accuracy")),
        test=_per_cent(_number(row, "test.accuracy")),
        interval=(100 * low, 100 * high) if low is not None and high is not None else None,
        seconds=_number(row, "seconds"),
        memory=_number(row, "peak_memory_mib"),
        majority=_per_cent(_number(row, "test.majority")),
        optimizer=optimizer,
        batch=int(batch) if batch else None,
    )


def _number(row: pd.Series, name: str) -> float | None:
    value = row.get(name)
    known = isinstance(value, int | float) or hasattr(value, "dtype")
    return float(value) if known and not math.isnan(value) else None


def _text(row: pd.Series, name: str) -> str:
    value = row.get(name)
    return "" if value is None or value != value else str(value).strip('"')


def _per_cent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _by_model(trainings: list[Training]) -> list[Beside]:
    """Group the original's models and tests by backbone, each with this run's best training of it (by validation)."""
    rows = [row for row in ORIGINAL if row.table in ("models", "testing")]
    names = {name.lower(): name for name in [*(row.model for row in rows), *(t.model for t in trainings)]}
    return [
        Beside(name, [r for r in rows if r.model.lower() == key], _best(t for t in trainings if t.model.lower() == key))
        for key, name in names.items()
    ]


def _by_parameter(trainings: list[Training]) -> list[Beside]:
    """Each row of the original's parameter table, with this run's best training of the same optimizer and batch."""
    found = []
    for row in (row for row in ORIGINAL if row.table == "parameters"):
        optimizer = "nesterov" if "Nesterov" in row.optimizer else row.optimizer.lower()
        alike = (t for t in trainings if t.model.lower() == row.model.lower())
        ours = _best(t for t in alike if optimizer in t.optimizer.lower() and t.batch == row.batch)
        found.append(Beside(row.model, [row], ours))
    return found


def _best(trainings: Iterable[Training]) -> Training | None:
    """Choose by validation: the best of several test scores would be too good."""
    return max(trainings, key=lambda t: t.validation or 0, default=None)


def _versions() -> list[tuple[str, str]]:
    from mpii_lib.training.records import versions

    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"
    return [*versions().items(), ("machine", machine)]


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mpii_lib.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"accuracy": _show_accuracy, "printed": _as_printed, "seconds": _show_seconds}
    style = loader.get_source(environment, "style.css")[0]
    now = datetime.now().astimezone()
    return environment.get_template(template).render(generator=GENERATOR, style=style, now=now, **values)


def _show_accuracy(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}".removesuffix(".0") + "\u202f%"


def _as_printed(value: float | None) -> str:
    """An accuracy of the original report, with the digits it has there."""
    return "–" if value is None else f"{value:g}\u202f%"


def _show_seconds(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 100:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 6000 else f"{value / 3600:.1f} h"


def _write(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    with replacing(path, ReportError) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
