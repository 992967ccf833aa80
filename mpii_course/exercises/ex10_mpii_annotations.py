"""Checks of notebook 10: reading the MPII file without being fooled by it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("10-1")
def joint_array(answer: Any) -> str | None:
    """(16, 2) array by joint id, NaN where a joint is missing."""
    points = [
        {"id": 9, "x": np.uint16(310), "y": np.uint8(12)},
        {"id": 0, "x": 7.5, "y": 0.0},
        {"id": 15, "x": 20, "y": 30},
    ]
    wanted = np.full((16, 2), np.nan)
    wanted[9], wanted[0], wanted[15] = (310, 12), (7.5, 0), (20, 30)
    got = np.asarray(call(answer, points))
    if got.shape != (16, 2):
        return f"The array has the shape {got.shape}; it has 16 rows of two numbers, also when joints are missing."
    if not np.issubdtype(got.dtype, np.floating):
        return f"The array holds {got.dtype}, and whole numbers cannot be NaN. Begin with np.full((16, 2), np.nan)."
    if np.allclose(got[:3], wanted[[9, 0, 15]]):
        return "The joints stand in the order of the list. Put each one into the row that its id names."
    if not np.isnan(got[1]).all():
        return "A joint that is not in the list has to be NaN; here it looks like a place in the image."
    if np.isnan(got[0]).any():
        return "Joint 0 lies at (7.5, 0) and got lost: a coordinate of zero is a place, not a missing joint."
    return None if np.array_equal(got, wanted, equal_nan=True) else "The shape is right; compare each row with its id."


@exercise("10-2")
def head_size(answer: Any) -> str | None:
    """0.6 times the diagonal of the head box, whatever the types and the order of the corners."""
    got = float(call(answer, 10.0, 20.0, 40.0, 60.0))
    mistakes = {
        "That is the diagonal itself. The head size is 0.6 of it.": 50,
        "You added the two sides. The diagonal is the square root of the sum of their squares.": 0.6 * 70,
        "The square root is missing: this is the squared diagonal.": 0.6 * 2500,
    }
    otherwise = f"For the box (10, 20, 40, 60) you get {got:g}. Its sides are 30 and 40, so its diagonal is 50."
    if hint := diagnose(got, 30, mistakes, otherwise):
        return hint
    with np.errstate(over="ignore"):
        small = float(call(answer, np.uint8(40), np.uint8(60), np.uint8(10), np.uint8(20)))
    hint = f"With corners as uint8 you get {small:.1f}: the difference wrapped around. Make them float, then subtract."
    return None if close(small, 30.0) else hint


@exercise("10-3")
def visibility(answer: Any) -> str | None:
    """1 for hidden, 2 for visible; numbers, strings and emptiness."""
    cases = {
        "the number 1": (np.uint8(1), 2),
        "the number 0": (np.uint8(0), 1),
        "the string '1'": ("1", 2),
        "the string '0'": ("0", 1),
    }
    for name, (value, wanted) in cases.items():
        got = call(answer, value)
        if name == "the string '0'" and close(got, 2):
            return "The string '0' came out as visible: text that is not empty is true. Turn it into a number first."
        if wanted == 1 and close(got, 0):
            return "0 means not annotated in our array. A hidden joint is annotated: it is 1, and a visible one is 2."
        if not close(got, wanted):
            return f"For {name} you return {got!r}; it should be {wanted}."
    try:
        empty = call(answer, np.empty((0, 0)))
    except (ValueError, IndexError, TypeError) as error:
        return f"An empty array stops your code ({type(error).__name__}). Ask for its size before you look inside."
    hint = f"An empty value counts as visible (2) by the community's convention; you return {empty!r}."
    return None if close(empty, 2) else hint
