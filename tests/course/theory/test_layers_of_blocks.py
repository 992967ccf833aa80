import numpy as np
import pytest

from mpii_course.theory.layers import convolve, normalise


@pytest.fixture(scope="module")
def layers():
    from mpii_lib._keras import keras

    return keras.layers


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (1, 7), (7, 1)])
def test_convolution_is_the_one_of_keras(layers, size):
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(9, 8, 3)).astype("float32")
    layer = layers.Conv2D(4, size, padding="same", bias_initializer="ones")
    wanted = np.asarray(layer(maps[None]))[0]
    assert convolve(maps, *layer.get_weights()) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("scale", [True, False])
def test_normalization_is_the_one_of_keras_with_and_without_its_scale(layers, scale):
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(5, 4, 6)).astype("float32")
    layer = layers.BatchNormalization(scale=scale, epsilon=2e-3)
    layer.build((None, 5, 4, 6))
    layer.set_weights([rng.uniform(0.5, 2, 6) for _ in layer.get_weights()])
    wanted = np.asarray(layer(maps[None], training=False))[0]
    assert normalise(maps, *layer.get_weights(), epsilon=2e-3) == pytest.approx(wanted, abs=1e-5)
