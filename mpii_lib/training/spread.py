"""What repeats are for: the mean and spread of a setting, and which differences are larger than the spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mpii_lib.errors import TrainingError
from mpii_lib.training.records import FINISHED

LEAST_REPEATS = 3


def spread_table(
    table: pd.DataFrame, by: str | Sequence[str], metrics: str | Sequence[str] = "val_accuracy"
) -> pd.DataFrame:
    """Mean and spread of the repeats of each setting.

    Parameters
    ----------
    table
        Runs, a row each: from `run_grid`, `read_grid` or `read_records`.
    by
        Columns that make a setting; runs that agree in them are repeats of one another.
    metrics
        Columns to average.

    Returns
    -------
    DataFrame
        Indexed by the settings, in their order in the table. `repeats` (runs with a value), `not finished` (runs
        without), `weights` (what the backbones started from; several, joined by " + ", when the row mixes them), and
        for each metric its mean, under its own name, and `<metric> std`, the sample standard deviation (n - 1; NaN
        for a single repeat).

    Raises
    ------
    TrainingError
        When a column is not in the table.
    """
    keys = [by] if isinstance(by, str) else list(by)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    _check_columns(table, [*keys, *names])
    rows = {}
    for key, runs in table.groupby(keys, sort=False, dropna=False):
        done = runs[_finished(runs) & runs[names].notna().all(axis=1)]
        row: dict[str, Any] = {"repeats": len(done), "not finished": len(runs) - len(done)}
        row["weights"] = " + ".join(_weights_in(done)) or "no run"
        for name in names:
            values = done[name].astype(float)
            row |= {name: values.mean(), f"{name} std": values.std(ddof=1)}
        rows[key if len(keys) > 1 else key[0]] = row
    result = pd.DataFrame(list(rows.values()))
    result.index = (
        pd.MultiIndex.from_tuples(list(rows), names=keys) if len(keys) > 1 else pd.Index(list(rows), name=keys[0])
    )
    return result


def compare_settings(
    table: pd.DataFrame,
    baseline: Mapping[str, Any],
    metric: str = "val_accuracy",
    *,
    pair: str = "seed",
    level: float = 0.95,
) -> pd.DataFrame:
    """Say which settings differ from a baseline by more than the spread of the repeats.

    Differences are taken seed by seed: run and baseline of one seed share their initial weights, and often their
    order, and what the seed does to both alike falls out. The mean difference is then set against its standard error
    s / sqrt(n), where s is the standard deviation of the n differences, with Student's t interval of n - 1 degrees of
    freedom (Student 1908). Few repeats make it wide: its factor is 4.3 for three repeats, 2.8 for five, 2.3 for ten.
    The verdict is

    - "higher" or "lower": the interval does not hold 0, so the difference is larger than the spread;
    - "within the spread": it does;
    - "too few repeats": fewer than three seeds in common, on which nobody should decide;
    - "no spread seen": all differences are equal, so there is nothing to measure them with.

    One comparison in twenty is decided by luck at 95 %: the more settings are tried, the more such verdicts. And the
    spread is that of the seeds. What another validation set would change is in it only if the split follows the seed.

    Parameters
    ----------
    table
        Runs, from `run_grid` or `read_grid`.
    baseline
        Column -> value: what all others are compared with. These columns make a setting.
    metric
        Column to compare.
    pair
        Column that says which runs belong together.
    level
        Of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        Indexed by what differs from the baseline ("batch 100"); columns `difference`, `low` and `high` (its
        interval), `std` (of the single differences), `repeats`, `verdict`, `weights`.

    Raises
    ------
    TrainingError
        When a column is not in the table, or no run is of the baseline.
    """
    keys = list(baseline)
    _check_columns(table, [*keys, pair, metric])
    if not 0 < level < 1:
        raise TrainingError(f"compare_settings: level is {level}; give a share between 0 and 1, such as 0.95")
    done = table[_finished(table) & table[metric].notna()]
    is_base = np.logical_and.reduce([_equal(done[name], value) for name, value in baseline.items()])
    if not is_base.any():
        raise TrainingError(f"compare_settings: no finished run is of the baseline {dict(baseline)}; train it first")
    base = done[is_base].set_index(pair)[metric].astype(float)
    rows = {}
    for key, runs in done[~is_base].groupby(keys, sort=False, dropna=False):
        label = ", ".join(
            f"{name} {value}" for name, value in zip(keys, key, strict=True) if not _same(value, baseline[name])
        )
        differences = (runs.set_index(pair)[metric].astype(float) - base).dropna()
        kinds = list(dict.fromkeys(_weights_in(done[is_base]) + _weights_in(runs)))
        rows[label] = {**_judge(differences.to_numpy(), level), "weights": " + ".join(kinds)}
    columns = ["difference", "low", "high", "std", "repeats", "verdict", "weights"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("setting")


def weights_note(table: pd.DataFrame) -> str:
    """Say in one sentence which weights the backbones of a table of runs started from, and warn where they are mixed.

    `table` has the column `weights` of `read_records` ("imagenet", "sample", "none" or the name of a file); runs that
    do not say are counted as "not said".
    """
    if "weights" not in table or table.empty:
        return "Weights: not said."
    counts = table["weights"].fillna("not said").astype(str).value_counts(sort=False)
    if len(counts) == 1:
        return f"Weights of all {len(table)} runs: {counts.index[0]}."
    told = ", ".join(f"{kind} ({count} runs)" for kind, count in counts.items())
    return f"This table mixes weights: {told}. Compare runs of the same weights only."


def _judge(differences: np.ndarray, level: float) -> dict[str, Any]:
    count = len(differences)
    mean = float(differences.mean()) if count else math.nan
    std = float(differences.std(ddof=1)) if count > 1 else math.nan
    low = high = math.nan
    if count < LEAST_REPEATS:
        verdict = "too few repeats"
    elif std < 1e-12:
        verdict = "no spread seen"
    else:
        reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * std / math.sqrt(count)
        low, high = mean - reach, mean + reach
        verdict = "within the spread" if low <= 0 <= high else "higher" if mean > 0 else "lower"
    return {"difference": mean, "low": low, "high": high, "std": std, "repeats": count, "verdict": verdict}


def _weights_in(runs: pd.DataFrame) -> list[str]:
    if "weights" not in runs:
        return ["not said"] if len(runs) else []
    return runs["weights"].fillna("not said").astype(str).unique().tolist()


def _finished(table: pd.DataFrame) -> pd.Series:
    """Tell finished runs from broken ones, whose last value is that of some epoch on the way."""
    return table["status"].isin(FINISHED) if "status" in table else pd.Series(True, table.index)


def _equal(column: pd.Series, value: Any) -> np.ndarray:
    return np.array([_same(cell, value) for cell in column.tolist()])


def _same(cell: Any, value: Any) -> bool:
    if isinstance(value, list | tuple):
        value = str(tuple(value))  # as the table of a grid shows it
    return bool(cell == value) or (value is None and bool(pd.isna(cell)))


def _check_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in table]
    if missing:
        raise TrainingError(f"table of runs: no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}")
