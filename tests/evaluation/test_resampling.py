"""Intervals hold what they claim, say where there are none, and equal models are rarely called different."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import bootstrap, compare, evaluate_classifier, evaluate_multilabel
from mpii_lib.evaluation.resampling import weighted_mean
from mpii_lib.intervals import score_ends, score_interval, standard_error

CLASSES = list("abcdef")


def drawn(seed, videos, rate=1.2, models=1):
    """Make results of models of the same law on videos of uneven size whose images succeed or fail together."""
    rng = np.random.default_rng(seed)
    video = np.repeat(np.arange(videos), rng.geometric(1 / 3, videos))
    labels = rng.choice(6, videos, p=[0.4, 0.25, 0.15, 0.1, 0.05, 0.05])[video]
    found = []
    for _ in range(models):
        logits = rng.standard_normal((videos, 6))[video] + 0.5 * rng.standard_normal((len(video), 6))
        shares = np.exp(logits + rate * (labels[:, None] == np.arange(6)))
        found.append(evaluate_classifier(labels, shares / shares.sum(axis=1, keepdims=True), CLASSES))
    return found, video


def test_the_standard_error_of_a_mean_is_that_of_the_textbook():
    values = np.random.default_rng(0).random(40)
    codes = np.arange(40)
    error = standard_error(weighted_mean(values), codes)
    assert error == pytest.approx(stats.sem(values))
    # frames in pairs of equal value are forty trials, not eighty
    assert standard_error(weighted_mean(values.repeat(2)), codes.repeat(2)) == pytest.approx(error)
    assert np.isnan(standard_error(weighted_mean(values), codes % 4))


def test_many_groups_are_left_out_in_sets_with_the_same_error():
    values = np.random.default_rng(1).random(3000)
    found = [standard_error(weighted_mean(values), np.arange(3000), seed) for seed in range(5)]
    assert found == pytest.approx([stats.sem(values)] * 5, rel=0.2) and len(set(found)) == 5
    assert found[0] == standard_error(weighted_mean(values), np.arange(3000), 0)


def test_the_ends_are_wilsons():
    low, high = score_ends(0.9, np.sqrt(0.9 * 0.1 / 1e6), 1_000_000)
    reference = stats.binomtest(900_000, 1_000_000).proportion_ci(method="wilson")
    assert [low, high] == pytest.approx([reference.low, reference.high], abs=1e-7)
    # of a score without a top the variance goes with the score, the limit of a top that is far away
    assert score_ends(0.3, 0.1, 10, top=np.inf) == pytest.approx(score_ends(0.3, 0.1, 10, top=1e9))
    assert np.isnan(score_ends(0.0, 0.0, 10, top=np.inf)).all()


def test_all_right_is_no_certainty():
    labels, video = np.zeros(60, int), np.arange(60) // 3
    perfect = evaluate_classifier(labels, np.eye(2)[labels], ["a", "b"])
    for metric in perfect.METRICS:
        interval = perfect.interval(metric, video)
        assert interval.high == interval.value == 1 and interval.groups == 20
        assert 0.8 < interval.low < 0.87  # 0.839 by Wilson of twenty trials, 0.861 by the rule of three at 95 %
    hopeless = evaluate_classifier(labels, np.eye(2)[1 - labels], ["a", "b"])
    assert hopeless.interval(groups=video).low == 0 and 0.13 < hopeless.interval(groups=video).high < 0.2
    assert perfect.class_intervals("recall", video).loc["a", "low"] == pytest.approx(perfect.interval(groups=video).low)


@pytest.mark.parametrize("videos", [1, 2, 4])
def test_few_groups_give_no_interval_and_no_verdict(videos):
    labels, video = np.zeros(60, int), np.arange(60) % videos
    good, bad = (evaluate_classifier(labels, np.eye(2)[labels ^ wrong], ["a", "b"]) for wrong in (0, 1))
    interval = good.interval(groups=video)
    assert str(interval) == f"1.000 (no interval: {videos} group{'s' if videos > 1 else ''})"
    assert np.isnan(interval[1:3]).all() and interval.record("accuracy") == {"accuracy": 1.0}
    pair = compare(good, bad, groups=video)
    assert not pair.decided and "no interval" in repr(pair) and pair.difference.value == 1
    assert good.class_intervals("recall", video)[["low", "high"]].isna().all(axis=None)


def test_a_difference_without_spread_is_not_decided():
    labels, video = np.zeros(60, int), np.arange(60) // 3
    good, bad = (evaluate_classifier(labels, np.eye(2)[labels ^ wrong], ["a", "b"]) for wrong in (0, 1))
    assert "all 20 groups alike" in repr(compare(good, bad, groups=video))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 30), st.floats(-3, 6))
def test_every_score_is_inside_its_own_interval_and_the_interval_inside_the_range(seed, videos, rate):
    (result,), video = drawn(seed, videos, rate)
    several = evaluate_multilabel(result.hot.astype(int), result.probabilities, CLASSES)
    for scored in (result, result.calibration(), several):
        for metric in scored.METRICS:
            value, low, high, groups = scored.interval(metric, video)
            assert 0 <= low <= value <= high <= scored.TOPS.get(metric, 1) + 1e-12 and groups == videos
            if high > low and 0.01 < value < 0.99:
                assert low < value < high, metric
    table = result.class_intervals("f1", video)
    shown = table[table["groups"] >= 5]
    assert ((shown["low"] <= shown["value"]) & (shown["value"] <= shown["high"])).all()


@pytest.mark.parametrize(("videos", "tests"), [(5, 120), (10, 120), (25, 60)])
def test_intervals_hold_the_average_score_and_equal_models_are_rarely_called_different(videos, tests):
    # bench_intervals.py has the full table; these bounds are three standard deviations from 95 % and 5 %
    metrics = ("accuracy", "balanced_accuracy", "macro_f1", "mean_average_precision")
    average = np.mean([[drawn(seed, videos)[0][0].value(m) for m in metrics] for seed in range(10_000, 10_400)], axis=0)
    held, different = np.zeros(4), np.zeros(4)
    for seed in range(tests):
        (one, other), video = drawn(seed, videos, models=2)
        for place, metric in enumerate(metrics):
            _, low, high, _ = one.interval(metric, video)
            held[place] += low <= average[place] <= high
            different[place] += compare(one, other, metric, video).decided
    slack = 3 * np.sqrt(0.05 * 0.95 / tests)
    assert (held / tests > 0.95 - slack).all(), held / tests
    assert (different / tests < 0.05 + slack).all(), different / tests


def test_the_percentile_bootstrap_is_too_narrow_for_few_videos_where_the_interval_is_not():
    inside = {"percentile": 0, "interval": 0}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        values = rng.random(6)
        low, high = np.quantile(bootstrap(weighted_mean(values), 6, seed=seed, repeats=200), [0.025, 0.975])
        inside["percentile"] += low <= 0.5 <= high
        _, low, high, _ = score_interval(weighted_mean(values), np.arange(6))
        inside["interval"] += low <= 0.5 <= high
    assert inside["percentile"] / 150 < 0.9 < inside["interval"] / 150


def test_what_are_no_groups_is_one_line():
    (result,), _ = drawn(0, 8)
    for wrong in ([[1], [2]], np.zeros((3, 3)), [1, 2]):
        with pytest.raises(MpiiError, match="interval: .*groups"):
            result.interval(groups=wrong)
    with pytest.raises(MpiiError, match="seed is -1"):
        result.interval(seed=-1)


def test_values_of_groups_may_be_of_any_kind():
    (result,), video = drawn(0, 8)
    names = pd.Series(video).map("video {}".format)
    assert result.interval(groups=names) == result.interval(groups=video) == result.interval(groups=list(names))
