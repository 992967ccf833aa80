"""Checks of notebook 23: receptive field, weights of a convolution, max pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("23-1")
def receptive_field(answer: Any) -> str | None:
    """Pixels seen across by n convolutions of 3 x 3 in a row, 2n + 1."""
    got = [call(answer, n) for n in (1, 2, 5)]
    if close(got, [3, 6, 15]):
        return "Each filter sees 3 pixels, but neighbours overlap: every further one adds 2."
    if close(got, [3, 9, 243]):
        return "The field grows by addition, not by multiplication: every further filter adds 2 pixels."
    if close(got, [1, 3, 9]):
        return "You are one filter short: a single filter already sees 3 pixels."
    if close(got, [9, 25, 121]):
        return "That is the number of pixels in the square. The question is how many across."
    return None if close(got, [3, 5, 11]) else f"For 1, 2 and 5 filters you get {got}."


@exercise("23-2")
def convolution_weights(answer: Any) -> str | None:
    """Weights of an ordinary convolution with biases, k^2 C D + D."""
    got = call(answer, 3, 16, 32)
    if close(got, 9 * 16 * 32):
        return "The biases are missing: one for each filter."
    if close(got, 9 * 16 * 32 + 16):
        return "There is one bias for each filter that comes out, not for each channel that goes in."
    if close(got, 3 * 16 * 32 + 32):
        return "A square kernel of size 3 has 9 weights, not 3."
    if close(got, 9 * 32 + 32):
        return "Each filter looks at all channels that come in: multiply by their number."
    return None if close(got, 9 * 16 * 32 + 32) else f"For a 3 x 3 kernel, 16 channels and 32 filters you get {got}."


@exercise("23-3")
def max_pool(answer: Any) -> str | None:
    """The largest of each 2 x 2 pixels, channel by channel."""
    maps = np.random.default_rng(3).normal(size=(6, 4, 2))
    blocks = maps.reshape(3, 2, 2, 2, 2)
    wanted = blocks.max(axis=(1, 3))
    got = np.asarray(call(answer, maps.copy()))
    if got.shape == (3, 2):
        return "The channels are gone. Take the largest value within each channel, not across them."
    if got.shape != wanted.shape:
        return f"An array of shape (6, 4, 2) should become (3, 2, 2); yours has the shape {got.shape}."
    if close(got, blocks.mean(axis=(1, 3))):
        return "That is the mean of each block. Max pooling takes the largest."
    if close(got, maps[::2, ::2]):
        return "You took one corner of each block. Look at all four pixels and take the largest."
    if close(got, maps.reshape(2, 3, 2, 2, 2).max(axis=(0, 2))):
        return "The blocks are not neighbours: reshape (H, W, C) to (H/2, 2, W/2, 2, C), the small axes second."
    return None if close(got, wanted) else "The shape is right and the values are not: compare one block by hand."
