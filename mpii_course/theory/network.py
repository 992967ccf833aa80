"""A small feedforward network in NumPy, with or without batch normalization, as notebooks 05 and 06 build it.

Arrays are laid out as in the thesis' matrices: one observation is a column, so a batch is (units, observations), the
weights of a layer are (units here, units in the layer before), and a bias is a column (units, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpii_course.theory.descent import minibatches

Array = NDArray[np.float64]
#: "weights" (m, n), "bias" (m, 1) and, with batch normalization, "scale" and "shift" (m, 1); or their derivatives.
Layer = dict[str, Array]

#: What Keras adds to a variance before the root is taken (`keras.layers.BatchNormalization`, default of `epsilon`).
EPSILON = 1e-3


def knee_angle(t: ArrayLike) -> Array:
    """Knee flexion in radians, drawn by a formula; t counts strides. Small at 0.14 of each stride, large at 0.72."""
    loading, swing = (np.add(t, 0.36) % 1 - 0.5), (np.subtract(t, 0.22) % 1 - 0.5)
    return np.asarray(0.10 + 0.25 * np.exp(-((loading / 0.08) ** 2)) + 0.95 * np.exp(-((swing / 0.12) ** 2)))


class Trace(NamedTuple):
    """What the forward pass of one layer keeps for the way back; the middle two only with batch normalization."""

    below: Array  # its input
    normalized: Any
    variance: Any
    sums: Array  # what ReLU gets


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
        layer = {"weights": weights, "bias": rng.uniform(-1, 1, (here, 1)) if number == 0 else np.zeros((here, 1))}
        if batch_norm and number < len(sizes) - 2:
            layer |= {"scale": np.ones((here, 1)), "shift": np.zeros((here, 1))}
        layers.append(layer)
    return layers


def forward(layers: Sequence[Layer], x: Array) -> tuple[Array, list[Trace]]:
    """Output (outputs, B) for inputs x (inputs, B), in training mode; hidden layers use ReLU, the last is linear."""
    trace = []
    for layer in layers:
        sums, normalized, variance = layer["weights"] @ x + layer["bias"], None, None
        if "scale" in layer:
            variance = sums.var(axis=1, keepdims=True)
            normalized = (sums - sums.mean(axis=1, keepdims=True)) / np.sqrt(variance + EPSILON)
            sums = layer["scale"] * normalized + layer["shift"]
        trace.append(Trace(x, normalized, variance, sums))
        x = np.maximum(0, sums)
    return trace[-1].sums, trace


def mean_squared_error(output: Array, target: Array) -> float:
    """Mean of the squared differences over all outputs and observations."""
    return float(np.mean((output - target) ** 2))


def backward(layers: Sequence[Layer], output: Array, trace: Sequence[Trace], target: Array) -> list[Layer]:
    """Gradient of the mean squared error by backpropagation, one `Layer` of derivatives for each layer.

    Source: Rumelhart, Hinton and Williams (1986); for batch normalization, Ioffe and Szegedy (2015), section 3.
    """
    delta = 2 * (output - target) / target.size
    gradients: list[Layer] = []
    for layer, kept in zip(reversed(layers), reversed(trace), strict=True):
        if gradients:
            delta = delta * (kept.sums > 0)
        gradient = {}
        if "scale" in layer:
            gradient["scale"] = (delta * kept.normalized).sum(axis=1, keepdims=True)
            gradient["shift"] = delta.sum(axis=1, keepdims=True)
            delta = _batch_norm_backward(delta * layer["scale"], kept.normalized, kept.variance)
        gradient |= {"weights": delta @ kept.below.T, "bias": delta.sum(axis=1, keepdims=True)}
        gradients.append(gradient)
        delta = layer["weights"].T @ delta
    return gradients[::-1]


def _batch_norm_backward(delta: Array, normalized: Array, variance: Array) -> Array:
    """Derivative by the sums before normalization, from the one by the normalized sums; all (m, B), variance (m, 1)."""
    mean = delta.mean(axis=1, keepdims=True)
    along = (delta * normalized).mean(axis=1, keepdims=True)
    return (delta - mean - normalized * along) / np.sqrt(variance + EPSILON)


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
                for layer, gradient in zip(layers, backward(layers, output, trace, y[:, batch]), strict=True):
                    for name in layer:
                        layer[name] = layer[name] - learning_rate * gradient[name]
            losses.append(mean_squared_error(forward(layers, x)[0], y))
            if not np.isfinite(losses[-1]):
                return [*losses[:-1], np.inf]
    return losses
