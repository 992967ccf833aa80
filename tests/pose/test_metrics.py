"""PCKh, its averages and the head size: on constructed cases, and on real persons where the data is there."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpii_lib.annotations import read_mpii
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation import evaluate_classifier
from mpii_lib.pose import head_size, pckh
from mpii_lib.skeletons import COCO, MPII

WRISTS = [MPII.index("r_wrist"), MPII.index("l_wrist")]
MIDDLE = [MPII.index("pelvis"), MPII.index("thorax")]


def people(count=4, joints=16):
    """Persons with head size 10 whose joints are 100 px apart."""
    truth = np.zeros((count, joints, 2))
    truth[..., 0] = 100 * np.arange(joints)
    truth[..., 1] = 1000 * np.arange(count)[:, None]
    return truth, np.full(count, 10.0)


@pytest.fixture(scope="module")
def four():
    """Four persons; wrists always wrong and annotated once only, elbows half wrong, the rest right."""
    truth, sizes = people()
    predicted = truth.copy()
    truth[1:, WRISTS] = np.nan
    predicted[:, WRISTS] += 50
    predicted[:2, MPII.index("r_elbow")] += 50
    return pckh(predicted, truth, sizes)


def test_total_is_pooled_over_annotated_joints_without_pelvis_and_thorax(four):
    annotated = 4 * 14 - 6
    assert four.total == pytest.approx((annotated - 2 - 2) / annotated)


def test_mean_gives_each_of_fourteen_joints_the_same_weight(four):
    assert four.mean == pytest.approx((11 + 0.5) / 14)


def test_pooled_all_takes_in_pelvis_and_thorax(four):
    annotated = 4 * 16 - 6
    assert four.pooled_all == pytest.approx((annotated - 4) / annotated)


def test_the_three_averages_differ_on_the_same_predictions_and_are_named(four):
    assert list(four.averages.index) == ["pooled over 14 joints", "mean of 14 joints", "pooled over 16 joints"]
    assert list(four.averages) == [four.total, four.mean, four.pooled_all]
    assert four.mean < four.total < four.pooled_all  # as in FACTS: 88.65 < 89.09 < 89.90


def test_pelvis_and_thorax_do_not_move_the_official_scores(four):
    truth, sizes = people()
    spoilt = truth.copy()
    spoilt[:, MIDDLE] += 500
    score = pckh(spoilt, truth, sizes)
    assert score.total == 1 and score.mean == 1
    assert score.pooled_all == pytest.approx(14 / 16)
    assert score.per_joint["pelvis"] == 0


def test_groups_are_the_published_ones_and_head_is_the_mean_of_upper_neck_and_head_top():
    truth, sizes = people()
    predicted = truth.copy()
    predicted[:, MPII.index("upper_neck")] += 50
    predicted[0, MPII.index("l_wrist")] += 50
    groups = pckh(predicted, truth, sizes).groups
    assert list(groups.index) == ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"]
    assert groups["Head"] == 0.5
    assert groups["Wrist"] == pytest.approx((1 + 0.75) / 2)


def test_per_joint_is_nan_where_nobody_is_annotated_and_the_mean_passes_over_it():
    truth, sizes = people()
    truth[:, WRISTS[0]] = np.nan
    score = pckh(truth, truth, sizes)
    assert np.isnan(score.per_joint["r_wrist"]) and score.mean == 1 and score.total == 1


def test_a_joint_exactly_at_the_threshold_is_correct():
    truth, sizes = people(1)
    predicted = truth + [3, 4]  # 5 px: half a head size of 10
    assert pckh(predicted, truth, sizes).total == 1
    assert pckh(predicted, truth, sizes, threshold=0.4999).total == 0


def test_occluded_joints_count_and_unannotated_ones_do_not():
    truth, sizes = people(1)
    visibility = np.full((1, 16), 2)
    visibility[0, :4], visibility[0, 4] = 1, 0
    predicted = truth.copy()
    predicted[0, :5] += 50
    score = pckh(predicted, truth, sizes, visibility=visibility)
    assert score.total == pytest.approx(9 / 13)  # 16 - pelvis - thorax - the unannotated; four of them wrong


def test_scores_by_visibility_are_those_of_the_joints_with_that_visibility():
    truth, sizes = people(2)
    visibility = np.full((2, 16), 2)
    visibility[0, WRISTS] = 1
    predicted = truth.copy()
    predicted[0, WRISTS] += 50
    table = pckh(predicted, truth, sizes, visibility=visibility).by_visibility()
    assert table.loc["Wrist", ["visible", "occluded", "visible_joints", "occluded_joints"]].tolist() == [1, 0, 2, 2]
    assert table.loc["Total", ["visible", "occluded", "visible_joints", "occluded_joints"]].tolist() == [1, 0, 26, 2]
    assert np.isnan(table.loc["Knee", "occluded"])


def test_without_visibility_there_is_no_table_by_visibility():
    truth, sizes = people()
    with pytest.raises(MpiiError, match="give visibility"):
        pckh(truth, truth, sizes).by_visibility()


def test_a_joint_that_was_not_predicted_is_wrong_where_it_is_annotated():
    truth, sizes = people(1)
    predicted = truth.copy()
    predicted[0, :7] = np.nan
    truth[0, 0] = np.nan
    assert pckh(predicted, truth, sizes).total == pytest.approx(8 / 13)
    assert pckh(predicted, truth, sizes, threshold=1e9).total == pytest.approx(8 / 13)


def test_persons_without_a_size_are_left_out_and_counted():
    truth, sizes = people(4)
    sizes[1] = np.nan
    predicted = truth.copy()
    predicted[1] += 1000
    score = pckh(predicted, truth, sizes)
    assert score.total == 1 and score.left_out == 1
    assert "3 persons" in repr(score)


def test_the_curve_says_the_score_at_its_index_and_never_falls():
    generator = np.random.default_rng(0)
    truth, sizes = people(50)
    score = pckh(truth + generator.normal(scale=3, size=truth.shape), truth, sizes)
    curve = score.curve()
    assert curve.index[0] == 0 and curve.index[-1] == 0.5
    assert (curve.diff().dropna() >= 0).all().all()
    assert curve.loc[0.5, "Total"] == score.total
    for threshold in (0.1, 0.11):
        assert score.curve([threshold])["Total"].item() == score.at(threshold).total
    assert score.at(0.1).total < score.at(0.11).total  # the row-11 slip of published code raises the score


def test_interval_holds_the_score_and_is_wider_when_whole_images_are_drawn():
    generator = np.random.default_rng(0)
    truth, sizes = people(60)
    image = np.repeat(np.arange(12), 5)
    predicted = truth + np.where(image % 3 == 0, 50, 0)[:, None, None] + generator.normal(scale=3, size=truth.shape)
    score = pckh(predicted, truth, sizes)
    alone, together = score.interval(seed=1), score.interval(groups=image, seed=1)
    assert alone.low <= score.total <= alone.high
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert score.interval(groups=image, seed=1) == together and together.groups == 12
    for wrong, words in (
        ({"groups": image[:3]}, "3 groups for 60"),
        ({"level": 1.0}, "level is 1.0"),
        ({"seed": -1}, "seed is -1"),
    ):
        with pytest.raises(MpiiError, match=words):
            score.interval(**wrong)


def test_the_interval_is_that_of_the_evaluation_of_the_same_right_and_wrong():
    generator = np.random.default_rng(0)
    truth, sizes = people(60)
    image = np.repeat(np.arange(12), 5)
    wrong = generator.random((60, 1, 1)) < 0.2 + 0.5 * (image % 3 == 0)[:, None, None]  # whole persons
    score = pckh(truth + 50 * wrong, truth, sizes)
    other = evaluate_classifier(wrong[:, 0, 0].astype(int), np.tile([1.0, 0], (60, 1)), ["a", "b"])
    assert score.interval(groups=image, seed=1) == pytest.approx(other.interval(groups=image, seed=1))


def test_from_fewer_than_five_images_there_is_no_interval_and_none_in_the_record():
    truth, sizes = people(20)
    truth[15:, :] = np.nan  # five persons, of a fifth image, without a joint
    score = pckh(truth, truth, sizes)
    interval = score.interval(groups=np.repeat(np.arange(5), [2, 5, 5, 3, 5]))
    assert interval.groups == 4 and np.isnan([interval.low, interval.high]).all()
    assert str(interval) == "1.000 (no interval: 4 groups)"
    assert not {"total_low", "total_high"} & set(score.scores(groups=[0] * 20))
    perfect = score.interval(groups=np.arange(20) // 2)
    assert perfect.value == perfect.high == 1 and perfect.low < 0.9


def test_groups_that_are_missing_stand_alone():
    truth, sizes = people(6)
    predicted = truth.copy()
    predicted[:3] += 50
    score = pckh(predicted, truth, sizes)
    missing = pd.Series([None] * 6, dtype="Int64")
    assert score.interval(groups=missing, seed=2) == score.interval(seed=2)


def test_scores_for_the_record_are_plain_and_say_what_they_are(four):
    scores = four.scores()
    assert scores["metric"] == "PCKh" and scores["threshold"] == 0.5
    assert scores["total"] == four.total and scores["wrist"] == 0 and scores["people"] == 4 and scores["joints"] == 50
    assert all(type(value) in (int, float, str) for value in scores.values())


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 20), st.floats(-1e4, 1e4), st.integers(0, 2**32 - 1))
def test_moving_and_scaling_person_and_prediction_changes_no_distance(scale, shift, seed):
    generator = np.random.default_rng(seed)
    truth, sizes = people(3)
    predicted = truth + generator.normal(scale=5, size=truth.shape)
    before = pckh(predicted, truth, sizes).distances
    after = pckh(scale * predicted + shift, scale * truth + shift, scale * sizes).distances
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": np.zeros((4, 15, 2))}, "truth is an array"),
        ({"predicted": np.zeros((4, 15, 2)), "truth": np.zeros((4, 15, 2))}, r"give \(N, 16, 2\)"),
        ({"truth": np.zeros((4, 16))}, "truth is an array"),
        ({"head_size": np.ones(3)}, r"head_size is an array \(3,\)"),
        ({"head_size": np.array([1, 0, 1, 1.0])}, "person 1 is 0.0 px"),
        ({"head_size": np.full(4, np.nan)}, "nothing can be scored"),
        ({"truth": np.full((4, 16, 2), np.nan)}, "nothing can be scored"),
        ({"predicted": np.full((4, 16, 2), np.inf)}, "infinite"),
        ({"threshold": -0.5}, "threshold is -0.5"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"visibility": np.full((4, 16), 3)}, "other numbers than 0, 1 and 2"),
        ({"visibility": np.full((4, 2), 2)}, "visibility is an array"),
    ],
)
def test_bad_input_gets_an_error_that_says_what_to_give(change, message):
    truth, sizes = people()
    with pytest.raises(MpiiError, match=message):
        pckh(**({"predicted": truth, "truth": truth, "head_size": sizes} | change))


def test_inputs_are_not_changed():
    truth, sizes = people()
    visibility = np.zeros((4, 16))
    visibility[0] = 2
    kept = truth.copy()
    pckh(truth, truth, sizes, visibility=visibility)
    np.testing.assert_array_equal(truth, kept)


def test_head_size_is_six_tenths_of_the_diagonal_of_the_head_box():
    table = pd.DataFrame({"head_x1": [10.0, np.nan], "head_y1": [10.0, 0], "head_x2": [40.0, 1], "head_y2": [50.0, 1]})
    sizes = head_size(table)
    assert sizes[0] == pytest.approx(0.6 * 50) and np.isnan(sizes[1])
    with pytest.raises(MpiiError, match="no column head_x1"):
        head_size(table.drop(columns="head_x1"))


def test_with_another_skeleton_size_and_threshold_it_is_pck_and_all_coco_joints_count():
    truth = np.zeros((2, 17, 2))
    score = pckh(truth + [9.9, 0], truth, [50, 90], threshold=0.2, skeleton=COCO)
    assert score.total == 1 and score.pooled_all == score.total and len(score.averages) == 2
    assert list(score.groups.index)[0] == "Head" and score.at(0.15).total == 0.5


def test_the_scores_do_not_load_tensorflow():
    code = "import mpii_lib.pose.metrics, mpii_lib.pose.coco_metrics, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture(scope="module")
def validation(shared_data):
    """The 2,958 persons of the community's validation part: those with a head box."""
    annotations = read_mpii(shared_data / "mpii")
    chosen = np.isfinite(head_size(annotations)) & annotations.with_joints
    part = annotations.where(people=chosen)
    assert len(part.people) == 2958
    return part


