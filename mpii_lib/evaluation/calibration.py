"""Whether a classifier is as often right as it is sure: reliability, Brier score, and temperature scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.resampling import Scored, Statistic, html_table, known_metric

# A float32 softmax gives 0 where it means "hardly ever"; the logarithm needs a number.
_SMALLEST = 1e-12
_COLDEST, _HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Calibration(Scored):
    """How sure a classifier is, against how often it is right.

    Attributes
    ----------
    truth
        int64 (N,), the true class of each example.
    probabilities
        float64 (N, C), rows that sum to 1.
    edges
        float64 (B + 1,), the ends of the bins of confidence; a bin holds its upper end, as in scikit-learn.
    """

    METRICS: ClassVar = ("expected_calibration_error", "brier", "log_loss", "confidence", "accuracy")
    truth: np.ndarray
    probabilities: np.ndarray
    edges: np.ndarray

    @cached_property
    def sureness(self) -> np.ndarray:
        """Probability of the answer that is given, float64 (N,)."""
        return self.probabilities.max(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """Whether the answer is right, bool (N,)."""
        return self.probabilities.argmax(axis=1) == self.truth

    @property
    def confidence(self) -> float:
        """Mean probability of the answers; the accuracy that the classifier promises."""
        return float(self.sureness.mean())

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())

    @cached_property
    def table(self) -> pd.DataFrame:
        """Reliability, a row a bin that holds examples: `low`, `high`, `examples`, mean `confidence`, `accuracy`."""
        count, sure, right = self._sums(np.ones(len(self.truth)))
        held = count > 0
        return pd.DataFrame(
            {
                "low": self.edges[:-1][held],
                "high": self.edges[1:][held],
                "examples": count[held].astype(int),
                "confidence": sure[held] / count[held],
                "accuracy": right[held] / count[held],
            }
        )

    @cached_property
    def expected_calibration_error(self) -> float:
        """Mean distance of confidence and accuracy, each bin weighing as many examples as it holds (Naeini 2015).

        Chance alone makes it larger than 0: the fewer examples, the more.
        """
        return float(self._error(np.ones(len(self.truth))))

    @cached_property
    def brier(self) -> float:
        """Mean squared distance of the probabilities from the truth as zeros and ones, 0 to 2 (Brier 1950)."""
        return float(self._squares.mean())

    @cached_property
    def log_loss(self) -> float:
        """Mean of -log of the true class's probability: the cross-entropy, 0 or more."""
        return float(self._surprise.mean())

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples, for the bootstrap."""
        if known_metric(metric, self.METRICS) == "expected_calibration_error":
            return self._error
        rows = {
            "brier": self._squares,
            "log_loss": self._surprise,
            "confidence": self.sureness,
            "accuracy": self.right.astype(float),
        }[metric]
        return lambda weights: float(weights @ rows / weights.sum())

    def __repr__(self) -> str:
        return (
            f"confidence {self.confidence:.3f}, accuracy {self.accuracy:.3f}, "
            f"expected calibration error {self.expected_calibration_error:.3f}, Brier score {self.brier:.3f}, "
            f"log loss {self.log_loss:.3f} on {len(self.truth)} examples"
        )

    def _repr_html_(self) -> str:
        rows = {
            "mean confidence": f"{self.confidence:.3f}",
            "accuracy": f"{self.accuracy:.3f}",
            "expected calibration error": f"{self.expected_calibration_error:.3f}",
            "Brier score (0 to 2)": f"{self.brier:.3f}",
            "log loss": f"{self.log_loss:.3f}",
            "examples": str(len(self.truth)),
        }
        return f"{html_table(rows)}{self.table.round(3).to_html(border=0, index=False)}"

    @cached_property
    def _bin(self) -> np.ndarray:
        return np.searchsorted(self.edges[1:-1], self.sureness)

    @cached_property
    def _squares(self) -> np.ndarray:
        hot = self.truth[:, None] == np.arange(self.probabilities.shape[1])
        return ((self.probabilities - hot) ** 2).sum(axis=1)

    @cached_property
    def _surprise(self) -> np.ndarray:
        return -np.log(np.maximum(self.probabilities[np.arange(len(self.truth)), self.truth], _SMALLEST))

    def _sums(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        bins = len(self.edges) - 1
        columns = (weights, weights * self.sureness, weights * self.right)
        count, sure, right = (np.bincount(self._bin, weights=column, minlength=bins) for column in columns)
        return count, sure, right

    def _error(self, weights: np.ndarray) -> float:
        _, sure, right = self._sums(weights)
        return float(np.abs(sure - right).sum() / weights.sum())


def evaluate_calibration(
    truth: Sequence[int] | np.ndarray, probabilities: np.ndarray, bins: int = 10, strategy: str = "uniform"
) -> Calibration:
    """Compare how sure a classifier is of its answers with how often they are right.

    Parameters
    ----------
    truth
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
        Reliability table, expected calibration error, Brier score and log loss, with bootstrap intervals.

    Raises
    ------
    MpiiError
        When the shapes do not fit, rows do not sum to 1, or there is no bin.
    """
    labels, scores = _checked(truth, probabilities)
    if bins < 1 or strategy not in ("uniform", "quantile"):
        raise MpiiError(f'calibration: bins={bins}, strategy={strategy!r}; give 1 or more, and "uniform" or "quantile"')
    edges = np.linspace(0, 1, bins + 1)
    if strategy == "quantile":
        edges = np.quantile(scores.max(axis=1), edges)
        edges[0], edges[-1] = 0.0, 1.0
    return Calibration(labels, scores, edges)


@dataclass(frozen=True)
class Temperature:
    """One number that makes a classifier more or less sure without changing an answer (Guo 2017).

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

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Divide the logarithms by the temperature and normalise again: (N, C) to float64 (N, C)."""
        return _tempered(np.asarray(probabilities, dtype=np.float64), self.value)

    def __repr__(self) -> str:
        return f"temperature {self.value:.2f}, log loss {self.before:.3f} before and {self.after:.3f} after"


def fit_temperature(truth: Sequence[int] | np.ndarray, probabilities: np.ndarray) -> Temperature:
    """Find the temperature with the smallest log loss, from 0.05 to 20.

    Fit it on validation examples: neither on those that the classifier has learned, of which it is far too sure, nor on
    the test. The log loss is convex in 1 / temperature, so there is one best value.

    Parameters
    ----------
    truth
        Integer class of each example (N,).
    probabilities
        (N, C), rows that sum to 1, from a softmax. Zeros are taken for 1e-12.

    Returns
    -------
    Temperature

    Raises
    ------
    MpiiError
        As for `evaluate_calibration`.
    """
    labels, scores = _checked(truth, probabilities)

    def loss(logarithm: float) -> float:
        return Calibration(labels, _tempered(scores, float(np.exp(logarithm))), np.array([0.0, 1.0])).log_loss

    bounds = (float(np.log(_COLDEST)), float(np.log(_HOTTEST)))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return Temperature(float(np.exp(best.x)), loss(0.0), float(best.fun))


def _tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    logits = np.log(np.maximum(probabilities, _SMALLEST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _checked(truth: Sequence[int] | np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(truth), np.asarray(probabilities, dtype=np.float64)
    if labels.ndim != 1 or not len(labels) or scores.ndim != 2 or len(scores) != len(labels):
        raise MpiiError(f"calibration: truth {labels.shape}, probabilities {scores.shape}; give (N,) and (N, C)")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise MpiiError(f"calibration: give the truth as whole numbers from 0 to {scores.shape[1] - 1}")
    if not (np.abs(scores.sum(axis=1) - 1) < 1e-3).all() or scores.min() < 0:
        raise MpiiError("calibration: rows of the probabilities do not sum to 1; give the output of a softmax")
    return labels.astype(np.int64), scores
