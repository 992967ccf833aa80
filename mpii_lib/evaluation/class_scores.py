"""Scores class by class, of examples that may be weighted: what one label and several labels an image share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.resampling import Scored, check_metric
from mpii_lib.intervals import Groups, Statistic, group_codes, score_ends, standard_error

_SHOWN_CLASSES = 25
_MEAN_OF = {"mean_average_precision": "average_precision", "macro_f1": "f1", "balanced_accuracy": "recall"}


@dataclass(frozen=True, repr=False)
class ClassScores(Scored):
    """Predictions beside the labels, and the scores of each class; equal to scikit-learn's.

    Attributes
    ----------
    labels
        The true class of each example, or zeros and ones.
    probabilities
        float64 (N, C).
    classes
        The C names.
    """

    CLASS_METRICS: ClassVar = ("precision", "recall", "f1", "average_precision")
    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @property
    def hot(self) -> np.ndarray:
        """Whether the example has the class, bool (N, C)."""
        raise NotImplementedError

    @property
    def given(self) -> np.ndarray:
        """Whether the class is predicted for the example, bool (N, C)."""
        raise NotImplementedError

    @property
    def present(self) -> np.ndarray:
        """Positions of the classes that occur in the labels; no other can be scored."""
        return np.flatnonzero(self.hot.any(axis=0))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """By class: precision, recall, F1, average precision, and support (examples); NaN for absent classes."""
        columns = {name: self.class_statistic(name)(np.ones(len(self.labels))) for name in self.CLASS_METRICS}
        columns["support"] = self.hot.sum(axis=0)
        return pd.DataFrame(columns, index=pd.Index(self.classes, name="class"))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur in the labels; a class that is never predicted counts 0."""
        return self.value("macro_f1")

    @property
    def mean_average_precision(self) -> float:
        """Mean average precision of the classes that occur in the labels.

        The score of the 393-class activity protocol of MPII (Pishchulin 2014, Girdhar 2017).
        """
        return self.value("mean_average_precision")

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the interval."""
        check_metric(metric, self.METRICS)
        of_classes = self.class_statistic(_MEAN_OF[metric])
        return lambda weights: _mean_of_known(of_classes(weights))

    def class_statistic(self, metric: str) -> Statistic:
        """Give a score of `CLASS_METRICS` for each class (C,), NaN for absent ones, as a function of the weights."""
        check_metric(metric, self.CLASS_METRICS)
        if metric == "average_precision":
            return average_precision_statistic(self.hot, self.probabilities)
        columns = [matrix.astype(float) for matrix in (self.hot & self.given, self.hot, self.given)]

        def statistic(weights: np.ndarray) -> np.ndarray:
            correct, support, given = (weights @ column for column in columns)
            if metric == "f1":
                scores = 2 * correct / np.maximum(support + given, 1e-12)
            else:
                scores = correct / np.maximum(support if metric == "recall" else given, 1e-12)
            return np.where(support > 0, scores, np.nan)

        return statistic

    @checked
    def class_intervals(self, metric: str, groups: Groups = None, seed: int = 0, level: float = 0.95) -> pd.DataFrame:
        """Intervals of a score for each class that the labels hold.

        Parameters
        ----------
        metric
            One of `CLASS_METRICS`.
        groups, seed, level
            As for `interval`.

        Returns
        -------
        DataFrame
            By class, in its order: `value`, `low`, `high`, `support` (examples) and `groups` (groups that hold the
            class). A class of fewer than five groups has no interval (NaN): so few videos tell nothing about others.
        """
        statistic, count = self.class_statistic(metric), len(self.labels)
        codes = group_codes(groups, count)
        value, held = statistic(np.ones(count)), np.array([len(np.unique(codes[column])) for column in self.hot.T])
        low, high = score_ends(value, standard_error(statistic, codes, seed), held, level)
        columns = {"value": value, "low": low, "high": high, "support": self.hot.sum(axis=0), "groups": held}
        table = pd.DataFrame(columns, index=pd.Index(self.classes, name="class"))
        return table[table["support"] > 0]

    def _summary(self) -> dict[str, str]:
        present = f"{len(self.present)} of {len(self.classes)}"
        return {"examples": str(len(self.labels)), "classes in the labels": present}

    def _repr_html_(self) -> str:
        table = self.per_class[self.per_class["support"] > 0].sort_values("support", ascending=False, kind="stable")
        note = "" if len(table) <= _SHOWN_CLASSES else f"<p>The {_SHOWN_CLASSES} largest of {len(table)} classes.</p>"
        return f"{super()._repr_html_()}{table.head(_SHOWN_CLASSES).round(3).to_html(border=0)}{note}"


def average_precision_statistic(hot: np.ndarray, scores: np.ndarray) -> Statistic:
    """Average precision of each class, NaN without an example, sorted only once: weights (N,) to float64 (C,).

    A weight of two counts as the example standing there twice. Examples of equal score enter at once, as in
    scikit-learn's `average_precision_score`, a thousand calls of which would take minutes: each positive gets the
    precision at the end of its tie.

    Parameters
    ----------
    hot
        (N, C), whether the example has the class.
    scores
        (N, C), larger for likelier.
    """
    count = len(scores)
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    positive = np.take_along_axis(np.asarray(hot, bool), order, axis=0)
    ends = np.ones(scores.shape, dtype=bool)
    ends[:-1] = ranked[:-1] != ranked[1:]
    positions = np.where(ends, np.arange(count)[:, None], count - 1)
    last = np.minimum.accumulate(positions[::-1], axis=0)[::-1]

    def statistic(weights: np.ndarray) -> np.ndarray:
        drawn = weights[order]
        found = np.where(positive, drawn, 0.0)
        precision = np.cumsum(found, axis=0) / np.maximum(np.cumsum(drawn, axis=0), 1e-12)
        total = found.sum(axis=0)
        gained = (found * np.take_along_axis(precision, last, axis=0)).sum(axis=0)
        return np.where(total > 0, np.minimum(gained / np.maximum(total, 1e-12), 1.0), np.nan)

    return statistic


def _mean_of_known(values: np.ndarray) -> float:
    """Mean over the classes that have a value; NaN when none has."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def checked_labels(
    what: str, labels: ArrayLike, probabilities: ArrayLike, classes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels as int64 (N,) and probabilities as float64 (N, C); MpiiError where they do not fit."""
    known, scores = np.asarray(labels), checked_probabilities(probabilities)
    width: int = (0, *scores.shape)[-1] if classes is None else classes
    if known.ndim != 1 or not len(known) or scores.shape != (len(known), width):
        shapes = f"labels {known.shape}, probabilities {scores.shape}, {width} classes"
        raise MpiiError(f"{what}: {shapes}; give (N,), (N, C), C names")
    if not np.issubdtype(known.dtype, np.integer) or known.min() < 0 or known.max() >= width:
        raise MpiiError(f"{what}: labels have to be whole numbers from 0 to {width - 1}, as the columns are numbered")
    return known.astype(np.int64), scores


def checked_probabilities(probabilities: ArrayLike) -> np.ndarray:
    """As float64; MpiiError where one is NaN."""
    scores = np.asarray(probabilities, dtype=np.float64)
    if np.isnan(scores).any():
        row = int(np.argwhere(np.isnan(np.atleast_1d(scores)))[0][0])
        raise MpiiError(f"probabilities: row {row} has NaN; look for a training that did not converge")
    return scores
