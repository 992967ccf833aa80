"""How good a classifier is on images that it never saw, class by class, and how sure that number is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.calibration import Calibration, evaluate_calibration
from mpii_lib.evaluation.class_scores import ClassScores, checked_labels
from mpii_lib.evaluation.resampling import weighted_mean
from mpii_lib.intervals import Groups, Statistic, group_codes


@dataclass(frozen=True, repr=False)
class ClassificationResult(ClassScores):
    """Predictions beside the labels, and the scores that follow from them.

    Attributes
    ----------
    labels
        int64 (N,), positions in `classes`.
    probabilities
        float64 (N, C).
    classes
        The C names.
    """

    METRICS: ClassVar = ("accuracy", "balanced_accuracy", "macro_f1", "mean_average_precision")

    @cached_property
    def predictions(self) -> np.ndarray:
        """The most probable class of each example, int64 (N,); the first one of equals."""
        return self.probabilities.argmax(axis=1)

    @property
    def hot(self) -> np.ndarray:
        """The labels one-hot, bool (N, C)."""
        return self.labels[:, None] == np.arange(len(self.classes))

    @property
    def given(self) -> np.ndarray:
        """The predictions one-hot, bool (N, C)."""
        return self.predictions[:, None] == np.arange(len(self.classes))

    @property
    def accuracy(self) -> float:
        """Share of the examples whose most probable class is the true one."""
        return self.value("accuracy")

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that occur in the labels."""
        return self.value("balanced_accuracy")

    @property
    def majority(self) -> float:
        """Accuracy of always predicting the most frequent class of the labels: what any classifier must beat."""
        return float(np.bincount(self.labels).max() / len(self.labels))

    def calibration(self, bins: int = 10, strategy: Literal["uniform", "quantile"] = "uniform") -> Calibration:
        """Compare how sure the predictions are with how often they are right; see `evaluate_calibration`."""
        return evaluate_calibration(self.labels, self.probabilities, bins, strategy)

    @checked
    def top_k(self, k: int = 5) -> float:
        """Share of the examples whose true class is among the k most probable ones; 1 when k reaches C."""
        if k < 1:
            raise MpiiError(f"top_k: k is {k}; give a whole number of at least 1")
        likeliest = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :k]
        return float((likeliest == self.labels[:, None]).any(axis=1).mean())

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Number of examples, a row for each true class and a column for each predicted one."""
        counts = confusion_matrix(self.labels, self.predictions, labels=np.arange(len(self.classes)))
        names = list(self.classes)
        return pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted"))

    @checked
    def mistakes(self, groups: Groups = None) -> pd.DataFrame:
        """List the wrong predictions, the surest first: `position`, `true`, `predicted`, and its `probability`.

        With `groups`, one value for each example (N,), only the surest mistake of each group stays: frames of one video
        are wrong together, and one of them tells it. An example whose value is missing is a group of its own.
        """
        wrong = np.flatnonzero(self.predictions != self.labels)
        wrong = wrong[np.argsort(-self.probabilities[wrong, self.predictions[wrong]], kind="stable")]
        repeated = pd.Series(group_codes(groups, len(self.labels))[wrong]).duplicated().to_numpy()
        wrong = wrong[~repeated]
        names = np.asarray(self.classes, dtype=object)
        return pd.DataFrame(
            {
                "position": wrong,
                "true": names[self.labels[wrong]],
                "predicted": names[self.predictions[wrong]],
                "probability": self.probabilities[wrong, self.predictions[wrong]],
            }
        )

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the interval."""
        if metric == "accuracy":
            return weighted_mean(self.predictions == self.labels)
        return super().statistic(metric)

    def scores(self, groups: Groups = None, seed: int = 0) -> dict[str, float]:
        """Give the scores as a dict for the run record (`mpii_lib.training.add_scores`).

        `accuracy_low` and `accuracy_high` are the ends of the 95 % interval, with `groups` and `seed` as in `interval`;
        they are left out where there is none.
        """
        return {
            **self.interval(groups=groups, seed=seed).record("accuracy"),
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            "mean_average_precision": self.mean_average_precision,
            "top_5": self.top_k(5),
            "majority": self.majority,
            "examples": len(self.labels),
        }

    def _summary(self) -> dict[str, str]:
        return {
            "accuracy": f"{self.interval()}, if the examples are independent",
            "always the most frequent class": f"{self.majority:.3f}",
            "balanced accuracy": f"{self.balanced_accuracy:.3f}",
            "macro F1": f"{self.macro_f1:.3f}",
            "true class among the first 5": f"{self.top_k(5):.3f}",
        } | super()._summary()


@checked
def evaluate_classifier(labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[object]) -> ClassificationResult:
    """Compare predicted probabilities with the labels.

    Parameters
    ----------
    labels
        Integer class of each example (N,). Classes may be missing in it: they are left out of the means.
    probabilities
        (N, C), as a softmax or any score that is larger for likelier classes.
    classes
        The C names, in the order of the columns.

    Returns
    -------
    ClassificationResult
        Scores, tables, and intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, there is no example, a class is out of range, or a probability is NaN.
    """
    names = tuple(str(name) for name in classes)
    return ClassificationResult(*checked_labels("classification", labels, probabilities, len(names)), names)
