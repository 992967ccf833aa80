"""Run one notebook with papermill in a process of its own: reads one JSON object, writes one JSON line for each event.

`run_notebooks` starts it by its path, so it imports nothing of mpii_lib. A process of its own frees all its memory at
the end, cannot take its neighbours down, and can be stopped.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, TextIO

INJECTED = "injected-parameters"


def _own_engine(events: TextIO) -> type:
    """Build a papermill engine that says which cell it is at."""
    from papermill.engines import NBClientEngine

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
            cells = [c for c in nb_man.nb.cells if c.cell_type == "code" and INJECTED not in c.metadata.get("tags", [])]
            numbers = {id(cell): number for number, cell in enumerate(cells, 1)}
            begin, complete = nb_man.cell_start, nb_man.cell_complete

            def cell_start(cell: Any, cell_index: int | None = None, **rest: Any) -> None:
                if id(cell) in numbers:
                    _say(events, event="start", cell=numbers[id(cell)], total=len(cells))
                begin(cell, cell_index=cell_index, **rest)

            def cell_complete(cell: Any, cell_index: int | None = None, **rest: Any) -> None:
                complete(cell, cell_index=cell_index, **rest)
                if id(cell) in numbers:
                    _say(events, event="done", cell=numbers[id(cell)], total=len(cells))

            nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)

    return Engine


def _say(events: TextIO, **event: Any) -> None:
    print(json.dumps(event), file=events, flush=True)


def _peak_memory_mb() -> float | None:
    """Peak resident memory of the kernel, which has ended by now, in MB; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def run(task: dict[str, Any], events: TextIO) -> None:
    """Run the notebook that the task names; the last event says how it ended."""
    import papermill
    from papermill.engines import papermill_engines

    logging.getLogger("papermill").setLevel(logging.ERROR)
    papermill_engines.register("mpii", _own_engine(events))
    error = None
    try:
        papermill.execute_notebook(
            task["source"], task["output"], parameters=task["parameters"], engine_name="mpii", kernel_name="python3",
            language="python", progress_bar=False, execution_timeout=task["timeout"], start_timeout=120,
        )  # fmt: skip
    except papermill.PapermillExecutionError as failure:
        error = _one_line(failure.ename, failure.evalue)
    except TimeoutError:
        error = f"took longer than the {task['timeout']:g} seconds that a cell may take"
    except Exception as failure:  # a kernel that died, a disk that is full: the parent reports it
        error = _one_line(type(failure).__name__, str(failure))
        if type(failure).__name__ == "DeadKernelError":
            error = "the kernel died, most often because memory ran out; run fewer notebooks at once (--jobs 1)"
    _say(events, event="end", error=error, peak_mb=_peak_memory_mb())


def _one_line(name: str, text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{name}: {first}" if first else name


if __name__ == "__main__":
    # What papermill or a kernel prints must not mix with the events, so these get standard output for themselves. The
    # copy is not handed on to the kernel: the parent reads until the pipe is closed, which is when this process ends.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    run(json.load(sys.stdin), channel)
