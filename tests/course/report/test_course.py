import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from notebook_writer import FIGURE, check_page, write_notebook

from mpii_course.report import ReportError
from mpii_course.report.course import choose_notebooks, make_report
from mpii_course.report.run import read_run
from mpii_course.report.trainings import BACKBONE_NOTEBOOKS
from mpii_lib.models import BACKBONES

RECORD = """\
from mpii_lib.training import write_record
model, history = {"backbone": BACKBONES}, {"epoch": [1], "accuracy": [0.5]}
write_record(RUNS + "/run", {"status": "complete", "model": model, "history": history})"""


@pytest.fixture
def course(tmp_path):
    """The smallest course: a start, one backbone, a report at the end."""
    write_notebook(tmp_path / "nb/00_start_here.ipynb", FIGURE)
    write_notebook(tmp_path / "nb/21_xception.ipynb", RECORD, parameters='RUNS = ""\nBACKBONES = ""\nDATA = "sample"')
    write_notebook(tmp_path / "nb/90_report.ipynb", "assert RUNS", parameters='RUNS = ""\nBACKBONES = []')
    write_notebook(tmp_path / "nb/other.ipynb", "1 / 0")
    return tmp_path


def test_the_notebooks_are_chosen_by_backbone(course):
    for name in ("10_mpii_annotations", "23_vgg16"):
        write_notebook(course / f"nb/{name}.ipynb")

    def stems(*backbones):
        first, last, chosen = choose_notebooks(course / "nb", backbones)
        assert [path.stem for path in last] == ["90_report"]
        return [path.stem for path in first], chosen

    both = ["00_start_here", "10_mpii_annotations", "21_xception", "23_vgg16"], ["Xception", "VGG16"]
    assert stems() == stems("all") == stems("xception", "VGG16") == both
    assert stems("vgg16") == (["00_start_here", "10_mpii_annotations", "23_vgg16"], ["VGG16"])
    with pytest.raises(ReportError, match="unknown backbone 'alexnet'; choose from Xception, ResNet50"):
        stems("alexnet")
    with pytest.raises(ReportError, match="24_vgg19.ipynb: is not there"):
        stems("VGG19")
    with pytest.raises(ReportError, match="--notebooks"):
        choose_notebooks(course / "elsewhere")


def test_every_backbone_of_the_library_has_its_notebook_in_the_course():
    folder = Path(__file__).resolve().parents[3] / "notebooks"
    assert choose_notebooks(folder, ["all"])[2] == list(BACKBONE_NOTEBOOKS)
    assert set(BACKBONE_NOTEBOOKS) == set(BACKBONES)
    first, last, chosen = choose_notebooks(folder, ["vgg19", "resnet50"])
    assert chosen == ["VGG19", "ResNet50"]
    assert [path.stem for path in (*first[-3:], *last)] == [
        "24_vgg19", "22_resnet50", "32_pose_evaluation", "90_report",
    ]  # fmt: skip


def test_a_report_is_made_and_the_one_before_it_is_kept(course):
    index, runs = make_report(course / "report", notebooks=course / "nb")
    assert index == course / "report/index.html" and [run.name for run in runs] == [
        "00_start_here", "21_xception", "90_report",
    ]  # fmt: skip
    assert all(run.ok and run.output.exists() for run in runs)
    page = check_page(index)
    assert "Xception" in page.words and "1 xception" not in page.words
    assert [image["alt"] for image in page.images] == ["An empty pair of axes."]
    assert json.loads((course / "report/runs/run/run.json").read_text())["model"]["backbone"] == "Xception"
    assert not (course / "report/.unfinished").exists()

    (course / "report/notes.txt").write_text("mine")
    before = index.read_bytes()
    for name in ("21_xception", "90_report"):
        (course / f"nb/{name}.ipynb").unlink()
    write_notebook(course / "nb/00_start_here.ipynb", "1 / 0")
    index, runs = make_report(course / "report", notebooks=course / "nb")
    assert [run.ok for run in runs] == [False]
    assert "failed at code cell 2" in check_page(index).words
    assert (course / "report/notes.txt").read_text() == "mine"
    (earlier,) = (course / "report/earlier").iterdir()
    assert (earlier / "index.html").read_bytes() == before
    check_page(earlier / "index.html")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parameters": {"NO_SUCH": 1}}, "unknown parameter NO_SUCH"),
        ({"backbones": ["alexnet"]}, "unknown backbone"),
        ({"notebooks": "nowhere"}, "holds no notebooks"),
    ],
)
def test_nothing_is_written_when_something_is_wrong(course, options, words):
    with pytest.raises(ReportError, match=words):
        make_report(course / "report", **{"notebooks": course / "nb", **options})
    assert not (course / "report").exists()


