"""Checks of notebook 22: the residual block, the bottleneck's weights, and the blame that passes a shortcut."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("22-1")
def residual(answer: Any) -> str | None:
    """The sum of input and branch, and a ReLU after it."""
    x = np.array([1.0, -2.0, 3.0, -1.0])

    def branch(values: Any) -> Any:
        return np.array([-2.0, 5.0, 1.0, -1.0]) + 0 * np.asarray(values)

    got = call(answer, x.copy(), branch)
    change = branch(x)
    if close(got, np.maximum(change, 0)) or close(got, change):
        return "The shortcut is missing: x itself has to be added to what the branch computes."
    if close(got, x + change):
        return "The ReLU is missing: in ResNet it comes after the sum."
    if close(got, x + np.maximum(change, 0)):
        return "Your ReLU is inside the branch. ResNet's last ReLU comes after the sum."
    if close(got, np.maximum(x, 0) + np.maximum(change, 0)):
        return "Add first and cut off afterwards: one ReLU, on the sum."
    return None if close(got, np.maximum(x + change, 0)) else f"For x = {x} and F(x) = {change} you get {got}."


@exercise("22-2")
def bottleneck_weights(answer: Any) -> str | None:
    """Weights of 1 x 1, 3 x 3, 1 x 1 convolutions, 2 C I + 9 I^2."""
    got = call(answer, 64, 16)
    if close(got, 64 * 16 + 9 * 16 * 16):
        return "The way back is missing: the last 1 x 1 goes from the inner channels to all of them."
    if close(got, 2 * 64 * 16 + 9 * 64 * 16) or close(got, 2 * 64 * 16 + 9 * 64 * 64):
        return "The 3 x 3 works inside the bottleneck, where both in and out have the inner number of channels."
    if close(got, 2 * 64 * 16 + 3 * 16 * 16):
        return "A 3 x 3 kernel has 9 weights, not 3."
    if close(got, 2 * 64 * 16 + 16 * 16):
        return "The middle convolution is 3 x 3: nine weights for each pair of channels."
    right = 2 * 64 * 16 + 9 * 16 * 16
    return None if close(got, right) else f"For 64 channels and 16 inside you get {got}."


@exercise("22-3")
def blame(answer: Any) -> str | None:
    """The derivative of a chain of equal layers, w^depth without and (1 + w)^depth with shortcuts."""
    plain = [call(answer, 0.5, depth, False) for depth in (1, 10)]
    around = [call(answer, 0.5, depth, True) for depth in (1, 10)]
    if close(plain, [0.5, 5.0]):
        return "The chain rule multiplies: each layer gives a factor, not a summand."
    if close(around, [1.5, 1 + 0.5**10]):
        return "There is a shortcut around each layer, not one around all of them: each gives the factor 1 + w."
    if close(around, [1.0, 1.0]):
        return "The shortcut alone gives 1, but the layer adds its w to it."
    if not close(plain, [0.5, 0.5**10]):
        return f"Without shortcuts, w = 0.5 and 1 or 10 layers, you get {plain}."
    return None if close(around, [1.5, 1.5**10]) else f"With shortcuts, w = 0.5 and 1 or 10 layers, you get {around}."
