"""Average precision and the counts behind F1, fast enough to be computed a thousand times."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score

from mpii_lib.evaluation.resampling import Statistic


def average_precisions(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision of each class, by scikit-learn; NaN where no example has the class.

    Parameters
    ----------
    truth
        (N, C), above 0 where the example has the class.
    scores
        (N, C), larger for likelier.

    Returns
    -------
    numpy.ndarray
        float64 (C,).
    """
    found = np.full(truth.shape[1], np.nan)
    for column in np.flatnonzero((truth > 0).any(axis=0)):
        found[column] = average_precision_score(truth[:, column] > 0, scores[:, column])
    return found


def average_precision_statistic(truth: np.ndarray, scores: np.ndarray) -> Statistic:
    """The same as a function of the weights of the examples, sorted only once: weights (N,) to float64 (C,).

    A weight of two counts as the example standing there twice. Examples of equal score enter at once, as in
    scikit-learn: each positive gets the precision at the end of its tie.
    """
    count = len(scores)
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    hot = np.take_along_axis(truth > 0, order, axis=0)
    ends = np.ones(scores.shape, dtype=bool)
    ends[:-1] = ranked[:-1] != ranked[1:]
    places = np.where(ends, np.arange(count)[:, None], count - 1)
    last = np.minimum.accumulate(places[::-1], axis=0)[::-1]

    def statistic(weights: np.ndarray) -> np.ndarray:
        drawn = weights[order]
        positive = np.where(hot, drawn, 0.0)
        precision = np.cumsum(positive, axis=0) / np.maximum(np.cumsum(drawn, axis=0), 1e-12)
        total = positive.sum(axis=0)
        gained = (positive * np.take_along_axis(precision, last, axis=0)).sum(axis=0)
        return np.where(total > 0, gained / np.maximum(total, 1e-12), np.nan)

    return statistic


def class_scores(right: np.ndarray, support: np.ndarray, answered: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of each class from counts (C,); NaN without support, 0 when never answered.

    Parameters
    ----------
    right
        Examples that have the class and got it as an answer.
    support, answered
        Examples that have the class; that got it as an answer.
    """
    held = support > 0
    scores = {
        "precision": right / np.where(answered > 0, answered, 1),
        "recall": right / np.where(held, support, 1),
        "f1": 2 * right / np.where(held, support + answered, 1),
    }
    return {name: np.where(held, values, np.nan) for name, values in scores.items()}


def mean_of_known(values: np.ndarray) -> float:
    """Mean over the classes that have a value; NaN when none has."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
