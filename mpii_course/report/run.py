"""Run notebooks with papermill, several at once, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from mpii_course.report.parameters import check_parameters, read_notebook
from mpii_lib.errors import ReportError
from mpii_lib.files import make_folder

#: Started by its path: `-m` would import all of mpii_course, which it does not need. -P keeps its folder off sys.path.
_WORKER = Path(__file__).with_name("_worker.py")
_PATIENCE = 15.0  # seconds; a kernel gets five of them from its manager
#: Called with (name, state, cells done, cells in all); state is "running", "ok" or "failed".
Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class FailedCell:
    """Where a notebook failed: the code cell's number as Jupyter counts them, its id, its first line."""

    number: int
    id: str
    line: str

    def __str__(self) -> str:
        return f"code cell {self.number} (id {self.id}): {self.line}"


@dataclass(frozen=True)
class NotebookRun:
    """How one notebook's run ended. `output` is the executed notebook; `peak_mb` the kernel's peak memory in MB."""

    name: str
    source: Path
    output: Path
    ok: bool
    seconds: float
    cells: int
    failed_cell: FailedCell | None = None
    error: str | None = None
    peak_mb: float | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name}: ok, {self.cells} cells in {self.seconds:.0f} s"
        where = f" at {self.failed_cell}" if self.failed_cell else ""
        return f"{self.name}: failed{where}: {self.error}"


def require_notebook_tools() -> None:
    """Raise ReportError when the extra `notebooks` is not installed."""
    missing = [m for m in ("papermill", "nbconvert", "ipykernel", "latex2mathml") if find_spec(m) is None]
    if missing:
        raise ReportError(f"{', '.join(missing)} is not installed; run: pip install 'mpii-notebooks[notebooks]'")


def run_notebooks(
    paths: Sequence[str | Path],
    parameters: Mapping[str, Any] | None = None,
    folder: str | Path = "executed",
    *,
    jobs: int = 2,
    last: Sequence[str | Path] = (),
    timeout: float | None = None,
    progress: Progress | None = None,
) -> list[NotebookRun]:
    """Run notebooks and keep the executed copies; one that fails is reported while the others go on.

    Everything is checked before anything is started or written. The notebooks run in the current directory, so that a
    relative path given as a parameter means what it means in the shell.

    Parameters
    ----------
    paths
        The notebooks (.ipynb).
    parameters
        Values by name, for each notebook that knows the name; text is turned into the type of the notebook's default.
    folder
        Receives NAME.ipynb for each notebook, or NAME.failed.ipynb for one that failed (an earlier NAME.ipynb stays).
    jobs
        How many notebooks run at once.
    last
        Notebooks to run, one after the other, when all of `paths` have ended: those that read what the others wrote.
    timeout
        Seconds that one cell may take; None for no limit.
    progress
        Called at each change, from several threads; `mpii_course.report.progress.RunDisplay` is one.

    Returns
    -------
    list of NotebookRun
        In the order given, those of `last` at the end.

    Raises
    ------
    ReportError
        For a missing or broken notebook, a parameter that none of them knows or of the wrong type, two notebooks of one
        name, a folder that cannot be written to, or a file there that was not made by a run.
    """
    sources = [Path(p) for p in (*paths, *last)]
    if not sources:
        raise ReportError("no notebook to run; name at least one .ipynb file")
    if jobs < 1:
        raise ReportError(f"jobs is {jobs}; give 1 or more")
    require_notebook_tools()
    values = check_parameters(sources, parameters or {})
    folder = Path(folder)
    _check_folder(folder, sources)
    tasks = [
        {"source": str(s), "output": str(folder / f".{s.stem}.partial.ipynb"), "parameters": v, "timeout": timeout}
        for s, v in zip(sources, values, strict=True)
    ]
    with _own_kernel() as environment:
        runner = _Runner(folder, environment, progress or (lambda *_: None))
        return runner.run(tasks[: len(paths)], jobs) + runner.run(tasks[len(paths) :], 1)


def _check_folder(folder: Path, sources: Sequence[Path]) -> None:
    """Make the folder; refuse to write over what no run of ours has made."""
    names = [s.stem for s in sources]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise ReportError(f"two of the notebooks are named {twice}.ipynb; run them into different folders")
    for source in sources:
        output = folder / source.name
        if output.exists() and not (output.is_file() and read_notebook(output).metadata.get("papermill")):
            raise ReportError(f"{output}: is there and was not made by a run; choose another folder (-o)")
    make_folder(folder, ReportError)


