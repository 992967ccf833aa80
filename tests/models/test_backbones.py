"""The registry against keras.applications, and the networks of reduced width."""

from __future__ import annotations

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.errors import MpiiError
from mpii_lib.models import BACKBONES, SMALL_WIDTH, ModelError, build_backbone, get_backbone

MINIMUM = {"Xception": 71, "ResNet50": 32, "VGG16": 32, "VGG19": 32, "InceptionResNetV2": 75}


def test_there_are_five_backbones_with_their_minimum_sizes() -> None:
    assert {name: backbone.minimum_size for name, backbone in BACKBONES.items()} == MINIMUM


@pytest.mark.parametrize("name", BACKBONES)
def test_lookup_ignores_case(name: str) -> None:
    assert get_backbone(name.lower()) is get_backbone(name.upper()) is BACKBONES[name]


def test_unknown_backbone_is_met_with_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"'ResNet51' is unknown; did you mean 'ResNet50'\? known are: .*VGG19"):
        get_backbone("ResNet51")
    with pytest.raises(ModelError, match="'zzz' is unknown; known are"):
        get_backbone("zzz")


@pytest.mark.parametrize("name", ["VGG16", "ResNet50"])
def test_an_image_below_the_minimum_size_is_refused_and_the_minimum_accepted(name: str) -> None:
    least = MINIMUM[name]
    with pytest.raises(ModelError, match=f"{name} needs at least {least} x {least} pixels"):
        build_backbone(name, (least, least - 1, 3), SMALL_WIDTH)
    assert build_backbone(name, (least, least, 3), SMALL_WIDTH).output_shape[1:3] == (1, 1)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), 64, ("a", "b", "c"), (3, 64, 64)])
def test_an_input_shape_that_is_no_colour_image_is_refused(shape: object) -> None:
    with pytest.raises(MpiiError, match="input_shape"):
        build_backbone("VGG16", shape)


@pytest.mark.parametrize("name", ["VGG16", "VGG19", "ResNet50", "Xception"])
def test_an_eighth_of_the_filters_has_the_same_layers_and_the_recorded_number_of_weights(name: str) -> None:
    backbone = BACKBONES[name]
    model = build_backbone(name, (96, 96, 3), SMALL_WIDTH)
    assert (len(model.layers), model.count_params()) == (backbone.layers, backbone.small_parameters)
    thousands = {"VGG16": 231, "VGG19": 314, "ResNet50": 384, "Xception": 361, "InceptionResNetV2": 864}[name]
    assert round(model.count_params() / 1000) == thousands


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_full_width_has_the_recorded_layers_and_weights_and_refuses_less_than_its_minimum(name: str) -> None:
    backbone = BACKBONES[name]
    model = build_backbone(name, (backbone.minimum_size, backbone.minimum_size, 3))
    assert (len(model.layers), model.count_params()) == (backbone.layers, backbone.parameters)
    with pytest.raises(ValueError, match="Input size must be at least"):
        getattr(keras.applications, name)(
            weights=None, include_top=False, input_shape=(backbone.minimum_size - 1, backbone.minimum_size, 3)
        )


@pytest.mark.slow
def test_inception_resnet_at_an_eighth_has_the_recorded_layers_and_weights() -> None:
    model = build_backbone("InceptionResNetV2", (75, 75, 3), SMALL_WIDTH)
    assert (len(model.layers), model.count_params()) == (780, 864_044)


def test_a_width_that_splits_a_filter_is_refused() -> None:
    with pytest.raises(ModelError, match=r"width 0.3: VGG16 has a layer of 64 filters; this leaves 19.2"):
        build_backbone("VGG16", (32, 32, 3), 0.3)


def test_the_seed_decides_the_random_weights() -> None:
    first, again, other = (build_backbone("VGG16", (32, 32, 3), SMALL_WIDTH, seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_seeded_kernels_have_the_variance_of_he() -> None:
    model = build_backbone("Xception", (71, 71, 3), SMALL_WIDTH, seed=0)
    pointwise = model.get_layer("block14_sepconv2").pointwise_kernel
    assert np.var(np.asarray(pointwise)) == pytest.approx(2 / pointwise.shape[2], rel=0.05)
    depthwise = model.get_layer("block14_sepconv2").depthwise_kernel
    assert np.var(np.asarray(depthwise)) == pytest.approx(1 / 9, rel=0.1)
