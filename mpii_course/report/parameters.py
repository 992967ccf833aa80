"""The parameters of a notebook: which it knows, and given ones checked and turned into the right type.

The `parameters` cell holds literals only (a test sees to it), so Python's own parser reads it exactly, types included.
Values become plain Python, which `repr` writes into the notebook exactly and JSON into its record.
"""

from __future__ import annotations

import ast
import difflib
import math
import os
import re
import reprlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpii_lib.arguments import checked
from mpii_lib.errors import ReportError, one_line

_PARSER = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)  # what Python's parser raises
_SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One name of a notebook's `parameters` cell: its default, and its comment."""

    name: str
    default: Any
    help: str = ""

    def __str__(self) -> str:
        return f"{self.name} = {self.default!r}" + (f" ({self.help})" if self.help else "")


def read_notebook(path: Path) -> Any:
    """Read a notebook in format 4; ReportError when it is not there or not a notebook."""
    import nbformat

    wrong: dict[str, Any] = {}
    try:
        notebook = nbformat.read(path, as_version=4, capture_validation_error=wrong)
        if wrong:  # which nbformat only logs; what is there besides is let pass
            nbformat.validate(notebook, relax_add_props=True)
        return notebook
    except Exception as error:  # nbformat raises its own, json's and jsonschema's errors
        reason = getattr(error, "strerror", None) or one_line(error)[:80]
        raise ReportError(f"{path}: is not a notebook ({reason}); give an .ipynb file that may be read") from None


@checked
def notebook_parameters(path: str | Path) -> dict[str, Parameter]:
    """Return what the cell tagged `parameters` defines, by name, in its order; empty when there is none.

    Raises
    ------
    ReportError
        When the file is no notebook, or the cell is not Python.
    """
    path = Path(path)
    cells = read_notebook(path).cells
    cell = next((c for c in cells if "parameters" in c.metadata.get("tags", []) and c.cell_type == "code"), None)
    if cell is None:
        return {}
    try:
        statements = ast.parse(cell.source).body
    except _PARSER as error:
        raise ReportError(f"{path}: the parameters cell: {one_line(error)}; mend that cell") from None
    lines = re.split("\r\n|\r|\n", cell.source)  # as Python's parser counts them
    found = {}
    for statement in statements:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if not isinstance(target, ast.Name) or value is None:
            continue
        try:
            default = ast.literal_eval(value)
        except _PARSER:
            default = None
        tail = lines[(statement.end_lineno or 1) - 1].encode()[statement.end_col_offset or 0 :].decode()
        found[target.id] = Parameter(target.id, default, tail.partition("#")[2].strip())
    return found


def typed(parameter: Parameter, value: Any, notebook: str) -> Any:
    """Turn a value, perhaps text from a command line, into the type of the parameter's default.

    Text becomes int, float, bool ("true"/"false"/"yes"/"no"), a list ("a,b" or "[1, 2]") or a dict (a Python literal)
    where the default is one; where the default is None, a literal if it is one, else the text itself.

    Raises
    ------
    ReportError
        When the value is not of that type.
    """
    default = parameter.default
    try:
        return _of_type(plain(_read_text(value, default) if isinstance(value, str) else value), default)
    except _PARSER:
        kind = "plain finite numbers, text, lists and dictionaries" if default is None else type(default).__name__
        raise ReportError(
            f"parameter {parameter.name} of {notebook}: {_brief(value)} is not of type {kind} (its default is "
            f"{_brief(default)}); give such a value, of finite numbers"
        ) from None


def _brief(value: Any) -> str:
    try:
        return " ".join(reprlib.repr(value).split())[:120]
    except ValueError:  # whole numbers of thousands of digits
        return f"a huge {type(value).__name__}"


def plain(value: Any) -> Any:
    """Turn NumPy's numbers and arrays and paths into plain Python; ValueError for what a notebook cannot be given.

    That is anything but None, True, False, finite numbers, text that UTF-8 can write, and lists, tuples and
    dictionaries (by text or whole number) of these.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    kind = type(value)
    if kind in (list, tuple):
        return kind(map(plain, value))
    if kind is dict and all(isinstance(key, str | int) for key in value):
        return {plain(key): plain(each) for key, each in value.items()}
    if value is not None and kind not in (bool, int, float, str) or kind is float and not math.isfinite(value):
        raise ValueError(value)
    str(value).encode()  # ValueError for half a character, and for whole numbers of thousands of digits
    return value


def _read_text(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _SWITCHES.get(text.lower(), text)
    if isinstance(default, list | tuple) and not text.strip().startswith(("[", "(")):
        return [_read_text(item.strip(), default[0] if default else None) for item in text.split(",") if item.strip()]
    try:
        return ast.literal_eval(text)
    except _PARSER:
        if default is None:
            return text
        raise


def _of_type(value: Any, default: Any) -> Any:
    """Give the value back in the type of the default; ValueError when it is of another kind."""
    if default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(default, list | tuple) and isinstance(value, list | tuple):
        return type(default)(value)
    raise ValueError(value)


def check_parameters(paths: Sequence[Path], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each notebook those of the given parameters that it knows, typed as its defaults are.

    Raises
    ------
    ReportError
        When none of the notebooks knows a name (the message lists those they know), or a value has the wrong type.
    """
    known = [notebook_parameters(path) for path in paths]
    everything = {name: parameter for names in known for name, parameter in names.items()}
    for name in given:
        if name not in everything:
            near = difflib.get_close_matches(name.upper(), everything, 1)
            hint = f"; did you mean {near[0]}?" if near else "."
            listing = "; ".join(map(str, everything.values())) or "none: there is no cell tagged 'parameters'"
            where = textwrap.shorten(", ".join(path.name for path in paths), 60, placeholder=" …")
            listing = textwrap.shorten(listing, 240, placeholder=" …")
            raise ReportError(f"unknown parameter {name[:40]} for {where}{hint} Known: {listing}")
    return [
        {name: typed(names[name], value, path.name) for name, value in given.items() if name in names}
        for path, names in zip(paths, known, strict=True)
    ]
