"""A grid of training runs with repeats: one run after the other, each in its own folder, taken up again after a kill.

The run records are the only memory of a grid. Whoever runs it again, in another process or through papermill, reads
what is finished, goes on with the run that was broken off, and trains what is missing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mpii_lib.errors import TrainingError
from mpii_lib.training.places import run_folder
from mpii_lib.training.progress import progress_line
from mpii_lib.training.records import FINISHED, RECORD_NAME, read_record, record_row, write_record

Setting = Mapping[str, Any]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a grid: what to train, with which seed, where, and what its record has to say of it."""

    setting: dict[str, Any]
    seed: int
    folder: Path
    parameters: dict[str, Any]  # for `fit(parameters=...)`: the grid's `about`, the setting and the seed


def vary(base: Setting, **choices: Iterable[Any]) -> list[dict[str, Any]]:
    """List settings that differ from `base` in one thing only, `base` first.

    Parameters
    ----------
    base
        What stays as it is: name -> value.
    choices
        Name -> values to try in its place. The value of the base is not repeated.

    Returns
    -------
    list of dict
        One setting each. A difference to the base then has one cause.
    """
    _check_names(base, choices)
    settings = [dict(base)]
    for name, values in choices.items():
        settings += [{**base, name: value} for value in values if value != base[name]]
    return settings


def combine(base: Setting, **choices: Iterable[Any]) -> list[dict[str, Any]]:
    """List every combination of the choices on top of `base`: the product of their numbers of values."""
    _check_names(base, choices)
    return [{**base, **dict(zip(choices, values, strict=True))} for values in itertools.product(*choices.values())]


def run_grid(
    train: Callable[[PlannedRun], Any],
    settings: Sequence[Setting],
    *,
    name: str,
    seeds: Sequence[int] = (0, 1, 2),
    runs: str | Path = "",
    about: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Train every setting with every seed, as far as it has not been done, and read the records.

    The first seed is trained for all settings before the second, so that a grid that is broken off has the same number
    of repeats everywhere, one apart.

    Parameters
    ----------
    train
        Gets a `PlannedRun` and trains it with `fit` or `fit_head` in `run.folder`, with `parameters=run.parameters`;
        a `ClassifierTrainer` for instance. It is not called for a run whose record says that it is finished. When it
        raises, the record gets status "failed" and the reason as `error`, the other runs go on, and the next call
        tries again. An interrupt (Ctrl-C) stops the grid.
    settings
        Name -> value each, of what JSON can hold; see `vary` and `combine`.
    name
        Of the grid; the folders of its runs begin with it.
    seeds
        One repeat each. The same seeds for every setting: differences are then taken seed by seed.
    runs
        As for `run_folder`: the parameter RUNS of a notebook.
    about
        What else decides the result (data, picture size, weights): it belongs to the folder's key and to the record.
    progress
        Show one updating line where a person looks on.

    Returns
    -------
    DataFrame
        As `read_grid`.

    Raises
    ------
    TrainingError
        When the settings, or the seeds, are empty or repeat themselves.
    """
    plan = plan_grid(settings, name=name, seeds=seeds, runs=runs, about=about)
    with progress_line(progress) as show:
        for number, run in enumerate(plan):
            if _status(run.folder) in FINISHED:
                continue
            told = ", ".join(f"{key} {value}" for key, value in run.setting.items())
            show(f"run {number + 1}/{len(plan)}: seed {run.seed}, {told}", number / len(plan))
            try:
                train(run)
            except Exception as error:  # whatever one setting dies of (memory, say), the others are worth having
                _record_failure(run, error)
    return _read(plan)


def read_grid(
    settings: Sequence[Setting],
    *,
    name: str,
    seeds: Sequence[int] = (0, 1, 2),
    runs: str | Path = "",
    about: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Read what there is of a grid, without training.

    Returns
    -------
    DataFrame
        A row a run, in the order of the settings and then the seeds. First the names of the settings, then `seed`,
        `status` ("missing" where there is no record), `weights`, and the columns of `read_records` that are not
        settings: history at the kept epoch (`loss`, `val_accuracy`, ...), `epochs_run`, `seconds`, ...; last `error`
        (the reason of a failure, otherwise empty) and `folder`.
    """
    return _read(plan_grid(settings, name=name, seeds=seeds, runs=runs, about=about))


def plan_grid(
    settings: Sequence[Setting],
    *,
    name: str,
    seeds: Sequence[int] = (0, 1, 2),
    runs: str | Path = "",
    about: Mapping[str, Any] | None = None,
) -> list[PlannedRun]:
    """List the runs of a grid in the order in which they are trained; arguments as for `run_grid`."""
    if not settings or not seeds:
        raise TrainingError(f"grid {name!r}: {len(settings)} settings, {len(seeds)} seeds; give at least one of each")
    plan = []
    for seed in seeds:
        for setting in settings:
            parameters = {**(about or {}), **setting, "seed": int(seed)}
            plan.append(PlannedRun(dict(setting), int(seed), run_folder(runs, name, parameters), parameters))
    twice = [run for number, run in enumerate(plan) if run.folder in {other.folder for other in plan[:number]}]
    if twice:
        raise TrainingError(
            f"grid {name!r}: {twice[0].setting} with seed {twice[0].seed} is there twice; leave one out"
        )
    return plan


def _check_names(base: Setting, choices: Mapping[str, Any]) -> None:
    unknown = [name for name in choices if name not in base]
    if unknown:
        raise TrainingError(f"grid: {unknown[0]!r} is not in the base; give its usual value there ({', '.join(base)})")


def _status(folder: Path) -> str:
    if not (folder / RECORD_NAME).exists():
        return "missing"
    try:
        return str(read_record(folder).get("status"))
    except TrainingError:  # half written by a copy, say; its training is in the checkpoints
        return "unreadable"


def _record_failure(run: PlannedRun, error: Exception) -> None:
    """Write the reason into the record that `fit` left, or into one that holds nothing else."""
    try:
        record = read_record(run.folder)
    except TrainingError:
        record = {"format": 1, "run": run.folder.name, "parameters": run.parameters, "history": {}}
    reason = str(error) or "no reason given"
    write_record(run.folder, {**record, "status": "failed", "error": f"{type(error).__name__}: {reason}"})


def _read(plan: list[PlannedRun]) -> pd.DataFrame:
    rows = []
    order = sorted(range(len(plan)), key=lambda number: _place(plan, number))
    for run in (plan[number] for number in order):
        status = _status(run.folder)
        record = read_record(run.folder) if status not in ("missing", "unreadable") else {"history": {}}
        told = record_row({**record, "parameters": {}})
        known = {name: _shown(value) for name, value in run.setting.items()}
        first = {**known, "seed": run.seed, "status": status, "weights": told.get("weights")}
        rest = {key: value for key, value in told.items() if key not in first}
        error = record.get("error", "") if status == "failed" else ""
        rows.append({**first, **rest, "error": error, "folder": str(run.folder)})
    table = pd.DataFrame(rows)
    return table[[*[name for name in table.columns if name not in ("error", "folder")], "error", "folder"]]


def _place(plan: list[PlannedRun], number: int) -> tuple[int, int]:
    """Setting first, then seed; the plan has them the other way round."""
    settings = len(plan) // len({run.seed for run in plan})
    return number % settings, number // settings


def _shown(value: Any) -> Any:
    """Make a cell of a setting: groups are formed by it, so a list (("last", 7), say) becomes its text."""
    return str(tuple(value)) if isinstance(value, list | tuple) else value
