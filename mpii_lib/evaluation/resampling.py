"""How sure a score is: whole groups of examples, such as videos, are left out one after the other.

Frames of one video succeed or fail together. Counting them one by one makes an interval too narrow, so a video leaves
with all of its frames, or not at all. `benchmarks/bench_intervals.py` counts how often the intervals hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mpii_lib._html import Summary
from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError

# From the weight of each example (N,), how often it counts, to a score or to one score a class.
Statistic = Callable[[np.ndarray], Any]
Groups = Sequence[object] | np.ndarray | None

LEAST_GROUPS = 5  # from fewer there is no interval and no verdict
MOST_SETS = 250  # more groups are left out in so many sets


class Interval(NamedTuple):
    """A score, and the range that holds what it is on average in 95 of 100 such tests (or what `level` says).

    Where there is no interval, `low` and `high` are NaN, and the text says why: "0.571 (no interval: 3 groups)".

    Attributes
    ----------
    value, low, high
        The score and the ends.
    groups
        How many groups (videos; single examples without groups) it rests on.
    """

    value: float
    low: float
    high: float
    groups: int

    def record(self, name: str) -> dict[str, float]:
        """For a run record: `name`, `name_low` and `name_high`, the last two only where there is an interval."""
        ends = {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}
        return {key: end for key, end in ends.items() if np.isfinite(end)}

    def __str__(self) -> str:
        if np.isfinite(self.low):
            return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"
        count = f"{self.groups} group{'s' * (self.groups != 1)}"
        return f"{self.value:.3f} (no interval: {count if self.groups < LEAST_GROUPS else f'all {count} alike'})"


def group_codes(groups: Groups, count: int) -> np.ndarray:
    """Number the groups from 0: int64 (N,). Without groups, and where a value is missing, an example is its own group.

    MpiiError when there is not one value for each of the `count` examples.
    """
    try:
        codes = np.arange(count) if groups is None else pd.factorize(pd.Series(groups))[0]
    except (TypeError, ValueError) as error:
        raise MpiiError("interval: groups that are no single values; give a name or number for each example") from error
    if len(codes) != count:
        raise MpiiError(f"interval: {len(codes)} groups for {count} examples; give one for each example")
    alone = codes < 0
    return np.where(alone, codes.max(initial=-1) + np.cumsum(alone), codes)


@checked
def bootstrap(
    statistic: Statistic, count: int, groups: Groups = None, seed: int = 0, repeats: int = 1000
) -> np.ndarray:
    """Compute a statistic again and again on groups that are drawn with repetition (Efron 1979).

    It shows how a score might vary. The middle 95 % of its values are no good interval where groups are few or classes
    are small: draws lose the classes of few groups. `Scored.interval` holds better.

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
    if not 1 <= repeats <= 1_000_000 or not 1 <= count < 2**31:
        raise MpiiError(f"bootstrap: {count} examples, repeats={repeats}; give 1 or more, and 1000 for a histogram")
    codes = group_codes(groups, count)
    units = int(codes.max()) + 1
    generator = _generator(seed)
    draws = (np.bincount(generator.integers(0, units, units), minlength=units) for _ in range(repeats))
    return np.array([statistic(drawn[codes].astype(float)) for drawn in draws], dtype=float)


def weighted_mean(values: np.ndarray) -> Statistic:
    """The mean of one value an example (N,), as a statistic of the examples' weights."""
    return lambda weights: float(weights @ values / weights.sum())


def standard_error(statistic: Statistic, codes: np.ndarray, seed: int = 0) -> Any:
    """Jackknife: how far a statistic moves when one group after the other is left out (Tukey 1958).

    Unlike draws with repetition it loses no class but those of a single group. More than 250 groups are dealt at
    random to 250 sets, which are left out instead. NaN for fewer than five.
    """
    generator, units = _generator(seed), int(codes.max()) + 1
    if units < LEAST_GROUPS:
        return np.nan
    if units > MOST_SETS:
        codes, units = (generator.permutation(units) % MOST_SETS)[codes], MOST_SETS
    values = np.array([statistic((codes != left_out).astype(float)) for left_out in range(units)], dtype=float)
    return np.sqrt((units - 1) * values.var(axis=0))


def score_ends(value: Any, error: Any, groups: Any, level: float = 0.95, top: float = 1.0) -> tuple[Any, Any]:
    """Give the ends of the interval of a score between 0 and `top`, numbers or arrays; NaN where there is none.

    All true scores that are not further from `value` than Student's t of `groups` - 1 allows, where the variance of a
    score p goes with p (top - p) and is `error` squared at `value` (Wilson 1927, with the variance of the groups). So
    the ends hold the value and stay within 0 and `top`. Where the error is 0, as when all are right, each group counts
    as one single trial.
    """
    factor = _student(groups, level)
    room = np.asarray(value * (1 - value / top))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((error > 1e-12) & (room > 1e-12), error**2 / room, top / np.asarray(groups))
        width = factor**2 * share
        reach = np.sqrt(width**2 + 4 * width * np.maximum(room, 0))
        low, high = ((2 * value + width + sign * reach) / (2 * (1 + width / top)) for sign in (-1, 1))
    return np.minimum(low, value), np.maximum(high, value)


