"""Checks of notebook 04: a layer for a batch, gradients of a layer, one layer back, batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


def _shape(value: Any) -> tuple[int, ...]:
    return np.shape(np.asarray(value))


@exercise("04-1")
def hidden_layer(answer: Any) -> str | None:
    """W @ h + b as a column, then ReLU."""
    rng = np.random.default_rng(1)
    # Square on purpose: with it a transposed matrix and a bias along the wrong axis both fit in shape.
    weights, bias, h = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(4, 4))
    sums = weights @ h + bias[:, None]
    got = call(answer, weights, bias, h)
    if close(got, np.maximum(0, weights.T @ h + bias[:, None])):
        return "You multiply by the transposed matrix. Row m of W holds the weights into unit m: W @ h."
    if close(got, np.maximum(0, h @ weights + bias)) or close(got, np.maximum(0, h @ weights + bias[:, None])):
        return "h @ W is the order for observations in rows. Here they are columns: W @ h."
    if close(got, np.maximum(0, weights @ h + bias)):
        return "NumPy adds a plain vector to every row. The bias belongs to the units: use the column b[:, None]."
    if close(got, sums):
        return "These are the sums z. The bend is missing: ReLU turns negative numbers into 0."
    if close(got, np.maximum(0, weights @ h) + bias[:, None]):
        return "The bias is added after the bend. It belongs inside: g(W h + b)."
    if close(got, np.abs(sums)):
        return "That takes the absolute value. ReLU turns negative numbers into 0, it does not flip them."
    if not close(got, np.maximum(0, sums)):
        return f"For W, h of shape (4, 4) the values are not max(0, W h + b); your result has shape {_shape(got)}."
    tall = call(answer, rng.normal(size=(5, 2)), np.zeros(5), rng.normal(size=(2, 3)))
    return None if _shape(tall) == (5, 3) else f"For W (5, 2) and h (2, 3) the shape is (5, 3), not {_shape(tall)}."


@exercise("04-2")
def layer_gradients(answer: Any) -> str | None:
    """Slopes from delta = 2 (P - y) / (m B); delta h^T; sum of delta over the batch."""
    rng = np.random.default_rng(2)
    weights, bias, h, y = (
        rng.normal(size=(2, 3)),
        rng.normal(size=(2, 1)),
        rng.normal(size=(3, 5)),
        rng.normal(size=(2, 5)),
    )
    delta = 2 * (weights @ h + bias - y) / y.size
    by_weights, by_bias = delta @ h.T, delta.sum(axis=1, keepdims=True)
    got = call(answer, weights, bias, h, y)
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        return "Return two arrays: the derivatives by W and by b."
    first, second = got
    if close(first, by_weights.T):
        return "The derivative by W comes out transposed. It must have the shape of W: delta @ h.T, not h @ delta.T."
    for factor, hint in (
        (y.size, "The 1/n is missing: the loss is a mean over all m B entries, yours is their sum."),
        (0.5, "The 2 from the square is missing: the slope of (p - y)**2 is 2 (p - y)."),
        (y.size / 2, "Both the 2 from the square and the 1/n of the mean are missing."),
        (-1, "The sign is turned: the slope of (p - y)**2 by p is 2 (p - y), prediction minus target."),
        (2, "You divide by B only. With m outputs the mean runs over m B entries, y.size."),
        (1 / y.size, "The 1/n is there twice: once in delta is enough."),
    ):
        if close(first, factor * by_weights):
            return hint
    if not close(first, by_weights):
        return f"The derivative by W is not right yet (shape {_shape(first)}, wanted {_shape(by_weights)})."
    if close(second, delta.mean(axis=1, keepdims=True)) or close(second, delta.mean(axis=1)):
        return "For the bias the columns are added up, not averaged: the 1/n is already in delta."
    if _shape(second) == (2, 5):
        return "Every observation moves the same bias. Add up the columns of delta: sum(axis=1)."
    if close(np.ravel(second), by_bias.ravel()) and _shape(second) != (2, 1):
        return "The numbers for the bias are right, the shape is not: keep it a column (m, 1) with keepdims=True."
    return None if close(second, by_bias) else "The derivative by b is not right yet: sum delta over the observations."


@exercise("04-3")
def one_layer_back(answer: Any) -> str | None:
    """(W^T delta) * (z > 0)."""
    rng = np.random.default_rng(3)
    weights, delta, z = rng.normal(size=(3, 3)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    back = weights.T @ delta
    got = call(answer, weights, delta, z)
    if close(got, (weights @ delta) * (z > 0)):
        return "The matrix is not transposed. Unit n adds up over all receivers m: W_next.T @ delta_next."
    if close(got, back):
        return "Blame passes through units that are off. Multiply by g'(z): 1 where z > 0, else 0."
    if close(got, back * z) or close(got, back * np.maximum(0, z)):
        return "You multiply by the value of ReLU. Its slope is wanted: 1 where z > 0, else 0."
    if close(got, weights.T @ (delta * (z > 0))):
        return "The units that are off belong to layer i: go back over the weights first, then block."
    if close(got, np.maximum(0, back)):
        return "You cut off negative blame. It is the sign of z that decides, not the sign of the blame."
    if not close(got, back * (z > 0)):
        return f"That is not (W^T delta) times g'(z); your result has shape {_shape(got)}."
    wide = call(answer, rng.normal(size=(2, 5)), rng.normal(size=(2, 3)), np.ones((5, 3)))
    return None if _shape(wide) == (5, 3) else f"For W_next (2, 5) the result has shape (5, B), not {_shape(wide)}."


@exercise("04-4")
def batch_norm_step(answer: Any) -> str | None:
    """Biased variance over the batch, epsilon inside the root, and moving averages that move slowly."""
    rng = np.random.default_rng(4)
    z, old_mean, old_variance, momentum = rng.normal(2, 3, (4, 6)), np.full((4, 1), 0.5), np.full((4, 1), 2.0), 0.9
    mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    got = call(answer, z, old_mean, old_variance, momentum)
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        return "Return three arrays: the normalized batch, the moving mean, the moving variance."
    out, new_mean, new_variance = got
    centred = z - mean
    wrong = (
        (centred / np.sqrt(z.var(axis=1, ddof=1, keepdims=True) + 1e-3),
         "Your variance is divided by B - 1. Batch normalization divides by B (NumPy's default, ddof=0)."),
        ((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-3),
         "You normalize each observation over the units. It is each unit over the batch: axis=1."),
        ((z - z.mean()) / np.sqrt(z.var() + 1e-3),
         "One mean for the whole array. Each unit has its own: mean(axis=1, keepdims=True)."),
        (centred / np.sqrt(variance), "Epsilon is missing: a unit that never changes would divide by zero."),
        (centred / (np.sqrt(variance) + 1e-3), "Epsilon belongs inside the root: sqrt(variance + epsilon)."),
        (centred / (variance + 1e-3), "You divide by the variance. Divide by its root, the spread."),
        ((z - old_mean) / np.sqrt(old_variance + 1e-3),
         "That is inference mode. In training the batch's own mean and variance are used."),
    )  # fmt: skip
    for value, hint in wrong:
        if close(out, value):
            return hint
    if not close(out, centred / np.sqrt(variance + 1e-3)):
        return f"The normalized batch is not right yet (shape {_shape(out)}, wanted {z.shape})."
    wanted_mean = momentum * old_mean + (1 - momentum) * mean
    wanted_variance = momentum * old_variance + (1 - momentum) * variance
    if close(new_mean, (1 - momentum) * old_mean + momentum * mean):
        return "The momentum is the weight of the old average: momentum * old + (1 - momentum) * new."
    if close(new_mean, mean):
        return "The moving mean forgets everything before this batch. It moves only by 1 - momentum."
    if not close(new_mean, wanted_mean):
        return "The moving mean is not momentum * old + (1 - momentum) * batch mean."
    if close(new_variance, momentum * old_variance + (1 - momentum) * z.var(axis=1, ddof=1, keepdims=True)):
        return "The moving variance takes in the variance divided by B - 1; here, as in Keras, it is divided by B."
    return None if close(new_variance, wanted_variance) else "The moving variance is not moved like the moving mean."
