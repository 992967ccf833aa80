"""Checks of notebook 27: who shares a video, how probable that is, and a leak that is no video."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("27-1")
def touched(answer: Any) -> str | None:
    """Number of test images whose video is in training too."""
    train, test = [1, 1, 2, 3, 3, 9], [3, 3, 3, 1, 4, 1]
    got = call(answer, list(train), list(test))
    mistakes = {
        "Two videos are on both sides. How many test images do they have?": 2,
        "That is the number of test images that are not touched.": 1,
        "That is the share of the test images; return their number.": 5 / 6,
        "You count the training images; count those of the test split.": 4,
    }
    return diagnose(got, 5, mistakes, f"For training videos {train} and test videos {test} you get {got}.")


@exercise("27-2")
def sibling(answer: Any) -> str | None:
    """Probability of at least one sibling in training, 1 - (1 - s)^(f - 1)."""
    got = call(answer, 4, 0.7)
    mistakes = {
        "The test image is no sibling of its own: three others remain of four frames.": 1 - 0.3**4,
        "That is the probability that all siblings are in training. One is enough.": 0.7**3,
        "That is the probability that no sibling is in training: take it from 1.": 0.3**3,
        "You have the share of the others: a sibling is not in training with probability 1 - share.": 1 - 0.7**3,
    }
    hint = diagnose(got, 1 - 0.3**3, mistakes, f"For 4 frames and a share of 0.7 you get {got}.")
    alone = call(answer, 1, 0.7)
    return hint or diagnose(alone, 0, {}, "A video of one frame has no siblings: the probability is 0.")


@exercise("27-3")
def scaled(answer: Any) -> str | None:
    """Scale both splits with the mean and standard deviation of the training split."""
    train, test = np.array([[0.0, 10.0], [2.0, 30.0], [4.0, 50.0]]), np.array([[2.0, 90.0], [8.0, 30.0]])
    first, second = call(answer, train.copy(), test.copy(), returns=("the training split", "the test split"))
    both, mean = np.concatenate([train, test]), train.mean(axis=0)
    std = train.std(axis=0, ddof=1 if close(second, (test - mean) / train.std(axis=0, ddof=1)) else 0)  # both are right
    mistakes = {
        "Mean and deviation come from both splits together: the test split has had a say.":
            (test - both.mean(axis=0)) / both.std(axis=0),
        "The test split is scaled by itself. The model would meet it in other units than those it has learned.":
            (test - test.mean(axis=0)) / test.std(axis=0),
        "Each feature has a mean and a deviation of its own: take them along axis 0.":
            (test - train.mean()) / train.std(),
    }  # fmt: skip
    wanted = f"the first test row should be {((test - mean) / std)[0].round(3)}"
    hint = diagnose(second, (test - mean) / std, mistakes, f"For the example of the check {wanted}.")
    return hint or diagnose(first, (train - mean) / std, {}, "Scale the training split with the same numbers too.")
