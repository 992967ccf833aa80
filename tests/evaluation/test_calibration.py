"""Calibration: scikit-learn's numbers, cases done by hand, and a temperature that is found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import evaluate_calibration, evaluate_classifier, fit_temperature


def honest(examples=4000, classes=4, sharpness=1.0, seed=0):
    """Draw probabilities and labels that follow them, then sharpen the probabilities."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes), examples)
    labels = (generator.random((examples, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    sharp = probabilities**sharpness
    return labels.clip(0, classes - 1), sharp / sharp.sum(axis=1, keepdims=True)


def test_scores_of_a_small_case_done_by_hand():
    probabilities = [[0.75, 0.25], [0.65, 0.35], [0.05, 0.95], [0.1, 0.9]]
    result = evaluate_calibration([0, 1, 1, 1], probabilities, bins=2)
    # all predictions are in the upper half: mean confidence 3.25 / 4, three of four right
    assert result.table.iloc[0].tolist() == pytest.approx([0.5, 1.0, 4, 0.8125, 0.75])
    assert result.expected_calibration_error == pytest.approx(0.0625)
    assert result.brier == pytest.approx(2 * (0.25**2 + 0.65**2 + 0.05**2 + 0.1**2) / 4)
    assert result.log_loss == pytest.approx(-np.log([0.75, 0.35, 0.95, 0.9]).mean())
    fine = evaluate_calibration([0, 1, 1, 1], probabilities, bins=10)
    assert fine.table["examples"].tolist() == [1, 1, 1, 1]  # 0.9 belongs to the bin that ends there
    assert fine.expected_calibration_error == pytest.approx((0.25 + 0.65 + 0.05 + 0.1) / 4)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_the_reliability_table_is_scikit_learns_curve(strategy):
    labels, probabilities = honest(500)
    table = evaluate_calibration(labels, probabilities, 8, strategy).table
    right = probabilities.argmax(axis=1) == labels
    if strategy == "uniform":
        accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=8)
        assert table["accuracy"].tolist() == pytest.approx(accuracy)
        assert table["confidence"].tolist() == pytest.approx(confidence)
    else:
        assert table["examples"].between(62, 63).all()
    assert table["examples"].sum() == 500


def test_brier_and_log_loss_are_scikit_learns():
    labels, probabilities = honest(300, classes=2)
    result = evaluate_calibration(labels, probabilities)
    assert result.brier == pytest.approx(2 * brier_score_loss(labels, probabilities[:, 1]))
    labels, probabilities = honest(300, classes=5)
    assert evaluate_calibration(labels, probabilities).log_loss == pytest.approx(log_loss(labels, probabilities))


def test_an_honest_forecast_has_a_small_error_and_a_sharpened_one_a_large_one():
    labels, probabilities = honest()
    result = evaluate_calibration(labels, probabilities)
    assert result.expected_calibration_error < 0.03
    assert abs(result.confidence - result.accuracy) < 0.03
    labels, sharp = honest(sharpness=3)
    worse = evaluate_calibration(labels, sharp)
    assert worse.expected_calibration_error > 0.15 and worse.confidence > worse.accuracy
    assert worse.brier > result.brier and worse.log_loss > result.log_loss


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found_again(sharpness):
    labels, probabilities = honest(sharpness=sharpness)
    temperature = fit_temperature(labels, probabilities)
    assert temperature.value == pytest.approx(sharpness, rel=0.08)
    assert temperature.after <= temperature.before + 1e-12
    assert f"temperature {temperature.value:.2f}" in repr(temperature)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(5, 60))
def test_a_temperature_changes_no_prediction_and_never_the_wrong_way(seed, classes, examples):
    labels, probabilities = honest(examples, classes, 2.0, seed)
    temperature = fit_temperature(labels, probabilities)
    changed = temperature.apply(probabilities)
    assert changed.sum(axis=1) == pytest.approx(np.ones(examples))
    assert (changed.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    before, after = evaluate_calibration(labels, probabilities), evaluate_calibration(labels, changed)
    assert after.log_loss == pytest.approx(temperature.after) and after.log_loss <= before.log_loss + 1e-9
    assert after.accuracy == before.accuracy


def test_zeros_of_a_float32_softmax_are_bearable():
    probabilities = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    temperature = fit_temperature([0, 1, 1], probabilities)
    assert temperature.value > 1 and temperature.at_bound and "end of the search" in repr(temperature)
    assert np.isfinite(temperature.apply(probabilities)).all()
    assert np.isfinite(evaluate_calibration([0, 1, 1], probabilities).log_loss)


def test_intervals_hold_the_value_and_come_from_groups():
    labels, probabilities = honest(400, sharpness=2)
    result = evaluate_classifier(labels, probabilities, list("abcd")).calibration(bins=5)
    assert len(result.edges) == 6
    video = np.repeat(np.arange(100), 4)
    for metric in result.METRICS:
        interval = result.interval(metric, groups=video)
        assert interval.low < interval.high and interval.value == getattr(result, metric)
        assert result.statistic(metric)(np.ones(400)) == pytest.approx(getattr(result, metric))
    assert result.interval().value == result.expected_calibration_error
    assert result.interval("brier").low < result.brier < result.interval("brier").high


def test_it_shows_itself():
    labels, probabilities = honest(200)
    result = evaluate_calibration(labels, probabilities)
    assert "expected calibration error" in result._repr_html_() and "examples 200" in repr(result)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([0, 1], [[0.9, 0.9], [0.1, 0.2]]),
        ([0, 1], [[1.2, -0.2], [0.5, 0.5]]),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]]),
        ([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]]),
        ([0], [[0.5, 0.5], [0.5, 0.5]]),
    ],
)
def test_what_are_no_probabilities_is_refused(labels, probabilities):
    for function in (evaluate_calibration, fit_temperature):
        with pytest.raises(MpiiError, match="calibration"):
            function(labels, probabilities)
    with pytest.raises(MpiiError, match="strategy"):
        evaluate_calibration([0], [[0.5, 0.5]], strategy="kmeans")


@pytest.mark.parametrize(("right_gap", "wrong_gap"), [(0.6, 25), (2.0, 15), (3.0, 10)])
def test_the_best_temperature_is_found_where_mistakes_are_very_sure(right_gap, wrong_gap):
    # clipping after tempering once made the loss flat there, and the search ended at its bound
    rng = np.random.default_rng(0)
    gap = np.where(rng.random(1000) > 0.01, right_gap, -wrong_gap) * rng.uniform(0.8, 1.2, 1000)
    probabilities = 1 / (1 + np.exp(-np.stack([gap, -gap], axis=1)))
    best = minimize_scalar(lambda t: np.logaddexp(0, -gap / t).mean(), bounds=(0.05, 20), method="bounded")
    found = fit_temperature(np.zeros(1000, int), probabilities)
    assert found.value == pytest.approx(best.x, rel=1e-3) and found.after == pytest.approx(best.fun)
    assert not found.at_bound and "beyond" not in repr(found)


def test_a_temperature_at_the_end_of_the_search_says_so():
    never_wrong = fit_temperature([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert never_wrong.at_bound and never_wrong.value == pytest.approx(0.05, rel=1e-3)
    assert "the best lies beyond" in repr(never_wrong)
