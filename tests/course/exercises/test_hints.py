"""Whatever a student hands in, the hint is true: right answers, and what usually goes wrong, made from the solutions."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from mpii_course.exercises import check, exercise_numbers

SOLUTIONS = Path(__file__).resolve().parents[3] / "notebooks/solutions"


def right_answers():
    """The answers of all solution cells, by exercise."""
    answers = {}
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        space = {"np": np, "check": lambda number, answer: answers.setdefault(number, answer)}
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "solution" in cell.metadata.get("tags", []):
                exec(compile(cell.source, f"{path.stem}-{cell.id}", "exec"), space)
    return answers


RIGHT = right_answers()
FUNCTIONS = sorted(number for number, answer in RIGHT.items() if callable(answer))
VALUES = sorted(set(RIGHT) - set(FUNCTIONS))


def numeric(value):
    return isinstance(value, tuple | list | np.ndarray | float | int | np.number) and not isinstance(value, bool)


def deep(change, value):
    """Change every number of a result, however nested."""
    if isinstance(value, tuple | list):
        return type(value)(deep(change, part) for part in value)
    return change(np.asarray(value, dtype=float)) if numeric(value) else value


def after(change):
    """Make of a right answer one whose result is changed."""

    def changed(number):
        answer = RIGHT[number]
        return (lambda *arguments: change(answer(*arguments))) if callable(answer) else change(answer)

    return changed


def test_every_exercise_has_a_solution():
    assert sorted(RIGHT) == exercise_numbers()


def listed(value):
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
