"""Checks of notebook 08: the first component, how many to keep, one round of K-means, a silhouette."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


def _top(matrix: Any) -> np.ndarray:
    return _upright(np.linalg.eigh(matrix)[1][:, -1])


def _upright(vector: np.ndarray) -> np.ndarray:
    """The one of two opposite directions whose largest entry is positive."""
    return vector * np.sign(vector[np.abs(vector).argmax()])


@exercise("08-1")
def first_component(answer: Any) -> str | None:
    """Largest eigenvalue and its eigenvector of the covariance matrix with N - 1."""
    rng = np.random.default_rng(6)
    # The large mean is what catches data that was not centred.
    table = rng.normal(size=(40, 4)) @ np.diag([3.0, 1.5, 1.0, 0.5]) @ rng.normal(size=(4, 4)) + [20, -10, 5, 0]
    covariance = np.cov(table.T)
    values, vectors = np.linalg.eigh(covariance)
    variance = values[-1]
    value, direction = call(answer, table, returns=("the variance (a number)", "the direction (D numbers)"))
    vector = np.asarray(direction, dtype=float)
    if vector.shape == (40,):
        return "Your direction has N numbers. Rows are observations: the covariance matrix is X^T X, of shape (D, D)."
    if vector.shape != (4,):
        return f"The direction has shape {vector.shape}; it should be (D,), here (4,)."
    by_row = table - table.mean(axis=1, keepdims=True)
    directions = {
        "You forgot to centre: this points at the mean. Subtract the mean of each column.": _top(table.T @ table),
        "That is the component of the standardised data. Use the covariance matrix.": _top(np.corrcoef(table.T)),
        "That is the smallest variance: eigh sorts from small to large, so take the last.": _upright(vectors[:, 0]),
        "You took a row of the eigenvectors. eigh puts each into a column: vectors[:, -1].": _upright(vectors[-1]),
        "You subtracted the mean of each row. The mean of each column is meant: axis=0.": _top(by_row.T @ by_row),
    }
    variances = {
        "The direction is right; the variance is divided by N. Here it is N - 1.": variance * 39 / 40,
        "The direction is right; the variance is a sum. Divide it by N - 1.": variance * 39,
        "The direction is right; the number is a standard deviation. Square it.": variance**0.5,
        "The direction is right; this is a singular value: variance = sigma**2 / (N - 1).": (variance * 39) ** 0.5,
        "The direction is right; the number is the share of the variance.": variance / np.trace(covariance),
    }
    length = np.linalg.norm(vector)
    otherwise = f"The direction is not right yet (length {length:.3g}). Take the last eigenvector of the covariance."
    hint = diagnose(_upright(vector), _top(covariance), directions, otherwise)
    return hint or diagnose(
        value, variance, variances, f"The direction is right; the variance along it is not {value}."
    )


@exercise("08-2")
def components_needed(answer: Any) -> str | None:
    """Smallest k with sum of the first k squared singular values >= share of all."""
    sigma = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0])  # squares 16 9 4 1 1 1, of 32
    shares = (0.5, 0.75, 0.9, 0.95, 1.0)
    got = [call(answer, sigma, share) for share in shares]

    def needed(numbers: np.ndarray, side: Any = "left") -> np.ndarray:
        sums = np.round(np.cumsum(numbers) / np.sum(numbers), 12)
        return np.minimum(np.searchsorted(sums, shares, side) + 1, len(numbers))

    mistakes = {
        "One too few: an index counts from 0, the number of components from 1.": needed(sigma**2) - 1,
        "Singular values are not variances: square first, variance = sigma**2 / (N - 1).": needed(sigma),
        "Singular values have to be squared to be variances, and an index counts from 0.": needed(sigma) - 1,
        "At least the share: 16 of 32 is 0.5 already. Compare with >=.": needed(sigma**2, "right"),
        "You compare each share by itself. Add them up from the first on: cumsum.": [
            int(np.sum(sigma**2 / 32 >= share)) for share in shares
        ],
    }
    otherwise = f"For values 4, 3, 2, 1, 1, 1 and a share of 0.75 the answer is 2 (16 + 9 of 32), not {got[1]}."
    return diagnose(got, needed(sigma**2), mistakes, otherwise)


@exercise("08-3")
def one_round(answer: Any) -> str | None:
    """Assign to the nearest centre, then means; empty groups stay."""
    rng = np.random.default_rng(7)
    table, centres = rng.normal(size=(30, 3)), rng.normal(size=(3, 3))
    distance = ((table[:, None] - centres) ** 2).sum(axis=2)
    groups = [table[distance.argmin(axis=1) == k] for k in range(3)]
    far = [table[distance.argmax(axis=1) == k] for k in range(3)]
    given = centres.copy()
    got = call(answer, table, given)
    if not close(given, centres):
        return "Your function changes the centres that it was given. Work on a copy, or make a new array."
    if np.shape(got) == (30,):
        return "That is the group of each row. The new centres (K, D) are wanted."
    mistakes = {
        "Every row joined the farthest centre: argmin, not argmax.": [
            rows.mean(axis=0) if len(rows) else centre for rows, centre in zip(far, centres, strict=True)
        ],
        "You add the members up. A centre is their mean: divide by how many joined.": [g.sum(axis=0) for g in groups],
        "You divide by all N rows. Divide by the members of the group.": [g.sum(axis=0) / 30 for g in groups],
        "That is the median. The sum of squares is smallest at the mean.": [np.median(g, axis=0) for g in groups],
        "One mean over all columns: the mean of the members has axis=0.": [np.full(3, g.mean()) for g in groups],
    }
    otherwise = f"Not the means of the nearest rows; your result has shape {np.shape(got)}, wanted (3, 3)."
    if hint := diagnose(got, [g.mean(axis=0) for g in groups], mistakes, otherwise):
        return hint
    with np.errstate(all="ignore"):
        lonely = call(answer, np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.5, 0.0], [99.0, 99.0]]))
    if not np.isfinite(np.asarray(lonely, dtype=float)).all():
        return "A group that nobody joined becomes NaN, the mean of nothing. It should keep its centre."
    return None if close(lonely, [[0.5, 0.0], [99.0, 99.0]]) else "A group that nobody joined should keep its centre."


@exercise("08-4")
def silhouette(answer: Any) -> str | None:
    """Compute (b - a) / max(a, b), a without the point itself, b the nearest other group."""
    rng = np.random.default_rng(8)
    table, labels = np.concatenate([rng.normal(c, 1, (5, 2)) for c in (0, 2, 6)]), np.repeat([0, 1, 2], 5)
    gaps = table - table[1]

    def score(distance: np.ndarray, others: int = 4, nearest: Any = min) -> float:
        a = distance[labels == 0].sum() / others
        b = nearest(distance[labels == 1].mean(), distance[labels == 2].mean())
        return float((b - a) / max(a, b))

    distance = np.linalg.norm(gaps, axis=1)
    right, overall = score(distance), score(distance, nearest=lambda one, two: (one + two) / 2)
    gap = min(distance[labels == k].mean() for k in (1, 2)) - distance[labels == 0].sum() / 4
    mistakes = {
        "Your a counts the point itself, at distance 0. Divide the sum by one less.": score(distance, others=5),
        "Your b is the mean over all other points. Take each other group, then the nearest.": overall,
        "Your b is the farthest other group. The nearest one is meant.": score(distance, nearest=max),
        "The sign is turned: s = (b - a) / max(a, b) is large where other groups are far.": -right,
        "You use squared distances. The silhouette takes the distances themselves.": score(distance**2),
        "That is b - a. Divide it by the larger of the two.": gap,
        "You add absolute differences. Euclidean distance: root of the squares.": score(np.abs(gaps).sum(axis=1)),
    }
    got = call(answer, table, labels, 1)
    return diagnose(got, right, mistakes, f"For this point the silhouette is {right:.3f}; you get {got}.")
