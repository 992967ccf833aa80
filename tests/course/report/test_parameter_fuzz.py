"""Whatever is given as a parameter arrives exactly, or is refused in one line before anything starts.

MPII_FUZZ is the number of tries of each test: `MPII_FUZZ=10000 pytest tests/course/report/test_parameter_fuzz.py`.
"""

import json
import os
import warnings
from pathlib import Path

import nbformat
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook
from notebook_writer import PARAMETERS

from mpii_course.report.parameters import Parameter, notebook_parameters, plain, typed
from mpii_lib.errors import ReportError

many = settings(
    max_examples=int(os.environ.get("MPII_FUZZ", 100)), deadline=None, suppress_health_check=list(HealthCheck)
)
DEFAULTS = [3, 0.1, True, "sample", [1], ("a",), {"a": 1}, None, [], ()]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.text(st.characters(categories=["Cs"])),
    st.complex_numbers(), st.binary(), st.just(...), st.just(object()),
    st.builds(pow, st.just(10), st.just(5000)), st.builds(Path, st.just("a b")),
    st.integers(-100, 100).map(np.int16), st.floats(width=32).map(np.float32), st.booleans().map(np.bool_),
    st.lists(st.floats(), max_size=3).map(np.array), st.sets(st.integers(), max_size=2), st.text().map(np.str_),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.floats(), st.none()), inner, max_size=3),
    ),
)  # fmt: skip


def written(value):
    try:
        return repr(value)[:500]
    except ValueError:  # a whole number of thousands of digits
        return "huge"


texts = st.one_of(
    st.text(), st.text("[](){}'\"\\,:0123456789.e-+ naninfTrue\n#", max_size=30), values.map(written),
    st.sampled_from(["1e999", "-1e999", "nan", "9" * 5000, "[" * 300, "-" * 5000 + "1", "\0", "{[]: 1}", "1_0", "0x"]),
)  # fmt: skip


@many
@given(st.sampled_from(DEFAULTS), st.one_of(values, texts))
def test_a_value_arrives_exactly_or_is_refused_by_name(default, value):
    try:
        result = typed(Parameter("NAME", default), value, "nb.ipynb")
    except ReportError as error:
        message = str(error)
        assert message.startswith("parameter NAME of nb.ipynb: ") and "\n" not in message and len(message) < 400
        message.encode()
        return
    space = {}
    exec(compile(f"NAME = {result!r}", "cell", "exec"), space)  # as the kernel does
    assert space["NAME"] == result and type(space["NAME"]) is type(result)
    assert default is None or type(result) is type(default)
    json.dumps(result, allow_nan=False, ensure_ascii=False).encode()
    if (
        isinstance(value, int | float | str | list | tuple | dict)
        and not isinstance(value, np.generic)
        and default is None
    ):
        assert isinstance(value, str) or result == plain(value)


@many
@given(st.one_of(st.text(), st.lists(texts, max_size=3).map(lambda lines: "\n".join(f"A = {line}" for line in lines))))
def test_any_parameters_cell_is_read_or_named(tmp_path_factory, source):
    source = source.encode(errors="replace").decode()
    path = tmp_path_factory.getbasetemp() / "fuzz.ipynb"
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    path.write_text(nbformat.writes(new_notebook(cells=[cell])), encoding="utf-8")
    try:
        found = notebook_parameters(path)
    except ReportError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error) and len(str(error)) < 400
    else:
        assert all(isinstance(name, str) and str(parameter) for name, parameter in found.items())


@many
@given(st.data())
def test_a_damaged_notebook_is_read_or_named(tmp_path_factory, data):
    cells = [new_code_cell(PARAMETERS, id="a", metadata={"tags": ["parameters"]}), new_code_cell("1", id="b")]
    notebook = json.loads(nbformat.writes(new_notebook(cells=cells)))
    place = data.draw(
        st.sampled_from([notebook, notebook["cells"][0], notebook["cells"][1], notebook["cells"][0]["metadata"]])
    )
    key = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(st.sampled_from([None, 3, -1, "x", [], {}, [1], [[]], {"a": 1}, 10**30]))
    path = tmp_path_factory.getbasetemp() / "damaged.ipynb"
    text = json.dumps(notebook)
    path.write_text(text[: data.draw(st.integers(0, 2 * len(text)))])
    with warnings.catch_warnings(action="ignore"):  # nbformat's, about cells without ids
        try:
            notebook_parameters(path)
        except ReportError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error) and len(str(error)) < 400
