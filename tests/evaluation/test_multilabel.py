"""Several labels an image: scikit-learn's numbers, cases done by hand, and intervals."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import compare, evaluate_classifier, evaluate_multilabel
from mpii_lib.evaluation.class_scores import average_precision_statistic

CLASSES = ["dancing", "running", "walking"]


def by_hand():
    labels = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]]
    probabilities = [[0.9, 0.1, 0.2], [0.4, 0.8, 0.2], [0.6, 0.3, 0.7], [0.2, 0.6, 0.1]]
    return evaluate_multilabel(labels, probabilities, CLASSES)


def random_case(seed=0, examples=40, classes=6):
    generator = np.random.default_rng(seed)
    labels = (generator.random((examples, classes)) < 0.3).astype(int)
    labels[0] = 1
    # few distinct values, so that there are ties
    return labels, np.round(np.clip(labels * 0.3 + generator.random((examples, classes)) * 0.7, 0, 1), 1)


def test_scores_of_a_small_case_done_by_hand():
    result = by_hand()
    table = result.per_class
    # dancing: right at ranks 1 and 3; running: right at ranks 1 and 3 too
    assert table["average_precision"].tolist()[:2] == pytest.approx([(1 + 2 / 3) / 2] * 2)
    # dancing is given to examples 0 and 2 and true of 0 and 1; running is given to 1 and 3 and true of 1 and 2
    assert table.loc["dancing", ["precision", "recall", "f1", "support"]].tolist() == [0.5, 0.5, 0.5, 2]
    assert result.macro_f1 == pytest.approx(0.5)
    assert result.micro_f1 == pytest.approx(2 * 2 / (4 + 5))
    assert result.label_accuracy == pytest.approx(7 / 12)
    assert result.accuracy_of_no == pytest.approx(8 / 12)
    assert result.chance == pytest.approx(0.5)


def test_a_class_without_an_example_is_left_out_and_named():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = by_hand()
        page = result._repr_html_()
        interval = result.interval()
    assert result.left_out == ("walking",) and result.present.tolist() == [0, 1]
    assert result.per_class.loc["walking"].drop("support").isna().all()
    assert "2 of 3" in page and "walking" not in page and "classes in the labels 2 of 3" in repr(result)
    assert interval.value == result.mean_average_precision and "no interval: 4 groups" in str(interval)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 4))
def test_the_quick_average_precision_is_scikit_learns_with_and_without_weights(seed, examples, classes):
    labels, scores = random_case(seed, examples, classes)
    quick = average_precision_statistic(labels, scores)
    single = [average_precision_score(labels[:, c], scores[:, c]) for c in range(classes)]
    assert quick(np.ones(examples)) == pytest.approx(single)
    weights = np.random.default_rng(seed).integers(0, 3, examples)
    weights[0] = 1
    repeated = np.repeat(np.arange(examples), weights)  # a weight is an example that stands there so many times
    expected = [average_precision_score(labels[repeated, c], scores[repeated, c]) for c in range(classes)]
    assert quick(weights.astype(float)) == pytest.approx(expected)


def test_f1_is_scikit_learns():
    labels, scores = random_case(3)
    result = evaluate_multilabel(labels, scores, list("abcdef"), threshold=0.4)
    given = scores >= 0.4
    assert result.macro_f1 == pytest.approx(f1_score(labels, given, average="macro", zero_division=0))
    assert result.micro_f1 == pytest.approx(f1_score(labels, given, average="micro"))
    for metric in result.METRICS:
        assert result.statistic(metric)(np.ones(len(labels))) == pytest.approx(getattr(result, metric))


def test_every_class_gets_its_interval_and_a_class_of_one_video_none():
    labels, scores = random_case(1, examples=60)
    video = np.repeat(np.arange(12), 5)
    labels[:, 0] = video == 3
    table = evaluate_multilabel(labels, scores, list("abcdef")).class_intervals("average_precision", video)
    assert table["groups"].iloc[0] == 1 and np.isnan(table[["low", "high"]].iloc[0]).all()
    rest = table.iloc[1:]
    assert ((rest["low"] <= rest["value"]) & (rest["value"] <= rest["high"])).all()
    assert (table["support"] == labels.sum(axis=0)).all()


def test_class_intervals_of_recall_have_the_width_that_the_binomial_law_says():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 400)
    predicted = np.where(generator.random(800) < 0.7, labels, 1 - labels)
    result = evaluate_classifier(labels, np.eye(2)[predicted], ["a", "b"])
    table = result.class_intervals("recall")
    recall = table["value"].to_numpy()
    width = (table["high"] - table["low"]).to_numpy()
    assert recall == pytest.approx(result.per_class["recall"].to_numpy())
    assert width == pytest.approx(2 * 1.96 * np.sqrt(recall * (1 - recall) / 400), rel=0.15)
    for metric in ("precision", "f1"):
        assert result.class_intervals(metric)["value"].tolist() == pytest.approx(result.per_class[metric].tolist())


def test_the_mean_average_precision_of_one_label_an_image_is_that_of_its_one_hot_labels():
    generator = np.random.default_rng(5)
    labels, scores = generator.integers(0, 5, 60), generator.dirichlet(np.ones(6), 60)
    single = evaluate_classifier(labels, scores, list("abcdef"))
    several = evaluate_multilabel(np.eye(6, dtype=int)[labels], scores, list("abcdef"))
    assert single.mean_average_precision == pytest.approx(several.mean_average_precision)
    assert single.interval("mean_average_precision") == pytest.approx(several.interval())
    assert np.isnan(single.per_class.loc["f", "average_precision"]) and several.left_out == ("f",)


def test_equal_scores_have_the_average_precision_of_one_class_in_all():
    labels = np.array([0, 0, 0, 1, 1, 2])
    lazy = evaluate_classifier(labels, np.tile(np.bincount(labels, minlength=4) / 6, (6, 1)), list("abcd"))
    assert lazy.mean_average_precision == pytest.approx(1 / 3)
    assert lazy.accuracy == lazy.majority == 0.5


def test_a_pair_on_the_same_videos_is_decided_where_two_intervals_still_overlap():
    generator = np.random.default_rng(2)
    labels = np.zeros(400, dtype=int)
    video = np.repeat(np.arange(40), 10)
    hard = np.repeat(generator.random(40) < 0.4, 10)  # both fail on the hard videos
    slip = ~hard & (generator.random(400) < 0.08)  # the second also elsewhere
    good = evaluate_classifier(labels, np.eye(2)[hard.astype(int)], ["a", "b"])
    worse = evaluate_classifier(labels, np.eye(2)[(hard | slip).astype(int)], ["a", "b"])
    first, second = good.interval(groups=video), worse.interval(groups=video)
    assert first.low < second.high  # the single intervals overlap
    pair = compare(good, worse, groups=video)
    assert pair.decided and pair.difference.low > 0
    assert pair.difference.value == pytest.approx(good.accuracy - worse.accuracy)
    itself = compare(good, good, groups=video)
    assert str(itself.difference) == "0.000 (no interval: all 40 groups alike)" and not itself.decided
    assert "decided no" in repr(itself) and "leaves out 0" in pair._repr_html_()


def test_a_pair_on_other_examples_is_refused():
    one = evaluate_classifier([0, 1], np.eye(2), ["a", "b"])
    other = evaluate_classifier([1, 0], np.eye(2), ["a", "b"])
    with pytest.raises(MpiiError, match="different labels"):
        compare(one, other)


def test_the_scores_of_a_record_hold_the_interval_and_the_chance():
    labels, scores = random_case(4)
    result = evaluate_multilabel(labels, scores, list("abcdef"))
    video = np.arange(len(labels)) // 4
    record = result.scores(video, seed=2)
    interval = result.interval(groups=video, seed=2)
    assert record["mean_average_precision_low"] == interval.low < record["mean_average_precision"]
    assert record["mean_average_precision_chance"] == pytest.approx(labels.mean(axis=0).mean())


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([[1, 0]], [[0.5, 0.5, 0.1]], "give"),
        ([1, 0], [0.5, 0.5], "give"),
        ([[2, 0, 0]], [[0.1, 0.2, 0.3]], "zeros and ones"),
        ([[0, 0, 0]], [[0.1, 0.2, 0.3]], "at least one 1"),
        ([[1, 0, 0]], [[0.1, np.nan, 0.3]], "row 0 has NaN"),
    ],
)
def test_what_makes_no_sense_is_refused(labels, probabilities, message):
    with pytest.raises(MpiiError, match=message):
        evaluate_multilabel(labels, probabilities, CLASSES)


def test_unknown_metrics_and_levels_are_refused():
    result = by_hand()
    for call in (
        lambda: result.interval("accuracy"),
        lambda: result.class_intervals("accuracy"),
        lambda: result.interval(level=95),
        lambda: result.interval(seed=-1),
        lambda: result.interval(groups=[1, 2]),
    ):
        with pytest.raises(MpiiError, match="interval"):
            call()
