"""Grad-CAM against the analytic map of a linear head, occlusion against a planted square."""

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError
from mpii_lib.explain import grad_cam, occlusion_map, split_classifier
from mpii_lib.explain.gradients import gradient
from mpii_lib.models import BACKBONES, build_classifier

SIDE = 96


def classifier(backbone="VGG16", head="pooled", multilabel=False, classes=4):
    model = build_classifier(backbone, classes, (SIDE, SIDE, 3), None, head, multilabel=multilabel, width=1 / 8, seed=1)
    last = model.get_layer("predictions").kernel
    last.assign(0.05 * last)  # random scores are so large that every probability is 0 or 1
    return model


@pytest.fixture(scope="module")
def vgg():
    return classifier()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, (3, SIDE, SIDE, 3)).astype("float32")


def enlarged(maps):
    large = keras.ops.image.resize(np.maximum(maps, 0)[..., None], (SIDE, SIDE), interpolation="bilinear")
    large = keras.ops.convert_to_numpy(large)[..., 0]
    top = large.max(axis=(1, 2), keepdims=True)
    return np.divide(large, top, out=np.zeros_like(large), where=top > 0)


def test_the_gradient_of_a_square_is_right():
    points = np.array([[1.0, 2.0], [3.0, -4.0]])
    np.testing.assert_allclose(gradient(lambda x: keras.ops.sum(x**2, axis=1), points), 2 * points)


def test_with_a_pooled_linear_head_it_is_the_class_activation_map(images):
    model = classifier("Xception")  # its last layer is not a pooling, so the head alone stands above the maps
    maps = keras.ops.convert_to_numpy(split_classifier(model)[0](images))
    kernel = keras.ops.convert_to_numpy(model.get_layer("predictions").kernel)
    for index in range(4):
        wanted = enlarged(np.einsum("nhwk,k->nhw", maps, kernel[:, index]))
        np.testing.assert_allclose(grad_cam(model, images, index), wanted, atol=1e-4)


def test_the_two_halves_together_give_the_models_own_probabilities(vgg, images):
    for layer in (None, "block5_pool", "block3_conv2"):
        below, above = split_classifier(vgg, layer)
        again = keras.ops.convert_to_numpy(keras.ops.softmax(above(below(images)), axis=-1))
        np.testing.assert_allclose(again, vgg.predict(images, verbose=0), atol=1e-5)


def test_the_default_layer_is_the_last_that_is_no_pooling(vgg):
    below, above = split_classifier(vgg)
    assert below.output.shape == (None, 6, 6, 64) == above.input.shape
    assert below.count_params() == vgg.get_layer("backbone").count_params()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_each_backbone_gives_a_finite_map_of_the_images_size(backbone, images):
    maps = grad_cam(classifier(backbone), images[:2])
    assert maps.shape == (2, SIDE, SIDE) and maps.dtype == np.float32
    assert np.isfinite(maps).all() and maps.min() >= 0 and set(maps.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}
    assert maps.max() == 1


@pytest.mark.parametrize(("head", "multilabel"), [("flatten", False), ("flatten-dense", True), ("pooled", True)])
def test_every_head_works_in_both_methods(head, multilabel, images):
    model = classifier(head=head, multilabel=multilabel)
    assert np.isfinite(grad_cam(model, images)).all()
    drops = occlusion_map(model, images[:1], patch=48, stride=48)
    assert drops.shape == (1, SIDE, SIDE) and np.isfinite(drops).all() and np.abs(drops).max() > 0


def test_batches_give_what_single_images_give(vgg, images):
    together = grad_cam(vgg, images, batch_size=2)
    single = np.concatenate([grad_cam(vgg, image[None]) for image in images])
    np.testing.assert_allclose(together, single, atol=1e-4)
    coarse = {"patch": 48, "stride": 24}
    together = occlusion_map(vgg, images, batch_size=5, **coarse)
    single = np.concatenate([occlusion_map(vgg, image[None], batch_size=99, **coarse) for image in images])
    np.testing.assert_allclose(together, single, atol=1e-5)


