"""Checks of notebook 05: a layer for a batch, gradients of a layer, one layer back, batch normalization."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("05-1")
def hidden_layer(answer: Any) -> str | None:
    """W @ h + b as a column, then ReLU."""
    rng = np.random.default_rng(1)
    # Square on purpose: with it a transposed matrix and a bias along the wrong axis both fit in shape.
    weights, bias, h = rng.normal(size=(4, 4)), rng.normal(size=(4, 1)), rng.normal(size=(4, 4))
    row = bias.ravel()
    relu = partial(np.maximum, 0)
    got = call(answer, weights, row, h)
    if close(got, relu(h @ weights + row)) or close(got, relu(h @ weights + bias)):
        return "h @ W is the order for observations in rows. Here they are columns: W @ h."
    mistakes = {
        "You multiply by the transpose. Row m of W holds the weights into unit m: W @ h.": relu(weights.T @ h + bias),
        "NumPy adds a plain vector to every row. The bias belongs to the units: b[:, None].": relu(weights @ h + row),
        "These are the sums z. The bend is missing: ReLU turns negative numbers into 0.": weights @ h + bias,
        "The bias is added after the bend. It belongs inside: g(W h + b).": relu(weights @ h) + bias,
        "That is the absolute value. ReLU turns negative numbers into 0, without a flip.": np.abs(weights @ h + bias),
    }
    otherwise = f"For W, h of shape (4, 4) the values are not max(0, W h + b); your result has shape {np.shape(got)}."
    if hint := diagnose(got, relu(weights @ h + bias), mistakes, otherwise):
        return hint
    shape = np.shape(call(answer, rng.normal(size=(5, 2)), np.zeros(5), rng.normal(size=(2, 3))))
    return None if shape == (5, 3) else f"For W (5, 2) and h (2, 3) the shape is (5, 3), not {shape}."


@exercise("05-2")
def layer_gradients(answer: Any) -> str | None:
    """Slopes from delta = 2 (P - y) / (m B); delta h^T; sum of delta over the batch."""
    rng = np.random.default_rng(2)
    weights, bias, h, y = (rng.normal(size=shape) for shape in ((2, 3), (2, 1), (3, 5), (2, 5)))
    delta = 2 * (weights @ h + bias - y) / y.size
    by_weights, by_bias = delta @ h.T, delta.sum(axis=1, keepdims=True)
    first, second = call(answer, weights, bias, h, y, returns=("the derivative by W", "the derivative by b"))
    mistakes = {
        "The derivative by W comes out transposed. It has the shape of W: delta @ h.T, not h @ delta.T.": by_weights.T,
        "The 1/n is missing: the loss is a mean over all m B entries, yours is their sum.": y.size * by_weights,
        "The 2 from the square is missing: the slope of (p - y)**2 is 2 (p - y).": by_weights / 2,
        "Both the 2 from the square and the 1/n of the mean are missing.": y.size / 2 * by_weights,
        "The sign is turned: the slope of (p - y)**2 by p is 2 (p - y), prediction minus target.": -by_weights,
        "You divide by B only. With m outputs the mean runs over m B entries, y.size.": 2 * by_weights,
        "The 1/n is there twice: once in delta is enough.": by_weights / y.size,
    }
    otherwise = f"The derivative by W is not right yet (shape {np.shape(first)}, wanted {by_weights.shape})."
    if hint := diagnose(first, by_weights, mistakes, otherwise):
        return hint
    if close(np.ravel(second), delta.mean(axis=1)):
        return "For the bias the columns are added up, not averaged: the 1/n is already in delta."
    if np.shape(second) == (2, 5):
        return "Every observation moves the same bias. Add up the columns of delta: sum(axis=1)."
    flat = {"The numbers for b are right, the shape is not: keep a column (m, 1) with keepdims=True.": by_bias.ravel()}
    return diagnose(second, by_bias, flat, "The derivative by b is not right yet: sum delta over the observations.")


@exercise("05-3")
def one_layer_back(answer: Any) -> str | None:
    """(W^T delta) * (z > 0)."""
    rng = np.random.default_rng(3)
    weights, delta, z = rng.normal(size=(3, 3)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    back, slope = weights.T @ delta, z > 0
    got = call(answer, weights, delta, z)
    if close(got, back * z) or close(got, back * np.maximum(0, z)):
        return "You multiply by the value of ReLU. Its slope is wanted: 1 where z > 0, else 0."
    mistakes = {
        "W is not transposed. Unit n adds up over all receivers m: W_next.T @ delta_next.": (weights @ delta) * slope,
        "delta passes through units that are off. Multiply by g'(z): 1 where z > 0, else 0.": back,
        "The units that are off belong to layer i: first back over W, then block.": weights.T @ (delta * slope),
        "You cut off negative entries. It is the sign of z that decides, not theirs.": np.maximum(0, back),
    }
    otherwise = f"That is not (W^T delta) times g'(z); your result has shape {np.shape(got)}."
    if hint := diagnose(got, back * slope, mistakes, otherwise):
        return hint
    shape = np.shape(call(answer, rng.normal(size=(2, 5)), rng.normal(size=(2, 3)), np.ones((5, 3))))
    return None if shape == (5, 3) else f"For W_next (2, 5) the result has shape (5, B), not {shape}."


@exercise("05-4")
def batch_norm_step(answer: Any) -> str | None:
    """Biased variance over the batch, epsilon inside the root, and moving averages that move slowly."""
    rng = np.random.default_rng(4)
    z, old_mean, old_variance, momentum = rng.normal(2, 3, (4, 6)), np.full((4, 1), 0.5), np.full((4, 1), 2.0), 0.9
    names = ("the normalized batch", "the moving mean", "the moving variance")
    out, new_mean, new_variance = call(answer, z, old_mean, old_variance, momentum, returns=names)
    mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    unbiased = z.var(axis=1, ddof=1, keepdims=True)
    spread = np.sqrt(variance)

    def normalized(mean: Any, variance: Any) -> Any:
        return (z - mean) / np.sqrt(variance + 1e-3)

    def moved(old: Any, new: Any) -> Any:
        return momentum * old + (1 - momentum) * new

    batches = {
        "Your variance is divided by B - 1; here it is B (NumPy's default, ddof=0).": normalized(mean, unbiased),
        "You normalize over the units. It is each unit over the batch: axis=1.": normalized(z.mean(0), z.var(0)),
        "One mean for the whole array. Each unit has its own: axis=1, keepdims=True.": normalized(z.mean(), z.var()),
        "Epsilon is missing: a unit that never changes would divide by zero.": (z - mean) / spread,
        "Epsilon belongs inside the root: sqrt(variance + epsilon).": (z - mean) / (spread + 1e-3),
        "You divide by the variance. Divide by its root, the spread.": (z - mean) / (variance + 1e-3),
        "That is inference mode. Training uses the batch's own mean and variance.": normalized(old_mean, old_variance),
    }
    means = {
        "The momentum is the weight of the old average: momentum * old + (1 - momentum) * new.": moved(mean, old_mean),
        "The moving mean forgets everything before this batch. It moves only by 1 - momentum.": mean,
    }
    variances = {
        "The new variance is divided by B - 1; here, as in Keras, it is divided by B.": moved(old_variance, unbiased),
    }
    otherwise = f"The normalized batch is not right yet (shape {np.shape(out)}, wanted {z.shape})."
    hint = diagnose(out, normalized(mean, variance), batches, otherwise)
    otherwise = "The moving mean is not momentum * old + (1 - momentum) * batch mean."
    hint = hint or diagnose(new_mean, moved(old_mean, mean), means, otherwise)
    otherwise = "The moving variance is not moved like the moving mean."
    return hint or diagnose(new_variance, moved(old_variance, variance), variances, otherwise)
