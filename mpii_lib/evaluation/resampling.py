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
    values = []
    for _ in range(repeats):
        drawn = np.bincount(generator.integers(0, units, units), minlength=units)
        values.append(statistic(drawn[codes].astype(float)))
    return np.asarray(values, dtype=float)


def percentiles(values: np.ndarray, level: float = 0.95) -> tuple[Any, Any]:
    """Give the ends of the range that holds `level` of the values along axis 0; NaN values are left out."""
    if not 0 < level < 1:
        raise MpiiError(f"interval: level is {level}; give a share between 0 and 1, such as 0.95")
    known = np.isfinite(values).any(axis=0)
    low, high = np.nanquantile(np.where(known, values, 0.0), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(known, low, np.nan)[()], np.where(known, high, np.nan)[()]


class Scored:
    """What results share: intervals of their scores. A result says how a score follows from weighted examples."""

    METRICS: ClassVar[tuple[str, ...]] = ()
    CLASS_METRICS: ClassVar[tuple[str, ...]] = ()
    truth: np.ndarray

    def statistic(self, metric: str) -> Statistic:
        """Give the score as a function of the weights (N,) of the examples; MpiiError for an unknown metric."""
        raise NotImplementedError

    def class_statistic(self, metric: str) -> Statistic:
        """Give one score a class (C,), NaN where the examples lack the class, as a function of the weights (N,)."""
        raise NotImplementedError

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
            For an unknown metric, or groups of another length than the truth.
        """
        name = known_metric(metric, self.METRICS)
        low, high = percentiles(bootstrap(self.statistic(name), len(self.truth), groups, seed, repeats), level)
        return Interval(float(getattr(self, name)), float(low), float(high))

    def class_intervals(
        self,
        metric: str | None = None,
        groups: Groups = None,
        seed: int = 0,
        repeats: int = 1000,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Bootstrap intervals of a score for each class that the truth holds; parameters as for `interval`.

        Parameters
        ----------
        metric
            One of `CLASS_METRICS`; the first of them by default.
        groups, seed, repeats, level
            As for `interval`.

        Returns
        -------
        DataFrame
            By class, in its order: `value`, `low`, `high`, `support` (examples) and `groups` (groups that hold the
            class). A class of fewer than two groups has no interval (NaN): to draw its only video again and again tells
            nothing about other videos.
        """
        name = known_metric(metric, self.CLASS_METRICS)
        table: pd.DataFrame = self.per_class[self.per_class["support"] > 0]  # type: ignore[attr-defined]
        places = np.flatnonzero(self.per_class["support"].to_numpy() > 0)  # type: ignore[attr-defined]
        statistic = self.class_statistic(name)
        low, high = percentiles(bootstrap(statistic, len(self.truth), groups, seed, repeats)[:, places], level)
        held = self.truth[:, places] > 0 if self.truth.ndim == 2 else self.truth[:, None] == places
        codes = group_codes(groups, len(self.truth))
        owners = np.array([len(np.unique(codes[column])) for column in held.T], dtype=int)
        enough = owners > 1
        return pd.DataFrame(
            {
                "value": statistic(np.ones(len(self.truth)))[places],
                "low": np.where(enough, low, np.nan),
                "high": np.where(enough, high, np.nan),
                "support": table["support"],
                "groups": owners,
            },
            index=table.index,
        )


def known_metric(metric: str | None, known: tuple[str, ...]) -> str:
    """Return the metric, the first of the known ones for None; MpiiError for any other."""
    if metric is None:
        return known[0]
    if metric not in known:
        raise MpiiError(f"interval: metric {metric!r} is unknown; use one of {', '.join(known)}")
    return metric


@dataclass(frozen=True)
class Comparison:
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

    def __repr__(self) -> str:
        said = "the interval leaves out 0" if self.decided else "the interval holds 0: not decided"
        return (
            f"{self.metric} {self.first:.3f} and {self.second:.3f}, difference {self.difference}; {said}; "
            f"the first is larger in {self.larger:.0%} of the repeats"
        )

    def _repr_html_(self) -> str:
        rows = {
            "first": f"{self.first:.3f}",
            "second": f"{self.second:.3f}",
            "difference (interval)": str(self.difference),
            "first larger": f"in {self.larger:.0%} of the repeats",
            "decided": "yes, the interval leaves out 0" if self.decided else "no, the interval holds 0",
        }
        return html_table(rows, self.metric.replace("_", " "))


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
        When the two have different truths.
    """
    if not np.array_equal(first.truth, second.truth):
        raise MpiiError("compare: the two results have different truths; test both on the same examples, in one order")
    name = known_metric(metric, first.METRICS)
    one, other = first.statistic(name), second.statistic(name)
    pairs = bootstrap(lambda weights: (one(weights), other(weights)), len(first.truth), groups, seed, repeats)
    gaps = pairs[:, 0] - pairs[:, 1]
    low, high = percentiles(gaps, level)
    values = float(getattr(first, name)), float(getattr(second, name))
    larger = float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2)
    return Comparison(name, *values, Interval(values[0] - values[1], float(low), float(high)), larger)


def html_table(rows: dict[str, str], caption: str = "") -> str:
    """Write a table of names and values, as results show themselves in a notebook."""
    cells = "".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in rows.items())
    head = f"<caption>{caption}</caption>" if caption else ""
    return f"<table>{head}{cells}</table>"
