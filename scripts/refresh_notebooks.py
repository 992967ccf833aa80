"""Run notebooks in place and keep their outputs: `python scripts/refresh_notebooks.py [NOTEBOOK ...]` (default: all).

Each notebook runs top to bottom in a fresh kernel. What is stored is what a reader can use: no standard error, no path
of this machine, no widget state, execution counts 1 to n, and the measured seconds and memory in its first cell. A
notebook with an error, or with something on standard error, is left as it was.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
MEASURED = re.compile(r"Runs in .*? on two CPU cores(?: \(.*?\))?")
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|work|Users)/[\w./-]+")
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_NOTE = "Sliders appear here when the cell is run."


def peak_memory(pid: int) -> float | None:
    """Largest resident memory of a process so far in GB, where the system tells (Linux)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(kilobytes.group(1)) / 1e6 if kilobytes else None


def run(notebook: nbformat.NotebookNode, folder: Path) -> str:
    """Execute every cell; returns the sentence about time and memory."""
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    started = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - started
        memory = peak_memory(client.km.provisioner.pid)
    taken = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"
    return f"Runs in {taken} on two CPU cores" + (f" (peak memory {memory:.1f} GB)" if memory else "")


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
            if WIDGET in output.get("data", {}):
                output = nbformat.v4.new_output("display_data", data={"text/plain": WIDGET_NOTE})
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
    """Run one notebook and write it back; returns a line about it."""
    notebook = nbformat.read(path, as_version=4)
    measured = run(notebook, path.parent)
    tidy(notebook)
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
