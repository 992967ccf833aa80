"""Checks of notebook 05: counting parameters, a layer for observations in rows, one layer back through tanh."""

from functools import partial

import numpy as np

from mpii_course.exercises.diagnosis import call, close, diagnose, exercise


@exercise("05-1")
def count(answer: object) -> str | None:
    """Weights and biases of 32 -> 64 -> 64 -> 20.

    1. A layer from n units to m has a matrix of m rows and n columns, and m biases.
    2. (32 + 1) * 64 + (64 + 1) * 64 + (64 + 1) * 20
    """
    mistakes = {
        "These are the weights. Each unit has a bias as well.": 7424,
        "The first layer gets two coordinates for each of 16 joints: 32 inputs.": 16 * 64 + 64 + 64 * 65 + 65 * 20,
        "There are two hidden layers, so there are three matrices.": 3412,
        "A layer has one bias for each of its units, not one in all.": 7427,
    }
    return diagnose(answer, 7572, mistakes)


@exercise("05-2")
def dense_layer(answer: object) -> str | None:
    """ReLU of h @ kernel + bias.

    1. Row n of h meets column m of the kernel. Which product does that?
    2. np.maximum(0, h @ kernel + bias)
    """
    rng, relu = np.random.default_rng(1), partial(np.maximum, 0)
    # Square on purpose: with it a transposed matrix and a bias along the wrong axis both fit in shape.
    h, kernel, bias = rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)
    mistakes = {
        "kernel @ h is the order for observations in columns. Here they are rows: h @ kernel.": relu(kernel @ h + bias),
        "You multiply by the transpose. The kernel has a row for each sender already.": relu(h @ kernel.T + bias),
        "The bias belongs to the units, which are columns here. NumPy adds it so.": relu(h @ kernel + bias[:, None]),
        "These are the weighted sums. ReLU turns their negative numbers into 0.": h @ kernel + bias,
        "The bias is added after ReLU. It belongs inside.": relu(h @ kernel) + bias,
        "That is the absolute value. ReLU turns negative numbers into 0.": np.abs(h @ kernel + bias),
    }
    if hint := diagnose(call(answer, h, kernel, bias), relu(h @ kernel + bias), mistakes):
        return hint
    h, kernel = np.ones((3, 2)), np.ones((2, 5))
    return diagnose(call(answer, h, kernel, np.zeros(5)), np.full((3, 5), 2.0), {})


@exercise("05-3")
def one_layer_back(answer: object) -> str | None:
    """Transposed weights times delta, times the slope of tanh.

    1. Equation (2) holds for every activation function; only g' is another one.
    2. The derivative of tanh z is 1 - tanh(z)**2.
    3. (W_next.T @ delta_next) * (1 - np.tanh(z) ** 2)
    """
    rng = np.random.default_rng(3)
    weights, delta, z = rng.normal(size=(3, 3)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    back, slope = weights.T @ delta, 1 - np.tanh(z) ** 2
    mistakes = {
        "W is not transposed. Unit n adds up over all receivers m: W_next.T @ delta_next.": (weights @ delta) * slope,
        "The slope of the activation function is missing. Multiply by g'(z), entry by entry.": back,
        "That is the slope of ReLU. The units here use tanh.": back * (z > 0),
        "You multiply by the value of tanh. Its slope is wanted.": back * np.tanh(z),
        "The slope belongs to layer i: first back through W, then times g'(z).": weights.T @ (delta * slope),
    }
    got = call(answer, weights, delta, z)
    if close(got, back * (1 - z**2)):
        return "The slope of tanh is 1 - h**2 with h = tanh(z). You take z itself for h."
    if hint := diagnose(got, back * slope, mistakes):
        return hint
    return diagnose(call(answer, np.ones((2, 5)), np.ones((2, 3)), np.zeros((5, 3))), np.full((5, 3), 2.0), {})
