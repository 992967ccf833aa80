"""The NumPy network gives the gradients that finite differences and TensorFlow give, with batch normalization too."""

import numpy as np
import pytest

from mpii_course.theory import network
from mpii_course.theory.descent import numerical_gradient


def small(batch_norm):
    rng = np.random.default_rng(3)
    layers = network.new_network([2, 5, 4, 2], rng, batch_norm=batch_norm)
    return layers, rng.normal(size=(2, 7)), rng.normal(size=(2, 7))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_backpropagation_agrees_with_finite_differences(batch_norm):
    layers, x, y = small(batch_norm)
    output, trace = network.forward(layers, x)
    gradients = network.backward(layers, output, trace, y)

    def loss(_):
        return network.mean_squared_error(network.forward(layers, x)[0], y)

    for layer, gradient in zip(layers, gradients, strict=True):
        assert set(layer) == set(gradient)
        for name, values in layer.items():
            np.testing.assert_allclose(gradient[name], numerical_gradient(loss, values), atol=1e-8)


def test_backpropagation_agrees_with_automatic_gradients():
    import tensorflow as tf

    import mpii_lib._keras  # noqa: F401

    layers, x, y = small(batch_norm=True)
    output, trace = network.forward(layers, x)
    gradients = network.backward(layers, output, trace, y)
    names = ("weights", "bias", "scale", "shift")
    first = [tf.Variable(layers[0][name]) for name in names]
    with tf.GradientTape() as tape:
        value = tf.constant(x)
        for number, layer in enumerate(layers):
            weights, bias, scale, shift = first if number == 0 else (layer.get(name) for name in names)
            value = weights @ value + bias
            if number < len(layers) - 1:
                mean, variance = tf.nn.moments(value, axes=[1], keepdims=True)
                value = tf.nn.relu(scale * (value - mean) / tf.sqrt(variance + network.EPSILON) + shift)
        loss = tf.reduce_mean((value - y) ** 2)
    wanted = tape.gradient(loss, first)
    for name, theirs in zip(names, wanted, strict=True):
        np.testing.assert_allclose(gradients[0][name], theirs.numpy(), atol=1e-10)


def test_training_lowers_the_loss_below_the_variance_of_the_targets():
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 128)[None]
    y = np.sin(4 * x)
    layers = network.new_network([1, 16, 16, 1], rng)
    losses = network.train(layers, x, y, epochs=60, batch_size=16, learning_rate=0.05, rng=rng)
    assert losses[-1] < 0.1 * y.var() and losses[-1] < losses[0]


def test_training_that_diverges_says_so_and_stops():
    rng = np.random.default_rng(0)
    x = np.linspace(-1, 1, 32)[None]
    losses = network.train(
        network.new_network([1, 16, 16, 1], rng, weight_scale=3), x, x**2, epochs=50, batch_size=8, learning_rate=5.0,
        rng=rng,
    )  # fmt: skip
    assert losses[-1] == np.inf and len(losses) < 50
