"""Data goes one way through the library, and what needs no TensorFlow does not wait for it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "mpii_lib"
ORDER = ["annotations", "datasets", "models", "pose", "training", "evaluation", "explain", "report"]
SIDE_BY_SIDE = [{"models", "pose"}, {"evaluation", "explain"}]
BESIDE = {"errors", "files", "skeletons", "plots", "widgets", "environment", "_keras"}
LIGHT = [
    "mpii_lib",
    "mpii_lib.annotations",
    "mpii_lib.datasets",
    "mpii_lib.pose.crops",
    "mpii_lib.pose.heatmaps",
    "mpii_lib.pose.flip",
    "mpii_lib.plots",
    "mpii_lib.exercises",
    "mpii_lib.theory",
]


def imported_parts(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "mpii_lib" else [f"mpii_lib.{a.name}" for a in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("mpii_lib."))


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_from_those_on_its_left(package):
    folder = LIBRARY / package
    if not folder.exists():
        pytest.skip(f"{package} is not built yet")
    beside = next((group for group in SIDE_BY_SIDE if package in group), {package})
    allowed = set(ORDER[: min(ORDER.index(p) for p in beside)]) | BESIDE | {package}
    for path in folder.rglob("*.py"):
        wrong = set(imported_parts(path)) - allowed
        assert not wrong, f"{path.relative_to(LIBRARY)} imports {wrong}"


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_does_not_load_tensorflow(module):
    code = f"import {module}, sys; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_modules_and_functions_stay_small():
    for path in LIBRARY.rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) < 400, f"{path.relative_to(LIBRARY)} has {len(text.splitlines())} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                length = node.end_lineno - first.lineno
                assert length < 60, f"{path.relative_to(LIBRARY)}: {node.name} has {length} lines"
