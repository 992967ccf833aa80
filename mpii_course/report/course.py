"""The course's report from end to end: choose the notebooks, run them, build the page, put it in its place."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mpii_course.report.page import build_report, check_index
from mpii_course.report.parameters import check_parameters, notebook_parameters
from mpii_course.report.run import DAY, NotebookRun, Progress, require_notebook_tools, run_notebooks
from mpii_course.report.trainings import BACKBONE_NOTEBOOKS
from mpii_lib.arguments import checked
from mpii_lib.errors import ReportError
from mpii_lib.files import exclusive, make_folder

ALWAYS = ("00_start_here", "10_mpii_annotations", "11_data_exploration")
POSE = "32_pose_evaluation"
LAST = "90_report"
PIECES = ("notebooks", "runs", "pages", "index.html")


@checked
def choose_notebooks(folder: str | Path, backbones: Sequence[str] = ()) -> tuple[list[Path], list[Path], list[str]]:
    """Choose the notebooks of the report.

    Parameters
    ----------
    folder
        Where the course's notebooks are.
    backbones
        Names, in any case; "all" or none at all for every backbone whose notebook is there.

    Returns
    -------
    tuple
        The notebooks to run side by side, those to run at the end, and the backbones' names.

    Raises
    ------
    ReportError
        When there are no notebooks, or a backbone is unknown or has no notebook yet.
    """
    folder, backbones = Path(folder), list(backbones)
    if not list(folder.glob("*.ipynb")):
        raise ReportError(f"{folder}: holds no notebooks; say where the course's are with --notebooks FOLDER")
    there = {name: stem for name, stem in BACKBONE_NOTEBOOKS.items() if (folder / f"{stem}.ipynb").is_file()}
    chosen = list(there)
    if backbones and [b.lower() for b in backbones] != ["all"]:
        known = {name.lower(): name for name in BACKBONE_NOTEBOOKS}
        unknown = [b for b in backbones if b.lower() not in known]
        if unknown:
            raise ReportError(f"unknown backbone {unknown[0]!r}; choose from {', '.join(BACKBONE_NOTEBOOKS)} or all")
        chosen = list(dict.fromkeys(known[b.lower()] for b in backbones))
        absent = [name for name in chosen if name not in there]
        if absent:
            raise ReportError(
                f"{folder / BACKBONE_NOTEBOOKS[absent[0]]}.ipynb: is not there; there are: {', '.join(there) or 'none'}"
            )
    stems = [*ALWAYS, *(there[name] for name in chosen), POSE]
    first = [path for stem in stems if (path := folder / f"{stem}.ipynb").is_file()]
    last = [path for path in [folder / f"{LAST}.ipynb"] if path.is_file()]
    if not first and not last:
        raise ReportError(f"{folder}: holds none of the course's notebooks; say where they are with --notebooks FOLDER")
    return first, last, chosen


@checked
def make_report(
    folder: str | Path = "report",
    *,
    notebooks: str | Path = "notebooks",
    backbones: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    jobs: int = 2,
    timeout: float = DAY,
    show: Callable[[Sequence[str]], Progress] | None = None,
) -> tuple[Path, list[NotebookRun]]:
    """Run the course's notebooks and build the report; one that was there stays until the new one is whole.

    The new report grows in `folder/.unfinished`. When it was interrupted, the same command goes on from the run records
    there. An earlier report moves to `folder/earlier/<date>`; nothing is deleted.

    Parameters
    ----------
    folder
        Where index.html will be.
    notebooks, backbones
        As for `choose_notebooks`.
    parameters
        Values by name, as for `run_notebooks`; RUNS and BACKBONES are added for the notebooks that know them.
    jobs, timeout
        As for `run_notebooks`.
    show
        Called once with the notebooks' names; returns the progress function.

    Returns
    -------
    tuple
        The index, and how each notebook's run ended.

    Raises
    ------
    ReportError
        For anything that is wrong before the start: notebooks, parameters, the folder, another report that is being
        made there.
    """
    require_notebook_tools()
    first, last, chosen = choose_notebooks(notebooks, backbones)
    folder = Path(folder)
    stage = folder / ".unfinished"
    given = dict(parameters or {})
    check_parameters([*first, *last], given)
    check_index(folder)
    make_folder(folder, ReportError)
    known = {name for path in [*first, *last] for name in notebook_parameters(path)}
    own = {"RUNS": str((stage / "runs").resolve()), "BACKBONES": ",".join(chosen)}
    values = {name: value for name, value in own.items() if name in known and name not in given} | given
    busy = ReportError(f"{folder}: another report is being made there; wait for it, or choose another --folder")
    with exclusive(folder / ".lock", busy):
        _prepare(stage, {"notebooks": [str(p) for p in [*first, *last]], "parameters": values})
        progress = show([path.stem for path in [*first, *last]]) if show else None
        options: dict[str, Any] = {"jobs": jobs, "timeout": timeout, "progress": progress}
        runs = run_notebooks(first, values, stage / "notebooks", last=last, **options)
        build_report(stage)
        _publish(stage, folder)
    return folder / "index.html", [replace(run, output=folder / "notebooks" / run.output.name) for run in runs]


def _prepare(stage: Path, inputs: dict[str, Any]) -> None:
    """Make the folder in which the report grows; keep an interrupted run's records when the inputs are the same."""
    note = stage / "inputs.json"
    text = json.dumps(inputs, sort_keys=True, default=str)
    if stage.exists() and not (note.is_file() and note.read_text(encoding="utf-8") == text):
        if any(stage.glob("runs/**/run.json")):  # perhaps hours of training: set aside, not deleted
            earlier = stage.parent / "earlier"
            earlier.mkdir(exist_ok=True)
            os.replace(stage, earlier / f"{_now()}-unfinished")
        else:
            shutil.rmtree(stage)
    make_folder(stage / "runs", ReportError)
    shutil.rmtree(stage / "notebooks", ignore_errors=True)
    note.write_text(text, encoding="utf-8")


def _now() -> str:
    return time.strftime("%Y-%m-%d-%H%M%S")


def _publish(stage: Path, folder: Path) -> None:
    """Move the finished report to its place, and the one that was there to `earlier`; or change nothing."""
    moved: list[tuple[Path, Path]] = []
    earlier = folder / "earlier" / _now()
    try:
        for source, target in [(folder, earlier), (stage, folder)]:
            for piece in filter(Path.exists, (source / name for name in PIECES)):
                target.mkdir(parents=True, exist_ok=True)
                os.replace(piece, target / piece.name)
                moved.append((piece, target / piece.name))
    except OSError as error:
        for source, target in reversed(moved):
            os.replace(target, source)
        raise ReportError(
            f"{folder}: the new report cannot be moved there ({error.strerror}); it is in {stage}"
        ) from None
    shutil.rmtree(stage, ignore_errors=True)
