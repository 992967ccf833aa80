import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from notebook_writer import write_notebook

from mpii_course.report import ReportError, run_notebooks
from mpii_course.report import run as run_module
from mpii_course.report.run import read_run

STUBBORN = """
import json, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(json.loads(sys.stdin.readline())["parameters"].partition(" = ")[2].strip("'")).touch()
time.sleep(300)
"""

STUBBORN_CELL = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    time.sleep(0.1)
    print("here")
"""

WHO = "import sys; print(sys.executable, EPOCHS, type(EPOCHS).__name__)"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Three notebooks at once, one that fails; the user's own kernel `python3` is a broken one."""
    folder = tmp_path_factory.mktemp("ran")
    wrong = folder / "home/kernels/python3/kernel.json"
    wrong.parent.mkdir(parents=True)
    wrong.write_text(json.dumps({"argv": ["/no/such/python"], "display_name": "x", "language": "python"}))
    good = write_notebook(folder / "nb/good.ipynb", WHO)
    bad = write_notebook(
        folder / "nb/bad.ipynb", "1", ("divides", "\n# a remark\nx = 1 / 0\nprint(x)"), ("never", "open('never', 'w')")
    )
    plain = write_notebook(folder / "nb/plain.ipynb", "print('no parameters here')", parameters=None)
    last = write_notebook(folder / "nb/last.ipynb", f"import os; print(sorted(os.listdir({str(folder / 'out')!r})))")
    before = {path: path.read_bytes() for path in (good, bad, plain, last)}
    events = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(folder / "home"))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # as it is outside of a virtual environment
        runs = run_notebooks(
            [good, bad, plain],
            {"EPOCHS": "5"},
            folder / "out",
            last=[last],
            progress=lambda *event: events.append(event),
        )
    assert {path: path.read_bytes() for path in before} == before
    return {run.name: run for run in runs}, events, folder


def output(run):
    cells = nbformat.read(run.output, as_version=4).cells
    return "".join(o.get("text", "") for cell in cells for o in cell.get("outputs", []))


def test_parameters_arrive_typed_in_this_very_python(ran):
    runs, _, _ = ran
    assert runs["good"].ok and runs["good"].error is None
    assert output(runs["good"]).split() == [sys.executable, "5", "int"]


def test_the_failing_notebook_is_named_with_its_cell_and_the_others_go_on(ran):
    runs, _, folder = ran
    bad = runs["bad"]
    assert not bad.ok and runs["plain"].ok and runs["last"].ok
    assert (bad.failed_cell.number, bad.failed_cell.id, bad.failed_cell.line) == (3, "divides", "x = 1 / 0")
    assert bad.error == "ZeroDivisionError: division by zero"
    assert str(bad) == "bad: failed at code cell 3 (id divides): x = 1 / 0: ZeroDivisionError: division by zero"
    assert bad.output.name == "bad.failed.ipynb" and bad.output.exists()
    assert not (folder / "out/bad.ipynb").exists()


def test_the_last_notebook_sees_what_the_others_left(ran):
    runs, _, _ = ran
    assert "good.ipynb" in output(runs["last"]) and "bad.failed.ipynb" in output(runs["last"])


def test_nothing_but_the_executed_notebooks_is_left(ran):
    _, _, folder = ran
    assert sorted(p.name for p in (folder / "out").iterdir()) == [
        "bad.failed.ipynb", "good.ipynb", "last.ipynb", "plain.ipynb",
    ]  # fmt: skip


def test_progress_tells_every_state(ran):
    _, events, _ = ran
    assert ("good", "running", 0, 2) in events and ("good", "running", 1, 2) in events
    assert events[-1] == ("last", "ok", 2, 2)
    assert ("bad", "failed", 2, 4) in events


def test_how_it_ended_can_be_read_back(ran):
    runs, _, _ = ran
    for run in runs.values():
        assert read_run(run.output)[0] == run
    assert runs["good"].parameters == {"EPOCHS": 5}
    assert runs["good"].seconds > 0 and runs["good"].cells == 2
    assert os.name == "nt" or runs["good"].peak_mb > 10


