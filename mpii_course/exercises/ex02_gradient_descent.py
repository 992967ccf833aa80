"""Checks of notebook 02: the gradient of the squared error, algorithm 1, the largest learning rate, an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


class _TooManySteps(Exception):
    """A student's loop that never ends would hang the notebook; this ends it."""


@exercise("02-1")
def mse_gradient(answer: Any) -> str | None:
    """Gradient of the mean squared error of a linear model."""
    rng = np.random.default_rng(2)
    x, y, theta = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)
    wanted = -2 / 5 * x.T @ (y - x @ theta)
    try:
        got = call(answer, x, y, theta)
    except ValueError:
        return (
            "The shapes do not fit. X is (n, d) and the residual y - X @ theta is (n,): "
            "which of the two has to be transposed so that the product has shape (d,)?"
        )
    if np.shape(got) != (3,):
        return f"The gradient has one entry for each parameter, shape (d,) = (3,). Yours has shape {np.shape(got)}."
    mistakes = {
        "This is the gradient of the sum of the squares. Divide by their number n.": 5 * wanted,
        "The sign is turned: the inner derivative of y - X @ theta is -X. Your steps would go uphill.": -wanted,
        "Where is the 2 that comes down when the square is differentiated?": wanted / 2,
        "The sign is turned, and the division by n is missing.": -5 * wanted,
        "This lacks the division by n, and the 2 of the square's derivative.": 2.5 * wanted,
        "The sign is turned, and the 2 of the square's derivative is missing.": -wanted / 2,
        "You divide by the number of parameters d. The mean is over the n observations.": 5 / 3 * wanted,
    }
    otherwise = "The shape is right, the values are not. Compare with `numerical_gradient` to see which entry is off."
    return diagnose(got, wanted, mistakes, otherwise)


@exercise("02-2")
def descend(answer: Any) -> str | None:
    """Algorithm 1 with both stopping criteria."""
    target = np.array([1.0, -2.0])
    calls = 0

    def slope(point: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 5000:
            raise _TooManySteps
        return np.asarray(point) - target

    start = np.array([3.0, -5.0])
    try:
        names = ("the last point", "the number of updates")
        point, updates = call(answer, slope, start, 0.1, 1e-6, 1000, returns=names)
        if not close(start, [3.0, -5.0]):
            return "Your function changed the caller's x (`x -= ...` works in place). Write `x = x - ...`."
        calls = 0
        cut_point, cut = call(answer, slope, np.array([3.0, -5.0]), 0.1, 0.0, 7, returns=names)
    except _TooManySteps:
        return "The loop does not end when `maximum` updates have been made."
    distance = np.linalg.norm(np.asarray(point, dtype=float) - target)
    if not distance < 10:
        return "It walks away from the minimum: x moves against the gradient, with a minus."
    if updates == 0:
        return "It stops before the first step. Compare the norm with the tolerance: entries may be negative."
    if updates == 1000:
        return "It always uses all updates. Stop when the norm of the gradient is at most the tolerance."
    if cut != 7 or not close(cut_point, target + 0.9**7 * np.array([2.0, -3.0])):
        return f"With maximum=7 exactly 7 updates should be made, each with eta times the gradient; you report {cut}."
    if distance > 1e-6:
        return "It stops too early: the gradient's norm is still above the tolerance. Is it the norm of all entries?"
    return None if updates == 144 else f"For the test bowl 144 updates are needed; you report {updates}."


@exercise("02-3")
def largest_rate(answer: Any) -> str | None:
    """Two over the largest eigenvalue of [[3, 1], [1, 3]]."""
    mistakes = {
        "The diagonal is not the largest curvature: the steepest way lies between the axes. Take eigenvalues.": 2 / 3,
        "That is the limit of the flattest direction. The steepest one leaves first.": 1,
        "At 1/lambda it stops overshooting. It still arrives until 2/lambda.": 0.25,
        "That is the largest curvature. The limit for eta is two divided by it.": 4,
        "2/(lambda_min + lambda_max) is the fastest rate, not the largest one that still arrives.": 1 / 3,
    }
    otherwise = "Find the eigenvalues of A (np.linalg.eigvalsh); then see the rule |1 - eta * lambda| < 1."
    return None if close(answer, 0.5) else diagnose(answer, 0.5, mistakes, otherwise, tolerance=0.01)


@exercise("02-4")
def epoch(answer: Any) -> str | None:
    """Row numbers of one epoch in random mini-batches."""
    batches = [np.asarray(rows) for rows in call(answer, 10, 4, np.random.default_rng(0))]
    if any(rows.ndim != 1 for rows in batches):
        return "Each mini-batch is an array of row numbers, of one dimension."
    rows = np.concatenate(batches) if batches else np.array([], dtype=int)
    if rows.size and (rows.min() < 0 or rows.max() > 9):
        return "Row numbers go from 0 to count - 1."
    if len(rows) == 8 and len(np.unique(rows)) == 8:
        return "The last rows are lost: 10 rows in batches of 4 are 4, 4 and 2."
    if len(np.unique(rows)) < len(rows):
        return "Some rows come twice. An epoch shows each observation once: shuffle, do not draw with replacement."
    if len(rows) != 10:
        return f"For count=10 there should be 10 row numbers, you give {len(rows)}."
    if [len(b) for b in batches] != [4, 4, 2]:
        return f"For count=10 and size=4 the lengths should be 4, 4, 2; yours are {[len(b) for b in batches]}."
    again, other = (
        np.concatenate([np.asarray(b) for b in call(answer, 100, 10, np.random.default_rng(seed))]) for seed in (1, 2)
    )
    if (again == np.arange(100)).all():
        return "The rows come in their own order. Shuffle them, or neighbours in the file always share a batch."
    return "The order is the same every time. Draw it from `rng`." if (again == other).all() else None
