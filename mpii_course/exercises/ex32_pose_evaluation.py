"""Checks of notebook 32: PCKh, its averages, and OKS."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("32-1")
def my_pckh(answer: Any) -> str | None:
    """Two persons with head sizes 30 and 60: right are 0, 15 of person 1 and 0, 15, 28 of person 2; 9 annotated."""
    truth = np.zeros((2, 5, 2))
    truth[..., 0] = 200 * np.arange(5)
    off = np.array([[0, 15, 20, 28, 90], [0, 15, 40, 28, 90]], float)
    predicted = truth + np.stack([off, np.zeros_like(off)], axis=2)
    truth[1, 4] = np.nan
    boxes = np.array([[10, 10, 40, 50], [10, 10, 70, 90]], float)
    got = call(answer, predicted, truth, boxes)
    if isinstance(got, float | np.floating) and np.isnan(got):
        return "NaN: the joint that is not annotated got into a mean. Count the annotated ones instead."
    mistakes = {
        "Joints that are not annotated must not count at all; you divide by all of them.": 5 / 10,
        "A distance equal to half a head size is correct: use <=.": 4 / 9,
        "Your circles are too wide. The head size is 0.6 times the diagonal of the head box.": 7 / 9,
        "Your circles are twice too wide: a joint has to lie within *half* a head size.": 8 / 9,
        "That is how many are correct. Divide by how many are annotated.": 5,
    }
    return diagnose(got, 5 / 9, mistakes, f"For nine annotated joints, five of them correct, you get {got!r}.")


@exercise("32-2")
def two_averages(answer: Any) -> str | None:
    """Pooled rate 8 / 10, and the mean of the joints' rates 1, 3 / 4 and 1 / 2."""
    annotated = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]], bool)
    correct = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 0]], bool)
    pooled, mean = call(answer, correct, annotated, returns=("the pooled rate", "the mean of the joints' rates"))
    if close((pooled, mean), (0.75, 0.8)):
        return "The two are swapped: pooled puts all joints in one heap."
    mistakes = {"You divide by all cells; only annotated ones count.": 8 / 12}
    otherwise = f"Eight of ten annotated joints are correct; your pooled rate is {pooled!r}."
    if hint := diagnose(pooled, 0.8, mistakes, otherwise):
        return hint
    mistakes = {
        "You averaged over persons. Take the rate of each joint, a column, and average these.": float(
            np.mean([1, 1, 1 / 3, 1])
        ),
        "A joint's rate divides by the persons who have it annotated, not by all persons.": 8 / 12,
    }
    return diagnose(mean, 0.75, mistakes, f"The joints have the rates 1, 0.75 and 0.5; their mean is not {mean!r}.")


@exercise("32-3")
def my_oks(answer: Any) -> str | None:
    """Mean of exp(-d^2 / (2 area (2 sigma)^2))."""
    distance, area, sigmas = np.array([0.0, 10.0, 40.0]), 8000.0, np.array([0.05, 0.06, 0.1])
    got, width = call(answer, distance.copy(), area, sigmas.copy()), 2 * area * (2 * sigmas) ** 2

    def bell(variance: np.ndarray, power: int = 2) -> np.ndarray:
        return np.exp(-(distance**power) / variance)

    mistakes = {
        "These are the three joints. OKS is their mean.": bell(width),
        "That is the sum; divide by the number of labelled joints.": bell(width).sum(),
        "COCO's bell has a standard deviation of 2 sigma times s, twice as wide as yours.": bell(width / 4).mean(),
        "The area is already s squared: do not square it again.": bell(width * area).mean(),
        "The 2 of the bell's exponent is missing: divide by 2 s^2 (2 sigma)^2.": bell(width / 2).mean(),
        "Square the distances.": bell(width, 1).mean(),
    }
    otherwise = f"You get {got!r}; a joint right on its place should add 1 to the sum."
    return diagnose(got, bell(width).mean(), mistakes, otherwise)
