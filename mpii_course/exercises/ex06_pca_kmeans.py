"""Checks of notebook 06: the first component, how many to keep, one round of K-means, a silhouette."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


def _top(matrix: Any) -> tuple[float, np.ndarray]:
    values, vectors = np.linalg.eigh(matrix)
    return float(values[-1]), vectors[:, -1]


def _same_line(got: Any, wanted: np.ndarray) -> bool:
    return close(got, wanted) or close(got, -wanted)


@exercise("06-1")
def first_component(answer: Any) -> str | None:
    """Largest eigenvalue and its eigenvector of the covariance matrix with N - 1."""
    rng = np.random.default_rng(6)
    # The large mean is what catches data that was not centred.
    table = rng.normal(size=(40, 4)) @ np.diag([3.0, 1.5, 1.0, 0.5]) @ rng.normal(size=(4, 4)) + [20, -10, 5, 0]
    centred = table - table.mean(axis=0)
    covariance = centred.T @ centred / 39
    variance, direction = _top(covariance)
    got = call(answer, table)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Return two things: the variance (a number) and the direction (a vector of D numbers)."
    value, vector = got[0], np.asarray(got[1], dtype=float)
    if vector.shape == (40,):
        return "Your direction has N numbers. Rows are observations: the covariance matrix is X^T X, of shape (D, D)."
    if vector.shape != (4,):
        return f"The direction has shape {vector.shape}; it should be (D,), here (4,)."
    uncentred = _top(table.T @ table / 39)[1]
    if _same_line(vector, uncentred):
        return "You forgot to centre: the first direction then points at the mean. Subtract the mean of each column."
    if _same_line(vector, _top(np.corrcoef(table.T))[1]):
        return "That is the component of the standardised data (correlations). Use the covariance matrix."
    if _same_line(vector, np.linalg.eigh(covariance)[1][:, 0]):
        return "That is the direction of the smallest variance: eigh sorts from small to large, so take the last."
    if _same_line(vector, np.linalg.eigh(covariance)[1][-1]):
        return "You took a row of the eigenvectors. eigh puts each of them into a column: vectors[:, -1]."
    centre_rows = table - table.mean(axis=1, keepdims=True)
    if _same_line(vector, _top(centre_rows.T @ centre_rows / 39)[1]):
        return "You subtracted the mean of each row. The mean of each column is meant: mean(axis=0)."
    if not _same_line(vector, direction):
        length = float(np.linalg.norm(vector))
        return f"The direction is not right yet (length {length:.3g}). Take the last eigenvector of the covariance."
    for wrong, hint in (
        (variance * 39 / 40, "The direction is right; the variance is divided by N. Here it is N - 1."),
        (variance * 39, "The direction is right; the variance is a sum. Divide it by N - 1."),
        (np.sqrt(variance), "The direction is right; the number is a standard deviation. Square it."),
        (
            np.sqrt(variance * 39),
            "The direction is right; the number is a singular value: variance = sigma**2 / (N - 1).",
        ),
        (variance / np.trace(covariance), "The direction is right; the number is the share of the variance."),
    ):
        if close(value, wrong):
            return hint
    return None if close(value, variance) else f"The direction is right; the variance along it is not {value}."


@exercise("06-2")
def components_needed(answer: Any) -> str | None:
    """Smallest k with sum of the first k squared singular values >= share of all."""
    sigma = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0])  # squares 16 9 4 1 1 1, of 32
    shares = (0.5, 0.75, 0.9, 0.95, 1.0)
    got = [call(answer, sigma, share) for share in shares]

    def rule(numbers: np.ndarray, plus: int, strict: bool = False) -> list[int]:
        part = np.cumsum(numbers) / np.sum(numbers)
        enough = [(part > share + 1e-12) if strict else (part >= share - 1e-12) for share in shares]
        return [int(np.argmax(e)) + plus if e.any() else len(numbers) for e in enough]

    if close(got, rule(sigma**2, 1)):
        return None
    if close(got, rule(sigma**2, 0)):
        return "One too few: an index counts from 0, the number of components from 1."
    if close(got, rule(sigma, 1)):
        return "Singular values are not variances. The variance of a component is sigma**2 / (N - 1): square first."
    if close(got, rule(sigma, 0)):
        return "Singular values have to be squared to be variances, and an index counts from 0."
    if close(got, rule(sigma**2, 1, strict=True)):
        return "At least the share: 16 of 32 is 0.5 already. Compare with >=."
    if close(got, [int(np.sum(sigma**2 / 32 >= share)) for share in shares]):
        return "You compare each share by itself. Add them up from the first on: cumsum."
    return f"For singular values 4, 3, 2, 1, 1, 1 and a share of 0.75 the answer is 2 (16 + 9 of 32), not {got[1]}."


@exercise("06-3")
def one_round(answer: Any) -> str | None:
    """Assign to the nearest centre, then means; empty groups stay."""
    rng = np.random.default_rng(7)
    table, centres = rng.normal(size=(30, 3)), rng.normal(size=(3, 3))
    distance = ((table[:, None] - centres) ** 2).sum(axis=2)
    labels = distance.argmin(axis=1)
    wanted = np.array([table[labels == k].mean(axis=0) for k in range(3)])
    given = centres.copy()
    got = call(answer, table, centres)
    if not close(centres, given):
        return "Your function changes the centres that it was given. Work on a copy, or make a new array."
    far = distance.argmax(axis=1)
    if np.shape(got) == (30,):
        return "That is the group of each row. The new centres (K, D) are asked for."
    if close(got, np.array([table[far == k].mean(axis=0) if (far == k).any() else centres[k] for k in range(3)])):
        return "Every row joined the farthest centre: argmin, not argmax."
    if close(got, np.array([table[labels == k].sum(axis=0) for k in range(3)])):
        return "You add the members up. A centre is their mean: divide by how many joined."
    if close(got, np.array([table[labels == k].sum(axis=0) / len(table) for k in range(3)])):
        return "You divide by all N rows. Divide by the members of the group."
    if close(got, np.array([np.median(table[labels == k], axis=0) for k in range(3)])):
        return "That is the median. The sum of squares is smallest at the mean."
    if close(got, np.array([np.full(3, table[labels == k].mean()) for k in range(3)])):
        return "One mean over all columns: take the mean of the members with axis=0."
    if not close(got, wanted):
        return f"Not the means of the nearest rows; your result has shape {np.shape(got)}, wanted (3, 3)."
    with np.errstate(all="ignore"):
        lonely = call(answer, np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.5, 0.0], [99.0, 99.0]]))
    if not np.isfinite(np.asarray(lonely, dtype=float)).all():
        return "A group that nobody joined becomes NaN, the mean of nothing. It should keep its centre."
    return None if close(lonely, [[0.5, 0.0], [99.0, 99.0]]) else "A group that nobody joined should keep its centre."


@exercise("06-4")
def silhouette(answer: Any) -> str | None:
    """Compute (b - a) / max(a, b), a without the point itself, b the nearest other group."""
    rng = np.random.default_rng(8)
    table, labels = np.concatenate([rng.normal(c, 1, (5, 2)) for c in (0, 2, 6)]), np.repeat([0, 1, 2], 5)
    n = 1
    distance = np.linalg.norm(table - table[n], axis=1)

    def score(distance: np.ndarray, own: float | None = None, pick: str = "min") -> float:
        a = distance[labels == 0].sum() / 4 if own is None else own
        others = [distance[labels == k].mean() for k in (1, 2)]
        b = {"min": min(others), "max": max(others), "all": distance[labels != 0].mean()}[pick]
        return float((b - a) / max(a, b))

    got = call(answer, table, labels, n)
    a = distance[labels == 0].sum() / 4
    for wrong, hint in (
        (score(distance, own=distance[labels == 0].mean()),
         "Your a counts the point itself, at distance 0. Only the others of its group count: divide by one less."),
        (score(distance, pick="all"),
         "Your b is the mean over all other points. Take each other group, then the nearest."),
        (score(distance, pick="max"), "Your b is the farthest other group. The nearest one is meant."),
        (-score(distance), "The sign is turned: s = (b - a) / max(a, b) is large where other groups are far."),
        (score(distance**2), "You use squared distances. The silhouette takes the distances themselves."),
        (min(distance[labels == k].mean() for k in (1, 2)) - a, "That is b - a. Divide it by the larger of the two."),
        (score(np.abs(table - table[n]).sum(axis=1)),
         "You add absolute differences. Euclidean distance: root of the squares."),
    ):  # fmt: skip
        if close(got, wrong):
            return hint
    if not close(got, score(distance)):
        return f"For this point the silhouette is {score(distance):.3f}; you get {got}."
    return None
