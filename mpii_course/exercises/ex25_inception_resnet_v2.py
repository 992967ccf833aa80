"""Checks of notebook 25: factorised filters, the growth of a scaled sum, and the smallest loss at an accuracy."""

from __future__ import annotations

import math
from typing import Any

from mpii_course.exercises import call, close, exercise


@exercise("25-1")
def factorised(answer: Any) -> str | None:
    """Weights of a 1 x k and a k x 1 convolution in a row, k C B + k B D."""
    got = call(answer, 7, 32, 10, 20)
    if close(got, 49 * 32 * 20):
        return "That is the whole square filter. Here a row and a column stand one after the other."
    if close(got, 7 * 32 * 10 * 7 * 10 * 20):
        return "The two follow one another: add their weights, do not multiply them."
    if close(got, 14 * 32 * 20):
        return "The row goes to the channels between, and the column starts from there."
    if close(got, 49 * 32 * 10 + 49 * 10 * 20):
        return "A row of k and a column of k have k weights each, not k squared."
    right = 7 * 32 * 10 + 7 * 10 * 20
    return None if close(got, right) else f"For k = 7, 32 channels, 10 between, 20 outputs you get {got}."


@exercise("25-2")
def growth(answer: Any) -> str | None:
    """The factor (1 + s^2)^n of the variance."""
    got = [call(answer, 0.2, 1), call(answer, 0.2, 40)]
    if close(got, [1.2, 1.2**40]):
        return "A number s times as large has s squared times the variance."
    if close(got, [1.04, 1 + 40 * 0.04]):
        return "Each module adds to what has grown already: the factors multiply."
    if close(got, [1.44, 1.44**40]):
        return "That would hold if x and F(x) were the same. With nothing in common, variances add: 1 and s squared."
    if close(got, [math.sqrt(1.04), 1.04**20]):
        return "That is the growth of the size. The variance is its square."
    return None if close(got, [1.04, 1.04**40]) else f"For s = 0.2 and 1 or 40 modules you get {got}."


@exercise("25-3")
def smallest_loss(answer: Any) -> str | None:
    """The wrong share times ln 2."""
    got = [call(answer, 0.65), call(answer, 1.0)]
    if close(got, [0.65 * math.log(2), math.log(2)]):
        return "The right answers can be as sure as they like and cost nothing. It is the wrong ones that must cost."
    if close(got, [-math.log(0.65), 0.0]):
        return "That is the loss of one answer with probability 0.65. Think of what each wrong answer costs at least."
    if close(got, [0.35, 0.0]):
        return "That is the share of wrong answers. Each of them costs at least -ln(1/2)."
    if close(got, [0.35 * math.log10(2), 0.0]) or close(got, [0.35 * math.log2(2), 0.0]):
        return "Take the natural logarithm, as Keras does."
    return None if close(got, [0.35 * math.log(2), 0.0]) else f"At accuracies of 0.65 and 1 you get {got}."
