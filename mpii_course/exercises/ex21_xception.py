"""Checks of notebook 21: separable convolutions, freezing, and which score may be reported."""

from __future__ import annotations

from typing import Any

from mpii_course.exercises import call, diagnose, exercise


@exercise("21-1")
def separable_weights(answer: Any) -> str | None:
    """Weights of a depthwise separable convolution, k^2 C + C D."""
    got = call(answer, 3, 16, 32)
    mistakes = {
        "That is an ordinary convolution. Here each channel has one kernel; mixing the channels is a step of its own.":
            9 * 16 * 32,
        "The two steps follow one another: add their weights, do not multiply them.": 9 * 16 * 16 * 32,
        "A square kernel of size 3 has 9 weights, not 3.": 3 * 16 + 16 * 32,
        "The depthwise step works on the channels that come in, before there are any outputs.": 9 * 32 + 16 * 32,
    }  # fmt: skip
    otherwise = f"For a 3 x 3 kernel, 16 channels and 32 outputs you get {got}."
    return diagnose(got, 9 * 16 + 16 * 32, mistakes, otherwise)


@exercise("21-2")
def frozen(answer: Any) -> str | None:
    """How many layers are frozen under layers[:-n] and under layers[-n:]."""
    got = call(answer, 132, 7, returns=("the count for layers[:-n]", "the count for layers[-n:]"))
    mistakes = {
        "The two are swapped: layers[:-7] is everything but the last 7.": [7, 125],
        "layers[-7:] are the last 7 themselves, so 7 layers and not the 125 others.": [125, 125],
        "layers[:-7] are all but the last 7: 125 of 132 layers.": [7, 7],
    }
    otherwise = f"Of 132 layers, layers[:-7] has {len(range(132)[:-7])} and layers[-7:] has 7; you get {got}."
    return diagnose(got, [125, 7], mistakes, otherwise)


@exercise("21-3")
def reported(answer: Any) -> str | None:
    """The test accuracy of the model that is best on validation."""
    got = call(answer, [0.71, 0.78, 0.74], [0.75, 0.70, 0.72])
    mistakes = {
        "You chose on the test set: the largest of several test scores is too good to be true.": 0.75,
        "That is a validation score, by which the model was chosen. It is too good for the same reason.": 0.78,
        "That is which model it is. Return its accuracy on the test set.": 1,
    }
    otherwise = f"The model that is best on validation is the second; you return {got}."
    return diagnose(got, 0.70, mistakes, otherwise)
