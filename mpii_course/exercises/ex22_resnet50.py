"""Checks of notebook 22: the residual block, the bottleneck's weights, and the gradient past skip connections."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("22-1")
def residual(answer: object) -> str | None:
    """The sum of input and branch, and a ReLU after it.

    1. The skip connection adds x to what the branch computes. Where does the last ReLU stand?
    2. np.maximum(x + branch(x), 0)
    """
    x, change = np.array([1.0, -2.0, 3.0, -1.0]), np.array([-2.0, 5.0, 1.0, -1.0])
    missing = "The skip connection is missing: x itself has to be added to what the branch computes."
    mistakes = {
        missing: np.maximum(change, 0),
        f"{missing} And so is the ReLU.": change,
        "The ReLU is missing: in ResNet it comes after the sum.": x + change,
        "Your ReLU is inside the branch. ResNet's last ReLU comes after the sum.": x + np.maximum(change, 0),
        "Add first and cut off afterwards: one ReLU, on the sum.": np.maximum(x, 0) + np.maximum(change, 0),
    }
    got = call(answer, x, lambda values: change + 0 * np.asarray(values))
    return diagnose(got, np.maximum(x + change, 0), mistakes, f"In this case F(x) = {change}.")


@exercise("22-2")
def bottleneck_weights(answer: object) -> str | None:
    """Weights of 1 x 1, 3 x 3, 1 x 1 convolutions, 2 C I + 9 I^2.

    1. Three convolutions in a row; each has one k x k kernel for each pair of a channel in and a channel out.
    2. channels * inner + 9 * inner * inner + inner * channels
    """
    narrow = "The 3 x 3 works inside the bottleneck, where both in and out have the inner number of channels."
    mistakes = {
        "The last 1 x 1 is missing: it goes from the inner channels back to all of them.": 64 * 16 + 9 * 16 * 16,
        narrow: 2 * 64 * 16 + 9 * 64 * 16,
        f"{narrow} Yours is as wide as the input.": 2 * 64 * 16 + 9 * 64 * 64,
        "A 3 x 3 kernel has 9 weights, not 3.": 2 * 64 * 16 + 3 * 16 * 16,
        "The middle convolution is 3 x 3: nine weights for each pair of channels.": 2 * 64 * 16 + 16 * 16,
    }
    return diagnose(call(answer, 64, 16), 2 * 64 * 16 + 9 * 16 * 16, mistakes)


@exercise("22-3")
def gradient(answer: object) -> str | None:
    """The derivative of a chain of equal layers: w^depth, and (1 + w)^depth with skip connections.

    1. The chain rule multiplies the derivatives of the layers. What is the derivative of x + w x?
    2. (1 + w) ** depth if skip else w**depth
    """
    mistakes = {
        "The chain rule multiplies: each layer gives a factor, not a summand.": [0.5, 5.0, 1.5, 15.0],
        "The skip connections go around each layer, not one around all.": [0.5, 0.5**10, 1.5, 1 + 0.5**10],
        "The skip connection alone gives 1, but the layer adds its w to it.": [0.5, 0.5**10, 1.0, 1.0],
    }
    got = call_each(answer, *((0.5, depth, skip) for skip in (False, True) for depth in (1, 10)))
    return diagnose(got, [0.5, 0.5**10, 1.5, 1.5**10], mistakes)
