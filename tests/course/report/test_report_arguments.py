"""Each public function of the report, each argument of the wrong kind: it works, or one line says what is wrong."""

import pytest
from notebook_writer import write_notebook
from wrong_arguments import WRONG, assert_clear

from mpii_course.report import beside_report, build_report, original_rows, run_notebooks
from mpii_course.report import run as run_module
from mpii_course.report.course import choose_notebooks, make_report
from mpii_course.report.parameters import notebook_parameters
from mpii_lib.errors import MpiiError


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A notebook that is taken to have run."""
    monkeypatch.setattr(run_module._Runner, "run", lambda self, tasks, jobs: [])
    monkeypatch.chdir(tmp_path)
    return write_notebook(tmp_path / "nb/21_xception.ipynb")


def test_of_a_run(notebook):
    valid = {"paths": [notebook], "parameters": {"EPOCHS": 2}, "folder": "out", "jobs": 1, "last": [], "timeout": 5.0}
    assert_clear(run_notebooks, valid | {"progress": None})


def test_of_a_report(notebook, monkeypatch):
    monkeypatch.setattr("mpii_course.report.course.build_report", lambda stage: None)
    valid = {
        "folder": "out",
        "notebooks": notebook.parent,
        "backbones": [],
        "parameters": {},
        "jobs": 1,
        "timeout": 5.0,
    }
    assert_clear(make_report, valid | {"show": None})
    assert_clear(choose_notebooks, {"folder": notebook.parent, "backbones": []})
    assert_clear(notebook_parameters, {"path": notebook})


def test_of_the_page_and_the_original_rows(notebook):
    for wrong in WRONG:
        with pytest.raises(MpiiError) as error:  # there is nothing to build from
            build_report(wrong)
        assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert_clear(original_rows, {"table": "models", "model": "VGG16"})
    valid = {"data": "sample", "weights": "sample", "width": 0.125, "validation": 0.5, "test": 0.4, "split": "by video"}
    assert_clear(beside_report, {"model": "VGG16"} | valid, allowed=UnicodeEncodeError)  # pandas' own, for "\\ud800"
