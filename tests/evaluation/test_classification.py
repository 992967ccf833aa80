"""Classification scores: known numbers, classes that are missing, and intervals that tell the labels."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support, recall_score

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import evaluate_classifier

CLASSES = ["dancing", "running", "walking", "water activities"]


def one_hot(predicted, classes=4):
    return np.eye(classes)[predicted]


def by_hand():
    labels = [0, 0, 0, 0, 1, 1, 2, 2]
    predicted = [0, 0, 0, 1, 1, 0, 2, 3]
    return evaluate_classifier(labels, one_hot(predicted), CLASSES)


def test_scores_of_a_small_case_done_by_hand():
    result = by_hand()
    assert result.accuracy == pytest.approx(5 / 8)
    assert result.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    # F1: dancing 2*3/(4+4), running 2*1/(2+2), walking 2*1/(2+1); water activities are not in the labels
    assert result.macro_f1 == pytest.approx((6 / 8 + 2 / 4 + 2 / 3) / 3)
    assert result.majority == 0.5
    assert result.confusion.loc["walking", "water activities"] == 1 and result.confusion.to_numpy().sum() == 8
    assert result.confusion.loc["running"].tolist() == [1, 1, 0, 0]
    assert result.per_class.loc["dancing", ["precision", "recall", "f1", "support"]].tolist() == [0.75, 0.75, 0.75, 4]


def test_a_class_that_the_truth_lacks_has_no_score_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = by_hand()
        table = result.per_class
        assert result.balanced_accuracy > 0 and result._repr_html_()
    assert table.loc["water activities", ["precision", "recall", "f1"]].isna().all()
    assert table.loc["water activities", "support"] == 0


def test_a_class_that_is_never_predicted_counts_zero():
    result = evaluate_classifier([0, 0, 1, 1], one_hot([0, 0, 0, 0]), CLASSES)
    assert result.per_class.loc["running", "f1"] == 0.0
    assert result.macro_f1 == pytest.approx((2 * 2 / (2 + 4)) / 2)


def test_top_k_looks_at_the_order_of_the_probabilities():
    probabilities = [[0.5, 0.3, 0.2, 0.0], [0.4, 0.1, 0.3, 0.2], [0.1, 0.2, 0.3, 0.4]]
    result = evaluate_classifier([1, 1, 3], probabilities, CLASSES)
    assert [result.top_k(k) for k in (1, 2, 3, 4, 9)] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1, 1])
    two = evaluate_classifier([0, 1], [[0.9, 0.1], [0.8, 0.2]], CLASSES[:2])
    assert (two.top_k(1), two.top_k(2)) == (0.5, 1.0)


def test_mistakes_come_with_the_surest_first():
    result = evaluate_classifier([0, 1, 2], [[0.2, 0.8, 0, 0], [0, 1, 0, 0], [0.9, 0, 0.1, 0]], CLASSES)
    table = result.mistakes()
    assert table["position"].tolist() == [2, 0]
    assert table.loc[0, ["true", "predicted"]].tolist() == ["walking", "dancing"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_scores_are_scikit_learns_with_and_without_weights(rows):
    labels, predictions, weights = np.array(rows).T
    weights[0] = 1
    result = evaluate_classifier(labels, one_hot(predictions), CLASSES)
    for repeats in (np.ones(len(labels), int), weights):  # a weight is an example that stands there so many times
        true, predicted = np.repeat(labels, repeats), np.repeat(predictions, repeats)
        expected = {"labels": np.unique(true), "average": "macro", "zero_division": 0}
        scores = {metric: result.statistic(metric)(repeats.astype(float)) for metric in result.METRICS[:3]}
        assert scores == pytest.approx(
            {
                "accuracy": accuracy_score(true, predicted),
                "balanced_accuracy": recall_score(true, predicted, **expected),
                "macro_f1": f1_score(true, predicted, **expected),
            }
        )
    columns = precision_recall_fscore_support(labels, predictions, labels=range(4), zero_division=0)
    present = result.present
    table = result.per_class.iloc[present][["precision", "recall", "f1", "support"]]
    assert table.to_numpy() == pytest.approx(np.array(columns).T[present])
    assert result.accuracy == result.top_k(1) <= result.top_k(2) <= result.top_k(3) <= result.top_k(4) == 1.0


def simulated(groups, frames, rate=0.7, seed=0):
    """Make videos of which all frames are right, or all wrong."""
    generator = np.random.default_rng(seed)
    right = np.repeat(generator.random(groups) < rate, frames)
    labels = generator.integers(0, 4, groups * frames)
    predicted = np.where(right, labels, (labels + 1) % 4)
    return evaluate_classifier(labels, one_hot(predicted), CLASSES), np.repeat(np.arange(groups), frames)


def test_the_interval_has_the_width_that_the_binomial_law_says():
    result, _ = simulated(400, 1)
    interval = result.interval()
    error = np.sqrt(result.accuracy * (1 - result.accuracy) / 400)
    assert interval.value == result.accuracy
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_resampling_whole_videos_widens_the_interval_as_it_should():
    result, video = simulated(100, 9)
    single, grouped = result.interval(), result.interval(groups=video)
    ratio = (grouped.high - grouped.low) / (single.high - single.low)
    assert ratio == pytest.approx(3, rel=0.2)  # nine equal frames tell as much as one: the square root of nine


def test_the_interval_covers_the_true_rate_about_as_often_as_it_says():
    hits = 0
    for seed in range(100):
        result, video = simulated(60, 3, rate=0.7, seed=seed)
        interval = result.interval(groups=video)
        hits += interval.low <= 0.7 <= interval.high
    assert 85 <= hits <= 100


def test_the_interval_is_the_same_for_the_same_seed_and_every_metric_is_inside_its_own():
    result, video = simulated(50, 2)
    assert result.interval(groups=video, seed=4) == result.interval(groups=video, seed=4)
    large, _ = simulated(1000, 1)
    assert large.interval(seed=4) == large.interval(seed=4) != large.interval(seed=5)
    for metric in ("accuracy", "balanced_accuracy", "macro_f1"):
        interval = result.interval(metric, groups=video)
        assert interval.low < interval.value < interval.high
        assert interval.value == getattr(result, metric)


def test_the_scores_of_a_record_hold_the_interval_of_whole_videos():
    result, video = simulated(30, 10)
    accuracy = result.interval(groups=video, seed=3)
    scores = result.scores(video, seed=3)
    assert (scores["accuracy"], scores["accuracy_low"], scores["accuracy_high"]) == accuracy[:3]
    assert "accuracy_low" not in result.scores(video // 10)  # three groups
    assert scores["accuracy_low"] < result.scores()["accuracy_low"]  # frame by frame it looks too sure


def test_examples_without_a_group_are_groups_of_their_own():
    result, _ = simulated(300, 1)
    assert result.interval(groups=[None] * 300) == result.interval()


def test_it_shows_itself_with_the_baseline_and_without_absent_classes():
    result = by_hand()
    single = result.interval()
    assert f"accuracy 0.625 ({single.low:.3f} to {single.high:.3f}), if" in repr(result)
    assert "most frequent class 0.500" in repr(result)
    page = result._repr_html_()
    assert "3 of 4" in page and "water activities" not in page
    assert result.scores()["examples"] == 8 and result.scores()["top_5"] == 1.0


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([0, 1], np.ones((3, 4)), "give \\(N,\\)"),
        ([0, 1], np.ones((2, 3)), "4 classes"),
        ([], np.ones((0, 4)), "give \\(N,\\)"),
        ([0, 4], np.ones((2, 4)), "whole numbers from 0 to 3"),
        ([0.0, 1.0], np.ones((2, 4)), "whole numbers"),
        ([0, 1], [[1, 0, 0, 0], [np.nan, 0, 0, 0]], "row 1 has NaN"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(labels, probabilities, words):
    with pytest.raises(MpiiError, match=words) as caught:
        evaluate_classifier(labels, probabilities, CLASSES)
    assert "\n" not in str(caught.value)


def test_unknown_metrics_and_wrong_groups_are_refused():
    result = by_hand()
    with pytest.raises(MpiiError, match="use one of accuracy"):
        result.interval("recall")
    with pytest.raises(MpiiError, match="3 groups for 8 examples"):
        result.interval(groups=[1, 2, 3])
    with pytest.raises(MpiiError, match="at least 1"):
        result.top_k(0)


def test_mistakes_by_group_keep_the_surest_of_each():
    probabilities = one_hot([1, 1, 1, 0]) * [[0.6], [0.9], [0.7], [0.8]]
    result = evaluate_classifier([0, 0, 0, 0], probabilities + 0.01, CLASSES)
    assert result.mistakes().position.tolist() == [1, 2, 0]
    assert result.mistakes(groups=["a", "a", "b", "a"]).position.tolist() == [1, 2]
    assert result.mistakes(groups=[None, None, None, None]).position.tolist() == [1, 2, 0]
    with pytest.raises(MpiiError, match="one for each"):
        result.mistakes(groups=["a"])