def score_interval(
    statistic: Statistic, codes: np.ndarray, seed: int = 0, level: float = 0.95, top: float = 1.0
) -> Interval:
    """Interval of a score between 0 and `top`, by groups numbered from 0 (N,); see `Scored.interval`."""
    value, groups = float(statistic(np.ones(len(codes)))), int(codes.max()) + 1
    low, high = score_ends(value, standard_error(statistic, codes, seed), groups, level, top)
    return Interval(value, float(low), float(high), groups)


def _student(groups: Any, level: float) -> Any:
    """Student's factor; NaN for too few groups."""
    if not 0 < level < 1:
        raise MpiiError(f"interval: level is {level}; give a share between 0 and 1, such as 0.95")
    return np.where(np.asarray(groups) < LEAST_GROUPS, np.nan, stats.t.ppf((1 + level) / 2, np.asarray(groups) - 1))


def _generator(seed: int) -> np.random.Generator:
    if seed < 0:
        raise MpiiError(f"interval: seed is {seed}; give a whole number from 0")
    return np.random.default_rng(seed)


class Scored(Summary):
    """What results share: scores with intervals. A result says how a score follows from weighted examples."""

    METRICS: ClassVar[tuple[str, ...]] = ()
    TOPS: ClassVar[dict[str, float]] = {}  # the largest value of a metric where it is not 1
    labels: np.ndarray

    def statistic(self, metric: str) -> Statistic:
        """Give a score of `METRICS` as a function of the weights (N,) of the examples; MpiiError for another one."""
        raise NotImplementedError

    def value(self, metric: str) -> float:
        """Give a score of `METRICS` on the examples as they are."""
        return float(self.statistic(metric)(np.ones(len(self.labels))))

    @checked
    def interval(
        self, metric: str | None = None, groups: Groups = None, seed: int = 0, level: float = 0.95
    ) -> Interval:
        """Interval of a score: Wilson's with Student's t and the jackknife's standard error over groups.

        It is an interval for what the score is on average in tests like this one. For means over small classes (mean
        average precision) and for the calibration error this depends on the size of the test. Fewer than five groups
        give none. Measured by simulation with 5 to 200 groups (`benchmarks/results/intervals.json`).

        Parameters
        ----------
        metric
            One of `METRICS`; the first of them by default.
        groups
            One value for each example (N,). Whole groups are left out then, not single examples: frames of one video
            succeed or fail together, and counting them one by one makes the interval too narrow. An example whose
            value is missing is a group of its own.
        seed
            Of the dealing of more than 250 groups to 250 sets; without a meaning for fewer.
        level
            Share of such tests whose interval holds the average.

        Returns
        -------
        Interval
            (value, low, high, groups).

        Raises
        ------
        MpiiError
            For an unknown metric, or groups of another length than the labels.
        """
        name = metric or self.METRICS[0]
        codes = group_codes(groups, len(self.labels))
        return score_interval(self.statistic(name), codes, seed, level, self.TOPS.get(name, 1.0))


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
    """

    metric: str
    first: float
    second: float
    difference: Interval

    @property
    def decided(self) -> bool:
        """Whether the interval of the difference leaves out 0; never without one, as for fewer than five groups."""
        return bool(self.difference.low > 0 or self.difference.high < 0)

    def _summary(self) -> dict[str, str]:
        open_ = "no, the interval holds 0" if np.isfinite(self.difference.low) else "no, there is no interval"
        return {
            f"{self.metric.replace('_', ' ')} of the first": f"{self.first:.3f}",
            "of the second": f"{self.second:.3f}",
            "difference": str(self.difference),
            "decided": "yes, the interval leaves out 0" if self.decided else open_,
        }


@checked
def compare(
    first: Scored,
    second: Scored,
    metric: str | None = None,
    groups: Groups = None,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Compare two models on the same videos: each video is left out of both, so that hard videos are hard for both.

    The interval of the difference is Student's, with the jackknife's standard error over groups. Where the models are
    equally good, one comparison in twenty is decided by luck at 95 %.

    Parameters
    ----------
    first, second
        Results of the same examples in the same order.
    metric, groups, seed, level
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
    if not (isinstance(first, Scored) and isinstance(second, Scored)):
        raise MpiiError("compare: give two results, as evaluate_classifier makes them")
    if not np.array_equal(first.labels, second.labels):
        raise MpiiError("compare: the two results have different labels; test both on the same examples, in one order")
    name = metric or first.METRICS[0]
    one, other = first.statistic(name), second.statistic(name)
    codes = group_codes(groups, len(first.labels))
    values, count = (first.value(name), second.value(name)), int(codes.max()) + 1
    error = standard_error(lambda weights: one(weights) - other(weights), codes, seed)
    reach = _student(count, level) * (error if error > 1e-12 else np.nan)
    gap, top = values[0] - values[1], first.TOPS.get(name, 1.0)
    low, high = np.clip([gap - reach, gap + reach], -top, top)
    return Comparison(name, *values, Interval(gap, float(low), float(high), count))
