"""The stacked hourglass has the published size, the promised outputs and names, and one result on every backend."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from mpii_course.sample import make_sample
from mpii_lib.errors import ModelError
from mpii_lib.models import SAMPLE_HOURGLASS, build_hourglass, save_backbone_weights
from mpii_lib.models.weights import read_npz, sample_folder
from mpii_lib.pose import pckh, person_crops, predict_poses

SMALL = {"stacks": 2, "channels": 8, "depth": 2, "joints": 5, "input_size": 32, "output_stride": 2}


@pytest.fixture(scope="module")
def small():
    return build_hourglass(**SMALL, seed=0)


def striped(size):
    return (np.indices((size, size)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.uint8)


@pytest.mark.parametrize(("stacks", "parameters"), [(1, 3_426_448), (2, 6_570_400), (8, 25_434_112)])
def test_trainable_parameters_are_those_of_the_paper(stacks, parameters):
    model = build_hourglass(stacks=stacks)
    assert sum(math.prod(v.shape) for v in model.trainable_variables) == parameters
    assert [tuple(output.shape) for output in model.outputs] == [(None, 64, 64, 16)] * stacks


def test_every_stack_gives_heatmaps_at_the_stride_of_the_stem(small):
    maps = small(striped(32))
    assert [tuple(m.shape) for m in maps] == [(1, 16, 16, 5)] * 2
    four = build_hourglass(**{**SMALL, "output_stride": 4})
    assert tuple(four.outputs[-1].shape) == (None, 8, 8, 5)


def test_the_bottleneck_of_each_stack_has_a_name(small):
    for stack in (1, 2):
        assert small.get_layer(f"stack{stack}_bottleneck").output.shape == (None, 4, 4, 8)
        assert small.get_layer(f"stack{stack}_heatmaps").output.shape == (None, 16, 16, 5)


def test_images_of_bytes_and_of_floats_give_the_same(small):
    one, two = small(striped(32)), small(striped(32).astype(np.float32))
    np.testing.assert_allclose(np.asarray(one[-1]), np.asarray(two[-1]), atol=1e-6)


def test_heatmaps_stay_in_32_bits_under_mixed_precision():
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build_hourglass(**SMALL)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("stack1_bottleneck").compute_dtype == "float16"
    assert {str(output.dtype) for output in model.outputs} == {"float32"}


def test_the_first_stack_learns_from_its_own_heatmaps(small):
    """The loss of stack 1 alone reaches the stem, and not the second stack."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(small(striped(32), training=False)[0] ** 2)
    gradients = tape.gradient(loss, small.trainable_variables)
    reached = {v.path.split("_")[0] for v, g in zip(small.trainable_variables, gradients, strict=True) if g is not None}
    assert reached == {"stem", "stack1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input_size": 36}, "multiple of 8"),
        ({"stacks": 0}, "stacks=0"),
        ({"channels": 6}, "multiple of 4"),
        ({"output_stride": 3}, "output_stride=3"),
        ({"weights": "nowhere.npz"}, "no such file"),
        ({"weights": "sample"}, "hourglass.npz"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(change, words):
    with pytest.raises(ModelError, match=words):
        build_hourglass(**{**SMALL, **change})


@pytest.mark.filterwarnings("error:Skipping nested container")
def test_weights_come_back_from_every_kind_of_file(small, tmp_path):
    save_backbone_weights(small, tmp_path / "a.npz", {})
    small.save_weights(tmp_path / "a.weights.h5")
    small.save(tmp_path / "a.keras")
    wanted = np.asarray(small(striped(32))[-1])
    for name, tolerance in (("a.npz", 1e-2), ("a.weights.h5", 1e-6), ("a.keras", 1e-6)):
        model = build_hourglass(**SMALL, weights=tmp_path / name, seed=1)
        np.testing.assert_allclose(np.asarray(model(striped(32))[-1]), wanted, atol=tolerance)
        assert model.provenance["weights"] == name
    with pytest.raises(ModelError, match="a.weights.h5"):
        build_hourglass(**{**SMALL, "channels": 16}, weights=tmp_path / "a.weights.h5")


PLAIN_KERAS = """
import sys, json, numpy as np, keras
model = keras.saving.load_model(sys.argv[1])
assert not [name for name in sys.modules if name.startswith("mpii")]
size = model.input_shape[1]
image = (np.indices((size, size)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.uint8)
print(json.dumps([maps.ravel().tolist() for maps in model.predict(image, verbose=0)]))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_saved_network_opens_in_plain_keras_and_gives_the_same_heatmaps(small, tmp_path, backend):
    pytest.importorskip(backend)
    small.save(tmp_path / "small.keras")
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_KERAS, str(tmp_path / "small.keras")],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for theirs, here in zip(json.loads(done.stdout.splitlines()[-1]), small(striped(32)), strict=True):
        np.testing.assert_allclose(theirs, np.asarray(here).ravel(), atol=1e-4)


def test_the_same_seed_gives_the_same_random_weights_and_calm_heatmaps(small):
    again, other = build_hourglass(**SMALL, seed=0), build_hourglass(**SMALL, seed=1)
    for one, two in zip(small.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(small.get_weights()[0], other.get_weights()[0])
    assert np.abs(np.asarray(small(striped(32))[-1])).max() < 2


def test_the_sample_weights_are_those_that_were_measured():
    path = sample_folder() / "hourglass.npz"
    metadata = read_npz(path)[1]
    assert metadata["network"] == dict(SAMPLE_HOURGLASS)
    assert path.stat().st_size <= 2_000_000
    assert metadata == json.loads(path.with_suffix(".json").read_text())
    scores = metadata["held_out"]
    assert scores["thesis"]["pckh"] >= 0.85
    model = build_hourglass(weights="sample")
    assert model.provenance["weights"] == "sample"
    np.testing.assert_allclose(np.asarray(model(striped(64))[-1])[0, 16, 16], metadata["probe"], rtol=1e-2, atol=2e-2)


def test_the_sample_network_takes_larger_images():
    model = build_hourglass(**{**SAMPLE_HOURGLASS, "input_size": 96}, weights="sample")
    assert model.outputs[-1].shape == (None, 48, 48, 16)


@pytest.mark.slow
def test_the_sample_network_finds_joints_of_people_it_never_saw(tmp_path):
    ann = make_sample(tmp_path / "sample", images=100, seed=77)
    crops = person_crops(ann, size=64, crop="thesis")
    found = predict_poses(build_hourglass(weights="sample"), crops, flip_test=True)
    assert pckh(found.image_joints, crops.image_joints, crops.head_size).total > 0.78  # few videos: a wide interval
    assert found.confidence.mean() > 0.5
