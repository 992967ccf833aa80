"""Checks of notebook 08: the share of a component, data that is not centred, components to keep, a silhouette."""

from typing import Any

import numpy as np

from mpii_course.exercises.choices import choose
from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("08-1")
def first_share(answer: object) -> str | None:
    """Six sevenths.

    1. Look for the largest eigenvalue: S u = lambda u. Try u = (2, 1).
    2. The eigenvalues add up to the variances of both numbers, 5 + 2.
    3. 6 / 7
    """
    mistakes = {
        "That is the share of the first number. The best direction is a mixture of both.": 5 / 7,
        "That is the variance along the direction. Divide it by all the variance, 5 + 2.": 6.0,
        "That is the share of the second component.": 1 / 7,
        "A share of the variance is meant, not its root.": np.sqrt(6) / (np.sqrt(6) + 1),
    }
    return diagnose(answer, 6 / 7, mistakes, tolerance=5e-3)


@exercise("08-2")
def uncentred(answer: object) -> str | None:
    """The mean pose itself.

    1. Draw the new component as the first row of the figure. Do the joints move, or does the whole figure grow?
    """
    hints = {
        "b": "Compare the new first row with the old one.",
        "c": "The product of a table with its transpose always has eigenvectors. It runs without an error.",
        "d": "Without centring the mean counts as variance, so the first value becomes larger.",
    }
    return choose(answer, "a", hints)


@exercise("08-3")
def components_needed(answer: object) -> str | None:
    """Smallest k with sum of the first k squared singular values >= share of all.

    1. Variances are the squares of singular values, up to a factor that cancels in a share.
    2. np.cumsum adds them up from the first on; take the first place where the share is reached.
    3. int(np.argmax(np.cumsum(s**2) / np.sum(s**2) >= share)) + 1
    """
    sigma = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0])  # squares 16 9 4 1 1 1, of 32
    shares = (0.5, 0.75, 0.9, 0.95, 1.0)
    got = call_each(answer, *((sigma, share) for share in shares))

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
    return diagnose(got, needed(sigma**2), mistakes)


@exercise("08-4")
def silhouette(answer: object) -> str | None:
    """Compute (b - a) / max(a, b), a without the point itself, b the nearest other group.

    1. a is the mean distance to the others of the own group: the point itself is not one of them.
    2. b is the mean distance to each other group; the smallest of these means.
    3. (b - a) / max(a, b)
    """
    rng = np.random.default_rng(8)
    table, labels = np.concatenate([rng.normal(c, 1, (5, 2)) for c in (0, 2, 6)]), np.repeat([0, 1, 2], 5)
    gaps = table - table[7]

    def score(distance: np.ndarray, others: int = 4, nearest: Any = min) -> float:
        a = distance[labels == 1].sum() / others
        b = nearest(distance[labels == 0].mean(), distance[labels == 2].mean())
        return float((b - a) / max(a, b))

    distance = np.linalg.norm(gaps, axis=1)
    right, overall = score(distance), score(distance, nearest=lambda one, two: (one + two) / 2)
    gap = min(distance[labels == k].mean() for k in (0, 2)) - distance[labels == 1].sum() / 4
    mistakes = {
        "Your a counts the point itself, at distance 0. Divide the sum by one less.": score(distance, others=5),
        "Your b is the mean over all other points. Take each other group, then the nearest.": overall,
        "Your b is the farthest other group. The nearest one is meant.": score(distance, nearest=max),
        "You use squared distances. The silhouette takes the distances themselves.": score(distance**2),
        "That is b - a. Divide it by the larger of the two.": gap,
        "You add absolute differences. Euclidean distance: root of the squares.": score(np.abs(gaps).sum(axis=1)),
    }
    return diagnose(call(answer, table, labels, 7), right, mistakes)
