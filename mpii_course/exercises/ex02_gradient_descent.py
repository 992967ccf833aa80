"""Checks of notebook 02: the gradient of the squared error, algorithm 1, the largest learning rate, an epoch."""

from typing import Any

import numpy as np

from mpii_course.exercises.diagnosis import Hint, call, close, diagnose, exercise, row_numbers


@exercise("02-1")
def mse_gradient(answer: object) -> str | None:
    """Gradient of the mean squared error of a linear model.

    1. The gradient has one entry for each parameter. X is (n, d) and the residual y - X @ theta is (n,): transpose X.
    2. The square brings down a 2, the inner derivative of y - X @ theta is -X, and the mean divides by n.
    3. -2 / len(y) * X.T @ (y - X @ theta)
    """
    rng = np.random.default_rng(2)
    x, y, theta = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)
    wanted = -2 / 5 * x.T @ (y - x @ theta)
    mistakes = {
        "This is the gradient of the sum of the squares. Divide by their number n.": 5 * wanted,
        "The sign is turned: the inner derivative of y - X @ theta is -X. Your steps would go uphill.": -wanted,
        "Where is the 2 that comes down when the square is differentiated?": wanted / 2,
        "This divides by the number of parameters d. The mean is over the n observations.": 5 / 3 * wanted,
    }
    return diagnose(call(answer, x, y, theta), wanted, mistakes, "`numerical_gradient` shows which entry is off.")


@exercise("02-2")
def descend(answer: object) -> str | None:
    """Algorithm 1 with both stopping criteria.

    1. A loop ends in two cases: the norm of the gradient is at most the tolerance, or `maximum` updates are made.
    2. for updates in range(maximum): slope = grad(x); where its norm is small, return x, updates; else
       x = x - eta * slope. After the loop: return x, maximum.
    """
    target, start = np.array([1.0, -2.0]), np.array([3.0, -5.0])
    calls = 0

    def slope(point: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 5000:
            raise Hint("The loop does not end when `maximum` updates have been made.")
        return np.asarray(point) - target

    names = ("the last point", "the number of updates")
    point, updates = call(answer, slope, start, 0.1, 1e-6, 1000, returns=names, unchanged=True)
    calls = 0
    cut_point, cut = call(answer, slope, start, 0.1, 0.0, 7, returns=names)
    distance = np.linalg.norm(np.asarray(point, dtype=float) - target)
    if np.shape(updates) or np.shape(point) != (2,):
        return f"Return {' and '.join(names)}; yours have the shapes {np.shape(point)} and {np.shape(updates)}."
    if distance > 10:
        return "It walks away from the minimum: x moves against the gradient, with a minus."
    if updates == 0:
        return "It stops before the first step. Compare the norm with the tolerance: entries may be negative."
    if updates == 1000:
        return "It always uses all updates. Stop when the norm of the gradient is at most the tolerance."
    if cut != 7:
        return f"With maximum=7 and a tolerance of 0 exactly 7 updates are made; you report {cut}."
    if not close(cut_point, target + 0.9**7 * np.array([2.0, -3.0])):
        return "With maximum=7 the point is not where 7 updates lead, each of eta times the gradient."
    if distance > 1e-6:
        return "It stops too early: the gradient's norm is still above the tolerance. Is it the norm of all entries?"
    return None if updates == 144 else f"For the test bowl 144 updates are needed; you report {updates}."


@exercise("02-3")
def largest_rate(answer: object) -> str | None:
    """Two over the largest eigenvalue of [[3, 1], [1, 3]].

    1. Along an eigenvector with eigenvalue lambda, a step multiplies the distance by 1 - eta * lambda.
    2. |1 - eta * lambda| < 1 has to hold for the largest eigenvalue (np.linalg.eigvalsh): eta < 2 / lambda.
    """
    mistakes = {
        "The diagonal is not the largest curvature: the steepest way lies between the axes. Take eigenvalues.": 2 / 3,
        "That is the limit of the flattest direction. The steepest one leaves first.": 1,
        "There the steepest direction stops overshooting. It still arrives with larger rates.": 0.25,
        "That is the largest curvature. The limit for eta follows from it.": 4,
        "That is the fastest rate, not the largest one that still arrives.": 1 / 3,
    }
    return None if close(answer, 0.5) else diagnose(answer, 0.5, mistakes, tolerance=0.01)


@exercise("02-4")
def epoch(answer: object) -> str | None:
    """Row numbers of one epoch in random mini-batches.

    1. Shuffle all row numbers once, and cut them into pieces of `size`; the last piece may be shorter.
    2. order = rng.permutation(count); [order[first : first + size] for first in range(0, count, size)]
    """

    def rows_of(count: int, size: int, seed: int) -> list[np.ndarray]:
        return [row_numbers(batch, count) for batch in call(answer, count, size, np.random.default_rng(seed))]

    batches = rows_of(10, 4, 0)
    rows = np.concatenate(batches) if batches else np.array([], dtype=int)
    if len(rows) == 8 and len(np.unique(rows)) == 8:
        return "The last rows are lost: 10 rows in batches of 4 are 4, 4 and 2."
    if len(np.unique(rows)) < len(rows):
        return "Some rows come twice. An epoch shows each observation once: shuffle, do not draw with replacement."
    if len(rows) != 10:
        return f"For count=10 there should be 10 row numbers, you give {len(rows)}."
    if [len(b) for b in batches] != [4, 4, 2]:
        return f"For count=10 and size=4 the lengths should be 4, 4, 2; yours are {[len(b) for b in batches]}."
    again, other = (np.concatenate(rows_of(100, 10, seed)) for seed in (1, 2))
    if (again == np.arange(100)).all():
        return "The rows come in their own order. Shuffle them, or neighbours in the file always share a batch."
    return "The order is the same every time. Draw it from `rng`." if (again == other).all() else None
