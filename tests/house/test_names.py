"""Names in code are the field's: the homely words of the first edition do not come back."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIELDS_WORD = {
    "picture": "image",
    "knob": "hyperparameter",
    "told": "prediction, or what it is",
    "said": "prediction, or what it is",
}
FOLDERS = ("mpii_lib", "mpii_course", "benchmarks", "scripts")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def names_given(source):
    """Every name that the code gives to something: variables, attributes, functions, classes, arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def homely(source):
    """The names that hold one of the words, each with the word that the field uses."""
    found = {}
    for name in set(names_given(source)):
        for word in re.findall("[a-z]+", re.sub("([A-Z])", r"_\1", name).lower()):
            if word.rstrip("s") in FIELDS_WORD:
                found[name] = FIELDS_WORD[word.rstrip("s")]
    return found


def test_a_homely_name_is_found():
    assert homely("def read_pictures(x): y = x") == {"read_pictures": "image"}
    assert homely("f(knob=1)") == {"knob": "hyperparameter"} and not homely("import picture; g(said)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_has_the_fields_names(path):
    assert not homely(path.read_text())


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_have_the_fields_names(path):
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            source = re.sub(r"^(\s*)[%!].*$", r"\1pass", "".join(cell["source"]), flags=re.M)
            assert not homely(source), cell["id"]
