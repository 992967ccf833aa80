"""Checks of notebook 24: two filters as one, the price of three layers, and what a number of layers leaves free."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("24-1")
def one_filter(answer: object) -> str | None:
    """The full convolution of two 1-D filters.

    1. Try an image of one 1: what comes out of the first filter, and what of the second?
    2. Two filters of 3 in a row see 5 pixels, so the result has 5 numbers.
    3. np.convolve(first, second)
    """
    first, second = np.array([1.0, 2.0, 0.0]), np.array([3.0, -1.0, 1.0])
    right = np.convolve(first, second)
    mistakes = {
        "These are the products number by number. Here one filter slides over the other.": first * second,
        "A sum is what two filters side by side give. These stand in a row.": first + second,
        "The ends are cut off: two filters of 3 together see 5 pixels.": right[1:-1],
        "Nearly: do not turn the second filter round before you slide it.": np.convolve(first, second[::-1]),
    }
    return diagnose(call(answer, first, second), right, mistakes)


@exercise("24-2")
def more_weights(answer: object) -> str | None:
    """The sum of 9 C^2 + C over the blocks.

    1. One block: each of its C filters has a 3 x 3 kernel for each of C channels, and a bias. Then add up the blocks.
    2. sum(9 * c * c + c for c in channels)
    """
    channels = np.array([256, 512, 512])
    mistakes = {
        "The biases are missing: one for each filter.": (9 * channels**2).sum(),
        "Each of the C filters looks at all C channels.": (9 * channels + channels).sum(),
        "A 3 x 3 kernel has 9 weights, not 3.": (3 * channels**2 + channels).sum(),
        "Count each block for itself and add: the blocks do not see each other's channels.": 9 * 1280**2 + 1280,
    }
    return diagnose(call(answer, channels.tolist()), (9 * channels**2 + channels).sum(), mistakes)


@exercise("24-3")
def free_convolutions(answer: object) -> str | None:
    """How many of the last n layers are convolutions, when each block ends in a pooling.

    1. Write the layers of all blocks down as one list, with the pooling at the end of each block.
    2. layers = [kind for count in convolutions for kind in ["conv"] * count + ["pool"]]; layers[-n:].count("conv")
    """
    vgg19, vgg16 = [2, 2, 4, 4, 4], [2, 2, 3, 3, 3]
    mistakes = {
        "Poolings are layers too, and have no weights: count only the convolutions.": [10, 10, 1, 3],
        "You subtract two poolings always. How many are among the last n layers depends on the blocks.": [8, 8, -1, 1],
        "That is the number of poolings. The question is about the convolutions.": [2, 3, 1, 1],
    }
    return diagnose(call_each(answer, (vgg19, 10), (vgg16, 10), (vgg16, 1), (vgg19, 3)), [8, 7, 0, 2], mistakes)
