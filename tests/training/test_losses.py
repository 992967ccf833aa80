"""Losses between heatmaps: what they are on small maps, and that masked joints have no part in them."""

import numpy as np
import pytest

from mpii_lib.errors import TrainingError
from mpii_lib.training import HeatmapMSE, SpatialCrossEntropy

LOSSES = pytest.mark.parametrize("loss", [HeatmapMSE(), HeatmapMSE(60, 10), SpatialCrossEntropy()])


def peaked(rng, batch=2, size=8, joints=3):
    maps = np.zeros((batch, size, size, joints), np.float32)
    for person in range(batch):
        for joint in range(joints):
            maps[person, rng.integers(size), rng.integers(size), joint] = 1
    return maps


@LOSSES
def test_a_masked_joint_has_no_gradient(loss):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    true, predicted = peaked(rng), tf.Variable(rng.standard_normal((2, 8, 8, 3)).astype(np.float32))
    weights = np.ones((2, 3), np.float32)
    weights[0, 1] = 0
    with tf.GradientTape() as tape:
        value = loss(true, predicted, sample_weight=weights)
    largest = np.abs(tape.gradient(value, predicted).numpy()).max(axis=(1, 2))
    np.testing.assert_array_equal(largest > 0, weights > 0)


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


def test_where_nobody_is_the_target_is_the_same_for_all_cells():
    nobody, flat = np.zeros((1, 4, 4, 1), np.float32), np.full((1, 4, 4, 1), 2, np.float32)
    sharp = flat.copy()
    sharp[0, 1, 1, 0] = 9
    loss = SpatialCrossEntropy()
    assert np.asarray(loss.call(nobody, flat)).item() == pytest.approx(np.log(16))
    assert np.asarray(loss.call(nobody, sharp)).item() > np.log(16) + 1


@LOSSES
def test_heatmaps_of_another_size_or_number_are_refused(loss):
    with pytest.raises(TrainingError, match=r"\(8, 8, 3\).*\(8, 8, 4\)"):
        loss(np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8, 4), np.float32))


@LOSSES
def test_a_loss_comes_back_from_its_configuration(loss):
    again = type(loss).from_config(loss.get_config())
    true = peaked(np.random.default_rng(3))
    np.testing.assert_array_equal(np.asarray(again(true, true + 0.1)), np.asarray(loss(true, true + 0.1)))