def test_without_a_class_each_image_gets_its_most_probable_one(vgg, images):
    best = vgg.predict(images, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(grad_cam(vgg, images), grad_cam(vgg, images, best))
    assert np.abs(grad_cam(vgg, images) - grad_cam(vgg, images, (best + 1) % 4)).max() > 0.01


@pytest.fixture(scope="module")
def square_finder():
    """A network that answers with the share of white in the square of rows 34..45 and columns 64..75."""
    inputs = keras.Input((SIDE, SIDE, 3))
    square = keras.layers.Lambda(lambda x: x[:, 34:46, 64:76, :1] / 255)(inputs)
    seen = keras.layers.GlobalAveragePooling2D()(square)
    other = keras.layers.Lambda(lambda x: 1 - x)(seen)
    return keras.Model(inputs, keras.layers.Concatenate()([other, seen]))


def test_occlusion_finds_the_planted_square_that_alone_decides(square_finder):
    image = np.zeros((1, SIDE, SIDE, 3), "float32")
    image[:, 34:46, 64:76] = 255
    drops = occlusion_map(square_finder, image, 1, patch=24, stride=6)[0]
    row, column = np.unravel_index(drops.argmax(), drops.shape)
    assert 34 <= row < 46 and 64 <= column < 76
    assert 0.7 < drops.max() <= 1 and drops[:, :30].max() == 0 and drops[70:].max() == 0
    np.testing.assert_allclose(occlusion_map(square_finder, image, 0, patch=24, stride=6)[0], -drops)


def test_every_pixel_is_covered_when_the_stride_does_not_divide_the_size(square_finder):
    image = np.full((1, SIDE, SIDE, 3), 255, "float32")
    assert np.isfinite(occlusion_map(square_finder, image, 1, patch=50, stride=17)).all()


def test_the_network_is_as_it_was_afterwards(images):
    model = classifier()
    before, weights = model.get_config(), [np.array(w) for w in model.get_weights()]
    grad_cam(model, images)
    assert model.get_config() == before
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "block9_conv1"}, "no layer 'block9_conv1'"),
        ({"class_index": 4}, "4 classes"),
        ({"class_index": -1}, "4 classes"),
        ({"class_index": 1.5}, "whole number"),
        ({"class_index": [0, 1]}, "each of the 3 images"),
    ],
)
def test_wrong_layers_and_classes_are_said(vgg, images, options, message):
    with pytest.raises(ModelError, match=message):
        grad_cam(vgg, images, **options)


def test_a_layer_in_a_branch_is_refused_and_another_one_named(images):
    model = classifier("ResNet50")
    with pytest.raises(ModelError, match="one branch of several.*conv5_block3_out"):
        grad_cam(model, images, layer="conv4_block2_2_relu")
    with pytest.raises(ModelError, match="no spatial map"):
        grad_cam(model, images, layer=model.get_layer("backbone").layers[0].name)


@pytest.mark.parametrize("method", [grad_cam, occlusion_map])
@pytest.mark.parametrize("shape", [(SIDE, SIDE, 3), (2, 64, 64, 3), (2, SIDE, SIDE, 1)])
def test_images_of_another_shape_are_refused(vgg, method, shape):
    with pytest.raises(ModelError, match="takes"):
        method(vgg, np.zeros(shape, "float32"))


@pytest.mark.parametrize("options", [{"patch": 97}, {"patch": 0}, {"stride": 0}, {"patch": 8, "stride": 9}])
def test_patches_that_leave_pixels_uncovered_are_refused(vgg, images, options):
    with pytest.raises(ModelError, match="uncovered"):
        occlusion_map(vgg, images, **options)


def test_a_model_that_is_no_classifier_is_refused(square_finder):
    with pytest.raises(ModelError, match="backbone"):
        grad_cam(square_finder, np.zeros((1, SIDE, SIDE, 3)))
