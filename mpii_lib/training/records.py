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
import reprlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from importlib import metadata
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import TrainingError, one_line
from mpii_lib.files import make_folder, replacing

RECORD_NAME = "run.json"
BESIDE_LOGS = ("epoch", "seconds", "steps")  # columns of a history that are no logs of Keras
FINISHED = ("complete", "stopped early")  # statuses of a run that has nothing left to train
_VERSIONED = ("mpii-notebooks", "tensorflow", "keras", "numpy", "pandas", "scikit-learn")
_WHOLE, _NUMBER, _TEXT = (int, type(None)), (int, float, type(None)), (str, type(None))
_FIELDS = {
    **{"status": _TEXT, "error": _TEXT, "kept_epoch": _WHOLE, "seconds": _NUMBER, "peak_memory_mib": _NUMBER},
    **dict.fromkeys(("hyperparameters", "training", "model", "fingerprints", "best", "scores"), (dict,)),
}
# What is stored of a test: the dimensions of each array, and the kind of its numbers or words.
_PREDICTIONS = {"labels": "1b 1i 1u 1U 2b 2i 2u 2f", "probabilities": "2f", "classes": "1U", "image_ids": "1i 1u"}


@checked
def write_record(folder: str | Path, record: Mapping[str, Any]) -> Path:
    """Write a run record into a folder, whole or not at all.

    Parameters
    ----------
    folder
        The folder of the run; made when it does not exist.
    record
        Anything that JSON can hold, and NumPy numbers and arrays, paths, dates and sets. NaN and infinity become null.

    Returns
    -------
    Path
        The file `run.json`.

    Raises
    ------
    TrainingError
        When the folder cannot be written to, or a value is of another kind; the field is named.
    """
    path = Path(folder) / RECORD_NAME
    text = to_json(record, str(path), indent=1, ensure_ascii=False)
    make_folder(path.parent, TrainingError)
    with replacing(path, TrainingError) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


@checked
def read_record(folder: str | Path) -> dict[str, Any]:
    """Read the run record of one folder; TrainingError says what is wrong with a file that is not one."""
    path = Path(folder) / RECORD_NAME
    if not os.path.isfile(path):  # reading a pipe would never end
        raise TrainingError(f"{path}: no run record here; give the folder of run_callbacks")
    try:
        text = path.read_text(encoding="utf-8")
        # No number of ours has more than 18 digits; whole numbers without bound, pandas cannot hold.
        record = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 19 else float(digits))
        json.dumps(record, ensure_ascii=False).encode()  # half a character may stand there, which pandas cannot hold
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path}: not a run record ({one_line(error)}); delete it and train again") from None
    for name, value, right in _fields(record if isinstance(record, dict) else {}):
        if not right:
            found = f"field {name} is {reprlib.repr(value)}"
            raise TrainingError(f"{path}: {found}, so this is no run record; delete it and train this run again")
    return record


