"""Freeze notation, layer by layer, and batch normalisation that never moves."""

from __future__ import annotations

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.errors import ArgumentError
from mpii_lib.models import (
    SMALL_WIDTH,
    ModelError,
    build_classifier,
    freeze_backbone,
    frozen_layers,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(8) % 3


def small(name: str = "VGG16", **options: object) -> keras.Model:
    options = {"weights": None, "head": "pooled", "width": SMALL_WIDTH, "seed": 0, **options}
    return build_classifier(name, 3, (32, 32, 3), **options)


@pytest.mark.parametrize(
    ("freeze", "frozen"),
    [
        ("all", range(0, 19)),
        ("none", range(0, 0)),
        (-10, range(0, 9)),
        (-19, range(0, 0)),
        (-1, range(0, 18)),
        (7, range(0, 7)),
        (19, range(0, 19)),
        (("last", 7), range(12, 19)),
        (("last", 19), range(0, 19)),
    ],
)
def test_each_notation_freezes_the_layers_it_names(freeze: object, frozen: range) -> None:
    assert list(frozen_layers(19, freeze)) == list(frozen)
    layers = small(freeze=freeze).get_layer("backbone").layers
    assert len(layers) == 19
    assert [position for position, layer in enumerate(layers) if not layer.trainable] == list(frozen)


def test_the_two_readings_of_the_report_are_each_others_complement() -> None:
    assert sorted([*frozen_layers(132, -7), *frozen_layers(132, ("last", 7))]) == list(range(132))


@pytest.mark.parametrize("freeze", [0, -20, 20, ("last", 0), ("last", 20), ("last", -3)])
def test_a_number_outside_the_backbone_is_refused(freeze: object) -> None:
    with pytest.raises(ModelError, match="freeze"):
        small(freeze=freeze)


@pytest.mark.parametrize("freeze", ["some", None, True, 2.5, ("first", 3), ("last",), ("last", "3"), [-3]])
def test_another_notation_is_refused(freeze: object) -> None:
    with pytest.raises(ArgumentError, match="give one of 'all', 'none' or a whole number or .one of 'last', a whole"):
        small(freeze=freeze)


def batch_norm(backbone: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]


def statistics(backbone: keras.Model) -> list[np.ndarray]:
    return [weights for layer in batch_norm(backbone) for weights in layer.get_weights()]


@pytest.mark.parametrize("freeze", ["none", -20])
def test_batch_normalization_that_came_with_weights_stays_the_same_to_the_bit_while_its_neighbours_learn(
    freeze: object,
) -> None:
    model = small("ResNet50", weights="sample", freeze=freeze)
    backbone = model.get_layer("backbone")
    before, kernel = statistics(backbone), backbone.get_layer("conv5_block3_3_conv").get_weights()[0]
    assert len(before) == 4 * 53
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(IMAGES, LABELS, batch_size=8, epochs=2, verbose=0)
    assert all(np.array_equal(old, new) for old, new in zip(before, statistics(backbone), strict=True))
    assert not np.array_equal(kernel, backbone.get_layer("conv5_block3_3_conv").get_weights()[0])


def test_without_weights_batch_normalization_learns_like_the_rest() -> None:
    model = small("ResNet50", freeze="none")
    backbone = model.get_layer("backbone")
    before = statistics(backbone)
    model.compile("sgd", "sparse_categorical_crossentropy")
    losses = model.fit(IMAGES, LABELS, batch_size=8, epochs=1, verbose=0).history["loss"]
    assert losses[0] < 10  # 3,858 with normalization that stays at mean 0 and variance 1
    assert not any(np.array_equal(old, new) for old, new in zip(before, statistics(backbone), strict=True))


def test_without_weights_batch_normalization_is_frozen_where_its_layer_is() -> None:
    backbone = small("ResNet50", freeze=-20).get_layer("backbone")
    frozen = {layer.name for layer in backbone.layers[:-20]}
    assert {layer.name for layer in batch_norm(backbone) if not layer.trainable} == frozen & {
        layer.name for layer in batch_norm(backbone)
    }
    assert sum(layer.trainable for layer in batch_norm(backbone)) == 6


def test_only_the_layers_that_are_not_frozen_learn_under_fit() -> None:
    model = small(freeze=-5)
    base = model.get_layer("backbone")
    before = {layer.name: layer.get_weights() for layer in base.layers if layer.weights}
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(IMAGES, LABELS, batch_size=8, epochs=1, verbose=0)
    moved = {name for name, old in before.items() if not np.array_equal(old[0], base.get_layer(name).get_weights()[0])}
    assert moved == {"block5_conv1", "block5_conv2", "block5_conv3"}  # the last five: a pool, these three, a pool


def test_freezing_anew_undoes_what_was_frozen_before() -> None:
    model = small(freeze="all")
    base = model.get_layer("backbone")
    base.trainable = False
    freeze_backbone(base, -2)
    assert [layer.name for layer in base.layers if layer.trainable] == ["block5_conv3", "block5_pool"]
    assert [variable.path.split("/")[-2] for variable in base.trainable_variables] == ["block5_conv3"] * 2
