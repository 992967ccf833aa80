"""How every benchmark ends: its numbers as JSON in `results/`, with the machine and the versions they belong to."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


def save_result(name: str, result: dict, *packages: str) -> Path:
    """Write `results/<name>.json`; `packages` are the distributions whose versions matter for the numbers."""
    machine = {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()}
    stored = {"benchmark": name, **result, "machine": machine, "versions": {name: version(name) for name in packages}}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return path