def test_a_file_or_a_foreign_page_in_the_way_is_said(course):
    (course / "file").write_text("mine")
    (course / "site").mkdir()
    (course / "site/index.html").write_text("mine")
    for name, words in (("file", "cannot be written to"), ("site", "not a report of ours")):
        with pytest.raises(ReportError, match=words):
            make_report(course / name, notebooks=course / "nb")
    assert (course / "file").read_text() == (course / "site/index.html").read_text() == "mine"


def test_a_second_report_in_the_same_folder_ends_at_once(course):
    wait = "import os, time; open(RUNS + '/begun', 'w')\n"
    wait += f"while not os.path.exists({str(course / 'go')!r}): time.sleep(0.1)"
    write_notebook(course / "only/21_xception.ipynb", wait, parameters='RUNS = ""\nSEED = 0')
    command = [sys.executable, "-m", "mpii_course.cli", "report", "--notebooks", "only", "--folder", "report"]
    first = subprocess.Popen([*command, "--seed", "1"], cwd=course, stderr=subprocess.PIPE, text=True)
    begun = course / "report/.unfinished/runs/begun"
    limit = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < limit:
        time.sleep(0.1)
    before = sorted(course.glob("report/**/*"))
    second = subprocess.run([*command, "--seed", "2"], cwd=course, capture_output=True, text=True, timeout=60)
    assert second.returncode == 2 and second.stderr.startswith("mpii: report: another report is being made there")
    assert len(second.stderr.splitlines()) == 1 and sorted(course.glob("report/**/*")) == before
    (course / "go").touch()
    stderr = first.communicate(timeout=60)[1]
    assert first.returncode == 0, stderr
    assert read_run(course / "report/notebooks/21_xception.ipynb")[0].parameters["SEED"] == 1
    assert subprocess.run([*command, "--seed", "2"], cwd=course, capture_output=True).returncode == 0, "now it is free"


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to a child")
def test_after_ctrl_c_the_old_report_stands_and_the_same_command_goes_on(course):
    (course / "report").mkdir()
    (course / "report/index.html").write_text('<meta name="generator" content="mpii report">old')
    wait = (
        f"import os, time; open(RUNS + '/begun', 'w'); time.sleep(0 if os.path.exists({str(course / 'go')!r}) else 300)"
    )
    write_notebook(course / "only/21_xception.ipynb", wait, parameters='RUNS = ""')
    command = [sys.executable, "-m", "mpii_course.cli", "report", "--notebooks", "only", "--folder", "report"]
    child = subprocess.Popen(command, cwd=course, stderr=subprocess.PIPE, text=True)
    begun = course / "report/.unfinished/runs/begun"
    limit = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < limit:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    stderr = child.communicate(timeout=60)[1]
    assert child.returncode == 130 and "Traceback" not in stderr and "stopped" in stderr
    assert (course / "report/index.html").read_text().endswith("old")
    assert begun.exists() and not list((course / "report/.unfinished/notebooks").iterdir())

    (course / "go").touch()
    again = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert (course / "report/runs/begun").exists()
    assert next((course / "report/earlier").iterdir()).joinpath("index.html").read_text().endswith("old")
