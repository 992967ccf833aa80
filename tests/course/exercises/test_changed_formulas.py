"""A formula that differs from the solution's in one place is not called right: the checks' numbers tell them apart."""

import ast
import copy
import math
from pathlib import Path

import nbformat
import numpy as np
import pytest

from mpii_course.exercises import check

SOLUTIONS = Path(__file__).resolve().parents[3] / "notebooks/solutions"
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
# Changes that change nothing: a byte of a gigabyte, what softmax cancels, a factor of -1.
ALIKE = {"04-5": 1, "13-1": 1, "35-1": 1}


def sources():
    found = {}
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "solution" in cell.metadata.get("tags", []):
                numbers = [text.split('"')[1] for text in cell.source.split("check(")[1:]]
                found |= {number: cell.source for number in numbers}
    return found


SOURCES = sources()


def changed(source):
    """The source with one operator turned, or one number one larger."""
    tree = ast.parse(source)
    for place, node in enumerate(ast.walk(tree)):
        other = copy.deepcopy(tree)
        target = list(ast.walk(other))[place]
        if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
            target.op = SWAPPED[type(node.op)]()
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            target.value += 1
        else:
            continue
        yield ast.unparse(other)


def called_right(source):
    answers = []
    space = {"np": np, "math": math, "check": lambda number, answer: answers.append((number, answer))}
    try:
        exec(source, space)
    except Exception:  # the change makes no sense
        return False
    return all(check(*answer).state == "correct" for answer in answers)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "number", [n for n, source in SOURCES.items() if "def " in source and n not in ("02-2", "28-1")]
)
def test_a_changed_formula_is_not_called_right(number):
    right = [source for source in changed(SOURCES[number]) if called_right(source)]
    assert len(right) <= ALIKE.get(number, 0), "\n\n".join(right)


def test_the_solutions_are_found_and_called_right():
    assert len(SOURCES) > 80 and all(called_right(source) for source in SOURCES.values())
