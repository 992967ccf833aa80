"""What repeats are for: which differences of settings are larger than the spread of their seeds."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.training.records import FINISHED

LEAST_REPEATS = 3


@checked
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
    order, and what the seed does to both alike falls out. Runs of a setting that share a seed, because they differ in
    something that `baseline` does not name, count once, with their mean. The mean difference is then set against its
    standard error s / sqrt(n), where s is the standard deviation of the n differences, with Student's t interval of
    n - 1 degrees of freedom (Student 1908). Few repeats make it wide: its factor is 4.3 for three repeats, 2.8 for
    five, 2.3 for ten. The verdict is

    - "higher" or "lower": the interval does not hold 0, so the difference is larger than the spread;
    - "within the spread": it does;
    - "too few repeats": fewer than three seeds in common, on which nobody should decide;
    - "no spread seen": all differences are equal, so there is nothing to measure them with.

    One comparison in twenty is decided by luck at 95 %: the more settings are tried, the more such verdicts. And the
    spread is that of the seeds. What another validation set would change is in it only if the split follows the seed.

    Parameters
    ----------
    table
        Runs, a row each, as `read_records` gives them.
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
        Indexed by what differs from the baseline ("batch_size 100"); columns `difference`, `low` and `high` (its
        interval), `std` (of the single differences), `repeats` (seeds that both have), `verdict`, `weights`.

    Raises
    ------
    MpiiError
        When a column is not in the table, or no run is of the baseline.
    """
    keys = list(baseline)
    _check_columns(table, keys, [metric])
    _check_columns(table, [pair], [])
    if not 0 < level < 1:
        raise MpiiError(f"compare_settings: level is {level}; give a share between 0 and 1, such as 0.95")
    done = table[_finished(table, [metric])].reset_index(drop=True)
    same = pd.DataFrame({name: [_equal(cell, baseline[name]) for cell in done[name]] for name in keys}, done.index)
    is_base = same.all(axis=1)
    if not is_base.any():
        raise MpiiError(f"compare_settings: no finished run is of the baseline {dict(baseline)}; train it first")
    base = done[is_base].groupby(pair)[metric].mean()
    rows = {}
    for key, runs in done[~is_base].groupby(keys, sort=False, dropna=False):
        changed = [
            f"{name} {value}" for name, value in zip(keys, key, strict=True) if not same.loc[runs.index[0], name]
        ]
        differences = (runs.groupby(pair)[metric].mean() - base).dropna().to_numpy(float)
        weights = pd.concat([_weights(done[is_base]), _weights(runs)]).unique()
        rows[", ".join(changed)] = _verdict(differences, level) | {"weights": " + ".join(weights)}
    columns = ["difference", "low", "high", "std", "repeats", "verdict", "weights"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("setting")


def _verdict(differences: np.ndarray, level: float) -> dict[str, Any]:
    count = len(differences)
    mean = float(differences.mean()) if count else math.nan
    std = float(differences.std(ddof=1)) if count > 1 else math.nan
    low = high = math.nan
    if count < LEAST_REPEATS:
        verdict = "too few repeats"
    elif std < 1e-12:
        verdict = "no spread seen"
    else:
        low, high = map(float, stats.t.interval(level, count - 1, loc=mean, scale=std / math.sqrt(count)))
        verdict = "within the spread" if low <= 0 <= high else "higher" if mean > 0 else "lower"
    return {"difference": mean, "low": low, "high": high, "std": std, "repeats": count, "verdict": verdict}


def _weights(runs: pd.DataFrame) -> pd.Series:
    column = runs["weights"] if "weights" in runs else pd.Series(None, runs.index, dtype=object)
    return column.astype(object).where(column.notna(), "unknown").astype(str)


def _finished(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Tell finished runs from broken ones, whose last value is that of some epoch on the way."""
    valued = table[list(names)].notna().all(axis=1)
    return valued & table["status"].isin(FINISHED) if "status" in table else valued


def _equal(cell: Any, value: Any) -> bool:
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value)  # as `read_records` writes it into one cell
    return bool(cell == value) or (value is None and bool(pd.isna(cell)))


def _check_columns(table: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str]) -> None:
    missing = [name for name in (*keys, *metrics) if name not in table]
    if missing or not keys:
        what = f"no column {reprlib.repr(missing[0])}" if missing else "no column is named that makes a setting"
        raise MpiiError(f"table of runs: {what}; it has {shorten(', '.join(map(str, table.columns)), 200)}")
    for name in metrics:
        if pd.to_numeric(table[name], errors="coerce").notna().sum() < table[name].notna().sum():
            raise MpiiError(f"table of runs: column {name!r} holds other things than numbers; name a score")
