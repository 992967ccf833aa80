"""Data goes one way through two packages, each within its budget; what needs no TensorFlow does not wait for it."""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY, COURSE = ROOT / "mpii_lib", ROOT / "mpii_course"
ORDER = ["annotations", "datasets", "models", "pose", "training", "evaluation", "explain"]
SIDE_BY_SIDE = [{"models", "pose"}, {"evaluation", "explain"}]
BESIDE = {"arguments", "errors", "files", "skeletons", "intervals", "plots", "_html", "_keras", "_lazy"}
# Lines of code, without blank lines, comments and docstrings.
BUDGETS = {"mpii_lib": 5500, "mpii_lib/training": 650, "mpii_course": 6000}
LIGHT = [
    "mpii_lib",
    "mpii_lib.annotations",
    "mpii_lib.datasets",
    "mpii_lib.pose.crops",
    "mpii_lib.pose.heatmaps",
    "mpii_lib.pose.flip",
    "mpii_lib.plots",
    "mpii_course",
    "mpii_course.exercises",
    "mpii_course.theory",
]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def code_lines(path):
    """Count the lines that hold code."""
    text = path.read_text()
    docstrings, code = set(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            docstrings.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_from_those_on_its_left(package):
    beside = next((group for group in SIDE_BY_SIDE if package in group), {package})
    allowed = set(ORDER[: min(ORDER.index(p) for p in beside)]) | BESIDE | {package}
    for path in (LIBRARY / package).rglob("*.py"):
        parts = {name.split(".")[1] for name in imported_modules(path) if name.startswith("mpii_lib.")}
        assert not parts - allowed, f"{path.relative_to(ROOT)} imports {parts - allowed}"


def test_the_library_never_imports_the_course():
    for path in LIBRARY.rglob("*.py"):
        assert not [name for name in imported_modules(path) if name.split(".")[0] == "mpii_course"], path


@pytest.mark.parametrize("place", BUDGETS)
def test_code_stays_within_its_budget(place):
    lines = sum(map(code_lines, (ROOT / place).rglob("*.py")))
    print(f"{place}: {lines} lines of code, {BUDGETS[place]} allowed")
    assert lines <= BUDGETS[place], f"{place}: {lines} lines of code, {BUDGETS[place]} allowed"


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_does_not_load_tensorflow(module):
    code = f"import {module}, sys; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_modules_and_functions_stay_small():
    for path in [*LIBRARY.rglob("*.py"), *COURSE.rglob("*.py")]:
        text = path.read_text()
        assert len(text.splitlines()) < 400, f"{path.relative_to(ROOT)} has {len(text.splitlines())} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                length = node.end_lineno - first.lineno
                assert length < 60, f"{path.relative_to(ROOT)}: {node.name} has {length} lines"
