"""Checks of notebook 23: receptive field, weights of a convolution, max pooling."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("23-1")
def receptive_field(answer: object) -> str | None:
    """Pixels seen across by n convolutions of 3 x 3 in a row, 2n + 1.

    1. One filter sees 3 pixels. The second looks at three neighbours of the first: how many pixels is that together?
    2. 2 * n + 1
    """
    mistakes = {
        "Each filter sees 3 pixels, but neighbours overlap: every further one adds 2.": [3, 6, 15],
        "The field grows by addition, not by multiplication: every further filter adds 2 pixels.": [3, 9, 243],
        "You are one filter short: a single filter already sees 3 pixels.": [1, 3, 9],
        "That is the number of pixels in the square. The question is how many across.": [9, 25, 121],
    }
    return diagnose(call_each(answer, (1,), (2,), (5,)), [3, 5, 11], mistakes)


@exercise("23-2")
def convolution_weights(answer: object) -> str | None:
    """Weights of an ordinary convolution with biases, k^2 C D + D.

    1. Each filter has one square kernel for each channel that comes in, and one bias.
    2. kernel**2 * channels * filters + filters
    """
    mistakes = {
        "The biases are missing: one for each filter.": 9 * 16 * 32,
        "There is one bias for each filter that comes out, not for each channel that goes in.": 9 * 16 * 32 + 16,
        "A square kernel of size 3 has 9 weights, not 3.": 3 * 16 * 32 + 32,
        "Each filter looks at all channels that come in: multiply by their number.": 9 * 32 + 32,
    }
    return diagnose(call(answer, 3, 16, 32), 9 * 16 * 32 + 32, mistakes)


@exercise("23-3")
def max_pool(answer: object) -> str | None:
    """The largest of each 2 x 2 pixels, channel by channel.

    1. Look at one block by hand: rows 0 and 1, columns 0 and 1, one channel.
    2. maps.reshape(H // 2, 2, W // 2, 2, C).max(axis=(1, 3))
    """
    maps = np.random.default_rng(3).normal(size=(6, 8, 2))
    blocks = maps.reshape(3, 2, 4, 2, 2)
    mistakes = {
        "The channels are gone. Take the largest value within each channel.": blocks.max(axis=(1, 3, 4)),
        "That is the mean of each block. Max pooling takes the largest.": blocks.mean(axis=(1, 3)),
        "You took one corner of each block. Look at all four pixels and take the largest.": maps[::2, ::2],
        "A block has to hold two adjacent rows and columns.": maps.reshape(2, 3, 2, 4, 2).max(axis=(0, 2)),
    }
    return diagnose(call(answer, maps), blocks.max(axis=(1, 3)), mistakes)
