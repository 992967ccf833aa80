"""Scores with intervals, and two models compared on the same examples; see `mpii_lib.intervals`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mpii_lib._html import Summary
from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.intervals import Groups, Interval, Statistic, difference_interval, group_codes, score_interval


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
    if not 1 <= repeats <= 1_000_000 or not 1 <= count < 2**31 or seed < 0:
        raise MpiiError(f"bootstrap: {count} examples, {repeats=}, {seed=}; give 1 or more, and a seed from 0")
    codes = group_codes(groups, count)
    units = int(codes.max()) + 1
    generator = np.random.default_rng(seed)
    draws = (np.bincount(generator.integers(0, units, units), minlength=units) for _ in range(repeats))
    return np.array([statistic(drawn[codes].astype(float)) for drawn in draws], dtype=float)


def weighted_mean(values: np.ndarray) -> Statistic:
    """The mean of one value an example (N,), as a statistic of the examples' weights."""
    return lambda weights: float(weights @ values / weights.sum())


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
        give none. In simulations of 5 to 200 uneven groups intervals at 95 % hold in 93 to 98 of 100 tests; those of
        micro F1, the Brier score and the log loss in 90 to 95; and where hardly an example is wrong, so that one group
        makes the difference, in 76 to 99 (`benchmarks/results/intervals.json`).

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
    codes, top = group_codes(groups, len(first.labels)), first.TOPS.get(name, 1.0)
    gap = difference_interval(first.statistic(name), second.statistic(name), codes, seed, level, top)
    return Comparison(name, first.value(name), second.value(name), gap)
