"""Checks of notebook 11: counting, class weights, and images of the same video."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, diagnose, exercise


@exercise("11-1")
def weights(answer: Any) -> str | None:
    """Balanced class weights n / (k n_c)."""
    counts = np.array([60, 30, 10])
    got = np.asarray(call(answer, counts.tolist()), dtype=float)
    if got.shape != (3,):
        return f"Three classes have three weights; you return an array of shape {got.shape}."
    mistakes = {
        "That is n / n_c. Divide by the number of classes k too: an average class has weight 1.": 100 / counts,
        "That is 1 / n_c: in the right proportion, but the loss would become tiny. Multiply by n / k.": 1 / counts,
        "These are the shares: the common class got the largest weight. Turn the fraction around.": counts / 100,
    }
    otherwise = f"For the counts 60, 30, 10 you get {np.round(got, 3).tolist()}."
    return diagnose(got, 100 / (3 * counts), mistakes, otherwise)


@exercise("11-2")
def lazy_scores(answer: Any) -> str | None:
    """Accuracy and balanced accuracy of always predicting the largest class."""
    accuracy, balanced = call(answer, [10, 70, 20], returns=("the accuracy", "the balanced accuracy"))
    first = {"You took the first class. The lazy model predicts the largest one.": 0.1}
    same = {"Balanced accuracy is not accuracy: take the share found in each class (1 in one, 0 in the others).": 0.7}
    otherwise = f"For the counts 10, 70, 20 your accuracy is {accuracy}. The model is right on 70 of 100 images."
    hint = diagnose(accuracy, 0.7, first, otherwise)
    otherwise = f"Your balanced accuracy is {balanced}: it is the mean of 0, 1 and 0."
    return hint or diagnose(balanced, 1 / 3, same, otherwise)


@exercise("11-3")
def leaked(answer: Any) -> str | None:
    """Share of test images whose video occurs in training."""
    got = call(answer, ["a", "a", "b", "b", "c"], ["a", "d", "c", "c", "c"])
    mistakes = {
        "That is the number of leaked test images. Divide by the number of test images.": 4,
        "You count videos. Count test images: a video with many frames leaks many of them.": 2 / 3,
        "That is the share of the training images, the other side. Take the share of the test images.": 3 / 5,
        "That is the share of test images that are safe. The leaked ones are the others.": 1 / 5,
    }
    otherwise = f"Of five test images, one of video a and three of c are leaked; you get {got}."
    return diagnose(got, 4 / 5, mistakes, otherwise)
