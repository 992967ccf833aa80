"""Several labels a picture: average precision by label, F1 at a threshold, and the baselines that they must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.ranking import (
    average_precision_statistic,
    average_precisions,
    class_scores,
    mean_of_known,
)
from mpii_lib.evaluation.resampling import Groups, Scored, Statistic, html_table, known_metric

_SHOWN_CLASSES = 25


@dataclass(frozen=True)
class MultilabelResult(Scored):
    """Probabilities of labels beside the truth, and the scores that follow.

    Attributes
    ----------
    truth
        int8 (N, C), 1 where the example has the label.
    probabilities
        float64 (N, C), each label for itself, as a sigmoid gives them.
    classes
        The C names.
    threshold
        A label is given where its probability reaches this.
    """

    METRICS: ClassVar = ("mean_average_precision", "macro_f1", "micro_f1", "label_accuracy")
    CLASS_METRICS: ClassVar = ("average_precision", "recall", "precision", "f1")
    truth: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]
    threshold: float = 0.5

    @property
    def present(self) -> np.ndarray:
        """Positions of the classes that occur in the truth; no other has an average precision."""
        return np.flatnonzero(self.truth.any(axis=0))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the classes that no example has, which the means leave out."""
        return tuple(name for name, held in zip(self.classes, self.truth.max(axis=0), strict=True) if not held)

    @cached_property
    def given(self) -> np.ndarray:
        """Labels whose probability reaches the threshold, bool (N, C)."""
        return self.probabilities >= self.threshold

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """By class: `average_precision`, `precision`, `recall`, `f1` at the threshold, `support`, and `chance`.

        `chance` is the share of the examples that have the label: the average precision of an order by lot, and of
        equal scores. NaN for classes that the truth lacks.
        """
        support = self.truth.sum(axis=0, dtype=int)
        columns = class_scores((self.truth * self.given).sum(axis=0), support, self.given.sum(axis=0))
        table = pd.DataFrame(
            {"average_precision": average_precisions(self.truth, self.probabilities), **columns},
            index=pd.Index(self.classes, name="class"),
        )
        return table.assign(support=support, chance=np.where(support > 0, support / len(self.truth), np.nan))

    @cached_property
    def mean_average_precision(self) -> float:
        """Mean of the average precision over the classes that occur in the truth (scikit-learn's, without steps)."""
        return mean_of_known(self.per_class["average_precision"].to_numpy())

    @property
    def chance(self) -> float:
        """Mean average precision of giving every example the same probabilities."""
        return mean_of_known(self.per_class["chance"].to_numpy())

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur in the truth; a class that is never given counts 0."""
        return mean_of_known(self.per_class["f1"].to_numpy())

    @property
    def micro_f1(self) -> float:
        """F1 of all single labels together, so that frequent classes count more; 0 when none is given."""
        return self._micro(np.ones(len(self.truth)))

    @property
    def label_accuracy(self) -> float:
        """Share of the N x C single yes-or-no answers that are right; see `accuracy_of_no`."""
        return float((self.given == (self.truth > 0)).mean())

    @property
    def accuracy_of_no(self) -> float:
        """Label accuracy of never giving a label: near 1 with many classes, and worth nothing."""
        return float((self.truth == 0).mean())

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the bootstrap."""
        name = known_metric(metric, self.METRICS)
        if name == "micro_f1":
            return self._micro
        if name == "label_accuracy":
            rows = (self.given == (self.truth > 0)).mean(axis=1)
            return lambda weights: float(weights @ rows / weights.sum())
        of_classes = self.class_statistic("average_precision" if name == "mean_average_precision" else "f1")
        return lambda weights: mean_of_known(of_classes(weights))

    def class_statistic(self, metric: str) -> Statistic:
        """Give a score of `CLASS_METRICS` for each class (C,) as a function of the weights (N,) of the examples."""
        if known_metric(metric, self.CLASS_METRICS) == "average_precision":
            return average_precision_statistic(self.truth, self.probabilities)
        columns = [np.asarray(part, dtype=float) for part in (self.truth * self.given, self.truth, self.given)]
        return lambda weights: class_scores(*(weights @ column for column in columns))[metric]

    def scores(self, groups: Groups = None, seed: int = 0) -> dict[str, float]:
        """Give the scores as a dict for the run record, with the 95 % interval of the mean average precision."""
        interval = self.interval(groups=groups, seed=seed)
        return {
            "mean_average_precision": interval.value,
            "mean_average_precision_low": interval.low,
            "mean_average_precision_high": interval.high,
            "mean_average_precision_chance": self.chance,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "label_accuracy": self.label_accuracy,
            "examples": len(self.truth),
            "classes_in_truth": len(self.present),
        }

    def _micro(self, weights: np.ndarray) -> float:
        right = weights @ (self.truth * self.given).sum(axis=1)
        total = weights @ (self.truth.sum(axis=1, dtype=int) + self.given.sum(axis=1))
        return float(2 * right / total) if total else 0.0

    def __repr__(self) -> str:
        return (
            f"mean average precision {self.mean_average_precision:.3f} over {len(self.present)} of {len(self.classes)} "
            f"classes ({len(self.left_out)} are not in the truth), equal scores {self.chance:.3f}, "
            f"F1 at {self.threshold:g}: macro {self.macro_f1:.3f}, micro {self.micro_f1:.3f}, "
            f"on {len(self.truth)} examples"
        )

    def _repr_html_(self) -> str:
        rows = {
            "mean average precision": f"{self.mean_average_precision:.3f}",
            "of equal scores": f"{self.chance:.3f}",
            f"macro F1 at {self.threshold:g}": f"{self.macro_f1:.3f}",
            f"micro F1 at {self.threshold:g}": f"{self.micro_f1:.3f}",
            "single answers right": f"{self.label_accuracy:.3f}",
            "right without any label": f"{self.accuracy_of_no:.3f}",
            "examples": str(len(self.truth)),
            "classes in the truth": f"{len(self.present)} of {len(self.classes)}",
        }
        table = self.per_class[self.per_class["support"] > 0].sort_values("support", ascending=False, kind="stable")
        note = "" if len(table) <= _SHOWN_CLASSES else f"<p>The {_SHOWN_CLASSES} largest of {len(table)} classes.</p>"
        return f"{html_table(rows)}{table.head(_SHOWN_CLASSES).round(3).to_html(border=0)}{note}"