def test_a_failure_leaves_the_good_copy_and_a_success_clears_the_failed_one(ran, tmp_path):
    runs, _, _ = ran
    for old in ("good.ipynb", "good.failed.ipynb"):
        (tmp_path / old).write_bytes(runs["good"].output.read_bytes())
    source = write_notebook(tmp_path / "nb/good.ipynb", "raise RuntimeError('first\\nsecond')")
    earlier = (tmp_path / "good.ipynb").read_bytes()
    (failed,) = run_notebooks([source], folder=tmp_path)
    assert failed.error == "RuntimeError: first" and failed.output == tmp_path / "good.failed.ipynb"
    assert (tmp_path / "good.ipynb").read_bytes() == earlier
    write_notebook(source, "1")
    (passed,) = run_notebooks([source], folder=tmp_path)
    assert passed.ok and (tmp_path / "good.ipynb").read_bytes() != earlier
    assert not (tmp_path / "good.failed.ipynb").exists()


def test_a_cell_that_takes_too_long_and_a_kernel_that_dies_are_said(tmp_path):
    slow = write_notebook(tmp_path / "slow.ipynb", ("prints", "print('before')"), ("sleeps", STUBBORN_CELL))
    dead = write_notebook(tmp_path / "dead.ipynb", ("dies", "import os; os._exit(1)"))
    slow_run, dead_run = run_notebooks([slow, dead], folder=tmp_path / "out", timeout=2)
    assert slow_run.error == "took longer than the 2 seconds that a cell may take (--timeout)"
    assert slow_run.failed_cell.id == "sleeps"
    assert "before" in output(slow_run), "what was printed until then is kept"
    assert dead_run.error.startswith("the kernel died") and dead_run.failed_cell.id == "dies"