def _fields(record: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Give each field of a record, its value, and whether that is of the right kind; outer ones first."""
    yield "history", record.get("history"), isinstance(record.get("history"), dict)
    yield from (
        (name, record.get(name), type(record.get(name, kinds[0]())) in kinds) for name, kinds in _FIELDS.items()
    )
    lengths = {len(column) for column in record["history"].values() if isinstance(column, list)}
    for name, column in record["history"].items():
        yield f"history.{name}", column, isinstance(column, list) and len(lengths) == 1
        yield from ((f"history.{name}", value, type(value) in _NUMBER) for value in column)
    for test, scores in record.get("scores", {}).items():
        yield f"scores.{test}", scores, isinstance(scores, dict)
        yield from ((f"scores.{test}.{key}", value, type(value) in (*_NUMBER, str)) for key, value in scores.items())
    yield "best", record.get("best"), type(record.get("best", {}).get("epoch")) in _WHOLE


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


@checked
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
    roots = [Path(str(folder)) for folder in ([folders] if isinstance(folders, str | Path) else folders)]
    rows, skipped = [], []
    for root, path in [(top, path) for top in roots if os.path.isdir(top) for path in sorted(top.rglob(RECORD_NAME))]:
        try:
            row = record_row(read_record(path.parent))
        except TrainingError as error:
            skipped.append((str(path), str(error)))
            continue
        name = path.parent.name if path.parent == root else path.parent.relative_to(root).as_posix()
        rows.append({"run": name} | row | {"run": name, "folder": str(path.parent)})
    table = pd.DataFrame(rows, columns=None if rows else ["run", "status", "weights", "folder"])
    table = table[[*[name for name in table.columns if name != "folder"], "folder"]]
    table.attrs["skipped"] = skipped
    return table


@checked
def add_scores(
    folder: str | Path,
    name: str,
    scores: Mapping[str, float | str],
    *,
    labels: ArrayLike | Sequence[str] | None = None,
    probabilities: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    image_ids: ArrayLike | None = None,
) -> dict[str, Any]:
    """Add the scores of a test to a run's record, and keep the predictions that they come from.

    Parameters
    ----------
    folder
        The folder of the run.
    name
        What was tested on, "test" for instance; scores of the same name are replaced.
    scores
        Name of the score -> number, or a word about it.
    labels, probabilities, classes, image_ids
        Labels (N,) or (N, C), probabilities (N, C), the C class names and the N image ids. What is given is stored
        as `predictions-<name>.npz` beside the record.

    Returns
    -------
    dict
        The record as it is now.

    Raises
    ------
    TrainingError
        No run record is there, the name is no plain word, a score is no number, or lengths and shapes do not agree.
    """
    if not name or any(sign in name for sign in "/\\.:"):
        raise TrainingError(f"scores named {name!r}: use a plain word such as test, without . / or :")
    wrong = [key for key, value in scores.items() if not isinstance(value, Real | str | None)]
    if wrong:
        raise TrainingError(f"scores: {wrong[0]} is {reprlib.repr(scores[wrong[0]])}; give a number")
    record = read_record(folder)
    given = {"labels": labels, "probabilities": probabilities, "classes": classes, "image_ids": image_ids}
    arrays = {key: np.asarray(value) for key, value in given.items() if value is not None}
    if arrays:
        path = Path(folder) / f"predictions-{name}.npz"
        _check_predictions(arrays, path)
        with replacing(path, TrainingError) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    record.setdefault("scores", {})[name] = dict(scores)
    write_record(folder, record)
    return read_record(folder)


@checked
def read_predictions(folder: str | Path, name: str = "test") -> dict[str, np.ndarray]:
    """Read what `add_scores` stored: a dict of labels, probabilities, classes and image_ids, as far as given.

    TrainingError names the file when it is not there, damaged, or no such file.
    """
    path = Path(folder) / f"predictions-{name}.npz"
    if not os.path.isfile(path):
        raise TrainingError(f"{path}: no predictions stored; give labels and probabilities to add_scores")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except Exception as error:  # a broken archive raises BadZipFile, ValueError, EOFError, zlib.error ...
        # NumPy takes what is no archive for a pickle, and would advise to trust it.
        reason = "it is no .npz archive" if "pickle" in str(error) else one_line(error)
        raise TrainingError(f"{path}: cannot be read ({reason}); delete it and test this run again") from None
    _check_predictions(arrays, path)
    return arrays


def _check_predictions(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    found = ", ".join(f"{name[:30]} {array.dtype} {array.shape}" for name, array in arrays.items())[:200]
    rows = {array.shape[:1] for name, array in arrays.items() if name != "classes"}
    columns = {array.shape[-1:] for name, array in arrays.items() if name in ("probabilities", "classes")}
    kinds = [f"{array.ndim}{array.dtype.kind}" in _PREDICTIONS.get(name, "") for name, array in arrays.items()]
    if not all(kinds) or max(len(rows), len(columns)) > 1:
        raise TrainingError(f"{path}: these are not the arrays of one test, as add_scores takes them: {found}")


def peak_memory_mib() -> float | None:
    """Largest resident memory of this process so far, in MiB; None where the system does not tell (Windows)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, where ru_maxrss begins with the memory of the process that started this one
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 2**10
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes on macOS, KiB elsewhere


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide a result."""
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def record_row(record: dict[str, Any]) -> dict[str, Any]:
    """Flatten one record, as `read_record` gives it, into a row of `read_records` (without run and folder)."""
    history = record["history"]
    epochs_run = len(history.get("epoch", []))
    known = {**record.get("model", {}), **record.get("training", {})}
    row = {"status": record.get("status"), "weights": None} | {name: _cell(value) for name, value in known.items()}
    row |= {"epochs_run": epochs_run, "best_epoch": record.get("best", {}).get("epoch")}
    kept = record.get("kept_epoch") or epochs_run
    for name, values in history.items():
        if name not in BESIDE_LOGS and 0 < kept <= len(values):
            row[name] = math.nan if values[kept - 1] is None else values[kept - 1]
    for test, scores in record.get("scores", {}).items():
        row |= {f"{test}.{name}": value for name, value in scores.items()}
    row |= {name: record.get(name) for name in ("seconds", "peak_memory_mib")}
    for name, value in record.get("hyperparameters", {}).items():
        other = row.get(name) is not None and row[name] != _cell(value)
        row[f"hyperparameters.{name}" if other else name] = _cell(value)
    return row | {"error": record.get("error")}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def to_json(value: Any, name: str, **layout: Any) -> str:
    """Give `value` as strict JSON; TrainingError says which field of `name` JSON cannot hold."""
    try:
        return json.dumps(_plain(value, ""), allow_nan=False, **layout)
    except (TypeError, ValueError, RecursionError) as error:
        raise TrainingError(f"{name}: {one_line(error)}; give numbers, text, or lists of them") from None


def _plain(value: Any, where: str) -> Any:
    """Turn what NumPy, pandas and pathlib give into what JSON knows."""
    if isinstance(value, Mapping):
        return {_plain(str(key), where): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, np.ndarray | pd.Series | np.generic) and not isinstance(value, np.floating):
        return _plain(value.tolist(), where)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(item, where) for item in items]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str | os.PathLike | date):  # names of files may hold what UTF-8 cannot
        return str(value).encode("utf-8", "backslashreplace").decode()
    raise TypeError(f"{where.lstrip('.') or 'this'} is {reprlib.repr(value)}")
