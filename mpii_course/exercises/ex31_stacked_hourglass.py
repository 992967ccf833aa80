"""Checks of notebook 31: the residual module, sizes in an hourglass, stacks, and why plain MSE stands still."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, exercise


@exercise("31-1")
def residual_weights(answer: object) -> str | None:
    """Kernel weights of a residual module of n channels: n n/2 + 9 (n/2)^2 + n/2 n.

    1. Three convolutions: 1 x 1 from n to n/2, 3 x 3 at n/2, and 1 x 1 back from n/2 to n.
    2. n * (n // 2) + 9 * (n // 2) ** 2 + (n // 2) * n
    """
    mistakes = {
        "That is one 3 x 3 convolution at full width. The module narrows to n/2 first.": 9 * 64 * 64,
        "The 1 x 1 convolutions change the width: the 3 x 3 in the middle has n/2 channels in and out.": 11 * 64 * 64,
        "One is missing: the last 1 x 1 convolution goes back from n/2 to n channels.": 64 * 32 + 9 * 32 * 32,
        "A 3 x 3 kernel has 9 weights for each pair of channels, not 3.": 2 * 64 * 32 + 3 * 32 * 32,
    }
    return diagnose(call(answer, 64), 2 * 64 * 32 + 9 * 32 * 32, mistakes)


@exercise("31-2")
def sizes(answer: object) -> str | None:
    """Side of the maps on the way down through an hourglass, the first and the bottleneck included.

    1. Begin with the side that comes in. Each level halves it, and there are as many levels as the depth.
    2. [side // 2**level for level in range(depth + 1)]
    """
    mistakes = {
        "The bottleneck is missing: depth 4 halves four times, so there are five sizes.": [64, 32, 16, 8],
        "That is the way up. Begin with the largest.": [4, 8, 16, 32, 64],
        "Pooling divides the side by two each time; nothing is subtracted.": [64, 48, 32, 16, 0],
        "Begin with the size that comes in, before the first pooling.": [32, 16, 8, 4],
    }
    return diagnose(call(answer, 64, 4), [64, 32, 16, 8, 4], mistakes)


@exercise("31-3")
def stacked_parameters(answer: object) -> str | None:
    """Parameters of n stacks from those of one and two: each further stack adds the same number.

    1. What does the second stack add to the first? Each further one adds as much.
    2. one + (stacks - 1) * (two - one)
    """
    one, two = 3_426_448, 6_570_400
    mistakes = {
        "The stem is there once, however many hourglasses follow, so eight stacks are not eight times one.": 8 * one,
        "Two stacks four times would have four stems. What does one further stack add?": 4 * two,
        "The first stack is in the first number already: seven more follow.": one + 8 * (two - one),
    }
    return diagnose(call(answer, one, two, 8), 25_434_112, mistakes)


@exercise("31-4")
def empty_map_loss(answer: object) -> str | None:
    """Mean squared error of heatmaps that are zero everywhere.

    1. The error of a cell is what the true map has there, minus zero.
    2. np.mean(true**2)
    """
    true = np.zeros((2, 8, 8, 3))
    true[:, 2, 3, :], true[:, 2, 4, :] = 1.0, 0.5
    mistakes = {
        "That is the mean of the maps. The error is squared before the mean is taken.": true.mean(),
        "That is the sum. Divide by the number of cells.": (true**2).sum(),
        "That is the root of it. Mean squared error has no root.": np.sqrt((true**2).mean()),
        "An error of zero would mean that the true maps are empty too.": 0.0,
    }
    return diagnose(call(answer, true), (true**2).mean(), mistakes)
