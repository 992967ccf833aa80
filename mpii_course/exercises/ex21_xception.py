"""Checks of notebook 21: separable convolutions, freezing, and which score may be reported."""

from mpii_course.exercises.diagnosis import call, diagnose, diagnose_each, exercise


@exercise("21-1")
def separable_weights(answer: object) -> str | None:
    """Weights of a depthwise separable convolution, k^2 C + C D.

    1. Two steps: one square kernel for each channel that comes in, then a 1 x 1 convolution that mixes the channels.
    2. kernel**2 * channels + channels * outputs
    """
    mistakes = {
        "That is an ordinary convolution. Here each channel has one kernel; mixing is a step of its own.": 9 * 16 * 32,
        "The two steps follow one another: add their weights, do not multiply them.": 9 * 16 * 16 * 32,
        "A square kernel of size 3 has 9 weights, not 3.": 3 * 16 + 16 * 32,
        "The depthwise step works on the channels that come in, before there are any outputs.": 9 * 32 + 16 * 32,
    }
    return diagnose(call(answer, 3, 16, 32), 9 * 16 + 16 * 32, mistakes)


@exercise("21-2")
def frozen(answer: object) -> str | None:
    """How many layers are frozen under layers[:-n] and under layers[-n:].

    1. Try it: what are list(range(10))[:-3] and list(range(10))[-3:]?
    2. layers - n, n
    """
    parts = {
        "the count for layers[:-n]": (125, {"layers[:-7] are all but the last 7 of 132 layers.": 7}),
        "the count for layers[-n:]": (7, {"layers[-7:] are the last 7 themselves, not the 125 others.": 125}),
    }
    return diagnose_each(call(answer, 132, 7, returns=list(parts)), parts)


@exercise("21-3")
def reported(answer: object) -> str | None:
    """The test accuracy of the model that is best on validation.

    1. Which list may be used to choose a model? And which score of the chosen one has not been used for choosing?
    2. test[int(np.argmax(validation))]
    """
    mistakes = {
        "That is the largest of several test scores, chosen on the test set: it is too good to be true.": 0.75,
        "That is a validation score, by which the model was chosen. It is too good for the same reason.": 0.78,
        "That is which model it is. Return its accuracy on the test set.": 1,
    }
    return diagnose(call(answer, [0.71, 0.78, 0.74], [0.75, 0.70, 0.72]), 0.70, mistakes)
