"""Run one notebook with papermill in a process of its own: reads one JSON object, writes one JSON line for each event.

`run_notebooks` starts it by its path, so it imports nothing of mpii_course. A process of its own frees all its memory
at the end, cannot take its neighbours down, and can be stopped.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, TextIO


def _peak_memory_mb() -> float | None:
    """Peak resident memory of the kernel, which has ended by now, in MB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def run(task: dict[str, Any], events: TextIO) -> None:
    """Run the notebook that the task names: an event for each code cell that begins, and the last for the end."""
    import papermill

    def write(**event: Any) -> None:
        print(json.dumps(event), file=events, flush=True)

    def cell_begins(cell: Any, **_: Any) -> None:
        if "injected-parameters" not in cell.metadata.get("tags", []):
            write(cell=cell.get("id"))

    logging.getLogger("papermill").setLevel(logging.ERROR)
    error = None
    try:
        papermill.execute_notebook(
            task["source"], task["output"], parameters=task["parameters"], kernel_name="python3", language="python",
            progress_bar=False, execution_timeout=task["timeout"], start_timeout=120, on_cell_execute=cell_begins,
        )  # fmt: skip
    except papermill.PapermillExecutionError as failure:
        error = _one_line(failure.ename, failure.evalue)
    except TimeoutError:
        error = f"took longer than the {task['timeout']:g} seconds that a cell may take"
    except Exception as failure:  # a kernel that died, a disk that is full: the parent reports it
        error = _one_line(type(failure).__name__, str(failure))
        if type(failure).__name__ == "DeadKernelError":
            error = "the kernel died, most often because memory ran out; run fewer notebooks at once (--jobs 1)"
    write(error=error, peak_mb=_peak_memory_mb())


def _one_line(name: str, text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{name}: {first}" if first else name


if __name__ == "__main__":
    # What papermill or a kernel prints must not mix with the events, so these get standard output for themselves. The
    # copy is not handed on to the kernel: the parent reads until the pipe is closed, which is when this process ends.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    run(json.load(sys.stdin), channel)
