import pytest
from notebook_writer import PARAMETERS, write_notebook

from mpii_course.report import ReportError
from mpii_course.report.parameters import check_parameters, notebook_parameters, typed


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "one.ipynb")


def test_names_defaults_and_help_are_read(notebook):
    known = notebook_parameters(notebook)
    assert list(known) == [line.split(" ")[0] for line in PARAMETERS.splitlines()]
    assert known["EPOCHS"].default == 3
    assert known["EPOCHS"].help == "passes over the data: more = longer"
    assert known["DATA"].help == "sample, mpii or coco"
    assert known["NAMES"].default == ("a", "b") and known["LIMIT"].default is None


def test_a_notebook_without_parameters_cell_knows_none(tmp_path):
    path = write_notebook(tmp_path / "none.ipynb", "1", parameters=None)
    assert notebook_parameters(path) == {}
    with pytest.raises(ReportError, match="no cell tagged 'parameters'"):
        check_parameters([path], {"EPOCHS": 1})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("EPOCHS", "5", 5),
        ("EPOCHS", 5, 5),
        ("RATE", "1e-3", 1e-3),
        ("RATE", 1, 1.0),
        ("SHUFFLE", "no", False),
        ("SHUFFLE", "True", True),
        ("DATA", "mpii", "mpii"),
        ("RUNS", "5", "5"),
        ("SIZES", "8,16", [8, 16]),
        ("SIZES", "[8, 16]", [8, 16]),
        ("SIZES", "", []),
        ("NAMES", "x, y", ("x", "y")),
        ("NAMES", ["x"], ("x",)),
        ("OPTIONS", "{'b': 2}", {"b": 2}),
        ("LIMIT", "7", 7),
        ("LIMIT", "some text", "some text"),
    ],
)
def test_values_get_the_type_of_the_default(notebook, name, text, value):
    result = typed(notebook_parameters(notebook)[name], text, "one.ipynb")
    assert result == value and type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EPOCHS", "5.5"), ("EPOCHS", "many"), ("EPOCHS", 5.0), ("EPOCHS", True), ("RATE", "fast"), ("RATE", None),
        ("SHUFFLE", "perhaps"), ("SHUFFLE", 1), ("DATA", 3), ("SIZES", "8,big"), ("SIZES", 8),
        ("SIZES", "[8,"), ("OPTIONS", "b=2"), ("OPTIONS", "[1]"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_one_line_that_names_it(notebook, name, value):
    with pytest.raises(ReportError, match=rf"^parameter {name} of one.ipynb: .* (give|choose) .*$") as caught:
        check_parameters([notebook], {name: value})
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_those_that_are_known(notebook):
    with pytest.raises(ReportError) as caught:
        check_parameters([notebook], {"EPOCH": 5})
    message = str(caught.value)
    assert "\n" not in message and "unknown parameter EPOCH for one.ipynb" in message
    assert "did you mean EPOCHS?" in message
    assert "RATE = 0.1 (learning rate)" in message


def test_a_name_that_one_of_several_knows_goes_to_that_one(notebook, tmp_path):
    other = write_notebook(tmp_path / "other.ipynb", parameters="DEPTH = 4  # levels\nEPOCHS = 1.5")
    assert check_parameters([notebook, other], {"DEPTH": "3", "EPOCHS": "2"}) == [
        {"EPOCHS": 2},
        {"DEPTH": 3, "EPOCHS": 2.0},
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not a notebook .No such file or directory"),
        ("hello", "is not a notebook"),
        ("{}", "is not a notebook"),
    ],
)
def test_what_is_no_notebook_is_said(tmp_path, content, words):
    path = tmp_path / "x.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ReportError, match=words) as caught:
        notebook_parameters(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_parameters_cell_that_is_not_python_is_named(tmp_path):
    path = write_notebook(tmp_path / "x.ipynb", parameters="A = 1\nB == = 2")
    with pytest.raises(ReportError, match="parameters cell: .* line 2"):
        notebook_parameters(path)
