"""How good a classifier is on pictures that it never saw, class by class, and how sure that number is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
    top_k_accuracy_score,
)

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.calibration import Calibration, evaluate_calibration
from mpii_lib.evaluation.ranking import (
    average_precision_statistic,
    average_precisions,
    class_scores,
    mean_of_known,
)
from mpii_lib.evaluation.resampling import Groups, Scored, Statistic, html_table, known_metric

_SHOWN_CLASSES = 25


@dataclass(frozen=True)
class ClassificationResult(Scored):
    """Predictions beside the truth, and the scores that follow from them.

    Attributes
    ----------
    truth
        int64 (N,), positions in `classes`.
    probabilities
        float64 (N, C).
    classes
        The C names.
    """

    METRICS: ClassVar = ("accuracy", "balanced_accuracy", "macro_f1", "mean_average_precision")
    CLASS_METRICS: ClassVar = ("recall", "precision", "f1", "average_precision")
    truth: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class of each example, int64 (N,); the first one of equals."""
        return self.probabilities.argmax(axis=1)

    @property
    def present(self) -> np.ndarray:
        """Positions of the classes that occur in the truth; no other can be scored."""
        return np.unique(self.truth)

    @property
    def accuracy(self) -> float:
        """Share of the examples whose most probable class is the true one."""
        return float(accuracy_score(self.truth, self.predicted))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that occur in the truth."""
        # As balanced_accuracy_score, which warns when a class is predicted that the truth lacks: ordinary here.
        return float(recall_score(self.truth, self.predicted, labels=self.present, average="macro", zero_division=0))

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that occur in the truth; a class that is never predicted counts 0."""
        return float(f1_score(self.truth, self.predicted, labels=self.present, average="macro", zero_division=0))

    @property
    def majority(self) -> float:
        """Accuracy of always answering with the most frequent class of the truth: what any classifier must beat."""
        return float(np.bincount(self.truth).max() / len(self.truth))

    @cached_property
    def average_precision(self) -> pd.Series:
        """Average precision of "this class or not", by class; NaN for classes that the truth lacks."""
        values = average_precisions(self._one_hot, self.probabilities)
        return pd.Series(values, index=pd.Index(self.classes, name="class"), name="average_precision")

    @cached_property
    def mean_average_precision(self) -> float:
        """Mean of `average_precision` over the classes in the truth.

        The score of the 393-class activity protocol of MPII (Pishchulin 2014, Girdhar 2017). A classifier that gives
        every example the same probabilities gets 1 / (number of classes in the truth).
        """
        return mean_of_known(self.average_precision.to_numpy())

    def calibration(self, bins: int = 10, strategy: str = "uniform") -> Calibration:
        """Compare how sure the answers are with how often they are right; see `evaluate_calibration`."""
        return evaluate_calibration(self.truth, self.probabilities, bins, strategy)

    def top_k(self, k: int = 5) -> float:
        """Share of the examples whose true class is among the k most probable ones; 1 when k reaches C."""
        if k < 1:
            raise MpiiError(f"top_k: k is {k}; give a whole number of at least 1")
        if k >= len(self.classes):
            return 1.0
        if len(self.classes) == 2:
            return self.accuracy  # scikit-learn takes the scores of two classes in another shape
        labels = np.arange(len(self.classes))
        return float(top_k_accuracy_score(self.truth, self.probabilities, k=k, labels=labels))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 and support (examples) of each class; NaN for classes that the truth lacks."""
        labels = np.arange(len(self.classes))
        columns = precision_recall_fscore_support(self.truth, self.predicted, labels=labels, zero_division=0)
        names = ("precision", "recall", "f1", "support")
        table = pd.DataFrame(dict(zip(names, columns, strict=True)), index=pd.Index(self.classes, name="class"))
        table.loc[table["support"] == 0, ["precision", "recall", "f1"]] = np.nan
        return table

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Number of examples, a row for each true class and a column for each predicted one."""
        counts = confusion_matrix(self.truth, self.predicted, labels=np.arange(len(self.classes)))
        names = list(self.classes)
        return pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted"))

    def mistakes(self, groups: Groups = None) -> pd.DataFrame:
        """List the wrong answers, the surest first: `position`, `true`, `predicted`, `probability` of the answer.

        With `groups`, one value for each example (N,), only the surest mistake of each group stays: frames of one video
        are wrong together, and one of them tells it. An example whose value is missing is a group of its own.
        """
        wrong = np.flatnonzero(self.predicted != self.truth)
        names = np.asarray(self.classes, dtype=object)
        table = pd.DataFrame(
            {
                "position": wrong,
                "true": names[self.truth[wrong]],
                "predicted": names[self.predicted[wrong]],
                "probability": self.probabilities[wrong, self.predicted[wrong]],
            }
        )
        table = table.sort_values("probability", ascending=False, kind="stable", ignore_index=True)
        if groups is None:
            return table
        if len(groups) != len(self.truth):
            raise MpiiError(f"groups: {len(groups)} values for {len(self.truth)} examples; give one for each")
        group = pd.Series(np.asarray(groups, dtype=object)[table["position"]])
        return table[~(group.duplicated() & group.notna())].reset_index(drop=True)

    @property
    def _one_hot(self) -> np.ndarray:
        return self.truth[:, None] == np.arange(len(self.classes))

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the bootstrap."""
        if known_metric(metric, self.METRICS) == "mean_average_precision":
            of_classes = average_precision_statistic(self._one_hot, self.probabilities)
            return lambda weights: mean_of_known(of_classes(weights))
        return lambda weights: _FROM_COUNTS[metric](self._counts(weights))

    def class_statistic(self, metric: str) -> Statistic:
        """Give a score of `CLASS_METRICS` for each class (C,) as a function of the weights (N,) of the examples."""
        if known_metric(metric, self.CLASS_METRICS) == "average_precision":
            return average_precision_statistic(self._one_hot, self.probabilities)

        def statistic(weights: np.ndarray) -> np.ndarray:
            counts = self._counts(weights)
            return class_scores(np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0))[metric]

        return statistic

    def _counts(self, weights: np.ndarray) -> np.ndarray:
        size = len(self.classes)
        cells = self.truth * size + self.predicted  # position in the flattened confusion matrix
        return np.bincount(cells, weights=weights, minlength=size * size).reshape(size, size)

    def scores(self, groups: Groups = None, seed: int = 0) -> dict[str, float]:
        """Give the scores as a dict for the run record (`mpii_lib.training.add_scores`).

        `accuracy_low` and `accuracy_high` are the ends of the 95 % interval, with `groups` and `seed` as in `interval`.
        """
        accuracy = self.interval(groups=groups, seed=seed)
        return {
            "accuracy": accuracy.value,
            "accuracy_low": accuracy.low,
            "accuracy_high": accuracy.high,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            "mean_average_precision": self.mean_average_precision,
            "top_5": self.top_k(5),
            "majority": self.majority,
            "examples": len(self.truth),
        }

    def __repr__(self) -> str:
        single = self.interval()
        return (
            f"accuracy {self.accuracy:.3f} on {len(self.truth)} examples "
            f"({single.low:.3f} to {single.high:.3f} if they were independent), macro F1 {self.macro_f1:.3f}, "
            f"always the most frequent class {self.majority:.3f}"
        )

    def _repr_html_(self) -> str:
        rows = {
            "accuracy (95 % interval if the examples were independent)": str(self.interval()),
            "always the most frequent class": f"{self.majority:.3f}",
            "balanced accuracy": f"{self.balanced_accuracy:.3f}",
            "macro F1": f"{self.macro_f1:.3f}",
            "true class among the first 5": f"{self.top_k(5):.3f}",
            "examples": str(len(self.truth)),
            "classes in the truth": f"{len(self.present)} of {len(self.classes)}",
        }
        table = self.per_class[self.per_class["support"] > 0].sort_values("support", ascending=False, kind="stable")
        note = "" if len(table) <= _SHOWN_CLASSES else f"<p>The {_SHOWN_CLASSES} largest of {len(table)} classes.</p>"
        return f"{html_table(rows)}{table.head(_SHOWN_CLASSES).round(3).to_html(border=0)}{note}"


def evaluate_classifier(
    truth: Sequence[int] | np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> ClassificationResult:
    """Compare predicted probabilities with the truth.

    Parameters
    ----------
    truth
        Integer class of each example (N,). Classes may be missing in it: they are left out of the means.
    probabilities
        (N, C), as a softmax or any score that is larger for likelier classes.
    classes
        The C names, in the order of the columns.

    Returns
    -------
    ClassificationResult
        Scores by scikit-learn, tables, and bootstrap intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, there is no example, a class is out of range, or a probability is NaN.
    """
    labels, scores = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    names = tuple(str(name) for name in classes)
    if labels.ndim != 1 or not len(labels) or scores.shape != (len(labels), len(names)):
        raise MpiiError(
            f"truth {labels.shape}, probabilities {scores.shape}, {len(names)} classes: give (N,), (N, C) and C names"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= len(names):
        raise MpiiError(f"truth: give whole numbers from 0 to {len(names) - 1}, as the columns are numbered")
    if np.isnan(scores).any():
        row = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
        raise MpiiError(f"probabilities: row {row} has NaN; look for a training that did not converge")
    return ClassificationResult(labels.astype(np.int64), scores, names)


def _accuracy(counts: np.ndarray) -> float:
    return float(np.trace(counts) / counts.sum())


def _balanced_accuracy(counts: np.ndarray) -> float:
    return mean_of_known(class_scores(np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0))["recall"])


def _macro_f1(counts: np.ndarray) -> float:
    return mean_of_known(class_scores(np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0))["f1"])


# The same scores from a confusion matrix: a thousand repeats through scikit-learn would take seconds.
_FROM_COUNTS: dict[str, Callable[[np.ndarray], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
}
