"""Checks of notebook 23: receptive field, weights of a convolution, max pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, diagnose, exercise


@exercise("23-1")
def receptive_field(answer: Any) -> str | None:
    """Pixels seen across by n convolutions of 3 x 3 in a row, 2n + 1."""
    got = [call(answer, n) for n in (1, 2, 5)]
    mistakes = {
        "Each filter sees 3 pixels, but neighbours overlap: every further one adds 2.": [3, 6, 15],
        "The field grows by addition, not by multiplication: every further filter adds 2 pixels.": [3, 9, 243],
        "You are one filter short: a single filter already sees 3 pixels.": [1, 3, 9],
        "That is the number of pixels in the square. The question is how many across.": [9, 25, 121],
    }
    return diagnose(got, [3, 5, 11], mistakes, f"For 1, 2 and 5 filters you get {got}.")


@exercise("23-2")
def convolution_weights(answer: Any) -> str | None:
    """Weights of an ordinary convolution with biases, k^2 C D + D."""
    got = call(answer, 3, 16, 32)
    mistakes = {
        "The biases are missing: one for each filter.": 9 * 16 * 32,
        "There is one bias for each filter that comes out, not for each channel that goes in.": 9 * 16 * 32 + 16,
        "A square kernel of size 3 has 9 weights, not 3.": 3 * 16 * 32 + 32,
        "Each filter looks at all channels that come in: multiply by their number.": 9 * 32 + 32,
    }
    otherwise = f"For a 3 x 3 kernel, 16 channels and 32 filters you get {got}."
    return diagnose(got, 9 * 16 * 32 + 32, mistakes, otherwise)


@exercise("23-3")
def max_pool(answer: Any) -> str | None:
    """The largest of each 2 x 2 pixels, channel by channel."""
    maps = np.random.default_rng(3).normal(size=(6, 4, 2))
    blocks = maps.reshape(3, 2, 2, 2, 2)
    got = np.asarray(call(answer, maps.copy()))
    if got.shape == (3, 2):
        return "The channels are gone. Take the largest value within each channel, not across them."
    if got.shape != (3, 2, 2):
        return f"An array of shape (6, 4, 2) should become (3, 2, 2); yours has the shape {got.shape}."
    scrambled = maps.reshape(2, 3, 2, 2, 2).max(axis=(0, 2))
    mistakes = {
        "That is the mean of each block. Max pooling takes the largest.": blocks.mean(axis=(1, 3)),
        "You took one corner of each block. Look at all four pixels and take the largest.": maps[::2, ::2],
        "The blocks are not neighbours: reshape (H, W, C) to (H/2, 2, W/2, 2, C), the small axes second.": scrambled,
    }
    otherwise = "The shape is right and the values are not: compare one block by hand."
    return diagnose(got, blocks.max(axis=(1, 3)), mistakes, otherwise)
