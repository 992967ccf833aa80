"""How sure a score is: whole groups of examples, such as videos, are left out one after the other.

Frames of one video succeed or fail together. Counting them one by one makes an interval too narrow, so a video leaves
with all of its frames, or not at all. `benchmarks/bench_intervals.py` counts how often the intervals hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

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


def standard_error(statistic: Statistic, codes: np.ndarray, seed: int = 0) -> Any:
    """Jackknife: how far a statistic moves when one group after the other is left out (Tukey 1958).

    Unlike draws with repetition it loses no class but those of a single group. More than 250 groups are dealt at
    random to 250 sets, which are left out instead. NaN for fewer than five.
    """
    units = int(codes.max()) + 1
    if seed < 0:
        raise MpiiError(f"interval: seed is {seed}; give a whole number from 0")
    if units < LEAST_GROUPS:
        return np.nan
    if units > MOST_SETS:
        codes, units = (np.random.default_rng(seed).permutation(units) % MOST_SETS)[codes], MOST_SETS
    values = np.array([statistic((codes != left_out).astype(float)) for left_out in range(units)], dtype=float)
    return np.sqrt((units - 1) * values.var(axis=0))


def score_ends(value: Any, error: Any, groups: Any, level: float = 0.95, top: float = 1.0) -> tuple[Any, Any]:
    """Give the ends of the interval of a score between 0 and `top`, numbers or arrays; NaN where there is none.

    All true scores that are not further from `value` than Student's t of `groups` - 1 allows, where the variance of a
    score p goes with p (top - p) and is `error` squared at `value` (Wilson 1927, with the variance of the groups). So
    the ends hold the value and stay within 0 and `top`. Where the error is 0, as when all are right, each group counts
    as one single trial.
    """
    factor = student(groups, level)
    room = np.asarray(value * (1 - value / top))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((error > 1e-12) & (room > 1e-12), error**2 / room, top / np.asarray(groups))
        width = factor**2 * share
        reach = np.sqrt(width**2 + 4 * width * np.maximum(room, 0))
        low, high = ((2 * value + width + sign * reach) / (2 * (1 + width / top)) for sign in (-1, 1))
    return np.clip(low, 0, value), np.clip(high, value, top)


def score_interval(
    statistic: Statistic, codes: np.ndarray, seed: int = 0, level: float = 0.95, top: float = 1.0
) -> Interval:
    """Interval of a score between 0 and `top`, by groups numbered from 0 (N,); for `interval` of a result."""
    value, groups = float(statistic(np.ones(len(codes)))), int(codes.max()) + 1
    low, high = score_ends(value, standard_error(statistic, codes, seed), groups, level, top)
    return Interval(value, float(low), float(high), groups)


def difference_interval(
    first: Statistic, second: Statistic, codes: np.ndarray, seed: int = 0, level: float = 0.95, top: float = 1.0
) -> Interval:
    """Student's interval of first minus second, two scores between 0 and `top`; none where all groups are alike."""
    alone, groups = np.ones(len(codes)), int(codes.max()) + 1
    error, gap = standard_error(lambda w: first(w) - second(w), codes, seed), float(first(alone) - second(alone))
    reach = student(groups, level) * (error if error > 1e-12 else np.nan)
    return Interval(gap, float(max(gap - reach, -top)), float(min(gap + reach, top)), groups)


def student(groups: Any, level: float) -> Any:
    """Student's factor; NaN for too few groups."""
    if not 0 < level < 1:
        raise MpiiError(f"interval: level is {level}; give a share between 0 and 1, such as 0.95")
    return np.where(np.asarray(groups) < LEAST_GROUPS, np.nan, stats.t.ppf((1 + level) / 2, np.asarray(groups) - 1))
