"""Run records: one JSON a training run, which tells what was done, on what, and what came out.

A record is the file `run.json` in the folder of its run. Reports read only these files and the predictions that
`add_scores` stores beside them.

| field | what |
|---|---|
| `run`, `status` | name of the folder; "running" (or broken off), "complete", "stopped early" or "failed" |
| `hyperparameters` | what the caller says about the run |
| `training` | optimizer, learning_rate, loss, batch_size, steps an epoch, epochs, monitor, mode, patience, seed |
| `model` | backbone, head, freezing, parameters and which weights the backbone started from |
| `fingerprints` | of data, layers and optimizer: what must be equal for the run to go on |
| `skipped` | (path, reason) of the images that could not be read |
| `history` | one list for each column; missing values are null |
| `best`, `kept_epoch` | best epoch (from 1), the quantity that was watched and its value; whose weights the model has |
| `scores` | name of a test -> score -> number, from `add_scores` |
| `seconds`, `peak_memory_mib` | time spent training, and the largest resident memory of the process |
| `versions`, `machine` | of the libraries; cores, devices and backend |
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mpii_lib.errors import TrainingError
from mpii_lib.files import make_folder, replacing

RECORD_NAME = "run.json"
FINISHED = ("complete", "stopped early")  # statuses of a run that has nothing left to train
_VERSIONED = ("mpii-notebooks", "tensorflow", "keras", "numpy", "pandas", "scikit-learn")


def write_record(folder: str | Path, record: Mapping[str, Any]) -> Path:
    """Write a run record into a folder, whole or not at all.

    Parameters
    ----------
    folder
        The folder of the run; made when it does not exist.
    record
        Anything that JSON can hold, and NumPy numbers and arrays, paths and sets. NaN and infinity become null.

    Returns
    -------
    Path
        The file `run.json`.

    Raises
    ------
    TrainingError
        When the folder cannot be written to.
    """
    path = Path(folder) / RECORD_NAME
    text = json.dumps(_plain(record), indent=1, ensure_ascii=False, allow_nan=False)
    make_folder(path.parent, TrainingError)
    with replacing(path, TrainingError) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_record(folder: str | Path) -> dict[str, Any]:
    """Read the run record of one folder; TrainingError says what is wrong with a file that is not one."""
    path = Path(folder) / RECORD_NAME
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no run record here; give the folder of run_callbacks") from None
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path}: cannot be read as a run record ({error}); delete it and train again, what is trained is kept"
        ) from None
    if not isinstance(record, dict) or not isinstance(record.get("history"), dict):
        raise TrainingError(f"{path}: field history is missing, so this is not a run record; train this run again")
    return record


def new_record(
    folder: Path, model: Any, hyperparameters: Mapping[str, Any], training: dict[str, Any], fingerprints: dict[str, str]
) -> dict[str, Any]:
    """Begin the record of a run: what is known before the first epoch."""
    from mpii_lib._keras import keras

    given = {name.lower(): value for name, value in hyperparameters.items()}
    provenance = dict(getattr(model, "provenance", {}))
    if "weights" in provenance:
        provenance["weights"] = provenance["weights"] or "none"  # random ones, not unknown ones
    described = {name: given.get(name) for name in ("backbone", "weights", "head", "freeze")} | provenance
    sizes = {"model_parameters": model.count_params()}
    sizes["trainable_parameters"] = int(sum(math.prod(v.shape) for v in model.trainable_variables))
    devices = keras.distribution.list_devices()
    return {
        "format": 2,
        "run": folder.resolve().name,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "hyperparameters": dict(hyperparameters),
        "training": training,
        "model": {**described, **sizes},
        "fingerprints": fingerprints,
        "scores": {},
        "versions": versions(),
        "machine": {"cores": os.cpu_count(), "devices": devices, "keras_backend": keras.backend.backend()},
    }


def read_records(folders: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Read run records into one table, a row each.

    Parameters
    ----------
    folders
        A folder, which is searched with all its subfolders; or a list of such folders, whose order is kept.

    Returns
    -------
    DataFrame
        `run` is the path of the run's folder below the one that was given, or its name; then `status`, `weights` (what
        the backbone started from: "imagenet", "sample", "none" for random ones, the name of a file; missing when the
        run does not say), the columns of model, training and hyperparameters under their own names (a hyperparameter
        that says otherwise than model and training gets the prefix `hyperparameters.`), `epochs_run`, `best_epoch`,
        the history's values at the kept epoch (`loss`, `val_accuracy`, ...), the scores as `test.accuracy`, `seconds`,
        `peak_memory_mib` and `error`. Files that cannot be read are left out and listed in `.attrs["skipped"]` as
        (path, reason).
    """
    roots = [Path(folders)] if isinstance(folders, str | Path) else [Path(folder) for folder in folders]
    rows, skipped = [], []
    for root, path in [(top, path) for top in roots for path in sorted(top.rglob(RECORD_NAME))]:
        try:
            row = record_row(read_record(path.parent))
        except (TrainingError, AttributeError, TypeError, ValueError, LookupError) as error:
            skipped.append((str(path), str(error)))
            continue
        name = path.parent.name if path.parent == root else path.parent.relative_to(root).as_posix()
        rows.append({"run": name, **row, "folder": str(path.parent)})
    table = pd.DataFrame(rows, columns=None if rows else ["run", "status", "weights", "folder"])
    table = table[[*[name for name in table.columns if name != "folder"], "folder"]]
    table.attrs["skipped"] = skipped
    return table


