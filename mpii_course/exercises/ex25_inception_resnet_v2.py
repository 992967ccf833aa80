"""Checks of notebook 25: factorised filters, the growth of a scaled sum, and the smallest loss at an accuracy."""

import math

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("25-1")
def factorised(answer: object) -> str | None:
    """Weights of a 1 x k and a k x 1 convolution in a row, k C B + k B D.

    1. The row of k goes from `channels` to `between`, the column of k from `between` to `outputs`.
    2. k * channels * between + k * between * outputs
    """
    mistakes = {
        "That is the whole square filter. Here a row and a column follow one another.": 49 * 32 * 20,
        "The two follow one another: add their weights, do not multiply them.": 7 * 32 * 10 * 7 * 10 * 20,
        "The row goes to the channels between, and the column starts from there.": 14 * 32 * 20,
        "A row of k and a column of k have k weights each, not k squared.": 49 * 32 * 10 + 49 * 10 * 20,
    }
    return diagnose(call(answer, 7, 32, 10, 20), 7 * 32 * 10 + 7 * 10 * 20, mistakes)


@exercise("25-2")
def growth(answer: object) -> str | None:
    """The factor (1 + s^2)^n of the variance.

    1. Variances of numbers with nothing in common add. Which variance has s F(x), when F(x) has that of x?
    2. (1 + scale**2) ** modules
    """
    mistakes = {
        "A number s times as large has s squared times the variance.": [1.2, 1.2**40],
        "Each module adds to what has grown already: the factors multiply.": [1.04, 1 + 40 * 0.04],
        "That would hold if x and F(x) were the same. They have nothing in common: variances add.": [1.44, 1.44**40],
        "That is the growth of the size. The variance is its square.": [math.sqrt(1.04), 1.04**20],
    }
    return diagnose(call_each(answer, (0.2, 1), (0.2, 40)), [1.04, 1.04**40], mistakes)


@exercise("25-3")
def smallest_loss(answer: object) -> str | None:
    """The wrong share times ln 2.

    1. A right prediction can cost nothing. A wrong one costs least when its true class is as probable as it can be.
    2. That is just below 1/2, the rest being on the predicted class: each wrong one costs ln 2.
    3. (1 - accuracy) * np.log(2)
    """
    mistakes = {
        "Right predictions can be certain and cost nothing. Wrong ones must cost.": [0.65 * math.log(2), math.log(2)],
        "That is the loss of one prediction with probability 0.65. What does a wrong one cost at least?":
            [-math.log(0.65), 0.0],
        "That is the share of wrong predictions. How much does each of them cost at least?": [0.35, 0.0],
        "Take the natural logarithm, as Keras does.": [0.35 * math.log10(2), 0.0],
    }  # fmt: skip
    return diagnose(call_each(answer, (0.65,), (1.0,)), [0.35 * math.log(2), 0.0], mistakes)
