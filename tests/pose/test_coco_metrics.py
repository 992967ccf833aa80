"""OKS and AP: equal to what pycocotools gives for the same files, and quiet."""

import json

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO as CocoFile
from pycocotools.cocoeval import COCOeval

from mpii_lib.annotations import Annotations, read_coco
from mpii_lib.errors import MpiiError
from mpii_lib.pose import keypoint_ap, oks
from mpii_lib.skeletons import COCO, MPII

SIGMAS = np.array(COCO.sigmas)
SPLITS = pytest.mark.parametrize("split", ["train", "val"])


def crowd_of(count=5, seed=0):
    """Drawn persons, two an image; the last has no labelled joint."""
    generator = np.random.default_rng(seed)
    joints = generator.uniform(0, 200, (count, 17, 2)).round()
    visibility = generator.integers(0, 3, (count, 17)).astype(np.int8)
    visibility[:, 0], visibility[-1] = 2, 0
    joints[visibility == 0] = np.nan
    images = pd.DataFrame({"file_name": [f"{i}.jpg" for i in range(3)]}, index=[7, 8, 9])
    people = pd.DataFrame({
        "image_id": [7, 7, 8, 8, 9][:count], "area": generator.uniform(1000, 20000, count), "iscrowd": False,
        "bbox_x": 0.0, "bbox_y": 0.0, "bbox_w": 200.0, "bbox_h": 200.0,
    })  # fmt: skip
    return Annotations(images, people, joints.astype(np.float32), visibility, COCO)


def test_a_perfect_pose_is_one_and_a_far_one_is_zero():
    truth = crowd_of()
    perfect = oks(truth.joints, truth.joints, truth.visibility, truth.people.area)
    np.testing.assert_allclose(perfect[:-1], 1)
    assert np.isnan(perfect[-1])
    far = oks(np.nan_to_num(truth.joints) + 5000, truth.joints, truth.visibility, truth.people.area)
    np.testing.assert_allclose(far[:-1], 0, atol=1e-12)


def test_one_joint_at_one_sigma_of_its_bell_is_exp_of_minus_a_half():
    truth = np.full((1, 17, 2), np.nan)
    truth[0, 9] = 100, 100
    away = truth.copy()
    away[0, 9, 0] += 2 * COCO.sigmas[9] * np.sqrt(3600)
    assert oks(away, truth, np.isfinite(truth[..., 0]) * 2, [3600])[0] == pytest.approx(np.exp(-0.5))


def test_a_joint_that_was_not_predicted_adds_nothing():
    truth = np.zeros((1, 17, 2))
    guess = truth.copy()
    guess[0, :5] = np.nan
    assert oks(guess, truth, np.full((1, 17), 2), [100])[0] == pytest.approx(12 / 17)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": [np.nan] * 5}, "area of person 0 is nan"),
        ({"area": [1, 1, np.inf, 1, 1]}, "area of person 2 is inf"),
        ({"area": [1.0]}, "area is "),
        ({"sigmas": [0.0] * 17}, "not positive"),
        ({"predicted": np.zeros((5, 16, 2))}, "truth is an array"),
    ],
)
def test_bad_input_of_oks_gets_an_error(change, message):
    truth = crowd_of()
    given = {"predicted": truth.joints, "truth": truth.joints, "visibility": truth.visibility, "area": np.ones(5)}
    with pytest.raises(MpiiError, match=message):
        oks(**(given | change))


def test_perfect_predictions_have_an_ap_of_one_and_nothing_is_printed(capsys):
    truth = crowd_of()
    result = keypoint_ap(np.nan_to_num(truth.joints), truth)
    assert result.ap == pytest.approx(1) and result.people == 4 and result.ignored == 1
    assert np.isnan(result.table["AP_large"]) == (not (truth.people.area[:4] > 96**2).any())
    assert capsys.readouterr().out == ""


def test_no_predictions_at_all_have_an_ap_of_zero():
    truth = crowd_of()
    assert keypoint_ap(np.zeros((0, 17, 2)), truth, image_ids=np.zeros(0, int)).ap == 0


def test_two_predictions_for_one_person_cost_precision_only_when_the_wrong_one_is_surer():
    truth = crowd_of(1)
    truth = Annotations(truth.images, truth.people, np.ones((1, 17, 2), np.float32), np.full((1, 17), 2, np.int8), COCO)
    both = np.stack([np.ones((17, 2)), np.full((17, 2), 900.0)])
    assert keypoint_ap(both, truth, [0.9, 0.1], [7, 7]).ap == pytest.approx(1)
    assert keypoint_ap(both, truth, [0.1, 0.9], [7, 7]).ap == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": np.full((5, 17, 2), np.nan)}, "NaN, infinite or beyond"),
        ({"predicted": np.full((5, 17, 2), 1e30)}, "NaN, infinite or beyond"),
        ({"predicted": np.zeros((4, 17, 2))}, r"give \(5, 17, 2\)"),
        ({"scores": [1.0]}, "scores is"),
        ({"image_ids": [7, 7, 8, 8, 10]}, "not among the annotated images"),
    ],
)
def test_bad_input_of_ap_gets_an_error(change, message):
    truth = crowd_of()
    with pytest.raises(MpiiError, match=message):
        keypoint_ap(**({"predicted": np.nan_to_num(truth.joints), "annotations": truth} | change))