@contextlib.contextmanager
def _own_kernel() -> Iterator[dict[str, str]]:
    """Environment variables under which the kernel "python3" is this very interpreter.

    A kernel spec of that name in the user's home comes before the environment's own and may start another Python, one
    without mpii_lib. `JUPYTER_PATH` is looked at before both.
    """
    with tempfile.TemporaryDirectory(prefix="mpii-kernel-") as home:
        spec = Path(home, "kernels", "python3", "kernel.json")
        spec.parent.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}), encoding="utf-8")
        paths = os.pathsep.join(filter(None, [home, os.environ.get("JUPYTER_PATH")]))
        yield {**os.environ, "JUPYTER_PATH": paths, "PYTHONIOENCODING": "utf-8"}


class _Runner:
    """Starts one process a notebook, some at once, and stops them all when it is interrupted."""

    def __init__(self, folder: Path, environment: dict[str, str], progress: Progress) -> None:
        self.folder, self.environment, self.progress = folder, environment, progress
        self.processes: list[subprocess.Popen[str]] = []
        self.lock = threading.Lock()
        self.stopped = False

    def run(self, tasks: Sequence[dict[str, Any]], jobs: int) -> list[NotebookRun]:
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = [pool.submit(self._run_one, task) for task in tasks]
            try:
                while wait(futures, timeout=0.5).not_done:  # with a time-out, so that Ctrl-C is heard on Windows too
                    pass
            except BaseException:
                self._stop()
                pool.shutdown(wait=True, cancel_futures=True)
                for task in tasks:
                    Path(task["output"]).unlink(missing_ok=True)
                raise
            return [future.result() for future in futures]

    def _stop(self) -> None:
        """Ask the processes to end, which lets them end their kernels; kill those that do not, or at another Ctrl-C."""
        with self.lock:
            self.stopped = True
        for process in self.processes:
            process.terminate()
        limit = time.monotonic() + _PATIENCE
        try:
            while any(process.poll() is None for process in self.processes) and time.monotonic() < limit:
                time.sleep(0.1)
        finally:
            for process in self.processes:
                process.kill()

    def _start(self, stderr: IO[str]) -> subprocess.Popen[str]:
        with self.lock:
            if self.stopped:
                raise ReportError("stopped")
            # A session of its own: Ctrl-C reaches us alone, and we end the notebook in order.
            process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=stderr, text=True, encoding="utf-8", env=self.environment, start_new_session=True,
            )  # fmt: skip
            self.processes.append(process)
        return process

    def _run_one(self, task: dict[str, Any]) -> NotebookRun:
        source, began = Path(task["source"]), time.monotonic()
        cells = [c for c in read_notebook(source).cells if c.cell_type == "code" and c.source.strip()]
        self.progress(source.stem, "running", 0, len(cells))
        at = 0
        end: dict[str, Any] = {}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
            with self._start(stderr) as process:
                assert process.stdin and process.stdout
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    json.dump(task, process.stdin)
                for event in map(json.loads, process.stdout):
                    if "cell" in event:
                        self.progress(source.stem, "running", at, len(cells))
                        at += 1
                    else:
                        end = event
            if self.stopped:
                raise ReportError("stopped")
            if not end:
                stderr.seek(0)
                lines = stderr.read().strip().splitlines()
                end = {"error": lines[-1] if lines else f"the process ended with status {process.returncode}"}
        failed, ok = None, end["error"] is None
        if at and not ok:
            failed = FailedCell(at, cells[at - 1].get("id", "-"), _first_line(cells[at - 1].source))
        seconds = time.monotonic() - began
        output = self.folder / source.name
        run = NotebookRun(source.stem, source, output, ok, seconds, len(cells), failed, **end)
        run = _keep(run, Path(task["output"]))
        self.progress(run.name, "ok" if ok else "failed", len(cells) if ok else max(at - 1, 0), len(cells))
        return run


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), "".join(lines[:1]))[:100]


def _keep(run: NotebookRun, partial: Path) -> NotebookRun:
    """Write how the run ended into the executed notebook and move it to its place."""
    import nbformat

    notebook = read_notebook(partial if partial.exists() else run.source)
    notebook.metadata.setdefault("papermill", {})
    output, failed = run.output, run.output.with_suffix(".failed.ipynb")
    run = replace(run, output=output if run.ok else failed)
    record = asdict(run) | {"source": str(run.source), "output": str(run.output)}
    notebook.metadata["mpii_run"] = record
    nbformat.write(notebook, partial)
    os.replace(partial, run.output)
    if run.ok:
        failed.unlink(missing_ok=True)
    return run


def read_run(path: Path) -> tuple[NotebookRun, Any]:
    """Read an executed notebook: how its run ended, and the notebook without what papermill put in to mark an error."""
    notebook = read_notebook(path)
    notebook.cells = [c for c in notebook.cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])]
    record = dict(notebook.metadata.get("mpii_run") or {})
    if not record:
        raise ReportError(f"{path}: was not made by run_notebooks; run it with `mpii run`")
    cell = record.pop("failed_cell", None)
    paths = {"source": Path(record["source"]), "output": path}
    return NotebookRun(**{**record, **paths, "failed_cell": FailedCell(**cell) if cell else None}), notebook
