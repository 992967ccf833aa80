"""Put executed notebooks and run records on one page, beside the original report's tables."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mpii_course.report import poses, trainings
from mpii_course.report.notebook_page import Figure, figures_of, notebook_body, title_of
from mpii_course.report.original_report import original_rows
from mpii_course.report.parameters import notebook_parameters
from mpii_course.report.run import NotebookRun, read_run, require_notebook_tools
from mpii_lib.arguments import checked
from mpii_lib.errors import ReportError
from mpii_lib.files import make_folder, replacing

#: A page with this in its head is ours and may be replaced.
GENERATOR = "mpii report"
_DATA_NAMES = {
    "sample": "the drawn sample of mpii_course",
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

    @property
    def is_pose(self) -> bool:
        """Whether its figures stand in the pose section."""
        return self.run.name in poses.POSE_NOTEBOOKS


@checked
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
    names = {path.name.removesuffix(".ipynb").removesuffix(".failed") for path in found}
    chapters = []
    for path in found:
        run, notebook = read_run(path)
        parameters = {name: parameter.default for name, parameter in notebook_parameters(path).items()}
        parameters |= run.parameters
        figures = figures_of(notebook, _MOST_FIGURES.get(run.name, 2))
        chapters.append(Chapter(run, title_of(notebook, run.name), figures, parameters))
        body = notebook_body(notebook, run.source, names)
        page = _render("notebook.html", chapter=chapters[-1], body=body, data=_data(chapters[-1:]))
        _write(folder / "pages" / f"{run.name}.html", page)
    rows, skipped = trainings.read_rows(folder / "runs")
    trained = trainings.classifier_trainings(rows)
    models = trainings.by_model(trained)
    index = _render(
        "index.html",
        chapters=chapters,
        failed=[c for c in chapters if not c.run.ok],
        data=_data(chapters),
        trainings=trained,
        skipped=skipped,
        best=trainings.best(t for t in trained if t.test is not None),
        models=models,
        compared=[group.ours for group in models if group.ours],
        weights_of=trainings.weights_of,
        original_weights=trainings.ORIGINAL_WEIGHTS,
        parameter_rows=trainings.by_parameter(trained),
        activities=trainings.plain_rows(original_rows("activities")),
        poses=poses.pose_runs(rows),
        published_poses=poses.PUBLISHED,
        pose_groups=poses.GROUPS,
        versions=_versions(),
        parameters=_common(chapters),
    )
    return _write(folder / "index.html", index)


def check_index(folder: Path) -> None:
    """Raise ReportError when the folder's index.html is somebody else's page."""
    index = folder / "index.html"
    if not index.exists():
        return
    head = index.read_bytes()[:2000] if index.is_file() else b""
    if f'content="{GENERATOR}"'.encode() not in head:
        raise ReportError(f"{index}: is there and is not a report of ours; choose another folder (--folder)")


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


def _versions() -> list[tuple[str, str]]:
    from mpii_lib.training.records import versions

    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"
    return [*versions().items(), ("machine", machine)]


def _render(template: str, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("mpii_course.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"accuracy": _show_accuracy, "printed": _as_printed}
    environment.filters |= {"seconds": _show_seconds, "interval": _show_interval}
    style = loader.get_source(environment, "style.css")[0]
    now = datetime.now().astimezone()
    return environment.get_template(template).render(generator=GENERATOR, style=style, now=now, **values)


def _show_accuracy(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}".removesuffix(".0") + "\u202f%"


def _show_interval(ends: tuple[float, float] | None) -> str:
    return "(–)" if ends is None else "({:.0f} to {:.0f})".format(*ends)


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
