"""Run one notebook in a process of its own: reads one JSON line, writes one JSON line for each event.

`run_notebooks` starts it by its path, so it imports nothing of mpii_course. A process of its own frees all its memory
at the end, cannot take its neighbours down, and can be stopped: when its standard input closes, because `run_notebooks`
wants it to end or has died itself, it ends its kernel and then itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
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
    """Run the notebook that the task names: an event where a code cell begins or ends, and the last for the end."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = nbformat.v4.upgrade(nbformat.read(task["source"], as_version=4))
    if task["parameters"]:
        _inject(notebook, nbformat.v4.new_code_cell(task["parameters"], metadata={"tags": ["injected-parameters"]}))

    def write(**event: Any) -> None:
        print(json.dumps(event), file=events, flush=True)

    def tell(begins: bool, cell: Any) -> None:
        if "injected-parameters" not in cell.metadata.get("tags", []):
            write(begins=begins)

    def keep() -> None:
        with open(task["output"], "w", encoding="utf-8", errors="replace") as file:
            file.write(nbformat.writes(notebook))

    # Without a folder of kernel specs the kernel is this very Python; a user's "python3" may be one without mpii_lib.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook, manager, startup_timeout=120, iopub_timeout=120, raise_on_iopub_timeout=True,
        store_widget_state=False, on_cell_execute=lambda cell, **_: tell(True, cell),
        on_cell_executed=lambda cell, **_: tell(False, cell),
    )  # fmt: skip
    threading.Thread(target=_end_with_parent, args=(client, keep), daemon=True).start()
    error = None
    try:
        client.execute(cleanup_kc=True)
    except CellExecutionError as failure:
        error = _one_line(failure.ename, failure.evalue)
    except DeadKernelError:
        error = "the kernel died, most often because memory ran out; run fewer notebooks at once (--jobs 1)"
    except Exception as failure:  # a kernel that does not start, for instance: the parent reports it
        error = _one_line(type(failure).__name__, str(failure))
    keep()
    write(error=error, peak_mb=_peak_memory_mb())


def _inject(notebook: Any, cell: Any) -> None:
    """Put the cell after the one tagged `parameters`, in the place of what an earlier run put there."""
    cells = [each for each in notebook.cells if "injected-parameters" not in each.metadata.get("tags", [])]
    place = next(number for number, each in enumerate(cells) if "parameters" in each.metadata.get("tags", []))
    notebook.cells = [*cells[: place + 1], cell, *cells[place + 1 :]]


def _end_with_parent(client: Any, keep: Any) -> None:
    os.read(0, 1)  # comes back when the pipe closes: nothing is ever written to it after the task
    with contextlib.suppress(Exception):
        kernel = client.km.provisioner.process
        os.killpg(kernel.pid, signal.SIGKILL) if hasattr(os, "killpg") else kernel.kill()
    with contextlib.suppress(Exception):
        keep()
    os._exit(1)


def _one_line(name: str, text: str) -> str:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"{name}: {first}"[:300] if first else name


if __name__ == "__main__":
    # What a kernel prints must not mix with the events, so these get standard output for themselves. The copy is not
    # handed on to the kernel: the parent reads until the pipe is closed, which is when this process ends.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    run(json.loads(sys.stdin.readline()), channel)
