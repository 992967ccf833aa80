"""Sliders move a figure where a person looks on, and are a strip of figures where nobody does."""

import base64
import io
import sys
import warnings
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from wrong_arguments import assert_clear

from mpii_course.report import run_notebooks
from mpii_course.widgets import _settings, choice, explore, slider, webcam_image
from mpii_lib.errors import MpiiError

BEGIN = """\
import ipywidgets
import matplotlib.pyplot as plt
from mpii_lib.plots import show, use_style
from mpii_course.widgets import choice, explore, slider

ipywidgets.Output = ipywidgets.interactive_output = None  # nobody makes one
use_style()
def draw(width, **others):
    figure, axes = plt.subplots(figsize=(width, 2))
    print("drawn")
    show(figure, alt=f"Axes that are {width} inches wide: {sorted(others.values())}.")"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """What a run stores of cells with sliders, by cell."""
    folder = tmp_path_factory.mktemp("sliders")
    cells = {
        "begin": BEGIN,
        "one": "explore(draw, width=slider('width', 2.0, 4.0, 2.5))",
        "two": "explore(draw, width=slider('width', 2, 4, 3), c=choice('colour', ['red', 'blue']))",
        "wide": "explore(draw, width=slider('width', 16, 18, 17), b=slider('b', 1e-3, 10.0, 1.0, log=True))",
        "bar": "from mpii_course.sample import make_sample\nmake_sample('sample', 12, size=(96, 72), progress=True);",
    }
    notebook = new_notebook(cells=[new_code_cell(source, id=name) for name, source in cells.items()])
    nbformat.write(notebook, folder / "a.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MPII_STATIC")  # the run sets it
        (run,) = run_notebooks([folder / "a.ipynb"], folder=folder / "out")
    assert run.ok, run
    notebook = nbformat.read(run.output, as_version=4)
    assert "widgets" not in notebook.metadata
    return {cell.id: cell.outputs for cell in notebook.cells}


def strip(outputs):
    """The one figure of a cell and its alternative text."""
    (figure,) = [output for output in outputs if output.output_type == "display_data"]
    image = Image.open(io.BytesIO(base64.b64decode(figure.data["image/png"])))
    return image, figure.metadata["image/png"]["alt"]


def test_a_run_stores_the_figure_at_several_settings(stored):
    image, alt = strip(stored["one"])
    assert [part in alt for part in ("width 2:", "width 2.5:", "width 3.5:", "width 4:")] == [True] * 4
    assert "width 3.5: Axes that are 3.5 inches wide: []." in alt
    image, alt = strip(stored["two"])
    places = [
        alt.index(f"width {text}: Axes")
        for text in ("2, colour red", "3, colour red", "3, colour blue", "4, colour red")
    ]
    assert places == sorted(places) and "['blue']" in alt
    assert 600 < image.width < 1000 and image.height > 400, "two and two"


def test_wide_figures_stand_one_below_the_other(stored):
    image, alt = strip(stored["wide"])
    assert image.width < 2000 and image.height > 4 * 200 and "width 17, b 10:" in alt


def test_a_run_shows_no_widget_and_no_bar(stored):
    kinds = {kind for outputs in stored.values() for output in outputs for kind in output.get("data", {})}
    assert kinds <= {"image/png", "text/plain", "text/html"}
    printed = "".join(output.get("text", "") for output in stored["one"])
    assert not stored["bar"] and printed == "drawn\n" * 4, "what is printed is seen"


def test_a_person_gets_sliders(monkeypatch):
    shown = []
    monkeypatch.delenv("MPII_STATIC")
    monkeypatch.setattr("IPython.display.display", shown.append)
    explore(lambda a: None, a=slider("a", 0, 5, 2))
    (box,) = shown
    assert isinstance(box.children[1], ipywidgets.Output) and box.children[0].children[0].value == 2


def test_the_settings_are_of_the_kind_of_the_controls():
    controls = {"n": slider("n", 1, 18, 4), "x": slider("x", 1e-3, 10.0, 1.0, log=True), "c": choice("c", ["a", "b"])}
    first, start, second, last = _settings(controls)
    assert (first["n"], start["n"], last["n"]) == (1, 4, 18) and type(first["n"]) is int
    assert second["x"] == pytest.approx(10) and {each["c"] for each in (first, second, last)} == {"a"}
    assert [each["c"] for each in _settings({"c": choice("c", list("abcde"), "b")})] == ["a", "b", "d", "e"]
    assert slider("n", 1, 3, 7).value == 3, "a start outside of the range is its end"


def test_wrong_arguments_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    warnings.simplefilter("ignore")
    for log in (False, True):
        assert_clear(
            slider, {"label": "a", "low": 0.5, "high": 2.0, "value": 1.0, "step": None, "log": log}, skip=["log"]
        )
    assert_clear(slider, {"label": "a", "low": 0, "high": 2, "value": 1, "step": 1})
    assert_clear(choice, {"label": "a", "options": ["a", "b"], "value": "a"})
    for wrong in ([], "ab", None, {"a": 1}):
        with pytest.raises(MpiiError, match="choice"):
            choice("a", wrong)
    for wrong in (None, 3, "draw", []):
        with pytest.raises(MpiiError, match="explore: draw is"):
            explore(wrong, a=slider("a", 0, 5, 2))
    for wrong in ("x.jpg", None, 3):
        with pytest.raises(MpiiError, match="webcam_image: "):
            webcam_image(wrong)


def test_the_camera_of_colab_writes_a_file(tmp_path, monkeypatch):
    from types import ModuleType

    output = ModuleType("output")
    output.eval_js = lambda code: "data:image/jpeg;base64,aGk=" if "getUserMedia" in code else ""
    for name, module in {"google.colab": ModuleType("colab"), "google.colab.output": output}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    assert webcam_image(tmp_path / "me.jpg").read_bytes() == b"hi" and isinstance(webcam_image("me.jpg"), Path)
    output.eval_js = lambda code: "NotAllowedError"
    with pytest.raises(MpiiError, match="no image .NotAllowedError.; allow the camera"):
        webcam_image(tmp_path / "me.jpg")