@pytest.mark.parametrize(
    ("parameters", "words"), [({"EPOCH": 1}, "unknown parameter EPOCH"), ({"EPOCHS": "many"}, "EPOCHS of a.ipynb")]
)
def test_nothing_is_written_before_the_parameters_are_checked(tmp_path, parameters, words):
    path = write_notebook(tmp_path / "a.ipynb")
    with pytest.raises(ReportError, match=words):
        run_notebooks([path], parameters, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a.ipynb"]


def test_what_was_not_made_by_a_run_is_not_written_over(tmp_path):
    path = write_notebook(tmp_path / "a.ipynb")
    before = path.read_bytes()
    with pytest.raises(ReportError, match="was not made by a run"):
        run_notebooks([path], folder=tmp_path)
    assert path.read_bytes() == before


def test_a_file_where_the_folder_should_be_is_said(tmp_path):
    path = write_notebook(tmp_path / "a.ipynb")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ReportError, match="out: cannot be written to"):
        run_notebooks([path], folder=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_without_permission_is_said(tmp_path):
    path = write_notebook(tmp_path / "a.ipynb")
    (tmp_path / "out").mkdir(mode=0o500)
    if os.access(tmp_path / "out", os.W_OK):
        pytest.skip("permissions do not stop this user (root, or Windows)")
    with pytest.raises(ReportError, match="out: cannot be written to"):
        run_notebooks([path], folder=tmp_path / "out")


@pytest.mark.parametrize(
    ("names", "jobs", "words"), [([], 1, "no notebook"), (["a", "b/a"], 1, "two of"), (["a"], 0, "jobs is 0")]
)
def test_other_wrong_calls_are_said(tmp_path, names, jobs, words):
    paths = [write_notebook(tmp_path / f"{name}.ipynb") for name in names]
    with pytest.raises(ReportError, match=words):
        run_notebooks(paths, folder=tmp_path / "out", jobs=jobs)


def test_a_worker_that_says_nothing_ends_too(tmp_path, monkeypatch):
    """As when the kernel's answer is lost: the kernel is idle and the worker waits for ever."""
    worker = tmp_path / "worker.py"
    worker.write_text(STUBBORN)
    monkeypatch.setattr(run_module, "_WORKER", worker)
    monkeypatch.setattr(run_module, "_AROUND", 1.0)
    monkeypatch.setattr(run_module, "_PATIENCE", 0.5)
    notebook = write_notebook(tmp_path / "a.ipynb", "1", parameters='BEGUN = ""')
    (run,) = run_notebooks([notebook], {"BEGUN": str(tmp_path / "begun")}, tmp_path / "out")
    assert not run.ok and run.error == "took longer than the 1 seconds in which a kernel has to start or to end"
    assert run.output.exists() and (tmp_path / "begun").exists()


def test_braces_and_other_marks_in_names_are_literal(tmp_path):
    names = ["nb{1}", "a{b}", "50%s", "x}y", "[z]", "two words"]
    paths = [write_notebook(tmp_path / f"in{{0}}/{name}.ipynb", "print(EPOCHS)") for name in names]
    runs = run_notebooks(paths, {"EPOCHS": 4}, tmp_path / "out{x}7}", jobs=3)
    assert [run.error for run in runs] == [None] * len(names)
    assert [output(run) for run in runs] == ["4\n"] * len(names)
    assert sorted(path.name for path in (tmp_path / "out{x}7}").iterdir()) == sorted(f"{name}.ipynb" for name in names)


@pytest.mark.parametrize("damage", ["unlink()", "write_text('{')"])
def test_a_run_without_its_executed_copy_is_not_ok(tmp_path, monkeypatch, damage):
    worker = tmp_path / "worker.py"
    worker.write_text(
        run_module._WORKER.read_text().replace(
            "    write(error=error", f"    import pathlib; pathlib.Path(task['output']).{damage}\n    write(error=error"
        )
    )
    monkeypatch.setattr(run_module, "_WORKER", worker)
    (run,) = run_notebooks([write_notebook(tmp_path / "a.ipynb", "1")], folder=tmp_path / "out")
    assert not run.ok and "no executed copy" in run.error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.failed.ipynb"]


def test_a_copy_that_cannot_be_put_in_its_place_is_not_ok_and_the_others_go_on(tmp_path, monkeypatch):
    def full(path, error):
        if path.name == "a.ipynb":
            raise error(f"{path}: cannot be written (No space left on device)")
        return replacing(path, error)

    replacing = run_module.replacing
    monkeypatch.setattr(run_module, "replacing", full)
    paths = [write_notebook(tmp_path / f"{name}.ipynb", "1") for name in "ab"]
    one, other = run_notebooks(paths, folder=tmp_path / "out")
    assert not one.ok and "No space left" in one.error and other.ok and other.output.exists()


def test_an_executed_copy_runs_again_with_other_parameters(tmp_path):
    source = write_notebook(tmp_path / "a.ipynb", "print(EPOCHS, NAMES, LIMIT)")
    (first,) = run_notebooks([source], {"EPOCHS": 4, "NAMES": "x,y"}, tmp_path / "one")
    (second,) = run_notebooks([first.output], {"EPOCHS": 5, "LIMIT": {"a": [1.5, None, True]}}, tmp_path / "two")
    assert output(first).startswith("4 ('x', 'y') None") and output(second).startswith(
        "5 ('a', 'b') {'a': [1.5, None, True]}"
    )
    strict = {"parse_constant": lambda text: pytest.fail(text)}
    assert json.loads(second.output.read_bytes().decode("utf-8"), **strict)["metadata"]["mpii_run"]["parameters"]


def processes(mark):
    """Ids of processes of which the environment holds `mark`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            found += [int(path.parent.name)] if mark.encode() in path.read_bytes() else []
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_leaves_no_worker_and_no_kernel(tmp_path, number):
    mark = f"MPII_TEST_MARK={tmp_path}"
    cell = f"import time\nwhile True:\n    open({str(tmp_path / 'begun')!r}, 'a').write('x'); time.sleep(0.01)"
    command = [sys.executable, "-m", "mpii_course.cli", "run", str(write_notebook(tmp_path / "a.ipynb", cell))]
    environment = os.environ | dict([mark.split("=")])
    child = subprocess.Popen([*command, "-o", "out"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    limit = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert len(processes(mark)) == 3
    child.send_signal(number)
    child.communicate(timeout=60)
    while processes(mark) and time.monotonic() < limit + 10:
        time.sleep(0.05)
    assert not processes(mark)
    written = (tmp_path / "begun").stat().st_size
    time.sleep(0.3)
    assert (tmp_path / "begun").stat().st_size == written and not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_a_notebook_that_does_not_listen(tmp_path, monkeypatch):
    begun, worker = tmp_path / "begun", tmp_path / "worker.py"
    worker.write_text(STUBBORN)
    monkeypatch.setattr(run_module, "_WORKER", worker)
    monkeypatch.setattr(run_module, "_PATIENCE", 0.5)
    notebook = write_notebook(tmp_path / "a.ipynb", "1", parameters='BEGUN = ""')

    def interrupt():
        while not begun.exists():
            time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_notebooks([notebook], {"BEGUN": str(begun)}, tmp_path / "out")
    assert time.monotonic() - before < 100  # the notebook would have taken 300 s
    assert not list((tmp_path / "out").iterdir())