@pytest.fixture(scope="module")
def truth(validation):
    return np.where(validation.visibility[..., None] > 0, validation.joints, np.nan).astype(float)


@pytest.mark.shared
def test_perfect_predictions_of_the_validation_persons_score_one(validation, truth):
    score = pckh(truth, truth, head_size(validation), threshold=0, visibility=validation.visibility)
    assert score.averages.tolist() == [1, 1, 1] and score.left_out == 0
    assert score.counted.sum() == 44240


@pytest.mark.shared
def test_one_pixel_moves_the_total_by_tenths_of_a_point(validation, truth):
    """FACTS, section 2: 0.15 to 0.3 points on a network's predictions; here on errors that make a total near theirs."""
    sizes, generator = head_size(validation), np.random.default_rng(0)
    predicted = truth + generator.normal(size=truth.shape) * 0.25 * sizes[:, None, None]
    before = pckh(predicted, truth, sizes).total
    assert 0.85 < before < 0.88
    lost = [before - pckh(predicted + shift, truth, sizes).total for shift in ([1, 1], [-1, -1], [1, -1], [-1, 1])]
    assert 0.001 < np.mean(lost) < 0.003


@pytest.mark.shared
def test_noise_lowers_the_score_step_by_step_and_the_shift_is_read_off_exactly(validation, truth):
    sizes, generator = head_size(validation), np.random.default_rng(0)
    noise = generator.normal(size=truth.shape) * sizes[:, None, None]
    totals = [pckh(truth + level * noise, truth, sizes).total for level in (0, 0.15, 0.2, 0.4, 0.8)]
    assert totals[0] == 1 and np.all(np.diff(totals) < 0)
    # A Gaussian error of s head sizes along each axis is within 0.5 with probability 1 - exp(-1 / (8 s^2)).
    np.testing.assert_allclose(totals[1:], 1 - np.exp(-1 / (8 * np.array([0.15, 0.2, 0.4, 0.8]) ** 2)), atol=0.005)
    exact = truth + np.array([0.5, 0]) * sizes[:, None, None]
    assert pckh(exact, truth, sizes, threshold=0.5 + 1e-9).total == 1
    assert pckh(exact, truth, sizes, threshold=0.5 - 1e-6).total == 0


