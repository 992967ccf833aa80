"""Losses between heatmaps, and the training of a network that finds joints."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.errors import ModelError, TrainingError
from mpii_lib.models import build_hourglass
from mpii_lib.pose import PoseAugmentation, person_crops, predict_heatmaps, predict_poses
from mpii_lib.skeletons import MPII
from mpii_lib.training import POSE_LOSSES, HeatmapMSE, SpatialCrossEntropy, fit_pose, pose_loss, read_record

NETWORK = {"stacks": 2, "channels": 8, "depth": 2, "input_size": 32, "output_stride": 2}


def peaked(rng, batch=2, size=8, joints=3):
    maps = np.zeros((batch, size, size, joints), np.float32)
    for person in range(batch):
        for joint in range(joints):
            maps[person, rng.integers(size), rng.integers(size), joint] = 1
    return maps


@pytest.mark.parametrize("name", POSE_LOSSES)
def test_a_masked_joint_has_no_gradient(name):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    true, predicted = peaked(rng), tf.Variable(rng.standard_normal((2, 8, 8, 3)).astype(np.float32))
    weights = np.ones((2, 3), np.float32)
    weights[0, 1] = 0
    with tf.GradientTape() as tape:
        loss = pose_loss(name)(true, predicted, sample_weight=weights)
    gradient = tape.gradient(loss, predicted).numpy()
    assert np.abs(gradient[0, :, :, 1]).max() == 0
    weights[0, 1] = 1
    assert np.abs(gradient).max(axis=(1, 2))[weights > 0].min() >= 0 and np.abs(gradient[0, :, :, 0]).max() > 0


def test_mean_squared_error_is_the_mean_over_the_cells():
    rng = np.random.default_rng(1)
    true, predicted = peaked(rng), rng.standard_normal((2, 8, 8, 3)).astype(np.float32)
    wanted = ((true - predicted) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(HeatmapMSE().call(true, predicted)), wanted, rtol=1e-5)
    weighted = ((1 + 60 * true) * (10 * true - predicted) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(HeatmapMSE(60, 10).call(true, predicted)), weighted, rtol=1e-5)


def test_cross_entropy_is_least_where_the_softmax_is_the_true_map():
    rng = np.random.default_rng(2)
    true = rng.random((1, 6, 6, 2)).astype(np.float32)
    true /= true.sum(axis=(1, 2), keepdims=True)
    entropy = -(true * np.log(true)).sum(axis=(1, 2))
    loss = SpatialCrossEntropy()
    np.testing.assert_allclose(np.asarray(loss.call(true, np.log(true) + 3)), entropy, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(loss.call(5 * true, np.log(true))), entropy, rtol=1e-4)
    assert (np.asarray(loss.call(true, rng.standard_normal(true.shape).astype(np.float32))) > entropy).all()


def test_where_nobody_is_all_cells_shall_be_equally_probable():
    nobody, flat = np.zeros((1, 4, 4, 1), np.float32), np.full((1, 4, 4, 1), 2, np.float32)
    sharp = flat.copy()
    sharp[0, 1, 1, 0] = 9
    loss = SpatialCrossEntropy()
    assert np.asarray(loss.call(nobody, flat)).item() == pytest.approx(np.log(16))
    assert np.asarray(loss.call(nobody, sharp)).item() > np.log(16) + 1


@pytest.fixture
def crops(tmp_path):
    rng = np.random.default_rng(0)
    images = pd.DataFrame({"file_name": [f"{n}.png" for n in range(12)]}, index=range(12))
    joints = rng.uniform(8, 56, (12, 16, 2)).astype(np.float32)
    for number in range(12):
        pixels = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    people = pd.DataFrame({"image_id": range(12), "scale": 0.25, "center_x": 32.0, "center_y": 32.0}, index=range(12))
    people["head_x1"], people["head_y1"], people["head_x2"], people["head_y2"] = 0.0, 0.0, 20.0, 20.0
    return person_crops(
        Annotations(images, people, joints, np.full((12, 16), 2, np.int8), MPII, tmp_path), size=32, crop="thesis"
    )


def test_a_training_that_is_broken_off_goes_on_to_the_same_result(crops, tmp_path):
    settings = {"batch": 4, "augment": PoseAugmentation(), "progress": False}
    parts = (crops[:8], crops[8:])
    whole = fit_pose(build_hourglass(**NETWORK, seed=0), *parts, epochs=2, folder=tmp_path / "a", **settings)
    fit_pose(build_hourglass(**NETWORK, seed=0), *parts, epochs=1, folder=tmp_path / "b", **settings)
    model = build_hourglass(**NETWORK, seed=1)
    again = fit_pose(model, *parts, epochs=2, folder=tmp_path / "b", **settings)
    same = ["loss", "stack1_heatmaps_loss", "stack2_heatmaps_loss", "val_loss", "val_pckh"]
    pd.testing.assert_frame_equal(whole.history[same], again.history[same], rtol=1e-4)
    record = read_record(tmp_path / "b")
    assert record["settings"]["loss"] == "spatial_cross_entropy" and record["settings"]["optimizer"] == "rmsprop"
    assert record["settings"]["learning_rate"] == 2.5e-4 and record["model"]["backbone"] == "hourglass"
    assert model.provenance["maps"] == "logits"
    straight = predict_heatmaps(model, crops.pictures)
    np.testing.assert_allclose(straight.sum(axis=(1, 2)), 1, rtol=1e-3)


def test_a_network_with_another_number_of_joints_is_refused(crops, tmp_path):
    with pytest.raises(TrainingError, match="joints=16"):
        fit_pose(build_hourglass(**NETWORK, joints=17), crops, epochs=1, folder=tmp_path / "c")


class Spots:
    """Stands for a network: heatmaps with the top where the picture is brightest."""

    input_shape, compiled, name = (None, 32, 32, 3), True, "spots"
    provenance: dict = {}

    def predict(self, pictures, batch_size, verbose):
        maps = np.asarray(pictures, np.float32)[..., :1].reshape(len(pictures), 16, 2, 16, 2, 1).max(axis=(2, 4))
        return [np.zeros_like(maps).repeat(16, -1), maps.repeat(16, -1)]


def test_predictions_come_back_to_the_pictures(crops):
    pictures = np.zeros((12, 32, 32, 3), np.uint8)
    pictures[:, 20:22, 6:8] = 200
    spots = crops[:]
    object.__setattr__(spots, "pictures", pictures)
    found = predict_poses(Spots(), spots, decode="argmax")
    np.testing.assert_allclose(found.joints, np.broadcast_to([6.5, 20.5], (12, 16, 2)))
    np.testing.assert_allclose(found.image_joints, crops.to_image(found.joints))
    assert found.scores.min() == 200 and found.confidence.shape == (12,)
    flipped = predict_poses(Spots(), spots, flip_test=True, decode="argmax")
    np.testing.assert_allclose(flipped.joints, found.joints)
    assert np.isnan(predict_poses(Spots(), spots, stack=0).joints).all()  # an empty map shows no place


def test_larger_crops_are_brought_to_the_networks_size_and_joints_back():
    pictures = np.zeros((1, 64, 64, 3), np.uint8)
    pictures[:, 40:44, 12:16] = 200
    assert predict_poses(Spots(), pictures, decode="argmax").joints[0, 0] == pytest.approx([13.5, 41.5])


def test_scores_of_logits_are_probabilities():
    pictures = np.zeros((1, 32, 32, 3), np.uint8)
    sure = pictures.copy()
    sure[:, 20:22, 6:8] = 30
    low, high = (predict_poses(Spots(), one, maps="logits").scores[0, 0] for one in (pictures, sure))
    assert 0 < low < 0.05 and 0.95 < high <= 1.0001


def test_what_is_no_crop_is_refused():
    for wrong in (np.zeros((4, 32, 32)), np.zeros((1, 32, 48, 3)), np.zeros((0, 32, 32, 3))):
        with pytest.raises(ModelError, match="crops"):
            predict_poses(Spots(), wrong)
    with pytest.raises(ModelError, match="stack 2"):
        predict_poses(Spots(), np.zeros((1, 32, 32, 3), np.uint8), stack=2)
