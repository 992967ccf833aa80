"""Checks of notebook 01: mean squared error, folds, standardising without a leak, standard error of fold scores."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, diagnose_each, exercise, row_numbers


@exercise("01-1")
def squared_error(answer: object) -> str | None:
    """Mean squared error.

    1. Errors above and below must not cancel, and large ones count more. Then take the mean over all observations.
    2. np.mean((y - predicted) ** 2)
    """
    y, predicted = np.array([1.0, 2.0, 4.0, 7.0]), np.array([2.0, 2.0, 1.0, 11.0])
    gap = y - predicted  # -1 0 3 -4
    squares = gap**2
    mistakes = {
        "This is one number for each observation. Take the mean over all of them.": squares,
        "This is the sum of the squares. Divide by their number n.": squares.sum(),
        "This is the root of it (RMSE), in the unit of y. Here the square itself is wanted.": squares.mean() ** 0.5,
        "This is the mean absolute error. Square the errors instead of taking their size.": abs(gap).mean(),
        "This divides by n - 1, as a variance does. The mean squared error divides by n.": squares.sum() / 3,
        "Without the square, errors above and below cancel.": gap.mean(),
        "This is the square of the mean. Square each error first, then take the mean.": gap.mean() ** 2,
        "Half of it is handy for derivatives, but the definition has no 1/2.": squares.mean() / 2,
    }
    return diagnose(call(answer, y, predicted), squares.mean(), mistakes)


@exercise("01-2")
def folds_of(answer: object) -> str | None:
    """K random folds that validate each row once.

    1. Shuffle the row numbers once, and cut them into K parts. Each part validates in one round; what trains in it?
    2. parts = np.array_split(rng.permutation(count), folds); train on np.setdiff1d(np.arange(count), part).
    """

    def pairs_of(count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
        pairs = call(answer, count, 3, np.random.default_rng(seed))
        return [(row_numbers(train, count), row_numbers(validation, count)) for train, validation in pairs]

    pairs = pairs_of(11, 0)
    if len(pairs) != 3:
        return f"For K = 3 there are 3 rounds; you give {len(pairs)}."
    seen = np.concatenate([validation for _, validation in pairs])
    if any(len(np.intersect1d(t, v)) for t, v in pairs):
        return "A row trains in the round in which it validates. Take the fold out of the training rows."
    if any(len(t) < len(v) for t, v in pairs):
        return "You train on one fold and validate on the others. It is the other way round."
    if len(seen) < 11:
        return "Some rows never validate. 11 rows in 3 folds are 4, 4 and 3."
    if len(np.unique(seen)) < len(seen):
        return "Some rows validate twice. The folds must not overlap: cut one permutation into K parts."
    if any(len(t) + len(v) != 11 for t, v in pairs):
        return "In some round a row neither trains nor validates. Train on all other folds, not on one of them."
    if max(len(v) for _, v in pairs) - min(len(v) for _, v in pairs) > 1:
        return "The folds should be of equal size, give or take one row."
    large, other = ([v for _, v in pairs_of(300, seed)] for seed in (1, 2))
    if all(v.max() - v.min() + 1 == len(v) for v in large):
        return "Each fold is a block of neighbouring rows. Files are often sorted: shuffle first (rng.permutation)."
    same = all(np.array_equal(a, b) for a, b in zip(large, other, strict=True))
    return "The folds are the same every time. Draw them with `rng`." if same else None


@exercise("01-3")
def standardise(answer: object) -> str | None:
    """Standardise both splits with the mean and the deviation of the training split.

    1. Which numbers are known before anything is predicted? Mean and deviation come from these alone, for both splits.
    2. mean, deviation = train.mean(axis=0), train.std(axis=0); then (features - mean) / deviation for both.
    """
    rng = np.random.default_rng(3)
    train, validation = rng.normal([5, -2], [2, 30], (12, 2)), rng.normal([8, 10], [3, 20], (7, 2))
    mean, spread, unbiased = train.mean(axis=0), train.std(axis=0), train.std(axis=0, ddof=1)
    both = np.concatenate([train, validation])
    leaked = (train - both.mean(axis=0)) / both.std(axis=0)
    mistakes = {
        "Mean and deviation are those of all rows: the validation data have leaked into the training features.": leaked,
        "This has one mean over all columns. Each column has its own: axis=0.": (train - train.mean()) / train.std(),
        "Your deviation divides by n - 1. np.std, which is wanted here, divides by n.": (train - mean) / unbiased,
        "This is divided by the variance. The standard deviation is its root.": (train - mean) / spread**2,
        "The mean is right; the division by the standard deviation is missing.": train - mean,
    }
    own = (validation - validation.mean(axis=0)) / validation.std(axis=0)
    leak = {"The validation split has its own mean and deviation now. At prediction time they are not known yet.": own}
    parts = {
        "the standardised training features": ((train - mean) / spread, mistakes),
        "the standardised validation features": ((validation - mean) / spread, leak),
    }
    return diagnose_each(call(answer, train, validation, returns=list(parts)), parts)


@exercise("01-4")
def mean_and_error(answer: object) -> str | None:
    """Mean and standard error of the scores of K folds.

    1. How far does a single fold lie from the mean? A mean of K is more certain than one of them: by which factor?
    2. np.std(scores, ddof=1) / np.sqrt(len(scores))
    """
    scores = np.array([2.0, 4.0, 4.0, 6.0, 9.0])
    spread, biased, root = scores.std(ddof=1), scores.std(), 5**0.5
    mistakes = {
        "This uses the biased variance: np.std divides by K unless ddof=1. Divide by K - 1.": biased / root,
        "This is the spread of single folds. The mean of K of them is surer: divide by the root of K.": spread,
        "This is the variance of the mean. The standard error is its root.": spread**2 / 5,
        "Divide by the root of K, not by K.": spread / 5,
        "Divide by the root of K. (K - 1 belongs inside the deviation only.)": spread / 2,
    }
    parts = {"the mean": (5.0, {}), "the standard error": (spread / root, mistakes)}
    return diagnose_each(call(answer, scores, returns=list(parts)), parts)
