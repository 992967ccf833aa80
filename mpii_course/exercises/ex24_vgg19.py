"""Checks of notebook 24: two filters as one, the price of three layers, and what a number of layers leaves free."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("24-1")
def one_filter(answer: Any) -> str | None:
    """The full convolution of two 1-D filters."""
    first, second = np.array([1.0, 2.0, 0.0]), np.array([3.0, -1.0, 1.0])
    got = np.asarray(call(answer, first.copy(), second.copy()), dtype=float)
    wanted = np.convolve(first, second)
    if got.shape == (3,) and close(got, first * second):
        return "Number by number would do for two filters of one weight each. Here they slide over each other."
    if got.shape == (3,) and close(got, first + second):
        return "A sum is what two filters side by side give. These stand in a row."
    if got.shape == (3,) and close(got, wanted[1:-1]):
        return "The ends are cut off: two filters of 3 together see 5 pixels."
    if close(got, np.convolve(first, second[::-1])):
        return "Nearly: do not turn the second filter round before you slide it."
    if got.shape != (5,):
        return f"Two filters of 3 in a row see 5 pixels, so there are 5 numbers; yours has the shape {got.shape}."
    return None if close(got, wanted) else f"For {first} and {second} you get {got}: try a picture of one 1."


@exercise("24-2")
def more_weights(answer: Any) -> str | None:
    """The sum of 9 C^2 + C over the blocks."""
    got = call(answer, [256, 512, 512])
    right = sum(9 * c * c + c for c in (256, 512, 512))
    if close(got, right - 1280):
        return "The biases are missing: one for each filter."
    if close(got, sum(9 * c + c for c in (256, 512, 512))):
        return "Each of the C filters looks at all C channels: that is C squared, nine times."
    if close(got, sum(3 * c * c + c for c in (256, 512, 512))):
        return "A 3 x 3 kernel has 9 weights, not 3."
    if close(got, 9 * 1280**2 + 1280):
        return "Count each block for itself and add: the blocks do not see each other's channels."
    return None if close(got, right) else f"For [256, 512, 512] you get {got}; VGG19 has 5,309,696 more than VGG16."


@exercise("24-3")
def free_convolutions(answer: Any) -> str | None:
    """How many of the last n layers are convolutions, when each block ends in a pooling."""
    vgg19, vgg16 = [2, 2, 4, 4, 4], [2, 2, 3, 3, 3]
    got = [call(answer, vgg19, 10), call(answer, vgg16, 10), call(answer, vgg16, 1), call(answer, vgg19, 3)]
    if close(got, [10, 10, 1, 3]):
        return "Poolings are layers too, and have no weights: do not count them among the free convolutions."
    if close(got, [8, 8, -1, 1]):
        return "You subtract two poolings always. How many of them are among the last n layers depends on the blocks."
    if close(got, [2, 3, 1, 1]):
        return "That is the number of poolings. The question is about the convolutions."
    return None if close(got, [8, 7, 0, 2]) else (
        f"VGG19 and VGG16 with 10, VGG16 with 1, VGG19 with 3 layers: you get {got}. Write the layers down as a list."
    )  # fmt: skip