@pytest.mark.shared
def test_easy_hips_and_hard_wrists_order_the_averages_as_published(validation, truth):
    """FACTS, section 2: 88.65 (mean), 89.09 (pooled 14, official), 89.90 (pooled 16) of one set of predictions."""
    sizes, generator = head_size(validation), np.random.default_rng(0)
    level = np.full(16, 0.2)
    level[[MPII.index(n) for n in ("r_ankle", "l_ankle", "r_knee", "l_knee")]] = 0.32  # also the rarer annotated
    level[MIDDLE] = 0.12
    noise = generator.normal(size=truth.shape) * level[:, None] * sizes[:, None, None]
    score = pckh(truth + noise, truth, sizes)
    assert score.mean < score.total < score.pooled_all
    assert 0.001 < score.total - score.mean < 0.02 and 0.003 < score.pooled_all - score.total < 0.03


@pytest.mark.shared
def test_real_persons_have_both_kinds_of_visibility(validation, truth):
    table = pckh(truth, truth, head_size(validation), visibility=validation.visibility).by_visibility()
    assert (table.drop(index="Head")[["visible", "occluded"]] == 1).all().all()
    assert table.loc["Head", "occluded_joints"] == 0  # the file leaves them empty, which is read as visible
    assert table.loc["Total", ["visible_joints", "occluded_joints"]].tolist() == [30686, 7744]
