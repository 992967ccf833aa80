"""Checks of notebook 32: PCKh, its averages, and OKS."""

from typing import Any

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, diagnose_each, exercise


@exercise("32-1")
def my_pckh(answer: object) -> str | None:
    """Two persons with head sizes 30 and 60: right are 0, 15 of person 1 and 0, 15, 30 of person 2; 9 annotated.

    1. Head size: 0.6 times the diagonal of the box. Correct: within half a head size. Comparing with NaN gives False.
    2. distance = np.linalg.norm(predicted - truth, axis=2) / head[:, None]
    3. (distance <= 0.5).sum() / np.isfinite(distance).sum()
    """
    truth = np.zeros((2, 5, 2))
    truth[..., 0] = 200 * np.arange(5)
    off = np.array([[0, 15, 16, 29, 90], [0, 15, 31, 30, 90]], float)
    predicted = truth + np.stack([off, np.zeros_like(off)], axis=2)
    truth[1, 4] = np.nan
    boxes = np.array([[10, 20, 40, 60], [10, 30, 70, 110]], float)
    mistakes = {
        "NaN: the joint that is not annotated got into a sum or a mean. Count the annotated ones instead.": np.nan,
        "Joints that are not annotated must not count at all; you divide by all of them.": 5 / 10,
        "A distance equal to half a head size is correct: use <=.": 3 / 9,
        "Your circles are too wide. The head size is 0.6 times the diagonal of the head box.": 7 / 9,
        "Your circles are twice too wide: a joint has to lie within *half* a head size.": 8 / 9,
        "That is how many are correct. Divide by how many are annotated.": 5,
    }
    got = call(answer, predicted, truth, boxes)
    return diagnose(got, 5 / 9, mistakes, "Of nine annotated joints, five are correct.")


@exercise("32-2")
def two_averages(answer: object) -> str | None:
    """Pooled rate 8 / 10, and the mean of the joints' rates 1, 3 / 4 and 1 / 2.

    1. Pooled: all annotated joints of all persons count alike. The other: a rate for each column, and their mean.
    2. correct.sum() / annotated.sum(), (correct.sum(axis=0) / annotated.sum(axis=0)).mean()
    """
    annotated = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]], bool)
    correct = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 0]], bool)
    persons: dict[str, Any] = {
        "That is the mean over persons. Take the rate of each joint, a column, and average these.": 10 / 12,
        "A joint's rate divides by the persons who have it annotated, not by all persons.": 8 / 12,
    }
    parts = {
        "the pooled rate": (0.8, {"You divide by all cells; only annotated ones count.": 8 / 12}),
        "the mean of the joints' rates": (0.75, persons),
    }
    return diagnose_each(call(answer, correct, annotated, returns=list(parts)), parts)


@exercise("32-3")
def my_oks(answer: object) -> str | None:
    """Mean of exp(-d^2 / (2 area (2 sigma)^2)).

    1. A joint right on its place adds 1 to the sum. With the distance it falls like a Gaussian; how wide is COCO's?
    2. The area is the square of the size s, and the standard deviation of the Gaussian is 2 sigma s.
    3. np.exp(-(distance**2) / (2 * area * (2 * sigmas) ** 2)).mean()
    """
    distance, area, sigmas = np.array([0.0, 10.0, 40.0]), 8000.0, np.array([0.05, 0.06, 0.1])
    width = 2 * area * (2 * sigmas) ** 2

    def bell(variance: np.ndarray, power: int = 2) -> np.ndarray:
        return np.exp(-(distance**power) / variance)

    mistakes = {
        "These are the three joints. OKS is their mean.": bell(width),
        "That is the sum; divide by the number of labelled joints.": bell(width).sum(),
        "COCO's Gaussian has a standard deviation of 2 sigma times s, twice as wide as yours.": bell(width / 4).mean(),
        "The area is already s squared: do not square it again.": bell(width * area).mean(),
        "The 2 of the Gaussian's exponent is missing.": bell(width / 2).mean(),
        "Square the distances.": bell(width, 1).mean(),
    }
    return diagnose(call(answer, distance, area, sigmas), bell(width).mean(), mistakes)
