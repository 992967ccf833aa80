"""Run notebooks, several at once, each in a process of its own that ends with this one."""

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
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from mpii_course.report.parameters import check_parameters, read_notebook
from mpii_lib.arguments import checked
from mpii_lib.errors import ReportError
from mpii_lib.files import make_folder, replacing

#: Started by its path: `-m` would import all of mpii_course, which it does not need. -P keeps its folder off sys.path.
_WORKER = Path(__file__).with_name("_worker.py")
_PATIENCE = 5.0  # seconds in which a worker has to end when it is asked to
_AROUND = 180.0  # seconds in which a kernel has to start, and to end
DAY = 86_400.0
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
    """How one notebook's run ended. `output` is the executed notebook; `peak_mb` the kernel's peak memory in MB.

    `parameters` are those that it was run with instead of its own.
    """

    name: str
    source: Path
    output: Path
    ok: bool
    seconds: float
    cells: int
    failed_cell: FailedCell | None = None
    error: str | None = None
    peak_mb: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name}: ok, {self.cells} cells in {self.seconds:.0f} s"
        where = f" at {self.failed_cell}" if self.failed_cell else ""
        return f"{self.name}: failed{where}: {self.error}"


def require_notebook_tools() -> None:
    """Raise ReportError when the extra `notebooks` is not installed."""
    missing = [m for m in ("nbclient", "nbconvert", "bleach", "ipykernel", "latex2mathml") if find_spec(m) is None]
    if missing:
        raise ReportError(f"{', '.join(missing)} is not installed; run: pip install 'mpii-notebooks[notebooks]'")


