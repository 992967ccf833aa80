"""Checks of notebook 26: standard error, paired differences, and how often luck decides."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, exercise


@exercise("26-1")
def standard_error(answer: object) -> str | None:
    """Standard deviation with n - 1, divided by the root of n.

    1. How far does a single training lie from the mean? A mean of n of them is more certain: by which factor?
    2. np.std(values, ddof=1) / np.sqrt(len(values))
    """
    values = [0.5, 0.6, 0.7, 0.8]
    std, narrow = np.std(values, ddof=1), np.std(values)
    by_n = "NumPy's std divides by n. The sample's standard deviation divides by n - 1: give ddof=1."
    mistakes = {
        "That is how far a single training lies from the mean. The mean is surer, by the root of n.": std,
        by_n: narrow / 2,
        f"{by_n} And the standard error is smaller, by the root of n.": narrow,
        "Divide by the root of n, not by n.": std / 4,
    }
    return diagnose(call(answer, values), std / 2, mistakes)


@exercise("26-2")
def paired(answer: object) -> str | None:
    """Interval of the mean of the differences, taken seed by seed.

    1. Take the differences seed by seed. Their mean is the middle of the interval; how certain is that mean?
    2. error = differences.std(ddof=1) / np.sqrt(len(differences)), and `factor` of it to each side.
    """
    first, second = np.array([0.40, 0.60, 0.50, 0.70]), np.array([0.45, 0.64, 0.56, 0.75])
    differences = second - first
    mean, error = differences.mean(), differences.std(ddof=1) / 2
    apart = np.sqrt(first.var(ddof=1) / 4 + second.var(ddof=1) / 4)
    mistakes = {
        "You took the spread of each setting. Take the differences seed by seed first, then their spread.": 3 * apart,
        "That reaches as many standard deviations. The standard error is smaller, by the root of n.": 6 * error,
        "The interval reaches `factor` standard errors to each side.": error,
        "NumPy's std divides by n: give ddof=1.": 3 * differences.std() / 2,
    }
    ends = {hint: [mean - reach, mean + reach] for hint, reach in mistakes.items()}
    ends["The sign is turned: the differences are second - first."] = [-mean - 3 * error, -mean + 3 * error]
    ends["The lower end comes first."] = [mean + 3 * error, mean - 3 * error]
    got = call(answer, first, second, 3.0, returns=("the lower end", "the upper end"))
    return diagnose(got, [mean - 3 * error, mean + 3 * error], ends)


@exercise("26-3")
def some_luck(answer: object) -> str | None:
    """Probability of at least one false alarm, 1 - level ** settings.

    1. Turn it round: how probable is it that none of the comparisons is decided by luck?
    2. 1 - level**settings
    """
    mistakes = {
        "That is how many are expected on average. As a probability it would pass 1 for many settings.": 8 * 0.05,
        "That is the probability that none is decided by luck.": 0.95**8,
        "That is the probability that all of them are.": 0.05**8,
    }
    return diagnose(call(answer, 8, 0.95), 1 - 0.95**8, mistakes)