def add_scores(
    folder: str | Path,
    name: str,
    scores: Mapping[str, float],
    *,
    labels: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
    classes: list[str] | None = None,
    image_ids: np.ndarray | None = None,
) -> dict[str, Any]:
    """Add the scores of a test to a run's record, and keep the predictions that they come from.

    Parameters
    ----------
    folder
        The folder of the run.
    name
        What was tested on, "test" for instance; scores of the same name are replaced.
    scores
        Name of the score -> number.
    labels, probabilities, classes, image_ids
        Labels (N,) or (N, C), probabilities (N, C), the C class names and the N image ids. What is given is stored
        as `predictions-<name>.npz` beside the record.

    Returns
    -------
    dict
        The record as it is now.
    """
    if not name or any(sign in name for sign in "/\\.:"):
        raise TrainingError(f"scores named {name!r}: use a plain word such as test, without . / or :")
    record = read_record(folder)
    given = {"labels": labels, "probabilities": probabilities, "classes": classes, "image_ids": image_ids}
    arrays = {key: np.asarray(value) for key, value in given.items() if value is not None}
    if arrays:
        path = Path(folder) / f"predictions-{name}.npz"
        with replacing(path, TrainingError) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    record.setdefault("scores", {})[name] = dict(scores)
    write_record(folder, record)
    return read_record(folder)


def read_predictions(folder: str | Path, name: str = "test") -> dict[str, np.ndarray]:
    """Read what `add_scores` stored: a dict of labels, probabilities, classes and image_ids, as far as given."""
    path = Path(folder) / f"predictions-{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except FileNotFoundError:
        raise TrainingError(f"{path}: no predictions stored; give labels and probabilities to add_scores") from None
    except Exception as error:  # a broken archive raises BadZipFile, ValueError, EOFError, zlib.error ...
        # NumPy takes what is no archive for a pickle, and would advise to trust it.
        reason = "it is no .npz archive" if "pickle" in str(error) else error
        raise TrainingError(f"{path}: cannot be read ({reason}); delete it and test this run again") from None


def peak_memory_mib() -> float | None:
    """Largest resident memory of this process so far, in MiB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes on macOS, KiB on Linux


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide a result."""
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def record_row(record: dict[str, Any]) -> dict[str, Any]:
    """Flatten one record, as `read_record` gives it, into a row of `read_records` (without run and folder)."""
    history = {name: list(values) for name, values in record["history"].items()}
    epochs_run = len(history.get("epoch", []))
    known = {**(record.get("model") or {}), **(record.get("training") or {})}
    row = {"status": record.get("status"), "weights": None} | {name: _cell(value) for name, value in known.items()}
    row |= {"epochs_run": epochs_run, "best_epoch": (record.get("best") or {}).get("epoch")}
    kept = record.get("kept_epoch") or epochs_run
    for name, values in history.items():
        if name not in ("epoch", "seconds", "steps") and 0 < kept <= len(values):
            row[name] = math.nan if values[kept - 1] is None else values[kept - 1]
    for test, scores in (record.get("scores") or {}).items():
        row |= {f"{test}.{name}": value for name, value in scores.items()}
    row |= {name: record.get(name) for name in ("seconds", "peak_memory_mib")}
    for name, value in (record.get("hyperparameters") or {}).items():
        other = row.get(name) is not None and row[name] != _cell(value)
        row[f"hyperparameters.{name}" if other else name] = _cell(value)
    return row | {"error": record.get("error")}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _plain(value: Any) -> Any:
    """Turn what NumPy, pandas and pathlib give into what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | pd.Series):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, bool | int | str) else str(value)
