"""Checks of notebook 24: two filters as one, the price of three layers, and what a number of layers leaves free."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, diagnose, exercise


@exercise("24-1")
def one_filter(answer: Any) -> str | None:
    """The full convolution of two 1-D filters."""
    first, second = np.array([1.0, 2.0, 0.0]), np.array([3.0, -1.0, 1.0])
    got = np.asarray(call(answer, first.copy(), second.copy()), dtype=float)
    right = np.convolve(first, second)
    mistakes = {
        "Number by number would do for two filters of one weight each. Here they slide over each other.": first
        * second,
        "A sum is what two filters side by side give. These stand in a row.": first + second,
        "The ends are cut off: two filters of 3 together see 5 pixels.": right[1:-1],
        "Nearly: do not turn the second filter round before you slide it.": np.convolve(first, second[::-1]),
    }
    otherwise = f"For {first} and {second} you get {got}: try an image of one 1."
    if got.shape != (5,):
        otherwise = f"Two filters of 3 in a row see 5 pixels, so there are 5 numbers; yours has the shape {got.shape}."
    return diagnose(got, right, mistakes, otherwise)


@exercise("24-2")
def more_weights(answer: Any) -> str | None:
    """The sum of 9 C^2 + C over the blocks."""
    channels = np.array([256, 512, 512])
    got = call(answer, channels.tolist())
    one_channel = (9 * channels + channels).sum()
    mistakes = {
        "The biases are missing: one for each filter.": (9 * channels**2).sum(),
        "Each of the C filters looks at all C channels: that is C squared, nine times.": one_channel,
        "A 3 x 3 kernel has 9 weights, not 3.": (3 * channels**2 + channels).sum(),
        "Count each block for itself and add: the blocks do not see each other's channels.": 9 * 1280**2 + 1280,
    }
    otherwise = f"For [256, 512, 512] you get {got}; VGG19 has 5,309,696 more than VGG16."
    return diagnose(got, (9 * channels**2 + channels).sum(), mistakes, otherwise)


@exercise("24-3")
def free_convolutions(answer: Any) -> str | None:
    """How many of the last n layers are convolutions, when each block ends in a pooling."""
    vgg19, vgg16 = [2, 2, 4, 4, 4], [2, 2, 3, 3, 3]
    got = [call(answer, vgg19, 10), call(answer, vgg16, 10), call(answer, vgg16, 1), call(answer, vgg19, 3)]
    always_two = "You subtract two poolings always. How many are among the last n layers depends on the blocks."
    mistakes = {
        "Poolings are layers too, and have no weights: count only the convolutions.": [10, 10, 1, 3],
        always_two: [8, 8, -1, 1],
        "That is the number of poolings. The question is about the convolutions.": [2, 3, 1, 1],
    }
    otherwise = (
        f"VGG19 and VGG16 with 10, VGG16 with 1, VGG19 with 3 layers: you get {got}. Write the layers down as a list."
    )
    return diagnose(got, [8, 7, 0, 2], mistakes, otherwise)
