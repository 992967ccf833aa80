import json
import os
import signal
import sys
import threading
import time

import nbformat
import pytest
from notebook_writer import write_notebook

from mpii_course.report import ReportError, run_notebooks
from mpii_course.report import run as run_module
from mpii_course.report.run import read_run

STUBBORN = """
import json, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(json.load(sys.stdin)["parameters"]["BEGUN"]).touch()
time.sleep(300)
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
        again, notebook = read_run(run.output)
        assert again == run
        assert not any("papermill-error-cell-tag" in c.metadata.get("tags", []) for c in notebook.cells)
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
    slow = write_notebook(tmp_path / "slow.ipynb", ("sleeps", "import time; time.sleep(300)"))
    dead = write_notebook(tmp_path / "dead.ipynb", ("dies", "import os; os._exit(1)"))
    slow_run, dead_run = run_notebooks([slow, dead], folder=tmp_path / "out", timeout=2)
    assert slow_run.error == "took longer than the 2 seconds that a cell may take"
    assert slow_run.failed_cell.id == "sleeps"
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