@checked
def run_notebooks(
    paths: Sequence[str | Path],
    parameters: Mapping[str, Any] | None = None,
    folder: str | Path = "executed",
    *,
    jobs: int = 2,
    last: Sequence[str | Path] = (),
    timeout: float = DAY,
    progress: Progress | None = None,
) -> list[NotebookRun]:
    """Run notebooks and keep the executed copies; one that fails is reported while the others go on.

    Nobody looks on, so sliders are drawn as static figures (the environment variable MPII_STATIC is set), and a cell
    that goes on beyond `timeout` fails its notebook, whose kernel is killed. Kernels also end when this process does.

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
        Seconds that one cell may take; a day if nothing is said.
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
    if jobs < 1 or timeout <= 0:
        raise ReportError(f"jobs is {jobs}, timeout is {timeout}; give 1 or more, and more than 0 seconds")
    require_notebook_tools()
    values = check_parameters(sources, parameters or {})
    folder = Path(folder)
    _check_folder(folder, sources)
    tasks = list(zip(sources, values, strict=True))
    with tempfile.TemporaryDirectory(prefix="mpii-run-", ignore_cleanup_errors=True) as scratch:
        runner = _Runner(folder, Path(scratch), timeout, progress or (lambda *_: None))
        return runner.run(tasks[: len(paths)], jobs) + runner.run(tasks[len(paths) :], 1)


def _check_folder(folder: Path, sources: Sequence[Path]) -> None:
    """Make the folder; refuse to write over what no run of ours has made."""
    names = [s.stem for s in sources]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        raise ReportError(f"two of the notebooks are named {twice}.ipynb; run them into different folders")
    for source in sources:
        output = folder / source.name
        if output.exists() and not (output.is_file() and "mpii_run" in read_notebook(output).metadata):
            raise ReportError(f"{output}: is there and was not made by a run; choose another folder (-o)")
    make_folder(folder, ReportError)


class _Runner:
    """Starts one process a notebook, some at once, and ends them all when it is interrupted."""

    def __init__(self, folder: Path, scratch: Path, timeout: float, progress: Progress) -> None:
        self.folder, self.scratch, self.timeout, self.progress = folder, scratch, timeout, progress
        own = {"PYTHONIOENCODING": "utf-8", "JUPYTER_RUNTIME_DIR": str(scratch), "MPII_STATIC": "1"}
        self.environment = os.environ | own
        self.processes: list[subprocess.Popen[str]] = []
        self.lock = threading.Lock()
        self.stopped = False

    def run(self, tasks: Sequence[tuple[Path, dict[str, Any]]], jobs: int) -> list[NotebookRun]:
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            futures = [pool.submit(self._run_one, *task) for task in tasks]
            try:
                while wait(futures, timeout=0.5).not_done:  # with a time-out, so that Ctrl-C is heard on Windows too
                    pass
            except BaseException:
                with self.lock:
                    self.stopped = True
                _end(*self.processes)
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            return [future.result() for future in futures]

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

    def _run_one(self, source: Path, parameters: dict[str, Any]) -> NotebookRun:
        began, notebook, copy = time.monotonic(), read_notebook(source), self.scratch / f"{source.stem}.ipynb"
        cells = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
        cells = [c for c in cells if "skip-execution" not in c.metadata.get("tags", [])]
        self.progress(source.stem, "running", 0, len(cells))
        assignments = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
        task = {"source": str(source), "output": str(copy), "parameters": assignments}
        at, end = 0, {}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
            with contextlib.suppress(BrokenPipeError), self._start(stderr) as process:
                print(json.dumps(task), file=process.stdin, flush=True)
                for event in self._events(process):
                    if event.get("begins"):
                        self.progress(source.stem, "running", at, len(cells))
                        at += 1
                    elif "error" in event:
                        end = event
            if self.stopped:
                raise ReportError("stopped")
            if not end:
                stderr.seek(0)
                lines = stderr.read().strip().splitlines()
                end = {"error": lines[-1][:300] if lines else f"the process ended with status {process.returncode}"}
        failed, ok = None, end["error"] is None
        if at and not ok:
            failed = FailedCell(at, cells[at - 1].get("id", "-"), _first_line(cells[at - 1].source))
        seconds = time.monotonic() - began
        output = self.folder / source.name
        run = NotebookRun(source.stem, source, output, ok, seconds, len(cells), failed, parameters=parameters, **end)
        run = _keep(run, copy, notebook)
        self.progress(run.name, "ok" if run.ok else "failed", len(cells) if run.ok else max(at - 1, 0), len(cells))
        return run

    def _events(self, process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
        """What the worker says; it is ended, with an event of its own, when nothing comes for too long."""
        assert process.stdout
        limit, inside = _AROUND, False
        while True:
            timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), _end, [process])
            began = time.monotonic()
            timer.start()
            line = process.stdout.readline()
            timer.cancel()
            if not line:
                break
            event = json.loads(line)
            inside = event.get("begins", False)
            limit = self.timeout if inside else _AROUND
            yield event
        if time.monotonic() - began >= limit:
            what = "that a cell may take (--timeout)" if inside else "in which a kernel has to start or to end"
            yield {"error": f"took longer than the {limit:g} seconds {what}"}


def _end(*processes: subprocess.Popen[str]) -> None:
    """Close their pipes, upon which workers end their kernels and themselves; kill those that do not."""
    for process in processes:
        with contextlib.suppress(OSError):
            assert process.stdin
            process.stdin.close()
    limit = time.monotonic() + _PATIENCE
    try:
        while any(process.poll() is None for process in processes) and time.monotonic() < limit:
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), "".join(lines[:1]))[:100]


def _keep(run: NotebookRun, copy: Path, source: Any) -> NotebookRun:
    """Put the executed copy in its place, with how the run ended written into it; without a copy, no run is ok."""
    import nbformat

    try:
        notebook = read_notebook(copy)
    except ReportError:
        notebook = source
        run = replace(run, ok=False, error=run.error or "there is no executed copy; is the temporary folder full?")
    failed = run.output.with_suffix(".failed.ipynb")
    run = replace(run, output=run.output if run.ok else failed)
    notebook.metadata["mpii_run"] = asdict(run) | {"source": str(run.source), "output": str(run.output)}
    try:
        with replacing(run.output, ReportError) as temporary:
            temporary.write_text(nbformat.writes(notebook), encoding="utf-8", errors="replace")
    except ReportError as problem:
        return replace(run, ok=False, error=run.error or str(problem))
    if run.ok:
        failed.unlink(missing_ok=True)
    return run


def read_run(path: Path) -> tuple[NotebookRun, Any]:
    """Read an executed notebook: how its run ended, and the notebook."""
    notebook = read_notebook(path)
    try:
        record = dict(notebook.metadata["mpii_run"])
        cell = record["failed_cell"] and FailedCell(**record["failed_cell"])
        run = NotebookRun(**record | {"source": Path(record["source"]), "output": path, "failed_cell": cell})
    except (KeyError, TypeError, ValueError):
        raise ReportError(f"{path}: was not made by run_notebooks; run it with `mpii run`") from None
    return run, notebook