def test_mpii_has_neither_sigmas_nor_areas_and_the_error_says_so():
    truth = crowd_of()
    mpii = Annotations(truth.images, truth.people, truth.joints[:, :16], truth.visibility[:, :16], MPII)
    with pytest.raises(MpiiError, match="no sigmas"):
        keypoint_ap(np.zeros((5, 16, 2)), mpii)
    bare = Annotations(truth.images, truth.people[["image_id"]], truth.joints, truth.visibility, COCO)
    with pytest.raises(MpiiError, match="no area"):
        keypoint_ap(np.zeros((5, 17, 2)), bare)


@pytest.mark.parametrize("area", [-5.0, 1e11, np.inf, -np.inf])
def test_an_area_that_cocos_ranges_do_not_hold_never_reaches_the_score(area):
    truth = crowd_of()
    people = truth.people.assign(area=[area, *truth.people.area[1:]])
    with pytest.raises(MpiiError, match=f"person_id 0.*area: {area} is not within"):
        keypoint_ap(truth.joints, Annotations(truth.images, people, truth.joints, truth.visibility, COCO))


def by_pycocotools(path, found):
    """Stats and OKS straight from pycocotools on the real file."""
    file = CocoFile(str(path))
    evaluator = COCOeval(file, file.loadRes(found), "keypoints")
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return evaluator


def predictions(truth, seed):
    """Predictions of all qualities for all persons, some of them for an image's second time, one image with none."""
    generator = np.random.default_rng(seed)
    size = np.sqrt(np.maximum(truth.people.area.to_numpy(float), 100))
    known = np.where(truth.visibility[..., None] > 0, truth.joints, 50).astype(float)
    quality = generator.choice([0.005, 0.01, 0.05, 1], len(known))
    guess = known + generator.normal(size=known.shape) * (quality * size)[:, None, None]
    ids = truth.people.image_id.to_numpy()
    again = generator.random(len(known)) < 0.2
    guess, ids = np.concatenate([guess, guess[again] + 7]), np.concatenate([ids, ids[again]])
    kept = ids != ids[0]
    return guess[kept], ids[kept], generator.random(len(ids))[kept]


@SPLITS
@pytest.mark.shared
def test_ap_of_real_persons_equals_pycocotools_on_the_real_file(shared_data, split):
    path = shared_data / "coco" / "annotations" / f"person_keypoints_{split}2017.json"
    truth = read_coco(shared_data / "coco", split=split)
    guess, ids, scores = predictions(truth, seed=3)
    found = [
        {"image_id": int(i), "category_id": 1, "score": float(s),
         "keypoints": np.column_stack([pose, np.ones(17)]).ravel().tolist()}
        for i, pose, s in zip(ids, guess, scores, strict=True)
    ]  # fmt: skip
    theirs = by_pycocotools(path, json.loads(json.dumps(found)))
    ours = keypoint_ap(guess, truth, scores, ids)
    assert 0.1 < ours.ap < 0.9
    np.testing.assert_allclose(ours.table.fillna(-1), theirs.stats, atol=1e-6)


@SPLITS
@pytest.mark.shared
def test_oks_of_real_persons_equals_pycocotools_for_each_pair(shared_data, split):
    path = shared_data / "coco" / "annotations" / f"person_keypoints_{split}2017.json"
    truth = read_coco(shared_data / "coco", split=split)
    known = np.where(truth.visibility[..., None] > 0, truth.joints, 0).astype(float)
    guess = known + np.random.default_rng(0).normal(scale=8, size=known.shape)
    ours = oks(guess, truth.joints, truth.visibility, np.nan_to_num(truth.people.area.to_numpy(float)))
    ids = truth.people.image_id.to_numpy()
    file = CocoFile(str(path))
    compared = 0
    for image in np.unique(ids):
        rows = np.flatnonzero(ids == image)
        found = [
            {"image_id": int(image), "category_id": 1, "score": 1.0 - 0.001 * place,
             "keypoints": np.column_stack([guess[row], np.ones(17)]).ravel().tolist()}
            for place, row in enumerate(rows)
        ]  # fmt: skip
        evaluator = COCOeval(file, file.loadRes(found), "keypoints")
        evaluator.params.imgIds = [image]
        evaluator._prepare()
        table = evaluator.computeOks(image, 1)  # detections by truths, both in the order of the file
        assert [a["id"] for a in evaluator._gts[image, 1]] == truth.people.index[rows].tolist()
        for place, row in enumerate(rows[:20]):
            if (truth.visibility[row] > 0).any():
                assert ours[row] == pytest.approx(table[place, place], abs=1e-6)
                compared += 1
    assert compared >= 60


@pytest.mark.shared
def test_shifted_real_persons_lose_similarity_and_small_ones_lose_more(shared_data):
    truth = read_coco(shared_data / "coco", split="val")
    shifted = oks(truth.joints + 4, truth.joints, truth.visibility, np.nan_to_num(truth.people.area.to_numpy(float)))
    areas = truth.people.area.to_numpy(float)
    there = np.isfinite(shifted)
    assert (shifted[there] < 1).all()
    assert np.median(shifted[there & (areas < 48**2)]) + 0.2 < np.median(shifted[there & (areas > 96**2)])
