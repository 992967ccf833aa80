"""Checks of notebook 27: who shares a video, how probable that is, and a leak that is no video."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, close, diagnose, diagnose_each, exercise


@exercise("27-1")
def touched(answer: object) -> str | None:
    """Number of test images whose video is in training too.

    1. Go through the test images one by one: is this one's video among those of the training?
    2. sum(video in set(train_videos) for video in test_videos)
    """
    mistakes = {
        "Two videos are on both sides. How many test images do they have?": 2,
        "That is the number of test images that are not touched.": 1,
        "That is the share of the test images; return their number.": 5 / 6,
        "So many training images share a video; count those of the test split.": 4,
    }
    return diagnose(call(answer, [1, 1, 2, 3, 3, 9], [3, 3, 3, 1, 4, 1]), 5, mistakes)


@exercise("27-2")
def sibling(answer: object) -> str | None:
    """Probability of at least one sibling in training, 1 - (1 - s)^(f - 1).

    1. Turn it round: how probable is it that no sibling is in training? How many siblings has an image?
    2. 1 - (1 - share) ** (frames - 1)
    """
    mistakes = {
        "The test image is no sibling of its own: three others remain of four frames.": [1 - 0.3**4, 0.7],
        "That is the probability that all siblings are in training. One is enough.": [0.7**3, 1],
        "That is the probability that no sibling is in training: take it from 1.": [0.3**3, 1],
        "You have the share of the others: a sibling is not in training with probability 1 - share.": [1 - 0.7**3, 0],
    }
    return diagnose(call_each(answer, (4, 0.7), (1, 0.7)), [1 - 0.3**3, 0.0], mistakes)


@exercise("27-3")
def scaled(answer: object) -> str | None:
    """Scale both splits with the mean and standard deviation of the training split.

    1. Which numbers are known before the test split is opened? Only these may scale it.
    2. mean, std = train.mean(axis=0), train.std(axis=0); (train - mean) / std, (test - mean) / std
    """
    train, test = np.array([[0.0, 10.0], [2.0, 30.0], [4.0, 50.0]]), np.array([[2.0, 90.0], [8.0, 30.0]])
    names = ["the training split", "the test split"]
    got, both, mean = call(answer, train, test, returns=names), np.concatenate([train, test]), train.mean(axis=0)
    std = train.std(axis=0, ddof=1 if close(got[1], (test - mean) / train.std(axis=0, ddof=1)) else 0)  # both are right
    own, pooled = (test - test.mean(axis=0)) / test.std(axis=0), (test - both.mean(axis=0)) / both.std(axis=0)
    mistakes = {
        "Mean and deviation come from both splits together: the test split has had a say.": pooled,
        "The test split is scaled by itself: the model meets it in other units than it has learned.": own,
        "Each feature has its own mean and deviation: take them along axis 0.": (test - train.mean()) / train.std(),
    }
    parts = {names[0]: ((train - mean) / std, {}), names[1]: ((test - mean) / std, mistakes)}
    return diagnose_each(got, parts, last_first=True)
