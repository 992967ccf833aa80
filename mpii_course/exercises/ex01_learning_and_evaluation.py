"""Checks of notebook 01: mean squared error, folds, standardising without a leak, standard error of fold scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("01-1")
def squared_error(answer: Any) -> str | None:
    """Mean squared error."""
    y, predicted = np.array([1.0, 2.0, 4.0, 7.0]), np.array([2.0, 2.0, 1.0, 11.0])
    gap = y - predicted  # -1 0 3 -4
    squares = gap**2
    got = call(answer, y, predicted)
    if np.shape(got) == (4,):
        return "You give one number for each observation. Take the mean over all of them."
    mistakes = {
        "This is the sum of the squares. Divide by their number n.": squares.sum(),
        "This is the root of it (RMSE), in the unit of y. Here the square itself is wanted.": squares.mean() ** 0.5,
        "This is the mean absolute error. Square the gaps instead of taking their size.": abs(gap).mean(),
        "You divide by n - 1, as for a variance. The mean squared error divides by n.": squares.sum() / 3,
        "Without the square, errors above and below cancel.": gap.mean(),
        "You square the mean. Square each gap first, then take the mean.": gap.mean() ** 2,
        "Half of it is handy for derivatives, but the definition has no 1/2.": squares.mean() / 2,
        "This is the median of the squares; the definition takes their mean.": np.median(squares),
    }
    otherwise = f"For gaps of -1, 0, 3 and -4 the answer is (1 + 0 + 9 + 16) / 4; you give {got}."
    return diagnose(got, squares.mean(), mistakes, otherwise)


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
    large, other = ([np.asarray(v) for _, v in call(answer, 300, 3, np.random.default_rng(seed))] for seed in (1, 2))
    if all(v.max() - v.min() + 1 == len(v) for v in large):
        return "Each fold is a block of neighbouring rows. Files are often sorted: shuffle first (rng.permutation)."
    same = all(np.array_equal(a, b) for a, b in zip(large, other, strict=True))
    return "The folds are the same every time. Draw them with `rng`." if same else None


@exercise("01-3")
def standardise(answer: Any) -> str | None:
    """Standardise both splits with the mean and the deviation of the training split."""
    rng = np.random.default_rng(3)
    train, validation = rng.normal([5, -2], [2, 30], (12, 2)), rng.normal([8, 10], [3, 20], (7, 2))
    names = ("the standardised training features", "the standardised validation features")
    left, right = call(answer, train.copy(), validation.copy(), returns=names)
    mean, spread, unbiased = train.mean(axis=0), train.std(axis=0), train.std(axis=0, ddof=1)
    both = np.concatenate([train, validation])
    leaked = (train - both.mean(axis=0)) / both.std(axis=0)
    along_rows = (train.T - train.mean(axis=1)) / train.std(axis=1)
    mistakes = {
        "You took mean and deviation of all rows: the validation data have leaked into the training features.": leaked,
        "You took one mean over all columns. Each column has its own: axis=0.": (train - train.mean()) / train.std(),
        "Your deviation divides by n - 1. np.std, which is wanted here, divides by n.": (train - mean) / unbiased,
        "You divide by the variance. The standard deviation is its root.": (train - mean) / spread**2,
        "The mean is right; the division by the standard deviation is missing.": train - mean,
        "You went along the rows (axis=1). Columns are features: axis=0.": along_rows.T,
    }
    otherwise = "Both have to be (features - train.mean(axis=0)) / train.std(axis=0)."
    own = (validation - validation.mean(axis=0)) / validation.std(axis=0)
    leak = {"The validation split has its own mean and deviation now. At prediction time they are not known yet.": own}
    hint = diagnose(left, (train - mean) / spread, mistakes, otherwise)
    return hint or diagnose(right, (validation - mean) / spread, leak, otherwise)


@exercise("01-4")
def mean_and_error(answer: Any) -> str | None:
    """Mean and standard error of the scores of K folds."""
    scores = np.array([2.0, 4.0, 4.0, 6.0, 9.0])
    mean, got = call(answer, scores.copy(), returns=("the mean", "the standard error"))
    if not close(mean, 5.0):
        return f"The mean of 2, 4, 4, 6 and 9 is 5; you give {mean}."
    spread, biased, root = scores.std(ddof=1), scores.std(), 5**0.5
    mistakes = {
        "This uses the biased variance: np.std divides by K unless ddof=1. Divide by K - 1.": biased / root,
        "This is the spread of single folds. The mean of K of them is surer: divide by the root of K.": spread,
        "This is the spread of single folds, and the biased one. ddof=1, then divide by the root of K.": biased,
        "This is the variance of the mean. The standard error is its root.": spread**2 / 5,
        "Divide by the root of K, not by K.": spread / 5,
        "Take the root of the variance first: standard deviation over the root of K.": spread**2 / root,
        "Divide by the root of K. (K - 1 belongs inside the deviation only.)": spread / 2,
    }
    otherwise = "The second number should be the standard deviation (ddof=1) over the root of K."
    return diagnose(got, spread / root, mistakes, otherwise)
