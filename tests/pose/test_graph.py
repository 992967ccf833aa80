"""The twins for the training graph give what NumPy gives, on the backend at hand."""

import numpy as np
import pytest

from mpii_lib.errors import AnnotationError
from mpii_lib.pose import (
    decode_heatmaps,
    decode_heatmaps_graph,
    encode_heatmaps,
    encode_heatmaps_graph,
    joint_mask,
)


def batch():
    rng = np.random.default_rng(0)
    joints = rng.uniform(-10, 265, (6, 16, 2)).astype(np.float32)
    joints[0, 0], joints[1, 1] = np.nan, (255.5, 10)
    return joints, rng.integers(0, 3, (6, 16))


def numbers(tensor):
    from mpii_lib._keras import keras

    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("method", ["gaussian", "unbiased", "thesis"])
@pytest.mark.parametrize("sigma", [None, (1.0, 2.5)])
def test_the_graph_draws_what_numpy_draws(method, sigma):
    joints, visibility = batch()
    size, input_size = (64, 48), (256, 192)
    maps, mask = encode_heatmaps_graph(joints, visibility, size, input_size, method, sigma)
    wanted = encode_heatmaps(joints, visibility, size, input_size, method, sigma)
    np.testing.assert_allclose(numbers(maps), wanted, atol=1e-5)
    np.testing.assert_array_equal(numbers(mask), joint_mask(joints, visibility, input_size))


def test_it_draws_inside_a_compiled_pipeline_of_unknown_batch_size():
    from mpii_lib._keras import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("the signature is TensorFlow's; the other backends are held by the test above")
    import tensorflow as tf

    joints, visibility = batch()

    @tf.function(input_signature=[tf.TensorSpec((None, 16, 2)), tf.TensorSpec((None, 16), tf.int64)])
    def draw(points, seen):
        maps, _ = encode_heatmaps_graph(points, seen)
        return maps, decode_heatmaps_graph(maps)[0]

    maps, places = draw(joints, visibility)
    wanted = encode_heatmaps(joints, visibility)
    np.testing.assert_allclose(maps, wanted, atol=1e-5)
    found, _ = decode_heatmaps(wanted)
    there = np.isfinite(found)
    np.testing.assert_allclose(places.numpy()[there], found[there], atol=1e-4)


def test_the_soft_way_back_is_the_mean_place():
    joints = np.array([[[100.0, 37.0], [55.5, 200.0]]])
    maps = encode_heatmaps(joints, [[2, 2]], method="unbiased", sigma=1.0)
    found, scores = decode_heatmaps_graph(np.log(np.maximum(maps, 1e-30)), method="soft")
    np.testing.assert_allclose(numbers(found), joints, atol=1e-3)
    np.testing.assert_allclose(numbers(scores), maps.max(axis=(1, 2)) / maps.sum(axis=(1, 2)), atol=1e-5)
    with pytest.raises(AnnotationError, match="soft"):
        decode_heatmaps_graph(maps, method="dark")