def evaluate_multilabel(
    truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], threshold: float = 0.5
) -> MultilabelResult:
    """Compare the probabilities of several labels an example with the truth.

    Parameters
    ----------
    truth
        Zeros and ones (N, C). Classes may be missing in it: the means leave them out, and `left_out` names them.
    probabilities
        (N, C), as a sigmoid for each class, or any score that is larger for likelier labels.
    classes
        The C names, in the order of the columns.
    threshold
        A label is given where its probability reaches this; only F1 and the label accuracy depend on it.

    Returns
    -------
    MultilabelResult
        Average precision by scikit-learn, F1, tables, and bootstrap intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, the truth is not of zeros and ones or holds no label at all, or a probability is
        NaN.
    """
    hot, scores = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    names = tuple(str(name) for name in classes)
    if hot.ndim != 2 or not len(hot) or hot.shape != scores.shape or hot.shape[1] != len(names):
        raise MpiiError(
            f"truth {hot.shape}, probabilities {scores.shape}, {len(names)} classes: give (N, C), (N, C) and C names"
        )
    if not np.isin(hot, (0, 1)).all() or not hot.any():
        raise MpiiError("truth: give zeros and ones (N, C) with at least one 1, as multi_hot makes them")
    if np.isnan(scores).any():
        row = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
        raise MpiiError(f"probabilities: row {row} has NaN; look for a training that did not converge")
    return MultilabelResult(hot.astype(np.int8), scores, names, float(threshold))


def frequency_baseline(labels: np.ndarray, classes: int, examples: int) -> np.ndarray:
    """Answer every example with how frequent each class was in training: what looking at the picture must beat.

    Parameters
    ----------
    labels
        Of the training examples: integers (M,), or zeros and ones (M, C).
    classes
        Number C of classes.
    examples
        Number N of examples to answer.

    Returns
    -------
    numpy.ndarray
        float64 (N, C), equal rows: the share of the training examples that have the class.

    Raises
    ------
    MpiiError
        When there are no labels, or they do not fit the classes.
    """
    known = np.asarray(labels)
    fits = known.ndim == 1 and np.issubdtype(known.dtype, np.integer) and len(known) and 0 <= known.min()
    if fits and known.max() < classes:
        shares = np.bincount(known, minlength=classes) / len(known)
    elif known.ndim == 2 and len(known) and known.shape[1] == classes:
        shares = known.mean(axis=0, dtype=np.float64)
    else:
        raise MpiiError(f"frequency_baseline: labels {known.shape} of {classes} classes; give (M,) integers or (M, C)")
    return np.tile(shares, (examples, 1))
