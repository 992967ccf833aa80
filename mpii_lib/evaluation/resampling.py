"""How sure a score is: the bootstrap over examples, or over whole groups of them, such as videos.

Frames of one video succeed or fail together. Counting them one by one makes an interval too narrow, so whole groups are
drawn: a video comes in with all of its frames, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from mpii_lib._html import Summary
from mpii_lib.errors import MpiiError

# From the weight of each example (N,), the number of times it was drawn, to a score or to one score a class.
Statistic = Callable[[np.ndarray], Any]
Groups = Sequence[object] | np.ndarray | None


class Interval(NamedTuple):
    """A score, and the range that holds it in 95 % of the repeats (or what `level` says)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def group_codes(groups: Groups, count: int) -> np.ndarray:
    """Number the groups from 0: int64 (N,). Without groups, and where a value is missing, an example is its own group.

    MpiiError when there is not one value for each of the `count` examples.
    """
    codes = np.arange(count) if groups is None else pd.factorize(pd.Series(groups))[0]
    if len(codes) != count:
        raise MpiiError(f"interval: {len(codes)} groups for {count} examples; give one for each example")
    alone = codes < 0
    return np.where(alone, codes.max() + np.cumsum(alone), codes)


def bootstrap(
    statistic: Statistic, count: int, groups: Groups = None, seed: int = 0, repeats: int = 1000
) -> np.ndarray:
    """Compute a statistic again and again on groups that are drawn with repetition (Efron 1979).

    Parameters
    ----------
    statistic
        From weights float64 (N,), how often each example was drawn, to a number or an array.
    count
        Number N of examples.
    groups
        One value for each example (N,), or None to draw single examples.
    seed, repeats
        Of the random draws, and how many there are.

    Returns
    -------
    numpy.ndarray
        float64 (repeats,) or (repeats, ...): one value a draw.
    """
    if repeats < 1:
        raise MpiiError(f"interval: repeats is {repeats}; give at least 1, and 1000 for a result to report")
    codes = group_codes(groups, count)
    units = int(codes.max()) + 1
    generator = np.random.default_rng(seed)
    draws = (np.bincount(generator.integers(0, units, units), minlength=units) for _ in range(repeats))
    return np.array([statistic(drawn[codes].astype(float)) for drawn in draws], dtype=float)


def weighted_mean(values: np.ndarray) -> Statistic:
    """The mean of one value an example (N,), as a statistic of the examples' weights."""
    return lambda weights: float(weights @ values / weights.sum())


def percentiles(values: np.ndarray, level: float = 0.95) -> tuple[Any, Any]:
    """Give the ends of the range that holds `level` of the values along axis 0; NaN values are left out."""
    if not 0 < level < 1:
        raise MpiiError(f"interval: level is {level}; give a share between 0 and 1, such as 0.95")
    known = np.isfinite(values).any(axis=0)
    low, high = np.nanquantile(np.where(known, values, 0.0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(known, low, np.nan)[()], np.where(known, high, np.nan)[()]


class Scored(Summary):
    """What results share: scores with intervals. A result says how a score follows from weighted examples."""

    METRICS: ClassVar[tuple[str, ...]] = ()
    labels: np.ndarray

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples; MpiiError for another one."""
        raise NotImplementedError

    def value(self, metric: str) -> float:
        """Give a score of `METRICS` on the examples as they are."""
        return float(self.statistic(metric)(np.ones(len(self.labels))))

    def interval(
        self,
        metric: str | None = None,
        groups: Groups = None,
        seed: int = 0,
        repeats: int = 1000,
        level: float = 0.95,
    ) -> Interval:
        """Bootstrap interval of a score (Efron 1979, percentile method).

        Parameters
        ----------
        metric
            One of `METRICS`; the first of them by default.
        groups
            One value for each example (N,). Whole groups are drawn then, not single examples: frames of one video
            succeed or fail together, and counting them one by one makes the interval too narrow. An example whose
            value is missing is a group of its own.
        seed, repeats
            Of the random draws, and how many there are.
        level
            Share of the repeats inside the interval.

        Returns
        -------
        Interval
            (value, low, high).

        Raises
        ------
        MpiiError
            For an unknown metric, or groups of another length than the labels.
        """
        name = metric or self.METRICS[0]
        low, high = percentiles(bootstrap(self.statistic(name), len(self.labels), groups, seed, repeats), level)
        return Interval(self.value(name), float(low), float(high))


def check_metric(metric: str, known: tuple[str, ...]) -> None:
    """MpiiError for a metric that is none of the known ones."""
    if metric not in known:
        raise MpiiError(f"interval: metric {metric!r} is unknown; use one of {', '.join(known)}")


@dataclass(frozen=True, repr=False)
class Comparison(Summary):
    """Two models on the same examples.

    Attributes
    ----------
    metric
        The score.
    first, second
        Its value for each of the two.
    difference
        First minus second, with its interval.
    larger
        Share of the repeats in which the first has the larger score; equal ones count half.
    """

    metric: str
    first: float
    second: float
    difference: Interval
    larger: float

    @property
    def decided(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return bool(self.difference.low > 0 or self.difference.high < 0)

    def _summary(self) -> dict[str, str]:
        return {
            f"{self.metric.replace('_', ' ')} of the first": f"{self.first:.3f}",
            "of the second": f"{self.second:.3f}",
            "difference": str(self.difference),
            "the first is larger": f"in {self.larger:.0%} of the repeats",
            "decided": "yes, the interval leaves out 0" if self.decided else "no, the interval holds 0",
        }


def compare(
    first: Scored,
    second: Scored,
    metric: str | None = None,
    groups: Groups = None,
    seed: int = 0,
    repeats: int = 1000,
    level: float = 0.95,
) -> Comparison:
    """Paired bootstrap of two models: each draw of videos scores both, so that hard videos are hard for both.

    Parameters
    ----------
    first, second
        Results of the same examples in the same order.
    metric, groups, seed, repeats, level
        As for `Scored.interval`.

    Returns
    -------
    Comparison
        Its interval is narrower than the two single ones suggest when both models fail on the same videos.

    Raises
    ------
    MpiiError
        When the two have different labels.
    """
    if not np.array_equal(first.labels, second.labels):
        raise MpiiError("compare: the two results have different labels; test both on the same examples, in one order")
    name = metric or first.METRICS[0]
    one, other = first.statistic(name), second.statistic(name)
    pairs = bootstrap(lambda weights: (one(weights), other(weights)), len(first.labels), groups, seed, repeats)
    gaps = pairs[:, 0] - pairs[:, 1]
    low, high = percentiles(gaps, level)
    values = first.value(name), second.value(name)
    larger = float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2)
    return Comparison(name, *values, Interval(values[0] - values[1], float(low), float(high)), larger)
