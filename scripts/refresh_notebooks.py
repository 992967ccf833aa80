"""Run notebooks in place and keep their outputs: `python scripts/refresh_notebooks.py [NOTEBOOK ...]` (default: all).

Each notebook runs top to bottom in a fresh kernel. What is stored is what a reader can use: no standard error, no path
of this machine, sliders as static figures, execution counts 1 to n, and the measured seconds and memory in its first
cell. A notebook with an error, with something on standard error, or with a cell of more than 30 minutes is left as it
was.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat

from mpii_course.report import run_notebooks

ROOT = Path(__file__).resolve().parents[1]
MEASURED = re.compile(r"Runs in .*? on two CPU cores(?: \(.*?\))?")
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|work|Users)/[\w./-]+")
LIMIT = 1800.0  # seconds that one cell may take


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """What a cell printed as one output, however the kernel happened to cut it."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if kept and output.get("name") is not None and output.get("name") == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Keep of outputs and metadata what the next reader needs; ValueError where something must not be stored."""
    language = {"name": "python"}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": language,
    }
    number = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        kept = []
        for output in joined(cell.outputs):
            if output.get("name") == "stderr":
                raise ValueError(f"cell {cell.id}: standard error: {output.text.strip()[:300]}")
            if output.output_type == "execute_result":
                output.execution_count = number
            text = str(output.get("text", "")) + "".join(
                str(v) for k, v in output.get("data", {}).items() if k.startswith("text/")
            )
            if found := MACHINE_PATH.search(text):
                raise ValueError(f"cell {cell.id}: a path of this machine: {found.group(0)}")
            kept.append(output)
        cell.outputs = kept


def refresh(path: Path) -> str:
    """Run one notebook in its own folder and write it back; returns the sentence about its time and memory."""
    os.chdir(path.parent)
    with tempfile.TemporaryDirectory() as folder:
        (run,) = run_notebooks([path], folder=folder, timeout=LIMIT)
        notebook = nbformat.read(run.output, as_version=4)
    if not run.ok:
        raise ValueError(str(run))
    tidy(notebook)
    taken = f"{run.seconds:.0f} s" if run.seconds < 100 else f"{run.seconds / 60:.1f} minutes"
    measured = f"Runs in {taken} on two CPU cores"
    measured += f" (peak memory {run.peak_mb / 1000:.1f} GB)" if run.peak_mb else ""
    first = notebook.cells[0]
    first.source = MEASURED.sub(measured, first.source)
    nbformat.write(notebook, path)
    return measured


def main(arguments: list[str]) -> int:
    """Refresh the notebooks named, or all; exit status 1 when one failed."""
    folder = ROOT / "notebooks"
    paths = [Path(a).resolve() for a in arguments] or [
        *sorted(folder.glob("*.ipynb")),
        *sorted(folder.glob("solutions/*.ipynb")),
    ]
    failed = 0
    for path in paths:
        try:
            print(f"{path.name}: {refresh(path)}", flush=True)
        except Exception as error:
            failed += 1
            print(f"{path.name}: left as it was: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
