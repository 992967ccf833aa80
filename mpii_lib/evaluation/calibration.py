"""Whether a classifier is as often right as it is sure: reliability, Brier score, and temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.class_scores import checked_labels
from mpii_lib.evaluation.resampling import Scored, check_metric, weighted_mean
from mpii_lib.intervals import Statistic

_SMALLEST = 1.2e-38  # a float32 softmax gives 0 for what is smaller; the logarithm needs a number
_TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True, repr=False)
class Calibration(Scored):
    """How sure a classifier is, against how often it is right.

    Attributes
    ----------
    labels
        int64 (N,), the true class of each example.
    probabilities
        float64 (N, C), rows that sum to 1.
    edges
        float64 (B + 1,), the ends of the bins of confidence; a bin holds its upper end, as in scikit-learn.
    """

    METRICS: ClassVar = ("expected_calibration_error", "brier", "log_loss", "confidence", "accuracy")
    TOPS: ClassVar = {"brier": 2.0, "log_loss": np.inf}
    labels: np.ndarray
    probabilities: np.ndarray
    edges: np.ndarray

    @cached_property
    def examples(self) -> pd.DataFrame:
        """By example: `confidence` (the probability of the prediction), `accuracy` (0 or 1), `brier`, `log_loss`."""
        hot = self.labels[:, None] == np.arange(self.probabilities.shape[1])
        columns = {
            "confidence": self.probabilities.max(axis=1),
            "accuracy": (self.probabilities.argmax(axis=1) == self.labels).astype(float),
            "brier": ((self.probabilities - hot) ** 2).sum(axis=1),
            "log_loss": -np.log(np.maximum(self.probabilities[hot], _SMALLEST)),
        }
        return pd.DataFrame(columns)

    @cached_property
    def bins(self) -> np.ndarray:
        """The bin of each example, int64 (N,)."""
        return np.searchsorted(self.edges[1:-1], self.examples["confidence"])

    @cached_property
    def table(self) -> pd.DataFrame:
        """Reliability, a row a bin that holds examples: `low`, `high`, `examples`, mean `confidence`, `accuracy`."""
        grouped = self.examples[["confidence", "accuracy"]].groupby(self.bins)
        counts = grouped.size()
        ends = {"low": self.edges[counts.index], "high": self.edges[counts.index + 1], "examples": counts}
        return pd.DataFrame(ends).join(grouped.mean()).reset_index(drop=True)

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of confidence and accuracy, each bin weighing as many examples as it holds (Naeini 2015).

        Chance alone makes it larger than 0: the fewer examples, the more.
        """
        return self.value("expected_calibration_error")

    @property
    def brier(self) -> float:
        """Mean squared distance of the probabilities from the labels as zeros and ones, 0 to 2 (Brier 1950)."""
        return self.value("brier")

    @property
    def log_loss(self) -> float:
        """Mean of -log of the true class's probability: the cross-entropy, 0 or more."""
        return self.value("log_loss")

    @property
    def confidence(self) -> float:
        """Mean probability of the predictions; the accuracy that the classifier promises."""
        return self.value("confidence")

    @property
    def accuracy(self) -> float:
        """Share of right predictions."""
        return self.value("accuracy")

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the interval."""
        check_metric(metric, self.METRICS)
        if metric != "expected_calibration_error":
            return weighted_mean(self.examples[metric].to_numpy())
        gaps = (self.examples["confidence"] - self.examples["accuracy"]).to_numpy()
        return lambda weights: float(np.abs(np.bincount(self.bins, weights * gaps)).sum() / weights.sum())

    def _summary(self) -> dict[str, str]:
        return {
            "mean confidence": f"{self.confidence:.3f}",
            "accuracy": f"{self.accuracy:.3f}",
            "expected calibration error": f"{self.expected_calibration_error:.3f}",
            "Brier score (0 to 2)": f"{self.brier:.3f}",
            "log loss": f"{self.log_loss:.3f}",
            "examples": str(len(self.labels)),
        }

    def _repr_html_(self) -> str:
        return f"{super()._repr_html_()}{self.table.round(3).to_html(border=0, index=False)}"


@checked
def evaluate_calibration(
    labels: ArrayLike, probabilities: ArrayLike, bins: int = 10, strategy: Literal["uniform", "quantile"] = "uniform"
) -> Calibration:
    """Compare how sure a classifier is of its predictions with how often they are right.

    Parameters
    ----------
    labels
        Integer class of each example (N,).
    probabilities
        (N, C), rows that sum to 1.
    bins
        Into how many bins of confidence the examples are sorted.
    strategy
        "uniform": bins of equal width from 0 to 1. "quantile": bins with about as many examples each.

    Returns
    -------
    Calibration
        Reliability table, expected calibration error, Brier score and log loss, with intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, rows do not sum to 1, or there is no bin.
    """
    known, scores = _checked(labels, probabilities)
    if not 1 <= bins <= 10_000:
        raise MpiiError(f"calibration: bins={bins}; give 1 or more, 10 for instance")
    edges = np.linspace(0, 1, bins + 1)
    if strategy == "quantile":
        edges = np.quantile(scores.max(axis=1), edges)
        edges[0], edges[-1] = 0.0, 1.0
    return Calibration(known, scores, edges)


@dataclass(frozen=True)
class Temperature:
    """One number that makes a classifier more or less sure without changing a prediction (Guo 2017).

    Attributes
    ----------
    value
        Above 1 where the classifier was too sure, below 1 where it was not sure enough.
    before, after
        Log loss on the examples that it was fitted to.
    """

    value: float
    before: float
    after: float

    @property
    def at_bound(self) -> bool:
        """Whether the search ended at 0.05 or 20, so that the best temperature lies beyond."""
        return not 1.001 * _TEMPERATURES[0] < self.value < 0.999 * _TEMPERATURES[1]

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Divide the logarithms by the temperature and normalise again: (N, C) to float64 (N, C)."""
        return np.exp(_log_tempered(np.asarray(probabilities, dtype=np.float64), self.value))

    def __repr__(self) -> str:
        bound = " (at the end of the search: the best lies beyond)" if self.at_bound else ""
        return f"temperature {self.value:.2f}{bound}, log loss {self.before:.3f} before and {self.after:.3f} after"


@checked
def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> Temperature:
    """Find the temperature with the smallest log loss, from 0.05 to 20.

    Fit it on validation examples: neither on those that the classifier has learned, of which it is far too sure, nor on
    the test. The log loss is convex in 1 / temperature, so there is one best value. Where it lies beyond 0.05 or 20, as
    when no example is wrong, the result says so (`at_bound`).

    Parameters
    ----------
    labels
        Integer class of each example (N,).
    probabilities
        (N, C), rows that sum to 1, from a softmax. Zeros are taken for 1.2e-38, the smallest of float32.

    Returns
    -------
    Temperature

    Raises
    ------
    MpiiError
        As for `evaluate_calibration`.
    """
    known, scores = _checked(labels, probabilities)

    def loss(logarithm: float) -> float:
        return float(-_log_tempered(scores, np.exp(logarithm))[np.arange(len(known)), known].mean())

    best = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded", options={"xatol": 1e-6})
    return Temperature(float(np.exp(best.x)), loss(0.0), float(best.fun))


def _log_tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    return log_softmax(np.log(np.maximum(probabilities, _SMALLEST)) / temperature, axis=1)


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    known, scores = checked_labels("calibration", labels, probabilities)
    if not (np.abs(scores.sum(axis=1) - 1) < 1e-3).all() or scores.min() < 0:
        raise MpiiError("calibration: rows of the probabilities do not sum to 1; give the output of a softmax")
    return known, scores
