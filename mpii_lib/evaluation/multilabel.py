"""Several labels an image: average precision by label, F1 at a threshold, and the baselines that they must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.class_scores import ClassScores, checked_probabilities
from mpii_lib.evaluation.resampling import weighted_mean
from mpii_lib.intervals import Groups, Statistic


@dataclass(frozen=True, repr=False)
class MultilabelResult(ClassScores):
    """Probabilities of labels beside the labels, and the scores that follow.

    Attributes
    ----------
    labels
        int8 (N, C), 1 where the example has the label.
    probabilities
        float64 (N, C), each label for itself, as a sigmoid gives them.
    classes
        The C names.
    threshold
        A label is predicted where its probability reaches this.
    """

    METRICS: ClassVar = ("mean_average_precision", "macro_f1", "micro_f1", "label_accuracy")
    threshold: float = 0.5

    @property
    def hot(self) -> np.ndarray:
        """The labels, bool (N, C)."""
        return self.labels > 0

    @property
    def given(self) -> np.ndarray:
        """Labels whose probability reaches the threshold, bool (N, C)."""
        return self.probabilities >= self.threshold

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the classes that no example has, which the means leave out."""
        return tuple(np.delete(self.classes, self.present).tolist())

    @property
    def chance(self) -> float:
        """Mean average precision of giving every example the same probabilities, or of an order by lot."""
        return float(self.labels[:, self.present].mean())

    @property
    def micro_f1(self) -> float:
        """F1 of all single labels together, so that frequent classes count more; 0 when none is predicted."""
        return self.value("micro_f1")

    @property
    def label_accuracy(self) -> float:
        """Share of the N x C single yes-or-no predictions that are right; see `accuracy_of_no`."""
        return self.value("label_accuracy")

    @property
    def accuracy_of_no(self) -> float:
        """Label accuracy of never predicting a label: near 1 with many classes, and worth nothing."""
        return float((self.labels == 0).mean())

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the interval."""
        if metric == "label_accuracy":
            return weighted_mean((self.given == self.hot).mean(axis=1))
        if metric == "micro_f1":
            correct = (self.hot & self.given).sum(axis=1)
            both = self.hot.sum(axis=1) + self.given.sum(axis=1)
            return lambda weights: float(2 * (weights @ correct) / max(weights @ both, 1e-12))
        return super().statistic(metric)

    def scores(self, groups: Groups = None, seed: int = 0) -> dict[str, float]:
        """Give the scores as a dict for the run record, with the 95 % interval of the mean average precision."""
        return {
            **self.interval(groups=groups, seed=seed).record("mean_average_precision"),
            "mean_average_precision_chance": self.chance,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "label_accuracy": self.label_accuracy,
            "examples": len(self.labels),
            "classes_in_labels": len(self.present),
        }

    def _summary(self) -> dict[str, str]:
        return {
            "mean average precision": f"{self.mean_average_precision:.3f}",
            "of equal scores": f"{self.chance:.3f}",
            f"macro F1 at {self.threshold:g}": f"{self.macro_f1:.3f}",
            f"micro F1 at {self.threshold:g}": f"{self.micro_f1:.3f}",
            "single labels right": f"{self.label_accuracy:.3f}",
            "right without any label": f"{self.accuracy_of_no:.3f}",
        } | super()._summary()


@checked
def evaluate_multilabel(
    labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[object], threshold: float = 0.5
) -> MultilabelResult:
    """Compare the probabilities of several labels an example with the labels.

    Parameters
    ----------
    labels
        Zeros and ones (N, C). Classes may be missing in it: the means leave them out, and `left_out` names them.
    probabilities
        (N, C), as a sigmoid for each class, or any score that is larger for likelier labels.
    classes
        The C names, in the order of the columns.
    threshold
        A label is predicted where its probability reaches this; only F1 and the label accuracy depend on it.

    Returns
    -------
    MultilabelResult
        Average precision, F1, tables, and intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, the labels are not zeros and ones or hold no one at all, or a probability is NaN.
    """
    hot, scores = np.asarray(labels), checked_probabilities(probabilities)
    names = tuple(str(name) for name in classes)
    if hot.ndim != 2 or not len(hot) or hot.shape != scores.shape or hot.shape[1] != len(names):
        shapes = f"labels {hot.shape}, probabilities {scores.shape}, {len(names)} classes"
        raise MpiiError(f"{shapes}: give (N, C), (N, C) and C names")
    if not np.isin(hot, (0, 1)).all() or not hot.any():
        raise MpiiError("labels: give zeros and ones (N, C) with at least one 1, as image_labels makes them")
    return MultilabelResult(hot.astype(np.int8), scores, names, float(threshold))
