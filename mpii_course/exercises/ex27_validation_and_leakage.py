"""Checks of notebook 27: who shares a video, how probable that is, and a leak that is no video."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("27-1")
def touched(answer: Any) -> str | None:
    """Number of test pictures whose video is in training too."""
    train, test = [1, 1, 2, 3, 3, 9], [3, 3, 3, 1, 4, 1]
    got = call(answer, train, test)
    if close(got, 2):
        return "Two videos are on both sides. How many test pictures do they have?"
    if close(got, 1):
        return "That is the test pictures that are not touched."
    if close(got, 5 / 6):
        return "That is the share of the test pictures. Their number is asked for."
    if close(got, 4):
        return "You count the training pictures. Those of the test set are asked for."
    return None if close(got, 5) else f"For training videos {train} and test videos {test} you get {got}."


@exercise("27-2")
def sibling(answer: Any) -> str | None:
    """Probability of at least one sibling in training, 1 - (1 - s)^(f - 1)."""
    got = call(answer, 4, 0.7)
    if close(got, 1 - 0.3**4):
        return "The test picture is no sibling of its own: three others remain of four frames."
    if close(got, 0.7**3):
        return "That is the probability that all siblings are in training. One is enough."
    if close(got, 0.3**3):
        return "That is the probability that no sibling is in training: take it from 1."
    if close(got, 1 - 0.7**3):
        return "You have the share of the others: a sibling is not in training with probability 1 - share."
    if not close(got, 1 - 0.3**3):
        return f"For 4 frames and a share of 0.7 you get {got}."
    return None if close(call(answer, 1, 0.7), 0) else "A video of one frame has no siblings: the probability is 0."


@exercise("27-3")
def scaled(answer: Any) -> str | None:
    """Scale both parts with the mean and standard deviation of the training part."""
    train, test = np.array([[0.0, 10.0], [2.0, 30.0], [4.0, 50.0]]), np.array([[2.0, 90.0], [8.0, 30.0]])
    first, second = (np.asarray(part, dtype=float) for part in call(answer, train.copy(), test.copy()))
    both = np.concatenate([train, test])
    mean, std = train.mean(axis=0), train.std(axis=0)
    if close(second, (test - both.mean(axis=0)) / both.std(axis=0)):
        return "Mean and deviation come from both parts together: the test set has had a say."
    if close(second, (test - test.mean(axis=0)) / test.std(axis=0)):
        return "The test set is scaled by itself. The model would meet it in other units than those it has learned."
    if close(second, (test - train.mean()) / train.std()):
        return "Each feature has a mean and a deviation of its own: take them along axis 0."
    if close(second, (test - mean) / train.std(axis=0, ddof=1)):
        return None if close(first, (train - mean) / train.std(axis=0, ddof=1)) else "Scale the training part alike."
    if not close(second, (test - mean) / std):
        return (
            f"With a training mean of {mean} and deviation of {std.round(3)}, the first test row becomes {second[0]}."
        )
    return None if close(first, (train - mean) / std) else "Scale the training part with the same numbers too."
