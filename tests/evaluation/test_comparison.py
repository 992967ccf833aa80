"""Repeats of settings, and which differences are larger than their spread."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import compare_settings


def runs_table(values, weights="sample"):
    """Make a table of finished runs: batch size -> one validation accuracy for each seed."""
    rows = [
        {"batch_size": size, "seed": seed, "status": "complete", "weights": weights, "val_accuracy": value}
        for size, column in values.items()
        for seed, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_differences_are_paired_by_seed_with_students_interval():
    # the seed moves both settings a lot, the setting moves every seed a little
    table = runs_table({30: [0.40, 0.60, 0.50, 0.70], 100: [0.45, 0.64, 0.56, 0.75]})
    row = compare_settings(table, {"batch_size": 30}).loc["batch_size 100"]
    reference = stats.ttest_rel([0.45, 0.64, 0.56, 0.75], [0.40, 0.60, 0.50, 0.70]).confidence_interval(0.95)
    np.testing.assert_allclose([row.low, row.high], reference)
    assert row.verdict == "higher" and row.repeats == 4 and row.difference == pytest.approx(0.05)
    shuffled = compare_settings(table.sample(frac=1, random_state=0), {"batch_size": 30})
    assert shuffled.loc["batch_size 100", "low"] == pytest.approx(row.low)
    assert compare_settings(table, {"batch_size": 100}).loc["batch_size 30", "verdict"] == "lower"


def test_few_repeats_and_differences_within_the_spread_decide_nothing():
    table = runs_table({30: [0.4, 0.6, 0.5], 100: [0.6, 0.5, 0.6], 50: [0.9, 0.9, np.nan], 10: [0.5, 0.7, 0.6]})
    verdicts = compare_settings(table, {"batch_size": 30}).verdict
    assert verdicts.to_dict() == {
        "batch_size 100": "within the spread",
        "batch_size 50": "too few repeats",
        "batch_size 10": "no spread seen",
    }
    with pytest.raises(MpiiError, match="no finished run is of the baseline"):
        compare_settings(table, {"batch_size": 31})
    with pytest.raises(MpiiError, match="level is 95"):
        compare_settings(table, {"batch_size": 30}, level=95)


def test_a_hyperparameter_that_is_a_list_or_missing_is_matched_as_records_write_it():
    table = runs_table({30: [0.4, 0.6, 0.5], 100: [0.6, 0.7, 0.9]}).assign(freeze='["last", 10]', augment=None)
    baseline = {"batch_size": 30, "freeze": ("last", 10), "augment": None}
    assert compare_settings(table, baseline).index.tolist() == ["batch_size 100"]


def test_tables_that_mix_weights_say_so():
    same = runs_table({30: [0.5, 0.6, 0.7]})
    other = runs_table({100: [0.7, 0.8, 0.8]}, weights="imagenet")
    mixed = pd.concat([same, other])  # the index repeats itself
    assert compare_settings(mixed, {"batch_size": 30}).weights.tolist() == ["sample + imagenet"]


def null_table(rng, seeds=3):
    """Make runs of two optimizers that differ by luck only, of four batch sizes each that share their seeds."""
    effect = rng.normal(0, 0.02, (2, seeds))
    rows = [
        {"optimizer": o, "batch_size": b, "seed": s, "val_accuracy": 0.7 + effect[o, s] + rng.normal(0, 0.004)}
        for o in range(2)
        for b in (10, 20, 50, 100)
        for s in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_runs_that_share_a_seed_are_one_repeat_in_any_order():
    rng, verdicts = np.random.default_rng(0), []
    for number in range(120):
        table = null_table(rng)
        row = compare_settings(table, {"optimizer": 0}).iloc[0]
        verdicts.append(row.verdict)
        if number < 5:
            of_means = table.groupby(["optimizer", "seed"], as_index=False).val_accuracy.mean()
            for same in (table.sample(frac=1, random_state=number), of_means):
                again = compare_settings(same, {"optimizer": 0}).iloc[0]
                assert again[["low", "high"]].tolist() == pytest.approx([row.low, row.high])
                assert again.repeats == row.repeats == 3
    # counted as twelve repeats, 42 % of such tables had a verdict; 5 % is right, and 12 % three deviations off
    assert np.isin(verdicts, ["higher", "lower"]).mean() < 0.12
