"""Classifiers: preprocessing inside, heads, seeds, and one clear error for what cannot be built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.errors import MpiiError
from mpii_lib.models import SMALL_WIDTH, build_classifier

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 64, 48, 3), dtype=np.uint8)


def small(head: str = "flatten", **options: object) -> keras.Model:
    options = {"weights": None, "width": SMALL_WIDTH, "seed": 0, **options}
    return build_classifier("vgg16", options.pop("classes", 5), (64, 48, 3), head=head, **options)


def preprocessed(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.Model(model.input, model.get_layer("preprocessing").output).predict(images, verbose=0)


@pytest.mark.parametrize(
    ("name", "module"),
    [("Xception", "xception"), ("VGG16", "vgg16"), ("VGG19", "vgg19"), ("ResNet50", "resnet50")],
)
def test_preprocessing_equals_that_of_keras_applications(name: str, module: str) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (2, 75, 80, 3)).astype("float32")
    model = build_classifier(name, 3, (75, 80, 3), None, "pooled", width=SMALL_WIDTH)
    wanted = getattr(keras.applications, module).preprocess_input(images.copy())
    np.testing.assert_allclose(preprocessed(model, images), wanted, atol=1e-4)


@pytest.mark.slow
def test_preprocessing_of_inception_resnet_equals_that_of_keras_applications() -> None:
    test_preprocessing_equals_that_of_keras_applications("InceptionResNetV2", "inception_resnet_v2")


def test_red_and_blue_are_not_mixed_up() -> None:
    red = np.full((1, 64, 48, 3), (255.0, 0.0, 0.0), dtype="float32")
    np.testing.assert_allclose(preprocessed(small(), red)[0, 0, 0], (-103.939, -116.779, 255 - 123.68), atol=1e-4)


def test_a_model_takes_bytes_and_floats_alike() -> None:
    model = small()
    bytes_in, floats_in = (model.predict(IMAGES.astype(kind), verbose=0) for kind in ("uint8", "float32"))
    np.testing.assert_array_equal(bytes_in, floats_in)
    assert (bytes_in.shape, bytes_in.dtype) == ((4, 5), np.float32)
    np.testing.assert_allclose(bytes_in.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("head", "layers", "parameters"),
    [
        ("flatten", ["Flatten", "Dense"], (2 * 1 * 64 + 1) * 5),
        ("flatten-dense", ["Flatten", "Dense", "Dropout", "Dense"], (2 * 1 * 64 + 1) * 256 + 257 * 5),
        ("flatten-dropout", ["Flatten", "Dropout", "Dense"], (2 * 1 * 64 + 1) * 5),
        ("pooled", ["GlobalAveragePooling2D", "Dense"], (64 + 1) * 5),
    ],
)
def test_heads_have_the_layers_of_the_report(head: str, layers: list[str], parameters: int) -> None:
    model = small(head)
    assert [layer.name for layer in model.layers[:3]] == ["images", "preprocessing", "backbone"]
    assert [type(layer).__name__ for layer in model.layers[3:]] == layers
    assert model.layers[-1].name == "predictions"
    assert model.layers[-1].activation is keras.activations.softmax
    assert model.count_params() - model.get_layer("backbone").count_params() == parameters
    if head == "flatten-dense":
        assert (model.layers[-2].rate, model.layers[-3].activation) == (0.5, keras.activations.relu)


def test_multilabel_gives_each_class_a_probability_of_its_own() -> None:
    model = small("pooled", multilabel=True, classes=1)
    assert model.layers[-1].activation is keras.activations.sigmoid
    assert model.predict(IMAGES, verbose=0).shape == (4, 1)


def test_a_saved_model_comes_back_the_same(tmp_path: Path) -> None:
    model = small("flatten-dense", freeze=-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), again.predict(IMAGES, verbose=0))
    assert [variable.path for variable in again.trainable_variables] == [v.path for v in model.trainable_variables]


def test_a_model_knows_how_it_was_made() -> None:
    made = {"backbone": "VGG16", "weights": "none", "width": 0.125, "head": "pooled", "multilabel": False}
    assert dict(small("pooled").provenance) == made == dict(small("pooled", weights="none").provenance)


def test_the_seed_decides_every_weight() -> None:
    one, two, other = (small("flatten-dense", seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[-2], other[-2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "round"}, "head is 'round'; give one of 'flatten', 'flatten-dense', 'flatten-dropout', 'pooled'"),
        ({"classes": 1}, "classes 1: give 2 to a million"),
        ({"classes": 2.5}, "classes is 2.5; give a whole number"),
        ({"classes": True}, "classes is True"),
        ({"width": 2.0}, "give a width in 0..1"),
        ({"seed": -1}, "a seed of 0 to"),
        ({"weights": "sample", "width": 0.25}, 'width 0.25: weights="sample" are made for width 1/8'),
        ({"weights": "imagenet"}, "width 0.125: ImageNet weights are of full width"),
        ({"weights": "imagnet"}, "weights 'imagnet': no such file"),
    ],
)
def test_wrong_options_are_reported_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(MpiiError) as caught:
        small(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
