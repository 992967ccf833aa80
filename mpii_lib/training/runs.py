"""Where runs are kept, and how one of many is attempted: a grid is a loop over these two."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mpii_lib.arguments import checked
from mpii_lib.errors import TrainingError
from mpii_lib.files import cache_folder
from mpii_lib.training.records import FINISHED, read_record, to_json, write_record


@checked
def run_folder(runs: str | Path, name: str, hyperparameters: Mapping[str, Any]) -> Path:
    """Give the folder of one run: its name, and eight letters that stand for its hyperparameters.

    The same hyperparameters lead to the same folder, where `run_callbacks` goes on or finds the run finished; others
    lead to another folder.

    Parameters
    ----------
    runs
        The folder of all runs, a notebook's parameter RUNS; "" for `runs` in the user's cache folder, which the
        environment variable MPII_CACHE_DIR moves.
    name
        The beginning of the folder's name.
    hyperparameters
        Numbers, text, paths, lists of them; TrainingError names others.
    """
    text = to_json(hyperparameters, "hyperparameters", sort_keys=True)
    root = Path(runs).expanduser() if str(runs) else cache_folder() / "runs"
    return root / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@checked
def attempt(train: Callable[..., Any], folder: str | Path, **hyperparameters: Any) -> None:
    """Train one setting of a grid, unless its record says that it is finished; a failure is recorded, not raised.

    So a grid is a loop, `for setting in ParameterGrid({...}): attempt(train_one, run_folder(RUNS, "grid", setting),
    **setting)`, or `joblib.Parallel` over the same calls: run again, it trains what is missing.

    Parameters
    ----------
    train
        Called as `train(folder, **hyperparameters)`; trains with `run_callbacks(folder, ...)`.
    folder
        Of this run alone. Whatever the training dies of (memory, say) stands in its record as status "failed" and
        `error`, and is tried again next time. An interrupt (Ctrl-C) goes through.
    hyperparameters
        What this run tries: numbers, text, paths, lists of them; TrainingError names others.
    """
    to_json(hyperparameters, "hyperparameters")
    record: dict[str, Any] = {"run": Path(folder).name, "hyperparameters": hyperparameters, "history": {}}
    with suppress(TrainingError):  # none yet, or one that a kill or a copy left broken
        record = read_record(folder)
    if record.get("status") in FINISHED:
        return
    try:
        train(folder, **hyperparameters)
    except Exception as error:
        with suppress(TrainingError):
            record = read_record(folder)
        reason = str(error) or "no reason given"
        write_record(folder, {**record, "status": "failed", "error": f"{type(error).__name__}: {reason}"})
