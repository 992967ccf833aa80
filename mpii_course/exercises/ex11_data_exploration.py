"""Checks of notebook 11: counting, class weights, and pictures of the same video."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("11-1")
def weights(answer: Any) -> str | None:
    """Balanced class weights n / (k n_c)."""
    counts = np.array([60, 30, 10])
    got = np.asarray(call(answer, counts.tolist()), dtype=float)
    if got.shape != (3,):
        return f"Three classes have three weights; you return an array of shape {got.shape}."
    if close(got, 100 / counts):
        return "That is n / n_c. Divide by the number of classes k too, so that an average class has weight 1."
    if close(got, 1 / counts):
        return "That is 1 / n_c: in the right proportion, but the loss would become tiny. Multiply by n / k."
    if close(got, counts / 100):
        return "These are the shares of the classes: the common class got the largest weight. Turn the fraction around."
    return None if close(got, 100 / (3 * counts)) else f"For the counts 60, 30, 10 you get {np.round(got, 3).tolist()}."


@exercise("11-2")
def lazy_scores(answer: Any) -> str | None:
    """Accuracy and balanced accuracy of always answering with the largest class."""
    result = call(answer, [10, 70, 20])
    try:
        accuracy, balanced = result
    except (TypeError, ValueError):
        return "Return two numbers: the accuracy and the balanced accuracy."
    if close(accuracy, 0.1):
        return "You took the first class. The lazy model answers with the largest one."
    if not close(accuracy, 0.7):
        return f"For the counts 10, 70, 20 your accuracy is {accuracy}. The model is right on 70 of 100 pictures."
    if close(balanced, 0.7):
        return (
            "Balanced accuracy is not accuracy: take the share found in each class (1 for one class, 0 for the others)."
        )
    return None if close(balanced, 1 / 3) else f"Your balanced accuracy is {balanced}: it is the mean of 0, 1 and 0."


@exercise("11-3")
def leaked(answer: Any) -> str | None:
    """Share of test pictures whose video occurs in training."""
    got = call(answer, ["a", "a", "b", "b", "c"], ["a", "d", "c", "c", "c"])
    if close(got, 4):
        return "That is the number of leaked test pictures. Divide by the number of test pictures."
    if close(got, 2 / 3):
        return "You count videos. Count test pictures: a video with many frames leaks many of them."
    if close(got, 3 / 5):
        return (
            "You look from the wrong side: that is the share of training pictures. Take the share of the test pictures."
        )
    if close(got, 1 / 5):
        return "That is the share of test pictures that are safe. The leaked ones are the others."
    return (
        None
        if close(got, 4 / 5)
        else f"Of five test pictures, one of video a and three of c are leaked; you get {got}."
    )
