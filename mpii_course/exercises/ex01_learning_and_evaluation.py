"""Checks for notebook 01: mean squared error, folds, standardising without a leak, standard error of fold scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("01-1")
def squared_error(answer: Any) -> str | None:
    """Mean squared error."""
    y, predicted = np.array([1.0, 2.0, 4.0, 7.0]), np.array([2.0, 2.0, 1.0, 11.0])
    gap = y - predicted  # -1 0 3 -4
    got = call(answer, y, predicted)
    if np.shape(got) == (4,):
        return "You give one number for each observation. Take the mean over all of them."
    mistakes = {
        float((gap**2).sum()): "This is the sum of the squares. Divide by their number n.",
        float(
            (gap**2).mean() ** 0.5
        ): "This is the root of it (RMSE), in the unit of y. Here the square itself is asked.",
        float(abs(gap).mean()): "This is the mean absolute error. Square the gaps instead of taking their size.",
        float((gap**2).sum() / 3): "You divide by n - 1, as for a variance. The mean squared error divides by n.",
        float(gap.mean()): "Without the square, errors above and below cancel.",
        float(gap.mean() ** 2): "You square the mean. Square each gap first, then take the mean.",
        float((gap**2).mean() / 2): "Half of it is handy for derivatives, but the definition has no 1/2.",
        float(np.median(gap**2)): "This is the median of the squares; the definition takes their mean.",
    }
    if close(got, (gap**2).mean()):
        return None
    for value, hint in mistakes.items():
        if close(got, value):
            return hint
    return f"For gaps of -1, 0, 3 and -4 the answer is (1 + 0 + 9 + 16) / 4; you give {got}."


@exercise("01-2")
def folds_of(answer: Any) -> str | None:
    """K random folds that validate each row once."""
    pairs = [(np.asarray(t), np.asarray(v)) for t, v in call(answer, 11, 3, np.random.default_rng(0))]
    if len(pairs) != 3:
        return f"For K = 3 there are 3 rounds; you give {len(pairs)}."
    seen = np.concatenate([validation for _, validation in pairs])
    if any(len(np.intersect1d(t, v)) for t, v in pairs):
        return "A row trains in the round in which it validates. Take the fold out of the training rows."
    if any(len(t) < len(v) for t, v in pairs):
        return "You train on one fold and validate on the others. It is the other way round."
    if len(seen) < 11:
        return "Some rows never validate. 11 rows in 3 folds are 4, 4 and 3 (np.array_split)."
    if len(np.unique(seen)) < len(seen):
        return "Some rows validate twice. The folds must not overlap: cut one permutation into K parts."
    if any(len(t) + len(v) != 11 for t, v in pairs):
        return "In some round a row neither trains nor validates. Train on all other folds, not on one of them."
    if (np.sort(seen) != np.arange(11)).any():
        return "Row numbers go from 0 to count - 1."
    if max(len(v) for _, v in pairs) - min(len(v) for _, v in pairs) > 1:
        return "The folds should be of equal size, give or take one row."
    large = [np.asarray(v) for _, v in call(answer, 300, 3, np.random.default_rng(1))]
    if all(v.max() - v.min() + 1 == len(v) for v in large):
        return "Each fold is a block of neighbouring rows. Files are often sorted: shuffle first (rng.permutation)."
    other = [np.asarray(v) for _, v in call(answer, 300, 3, np.random.default_rng(2))]
    same = all(np.array_equal(a, b) for a, b in zip(large, other, strict=True))
    return "The folds are the same every time. Draw them with `rng`." if same else None


@exercise("01-3")
def standardise(answer: Any) -> str | None:
    """Standardise both parts with the mean and the deviation of the training part."""
    rng = np.random.default_rng(3)
    train, validation = rng.normal([5, -2], [2, 30], (12, 2)), rng.normal([8, 10], [3, 20], (7, 2))
    result = call(answer, train.copy(), validation.copy())
    if not (isinstance(result, tuple) and len(result) == 2):
        return "Give back two arrays: the standardised training and validation features."
    left, right = result

    def scaled(part: Any, base: Any, axis: int | None = 0, ddof: int = 0) -> Any:
        return (part - base.mean(axis=axis)) / base.std(axis=axis, ddof=ddof)

    if close(left, scaled(train, train)) and close(right, scaled(validation, train)):
        return None
    both = np.concatenate([train, validation])
    if close(left, scaled(train, both)):
        return "You took mean and deviation of all rows: the validation data have leaked into the training features."
    if close(left, scaled(train, train)) and close(right, scaled(validation, validation)):
        return "The validation part has its own mean and deviation now. At prediction time they are not known yet."
    if close(left, scaled(train, train, axis=None)):
        return "You took one mean over all columns. Each column has its own: axis=0."
    if close(left, scaled(train, train, ddof=1)):
        return "Your deviation divides by n - 1. That is possible too, but np.std, asked for here, divides by n."
    if close(left, (train - train.mean(axis=0)) / train.var(axis=0)):
        return "You divide by the variance. The standard deviation is its root."
    if close(left, train - train.mean(axis=0)):
        return "The mean is right; the division by the standard deviation is missing."
    if np.shape(left) == (12, 2) and close(left, ((train.T - train.mean(axis=1)) / train.std(axis=1)).T):
        return "You went along the rows (axis=1). Columns are features: axis=0."
    return "Both parts have to be (part - train.mean(axis=0)) / train.std(axis=0)."


@exercise("01-4")
def mean_and_error(answer: Any) -> str | None:
    """Mean and standard error of the scores of K folds."""
    scores = np.array([2.0, 4.0, 4.0, 6.0, 9.0])
    result = call(answer, scores.copy())
    if not (isinstance(result, tuple) and len(result) == 2):
        return "Give back two numbers: the mean and the standard error."
    mean, got = result
    if not close(mean, 5.0):
        return f"The mean of 2, 4, 4, 6 and 9 is 5; you give {mean}."
    deviation, biased = scores.std(ddof=1), scores.std()
    mistakes = {
        biased / 5**0.5: "This uses the biased variance: np.std divides by K unless told ddof=1. Divide by K - 1.",
        deviation: "This is the spread of single folds. The mean of K of them is surer: divide by the root of K.",
        biased: "This is the spread of single folds, and of the biased kind. ddof=1, then divide by the root of K.",
        deviation**2 / 5: "This is the variance of the mean. The standard error is its root.",
        deviation / 5: "Divide by the root of K, not by K.",
        deviation**2 / 5**0.5: "Take the root of the variance first: standard deviation over the root of K.",
        deviation / 2: "Divide by the root of K. (K - 1 belongs inside the deviation only.)",
    }
    if close(got, deviation / 5**0.5):
        return None
    for value, hint in mistakes.items():
        if close(got, value):
            return hint
    return "The second number should be the standard deviation (ddof=1) over the root of K."
