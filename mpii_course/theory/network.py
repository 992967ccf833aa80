"""A small feedforward network in NumPy, with or without batch normalization: what notebook 04 builds piece by piece.

Arrays are laid out as in the thesis' matrices: one observation is a column, so a batch is (units, observations), the
weights of a layer are (units here, units in the layer before), and a bias is a column (units, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpii_course.theory import descent
from mpii_course.theory.descent import minibatches

Array = NDArray[np.float64]

#: What Keras adds to a variance before the root is taken (`keras.layers.BatchNormalization`, default of `epsilon`).
EPSILON = 1e-3


@dataclass
class Layer:
    """Weights (m, n), bias (m, 1) and, with batch normalization, its scale gamma and shift beta, both (m, 1)."""

    weights: Array
    bias: Array
    scale: Array | None = None
    shift: Array | None = None


@dataclass
class Trace:
    """What the forward pass of one layer keeps for the way back: input, normalized sums, variances, and sums."""

    below: Array
    normalized: Array | None
    variance: Array | None
    sums: Array


def new_network(
    sizes: Sequence[int], rng: np.random.Generator, *, weight_scale: float = 1.0, batch_norm: bool = False
) -> list[Layer]:
    """Random layers: weights from He et al. (2015) times `weight_scale`, first biases in [-1, 1], the others zero.

    Parameters
    ----------
    sizes
        Units of the input, each hidden layer and the output.
    rng
        Where the random numbers come from.
    weight_scale
        1 keeps the spread of the values from layer to layer; less lets it fade, more lets it grow.
    batch_norm
        Give each hidden layer a scale of 1 and a shift of 0 for batch normalization.
    """
    layers = []
    for number, (before, here) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        weights = rng.normal(0.0, weight_scale * np.sqrt(2 / before), (here, before))
        bias = rng.uniform(-1, 1, (here, 1)) if number == 0 else np.zeros((here, 1))
        layer = Layer(weights, bias)
        if batch_norm and number < len(sizes) - 2:
            layer.scale, layer.shift = np.ones((here, 1)), np.zeros((here, 1))
        layers.append(layer)
    return layers


def forward(layers: Sequence[Layer], x: Array) -> tuple[Array, list[Trace]]:
    """Output (outputs, B) for inputs x (inputs, B), in training mode; hidden layers use ReLU, the last is linear."""
    trace = []
    value = x
    for number, layer in enumerate(layers):
        sums, normalized, variance = layer.weights @ value + layer.bias, None, None
        if layer.scale is not None and layer.shift is not None:
            variance = sums.var(axis=1, keepdims=True)
            normalized = (sums - sums.mean(axis=1, keepdims=True)) / np.sqrt(variance + EPSILON)
            sums = layer.scale * normalized + layer.shift
        trace.append(Trace(value, normalized, variance, sums))
        value = sums if number == len(layers) - 1 else np.maximum(0, sums)
    return value, trace


def mean_squared_error(output: Array, target: Array) -> float:
    """Mean of the squared differences over all outputs and observations."""
    return float(np.mean((output - target) ** 2))


def backward(layers: Sequence[Layer], output: Array, trace: Sequence[Trace], target: Array) -> list[Layer]:
    """Gradient of the mean squared error by backpropagation, one `Layer` of derivatives for each layer.

    Source: Rumelhart, Hinton and Williams (1986); for batch normalization, Ioffe and Szegedy (2015), section 3.
    """
    blame = 2 * (output - target) / target.size
    gradients = []
    for number in range(len(layers) - 1, -1, -1):
        layer, kept = layers[number], trace[number]
        if number < len(layers) - 1:
            blame = blame * (kept.sums > 0)
        derivative = Layer(np.empty(0), np.empty(0))
        if layer.scale is not None and kept.normalized is not None and kept.variance is not None:
            derivative.scale = (blame * kept.normalized).sum(axis=1, keepdims=True)
            derivative.shift = blame.sum(axis=1, keepdims=True)
            blame = batch_norm_backward(blame * layer.scale, kept.normalized, kept.variance)
        derivative.weights = blame @ kept.below.T
        derivative.bias = blame.sum(axis=1, keepdims=True)
        gradients.append(derivative)
        blame = layer.weights.T @ blame
    return gradients[::-1]


def batch_norm_backward(blame: Array, normalized: Array, variance: Array) -> Array:
    """Derivative by the sums before normalization, from the one by the normalized sums; all (m, B), variance (m, 1)."""
    mean = blame.mean(axis=1, keepdims=True)
    along = (blame * normalized).mean(axis=1, keepdims=True)
    return (blame - mean - normalized * along) / np.sqrt(variance + EPSILON)


def train(
    layers: Sequence[Layer],
    x: Array,
    y: Array,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> list[float]:
    """Mini-batch gradient descent on the mean squared error; changes `layers`, returns the loss after each epoch.

    Stops early, with `inf` as its last entry, when the loss is no longer a number.
    """
    losses = []
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            for batch in minibatches(x.shape[1], batch_size, rng):
                output, trace = forward(layers, x[:, batch])
                for layer, slope in zip(layers, backward(layers, output, trace, y[:, batch]), strict=True):
                    layer.weights = layer.weights - learning_rate * slope.weights
                    layer.bias = layer.bias - learning_rate * slope.bias
                    if layer.scale is not None and slope.scale is not None:
                        layer.scale = layer.scale - learning_rate * slope.scale
                    if layer.shift is not None and slope.shift is not None:
                        layer.shift = layer.shift - learning_rate * slope.shift
            losses.append(mean_squared_error(forward(layers, x)[0], y))
            if not np.isfinite(losses[-1]):
                return [*losses[:-1], np.inf]
    return losses


def numerical_gradient(loss: Callable[[], float], numbers: Array, step: float = 1e-5) -> Array:
    """Gradient of `loss()` by `numbers` (weights of a network, say), as `descent.numerical_gradient` takes it.

    Two calls for each entry; `numbers` comes back as is.
    """

    def at(point: Array) -> float:
        numbers[...] = point
        return loss()

    kept = numbers.copy()
    gradient = descent.numerical_gradient(at, kept, step)
    numbers[...] = kept
    return gradient
