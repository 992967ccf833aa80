"""Checks of notebook 25: factorised filters, the growth of a scaled sum, and the smallest loss at an accuracy."""

from __future__ import annotations

import math
from typing import Any

from mpii_course.exercises import call, diagnose, exercise


@exercise("25-1")
def factorised(answer: Any) -> str | None:
    """Weights of a 1 x k and a k x 1 convolution in a row, k C B + k B D."""
    got = call(answer, 7, 32, 10, 20)
    mistakes = {
        "That is the whole square filter. Here a row and a column follow one another.": 49 * 32 * 20,
        "The two follow one another: add their weights, do not multiply them.": 7 * 32 * 10 * 7 * 10 * 20,
        "The row goes to the channels between, and the column starts from there.": 14 * 32 * 20,
        "A row of k and a column of k have k weights each, not k squared.": 49 * 32 * 10 + 49 * 10 * 20,
    }
    otherwise = f"For k = 7, 32 channels, 10 between, 20 outputs you get {got}."
    return diagnose(got, 7 * 32 * 10 + 7 * 10 * 20, mistakes, otherwise)


@exercise("25-2")
def growth(answer: Any) -> str | None:
    """The factor (1 + s^2)^n of the variance."""
    got = [call(answer, 0.2, 1), call(answer, 0.2, 40)]
    mistakes = {
        "A number s times as large has s squared times the variance.": [1.2, 1.2**40],
        "Each module adds to what has grown already: the factors multiply.": [1.04, 1 + 40 * 0.04],
        "That would hold if x and F(x) were the same. With nothing in common, variances add: 1 and s squared.":
            [1.44, 1.44**40],
        "That is the growth of the size. The variance is its square.": [math.sqrt(1.04), 1.04**20],
    }  # fmt: skip
    return diagnose(got, [1.04, 1.04**40], mistakes, f"For s = 0.2 and 1 or 40 modules you get {got}.")


@exercise("25-3")
def smallest_loss(answer: Any) -> str | None:
    """The wrong share times ln 2."""
    got = [call(answer, 0.65), call(answer, 1.0)]
    mistakes = {
        "The right predictions can be certain and cost nothing. It is the wrong ones that must cost.":
            [0.65 * math.log(2), math.log(2)],
        "That is the loss of one prediction with probability 0.65. Think of what each wrong one costs at least.":
            [-math.log(0.65), 0.0],
        "That is the share of wrong predictions. Each of them costs at least -ln(1/2).": [0.35, 0.0],
        "Take the natural logarithm, as Keras does.": [0.35 * math.log10(2), 0.0],
    }  # fmt: skip
    return diagnose(got, [0.35 * math.log(2), 0.0], mistakes, f"At accuracies of 0.65 and 1 you get {got}.")
