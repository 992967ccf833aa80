"""Classifiers: preprocessing inside, heads, their parts, and saving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.models import (
    SMALL_WIDTH,
    BackbonePreprocessing,
    ModelError,
    backbone_of,
    build_classifier,
    describe,
    feature_model,
    freeze_table,
    head_model,
    set_freeze,
    weights_and_width,
)

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 64, 48, 3), dtype=np.uint8)
MODULES = {"tf": ("xception", "inception_resnet_v2"), "caffe": ("vgg16", "vgg19", "resnet50")}


def small(head: str = "flatten", **options: object) -> keras.Model:
    options = {"weights": None, "width": SMALL_WIDTH, "seed": 0, **options}
    return build_classifier("vgg16", options.pop("classes", 5), (64, 48, 3), head=head, **options)


@pytest.mark.parametrize("mode", MODULES)
def test_preprocessing_equals_that_of_keras_applications(mode: str) -> None:
    ours = keras.ops.convert_to_numpy(BackbonePreprocessing(mode)(PICTURES.astype("float32")))
    for module in MODULES[mode]:
        theirs = getattr(keras.applications, module).preprocess_input(PICTURES.astype("float32"))
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_model_takes_bytes_and_floats_alike() -> None:
    model = small()
    bytes_in, floats_in = (model.predict(PICTURES.astype(kind), verbose=0) for kind in ("uint8", "float32"))
    np.testing.assert_array_equal(bytes_in, floats_in)
    assert (bytes_in.shape, bytes_in.dtype) == ((4, 5), np.float32)
    np.testing.assert_allclose(bytes_in.sum(axis=1), 1, rtol=1e-5)


def test_red_and_blue_are_not_mixed_up() -> None:
    red = BackbonePreprocessing("caffe")(np.full((1, 1, 1, 3), (255.0, 0.0, 0.0), dtype="float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(red)[0, 0, 0], (-103.939, -116.779, 255 - 123.68), atol=1e-4)


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
    assert [type(layer).__name__ for layer in model.layers[3:]] == layers
    assert model.layers[-1].name == "predictions"
    assert model.layers[-1].activation is keras.activations.softmax
    assert describe(model).loc["head", "trainable_parameters"] == parameters
    if head == "flatten-dense":
        assert (model.layers[-2].rate, model.layers[-3].activation) == (0.5, keras.activations.relu)


def test_multilabel_answers_every_class_for_itself() -> None:
    model = small("pooled", multilabel=True, classes=1)
    assert model.layers[-1].activation is keras.activations.sigmoid
    assert model.predict(PICTURES, verbose=0).shape == (4, 1)


@pytest.mark.parametrize("head", ["flatten", "flatten-dense", "flatten-dropout", "pooled"])
def test_features_and_head_are_the_two_halves_of_the_model(head: str) -> None:
    model = small(head)
    features = feature_model(model).predict(PICTURES, verbose=0)
    assert features.shape == (4, 64 if head == "pooled" else 128)
    whole, halves = model.predict(PICTURES, verbose=0), head_model(model).predict(features, verbose=0)
    np.testing.assert_allclose(whole, halves, atol=1e-6)


def test_training_the_head_on_features_trains_the_model() -> None:
    model = small("pooled")
    before = model.predict(PICTURES, verbose=0)
    features = feature_model(model).predict(PICTURES, verbose=0)
    head = head_model(model)
    head.compile("sgd", "sparse_categorical_crossentropy")
    head.fit(features, np.arange(4), epochs=1, verbose=0)
    after = model.predict(PICTURES, verbose=0)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, head.predict(features, verbose=0), atol=1e-6)


def test_describe_counts_what_learns() -> None:
    table = describe(small("pooled", freeze=-2))
    assert table.index.tolist() == ["backbone", "head", "total"]
    assert table.loc["backbone"].tolist() == [19, 12, 230_568, 9 * 64 * 64 + 64]
    assert table.loc["total"].tolist() == [23, 12, 230_568 + 325, 9 * 64 * 64 + 64 + 325]


def test_a_saved_model_comes_back_the_same(tmp_path: Path) -> None:
    model = small("flatten-dense", freeze=-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(PICTURES, verbose=0), again.predict(PICTURES, verbose=0))
    assert describe(again).equals(describe(model))
    assert backbone_of(again).name == "backbone"
    assert again.name == "VGG16-width-0.125"


def test_a_model_knows_how_it_was_made() -> None:
    made = {"backbone": "VGG16", "weights": None, "width": 0.125, "head": "pooled", "freeze": -3, "multilabel": False}
    assert dict(small("pooled", freeze=-3).provenance) == made


def test_the_seed_decides_every_weight() -> None:
    one, two, other = (small("flatten-dense", seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[-2], other[-2])


def test_mixed_precision_ends_in_float32() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = small("pooled")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert backbone_of(model).layers[1].compute_dtype == "float16"
    assert model.get_layer("preprocessing").compute_dtype == "float32"
    assert model.output.dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "round"}, "head 'round' is unknown; known are: flatten, flatten-dense, flatten-dropout, pooled"),
        ({"classes": 1}, "classes 1: give a whole number from 2 on"),
        ({"classes": 2.5}, "classes 2.5"),
        ({"classes": True}, "classes True"),
        ({"weights": "sample", "width": 0.25}, 'width 0.25: weights="sample" are made for width 1/8'),
        ({"weights": "imagenet"}, "width 0.125: ImageNet weights are of full width"),
        ({"weights": "imagnet"}, "weights 'imagnet': no such file"),
    ],
)
def test_wrong_options_are_said_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        small(**options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_another_make_is_refused() -> None:
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for part in (backbone_of, feature_model, head_model, describe):
        with pytest.raises(ModelError, match="give a model made by build_classifier"):
            part(other)


def test_set_freeze_frees_layers_and_the_record_will_say_so():
    model = build_classifier("VGG16", 3, (32, 32, 3), None, "pooled", "all", width=1 / 8, seed=0)
    assert not backbone_of(model).trainable_weights
    set_freeze(model, -4)
    assert len(backbone_of(model).trainable_weights) == 6  # three convolutions with weights and biases, and a pooling
    assert model.provenance["freeze"] == -4


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("sample", ("sample", 1 / 8)), ("none", (None, 1 / 8)), ("imagenet", ("imagenet", 1)), ("my.h5", ("my.h5", 1))],
)
def test_a_notebooks_weights_parameter_decides_the_width_too(name, wanted):
    assert weights_and_width(name) == wanted


def test_the_freeze_table_says_what_setting_each_notation_would_do() -> None:
    model = small("flatten")
    before = [layer.trainable for layer in backbone_of(model).layers]
    table = freeze_table(model, ["all", "none", -4, ("last", 4)])
    assert [layer.trainable for layer in backbone_of(model).layers] == before
    assert table.loc["'all'", "free"] == "none" and table.loc["-4", "free"] == "block5_conv1 to block5_conv3"
    for name, freeze in zip(table.index, ["all", "none", -4, ("last", 4)], strict=True):
        set_freeze(model, freeze)
        wanted = describe(model).loc["backbone", ["frozen_layers", "trainable_parameters"]]
        assert table.loc[name, wanted.index].tolist() == wanted.tolist()
