"""Checks of notebook 11: counting, class weights, and images of the same video."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, diagnose_each, exercise


@exercise("11-1")
def weights(answer: object) -> str | None:
    """Balanced class weights n / (k n_c).

    1. The rarer a class, the larger its weight; a class with n / k images has the weight 1.
    2. counts = np.asarray(counts); counts.sum() / (len(counts) * counts)
    """
    counts = np.array([60, 30, 10])
    mistakes = {
        "That is n / n_c. Divide by the number of classes k too: an average class has weight 1.": 100 / counts,
        "That is 1 / n_c: in the right proportion, but the loss would become tiny. Multiply by n / k.": 1 / counts,
        "These are the shares: the common class got the largest weight. Turn the fraction around.": counts / 100,
    }
    return diagnose(call(answer, counts.tolist()), 100 / (3 * counts), mistakes)


@exercise("11-2")
def lazy_scores(answer: object) -> str | None:
    """Accuracy and balanced accuracy of always predicting the largest class.

    1. How many of all images is the model right on? And which share of each class does it find?
    2. max(counts) / sum(counts), 1 / len(counts)
    """
    first = {"That is the share of the first class. The lazy model predicts the largest one.": 0.1}
    same = {"Balanced accuracy is not accuracy: take the share found in each class (1 in one, 0 in the others).": 0.7}
    parts = {"the accuracy": (0.7, first), "the balanced accuracy": (1 / 3, same)}
    return diagnose_each(call(answer, [10, 70, 20], returns=list(parts)), parts)


@exercise("11-3")
def leaked(answer: object) -> str | None:
    """Share of test images whose video occurs in training.

    1. Ask for each test image whether its video is among those of the training. Which share says yes?
    2. np.mean(np.isin(test_videos, train_videos))
    """
    mistakes = {
        "That is the number of leaked test images. Divide by the number of test images.": 4,
        "That is a share of the videos. Count test images: a video with many frames leaks many of them.": 2 / 3,
        "That is the share of the training images, the other side. Take the share of the test images.": 3 / 5,
        "That is the share of test images that are safe. The leaked ones are the others.": 1 / 5,
    }
    got = call(answer, ["a", "a", "b", "b", "c"], ["a", "d", "c", "c", "c"])
    return diagnose(got, 4 / 5, mistakes, "One test image of video a and three of c are leaked.")
