"""What `build_classifier` returns is an ordinary Keras model: Keras' own documentation applies to it.

Nothing here depends on the backend; `test_jax.py` runs what trains on JAX as well.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.models import build_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(8) % 3


def small(size: int = 32, **options: object) -> keras.Model:
    return build_classifier(
        "VGG16", 3, (size, size, 3), **{"weights": "sample", "head": "pooled", "seed": 0, **options}
    )


def train(model: keras.Model, inputs: np.ndarray = IMAGES) -> None:
    model.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    model.fit(inputs, LABELS, batch_size=8, epochs=1, verbose=0)


def moved(model: keras.Model, inputs: np.ndarray = IMAGES) -> set[str]:
    """Names of the backbone's layers whose weights one epoch changes."""
    layers = [layer for layer in model.get_layer("backbone").layers if layer.weights]
    before = {layer.name: layer.get_weights() for layer in layers}
    train(model, inputs)
    changed = {
        layer.name: [not np.array_equal(*pair) for pair in zip(before[layer.name], layer.get_weights(), strict=True)]
        for layer in layers
    }
    return {name for name, flags in changed.items() if any(flags)}


def test_all_of_a_frozen_backbone_is_freed_by_its_trainable_attribute_and_frozen_again() -> None:
    model = small()
    backbone = model.get_layer("backbone")
    everything = {layer.name for layer in backbone.layers if layer.weights}
    assert not backbone.trainable and backbone.trainable_weights == []
    backbone.trainable = True
    assert moved(model) == everything
    backbone.trainable = False
    assert moved(model) == set()


def test_single_layers_are_frozen_by_their_trainable_attribute() -> None:
    model = small(freeze="none")
    backbone = model.get_layer("backbone")
    for layer in backbone.layers[:-3]:
        layer.trainable = False
    assert moved(model) == {"block5_conv2", "block5_conv3"}
    backbone.get_layer("block5_conv3").trainable = False
    assert moved(model) == {"block5_conv2"}


def test_the_summary_counts_what_learns() -> None:
    lines: list[str] = []
    small().summary(print_fn=lambda line, **_: lines.append(line), show_trainable=True)
    text = "\n".join(lines)
    assert "Trainable params: 195 (" in text  # (64 + 1) * 3: the head
    assert "Non-trainable params: 230,568 (" in text
    for name in ("images", "preprocessing", "backbone", "features", "predictions"):
        assert name in text


def test_a_clone_is_a_network_of_the_same_kind_with_weights_of_its_own() -> None:
    model = small()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-6)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    train(clone)
    assert not np.array_equal(clone.get_weights()[-2], model.get_weights()[-2])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_global_dtype_policy_holds_in_the_backbone_and_nowhere_else(policy: str) -> None:
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = small(head="flatten-dense", freeze="none")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    half = policy.removeprefix("mixed_")
    convolution = model.get_layer("backbone").get_layer("block5_conv3")
    assert (convolution.compute_dtype, convolution.variable_dtype) == (half, "float32")
    assert model.get_layer("hidden").compute_dtype == half
    for name in ("preprocessing", "features", "predictions"):
        assert model.get_layer(name).output.dtype == "float32"
    train(model)
    assert np.isfinite(model.predict(IMAGES, verbose=0)).all()


@pytest.mark.parametrize("head", ["flatten", "flatten-dense", "flatten-dropout", "pooled"])
def test_a_feature_extractor_and_a_head_are_two_models_on_the_same_layers(head: str) -> None:
    model = small(size=64, head=head)
    images = np.random.default_rng(1).uniform(0, 255, (4, 64, 64, 3)).astype("float32")
    feature_extractor = keras.Model(model.input, model.get_layer("features").output)
    classifier_head = keras.Model(model.get_layer("features").output, model.output)
    features = feature_extractor.predict(images, verbose=0)
    assert (features.shape, features.dtype) == ((4, 64 if head == "pooled" else 256), np.float32)
    whole, halves = model.predict(images, verbose=0), classifier_head.predict(features, verbose=0)
    np.testing.assert_allclose(whole, halves, atol=1e-6)
    assert classifier_head.get_layer("predictions") is model.get_layer("predictions")


def test_training_the_head_on_features_trains_the_classifier() -> None:
    model = small()
    feature_extractor = keras.Model(model.input, model.get_layer("features").output)
    head = keras.Model(model.get_layer("features").output, model.output)
    features, before = feature_extractor.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    train(head, features)
    after = model.predict(IMAGES, verbose=0)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, head.predict(features, verbose=0), atol=1e-6)


OPEN = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("mpii_lib", "mpii_course"):
            raise ModuleNotFoundError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import keras
import numpy as np

for name in sys.argv[1:]:
    model = keras.saving.load_model(name + ".keras")
    images, wanted = (np.load(name + ".npz")[key] for key in ("images", "wanted"))
    np.testing.assert_allclose(model.predict(images, verbose=0), wanted, atol=1e-6)
    print("same predictions", model.name, model.get_layer("backbone").trainable)
"""


def test_a_saved_model_opens_in_plain_keras_without_this_library(tmp_path: Path) -> None:
    models = {
        "caffe": small(80),
        "tf": build_classifier("Xception", 3, (80, 80, 3), "sample", "flatten-dense", freeze=-4, seed=0),
    }
    images = np.random.default_rng(0).uniform(0, 255, (2, 80, 80, 3)).astype("float32")
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", images=images, wanted=model.predict(images, verbose=0))
    command = [sys.executable, "-c", OPEN, *(str(tmp_path / name) for name in models)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["same predictions VGG16 False", "same predictions Xception True"]
