"""Checks of notebook 31: the residual module, sizes in an hourglass, stacks, and why plain MSE stands still."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("31-1")
def residual_weights(answer: Any) -> str | None:
    """Kernel weights of a residual module of n channels: n n/2 + 9 (n/2)^2 + n/2 n."""
    got = call(answer, 64)
    if close(got, 9 * 64 * 64):
        return "That is one 3 x 3 convolution at full width. The module narrows to n/2 first: that is what it saves."
    if close(got, 2 * 64 * 64 + 9 * 64 * 64):
        return "The 1 x 1 convolutions change the width: the 3 x 3 in the middle has n/2 channels in and out."
    if close(got, 64 * 32 + 9 * 32 * 32):
        return "One is missing: the last 1 x 1 convolution goes back from n/2 to n channels."
    if close(got, 64 * 32 + 3 * 32 * 32 + 32 * 64):
        return "A 3 x 3 kernel has 9 weights for each pair of channels, not 3."
    return None if close(got, 64 * 32 + 9 * 32 * 32 + 32 * 64) else f"For 64 channels you get {got}."


@exercise("31-2")
def sizes(answer: Any) -> str | None:
    """Side of the maps on the way down through an hourglass, the first and the bottleneck included."""
    got = list(call(answer, 64, 4))
    if close(got, [64, 32, 16, 8]):
        return "The bottleneck is missing: depth 4 halves four times, so there are five sizes."
    if close(got, [4, 8, 16, 32, 64]):
        return "That is the way up. Begin with the largest."
    if close(got, [64, 60, 56, 52, 48]) or close(got, [64, 48, 32, 16, 0]):
        return "Pooling divides the side by two each time; nothing is subtracted."
    if close(got, [32, 16, 8, 4]):
        return "Begin with the size that comes in, before the first pooling."
    return None if close(got, [64, 32, 16, 8, 4]) else f"For maps of 64 and depth 4 you get {got}."


@exercise("31-3")
def stacked_parameters(answer: Any) -> str | None:
    """Parameters of n stacks from those of one and two: each further stack adds the same number."""
    got = call(answer, 3_426_448, 6_570_400, 8)
    if close(got, 8 * 3_426_448):
        return "The stem is there once, however many hourglasses follow, so eight stacks are not eight times one."
    if close(got, 4 * 6_570_400):
        return "Two stacks four times would have four stems. What does one further stack add?"
    if close(got, 3_426_448 + 8 * 3_143_952):
        return "The first stack is in the first number already: seven more follow."
    return None if close(got, 25_434_112) else f"For eight stacks you get {got}."


@exercise("31-4")
def empty_map_loss(answer: Any) -> str | None:
    """Mean squared error of heatmaps that are zero everywhere."""
    true = np.zeros((2, 8, 8, 3))
    true[:, 2, 3, :], true[:, 2, 4, :] = 1.0, 0.5
    got = call(answer, true)
    wanted = (true**2).mean()
    if close(got, true.mean()):
        return "That is the mean of the maps. The error is squared before the mean is taken."
    if close(got, (true**2).sum()):
        return "That is the sum. Divide by the number of cells."
    if close(got, np.sqrt(wanted)):
        return "That is the root of it. Mean squared error has no root."
    if close(got, 0):
        return "An error of zero would mean that the true maps are empty too."
    return None if close(got, wanted) else f"For two persons with three joints you get {got}, not {wanted:.5f}."
