"""Checks of notebook 31: the residual module, sizes in an hourglass, stacks, and why plain MSE stands still."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, diagnose, exercise


@exercise("31-1")
def residual_weights(answer: Any) -> str | None:
    """Kernel weights of a residual module of n channels: n n/2 + 9 (n/2)^2 + n/2 n."""
    got = call(answer, 64)
    wide = "That is one 3 x 3 convolution at full width. The module narrows to n/2 first: that is what it saves."
    mistakes = {
        wide: 9 * 64 * 64,
        "The 1 x 1 convolutions change the width: the 3 x 3 in the middle has n/2 channels in and out.": 11 * 64 * 64,
        "One is missing: the last 1 x 1 convolution goes back from n/2 to n channels.": 64 * 32 + 9 * 32 * 32,
        "A 3 x 3 kernel has 9 weights for each pair of channels, not 3.": 2 * 64 * 32 + 3 * 32 * 32,
    }
    return diagnose(got, 2 * 64 * 32 + 9 * 32 * 32, mistakes, f"For 64 channels you get {got}.")


@exercise("31-2")
def sizes(answer: Any) -> str | None:
    """Side of the maps on the way down through an hourglass, the first and the bottleneck included."""
    got = list(call(answer, 64, 4))
    mistakes = {
        "The bottleneck is missing: depth 4 halves four times, so there are five sizes.": [64, 32, 16, 8],
        "That is the way up. Begin with the largest.": [4, 8, 16, 32, 64],
        "Pooling divides the side by two each time; nothing is subtracted.": [64, 48, 32, 16, 0],
        "Begin with the size that comes in, before the first pooling.": [32, 16, 8, 4],
    }
    return diagnose(got, [64, 32, 16, 8, 4], mistakes, f"For maps of 64 and depth 4 you get {got}.")


@exercise("31-3")
def stacked_parameters(answer: Any) -> str | None:
    """Parameters of n stacks from those of one and two: each further stack adds the same number."""
    one, two = 3_426_448, 6_570_400
    got = call(answer, one, two, 8)
    mistakes = {
        "The stem is there once, however many hourglasses follow, so eight stacks are not eight times one.": 8 * one,
        "Two stacks four times would have four stems. What does one further stack add?": 4 * two,
        "The first stack is in the first number already: seven more follow.": one + 8 * (two - one),
    }
    return diagnose(got, 25_434_112, mistakes, f"For eight stacks you get {got}.")


@exercise("31-4")
def empty_map_loss(answer: Any) -> str | None:
    """Mean squared error of heatmaps that are zero everywhere."""
    true = np.zeros((2, 8, 8, 3))
    true[:, 2, 3, :], true[:, 2, 4, :] = 1.0, 0.5
    got, wanted = call(answer, true), (true**2).mean()
    mistakes = {
        "That is the mean of the maps. The error is squared before the mean is taken.": true.mean(),
        "That is the sum. Divide by the number of cells.": (true**2).sum(),
        "That is the root of it. Mean squared error has no root.": np.sqrt(wanted),
        "An error of zero would mean that the true maps are empty too.": 0,
    }
    return diagnose(got, wanted, mistakes, f"For two persons with three joints you get {got}, not {wanted:.5f}.")
