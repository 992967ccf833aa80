"""Checks of notebook 21: separable convolutions, freezing, and which score may be reported."""

from __future__ import annotations

from typing import Any

from mpii_course.exercises import call, close, exercise


@exercise("21-1")
def separable_weights(answer: Any) -> str | None:
    """Weights of a depthwise separable convolution, k^2 C + C D."""
    got = call(answer, 3, 16, 32)
    if close(got, 9 * 16 * 32):
        return "That is an ordinary convolution. Here each channel has one kernel, and the mixing comes on top."
    if close(got, 9 * 16 * 16 * 32) or close(got, 9 * 16 * (16 * 32)):
        return "The two steps follow one another: add their weights, do not multiply them."
    if close(got, 3 * 16 + 16 * 32):
        return "A square kernel of size 3 has 9 weights, not 3."
    if close(got, 9 * 32 + 16 * 32):
        return "Looking happens on the channels that come in, before there are any outputs."
    return None if close(got, 9 * 16 + 16 * 32) else f"For a 3 x 3 kernel, 16 channels and 32 outputs you get {got}."


@exercise("21-2")
def frozen(answer: Any) -> str | None:
    """How many layers are frozen under freeze=-n and under freeze=("last", n)."""
    first, second = call(answer, 132, 7)
    if close(first, 7) and close(second, 125):
        return "The two are swapped: freeze=-7 keeps everything but the last 7, as layers[:-7] does."
    if close(first, 125) and close(second, 125):
        return "The second reading freezes the last 7 themselves, so 7 layers and not the 125 others."
    if not close(first, 125):
        return f"layers[:-7] of 132 layers has {len(range(132)[:-7])} members; you say {first}."
    return None if close(second, 7) else f'("last", 7) freezes 7 layers; you say {second}.'


@exercise("21-3")
def reported(answer: Any) -> str | None:
    """The test accuracy of the model that is best on validation."""
    got = call(answer, [0.71, 0.78, 0.74], [0.75, 0.70, 0.72])
    if close(got, 0.75):
        return "You chose on the test set: the largest of several test scores is too good to be true."
    if close(got, 0.78):
        return "That is a validation score, by which the model was chosen. It is too good for the same reason."
    if close(got, 1):
        return "That is which model it is. Return its accuracy on the test set."
    return None if close(got, 0.70) else f"The model that is best on validation is the second; you return {got}."
