"""Checks of notebook 32: PCKh, its averages, and OKS."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


def _case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two persons with head boxes of 30 x 40 px and 60 x 80 px: head sizes 30 and 60, half of it 15 and 30."""
    truth = np.zeros((2, 5, 2))
    truth[..., 0] = 200 * np.arange(5)
    off = np.array([[0, 15, 20, 28, 90], [0, 15, 40, 28, 90]], float)
    predicted = truth + np.stack([off, np.zeros_like(off)], axis=2)
    truth[1, 4] = np.nan
    boxes = np.array([[10, 10, 40, 50], [10, 10, 70, 90]], float)
    return predicted, truth, boxes


@exercise("32-1")
def my_pckh(answer: Any) -> str | None:
    """Correct of the annotated joints: 0, 15 of person 1; 0, 15, 28 of person 2; 9 annotated."""
    predicted, truth, boxes = _case()
    got = call(answer, predicted.copy(), truth.copy(), boxes.copy())
    if close(got, 5 / 10):
        return "Joints that are not annotated must not count at all; you divide by all of them."
    if close(got, 4 / 9):
        return "A distance equal to half a head size is correct: use <=."
    if close(got, 7 / 9):
        return "Your circles are too wide. The head size is 0.6 times the diagonal of the head box."
    if close(got, 8 / 9):
        return "Your circles are twice too wide: a joint has to lie within *half* a head size."
    if close(got, 5):
        return "That is how many are correct. Divide by how many are annotated."
    if isinstance(got, float | np.floating) and np.isnan(got):
        return "NaN: the joint that is not annotated got into a mean. Count the annotated ones instead."
    return None if close(got, 5 / 9) else f"For nine annotated joints, five of them correct, you get {got!r}."


@exercise("32-2")
def two_averages(answer: Any) -> str | None:
    """Pooled rate, and unweighted mean of the joints' rates."""
    annotated = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0]], bool)
    correct = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 0]], bool)
    pooled, mean = call(answer, correct.copy(), annotated.copy())
    if close(pooled, (1 + 0.75 + 0) / 3) and close(mean, 7 / 9):
        return "The two are swapped: pooled puts all joints in one heap."
    if close(pooled, 7 / 12):
        return "You divide by all cells; only annotated ones count."
    if not close(pooled, 7 / 9):
        return f"Seven of nine annotated joints are correct; your pooled rate is {pooled!r}."
    if close(mean, np.mean([2 / 3, 1, 0.5, 1])):
        return "You averaged over persons. Take the rate of each joint, a column, and average these."
    if close(mean, (1 + 0.75 + 0) / 3):
        return None
    if close(mean, 7 / 12):
        return "A joint's rate divides by the persons who have it annotated, not by all persons."
    return f"The three joints have the rates 1, 0.75 and 0; their mean is not {mean!r}."


@exercise("32-3")
def my_oks(answer: Any) -> str | None:
    """Mean of exp(-d^2 / (2 area (2 sigma)^2))."""
    distance, area, sigmas = np.array([0.0, 10.0, 40.0]), 8000.0, np.array([0.05, 0.06, 0.1])

    def bell(variance: np.ndarray) -> np.ndarray:
        return np.exp(-(distance**2) / variance)

    got = call(answer, distance.copy(), area, sigmas.copy())
    wanted = bell(2 * area * (2 * sigmas) ** 2)
    if close(got, wanted):
        return "These are the three joints. OKS is their mean."
    if close(got, wanted.sum()):
        return "That is the sum; divide by the number of labelled joints."
    if close(got, bell(2 * area * sigmas**2).mean()):
        return "COCO's bell has a standard deviation of 2 sigma times s, twice as wide as yours."
    if close(got, bell(2 * area**2 * (2 * sigmas) ** 2).mean()):
        return "The area is already s squared: do not square it again."
    if close(got, bell(area * (2 * sigmas) ** 2).mean()):
        return "The 2 of the bell's exponent is missing: divide by 2 s^2 (2 sigma)^2."
    if close(got, np.exp(-distance / (2 * area * (2 * sigmas) ** 2)).mean()):
        return "Square the distances."
    if close(got, wanted.mean()):
        return None
    return f"You get {got!r}; a joint right on its place should add 1 to the sum."
