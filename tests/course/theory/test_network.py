"""The NumPy network gives the gradients that finite differences and TensorFlow give, with batch normalization too."""

import numpy as np
import pytest

from mpii_course.theory import network


def small(batch_norm):
    rng = np.random.default_rng(3)
    layers = network.new_network([2, 5, 4, 2], rng, batch_norm=batch_norm)
    return layers, rng.normal(size=(2, 7)), rng.normal(size=(2, 7))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_backpropagation_agrees_with_finite_differences(batch_norm):
    layers, x, y = small(batch_norm)
    output, trace = network.forward(layers, x)
    gradients = network.backward(layers, output, trace, y)

    def loss():
        return network.mean_squared_error(network.forward(layers, x)[0], y)

    for layer, gradient in zip(layers, gradients, strict=True):
        for name in ("weights", "bias", "scale", "shift"):
            if getattr(layer, name) is not None:
                wanted = network.numerical_gradient(loss, getattr(layer, name))
                np.testing.assert_allclose(getattr(gradient, name), wanted, atol=1e-8)


def test_backpropagation_agrees_with_automatic_gradients():
    import tensorflow as tf

    import mpii_lib._keras  # noqa: F401

    layers, x, y = small(batch_norm=True)
    output, trace = network.forward(layers, x)
    gradients = network.backward(layers, output, trace, y)
    first = [tf.Variable(a) for a in (layers[0].weights, layers[0].bias, layers[0].scale, layers[0].shift)]
    with tf.GradientTape() as tape:
        value = tf.constant(x)
        for number, layer in enumerate(layers):
            weights, bias, scale, shift = (
                first if number == 0 else (layer.weights, layer.bias, layer.scale, layer.shift)
            )
            value = weights @ value + bias
            if number < len(layers) - 1:
                mean, variance = tf.nn.moments(value, axes=[1], keepdims=True)
                value = tf.nn.relu(scale * (value - mean) / tf.sqrt(variance + network.EPSILON) + shift)
        loss = tf.reduce_mean((value - y) ** 2)
    wanted = tape.gradient(loss, first)
    got = (gradients[0].weights, gradients[0].bias, gradients[0].scale, gradients[0].shift)
    for ours, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-10)


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


def test_numerical_gradient_leaves_its_argument_as_it_was():
    point = np.array([1.0, 2.0])
    gradient = network.numerical_gradient(lambda: float((point**2).sum()), point)
    np.testing.assert_allclose(gradient, [2.0, 4.0], atol=1e-9)
    np.testing.assert_array_equal(point, [1.0, 2.0])
