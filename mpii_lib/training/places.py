"""Where runs are kept: a folder for each name and set of parameters, so that turning a knob starts a new run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mpii_lib.files import cache_folder


def runs_folder(runs: str | Path = "") -> Path:
    """Give the folder of the run records that a notebook's parameter `RUNS` names.

    Parameters
    ----------
    runs
        A folder; "" for `runs` in the user's cache folder, which the environment variable MPII_CACHE_DIR moves.
    """
    return Path(runs).expanduser() if str(runs) else cache_folder() / "runs"


def run_folder(runs: str | Path, name: str, parameters: Mapping[str, Any]) -> Path:
    """Give the folder of one run below `runs_folder(runs)`: its name, and eight letters that stand for its parameters.

    The same parameters lead to the same folder, where `fit` loads what is there or goes on; other parameters lead to
    another folder. Parameters are whatever JSON can hold.
    """
    text = json.dumps(dict(parameters), sort_keys=True, default=str)
    return runs_folder(runs) / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
