"""Checks of notebook 26: standard error, paired differences, and how often luck decides."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("26-1")
def standard_error(answer: Any) -> str | None:
    """Standard deviation with n - 1, divided by the root of n."""
    values = [0.5, 0.6, 0.7, 0.8]
    got = call(answer, values)
    std = np.std(values, ddof=1)
    if close(got, std):
        return "That is how far a single training lies from the mean. The mean is surer, by the root of n."
    if close(got, np.std(values)) or close(got, np.std(values) / 2):
        return "NumPy's std divides by n. The sample's standard deviation divides by n - 1: give ddof=1."
    if close(got, std / 4):
        return "Divide by the root of n, not by n."
    if close(got, std / np.sqrt(3)):
        return "The n - 1 stands under the squares already; the root is that of n."
    return None if close(got, std / 2) else f"For {values} you get {got}."


@exercise("26-2")
def paired(answer: Any) -> str | None:
    """Interval of the mean of the differences, taken seed by seed."""
    first, second = np.array([0.40, 0.60, 0.50, 0.70]), np.array([0.45, 0.64, 0.56, 0.75])
    low, high = call(answer, first.copy(), second.copy(), 3.0)
    differences = second - first
    mean, error = differences.mean(), differences.std(ddof=1) / 2
    apart = np.sqrt(first.var(ddof=1) / 4 + second.var(ddof=1) / 4)
    if close([low, high], [mean - 3 * apart, mean + 3 * apart]):
        return "You took the spread of each setting. Take the differences seed by seed first, and then their spread."
    if close([low, high], [-mean - 3 * error, -mean + 3 * error]):
        return "The sign is turned: second - first is asked for."
    if close([low, high], [mean - 6 * error, mean + 6 * error]):
        return "That is their standard deviation. The standard error is smaller, by the root of n."
    if close([low, high], [mean + 3 * error, mean - 3 * error]):
        return "The lower end comes first."
    if close([low, high], [mean - error, mean + error]):
        return "The interval reaches `factor` standard errors to each side."
    if close([low, high], [mean - 3 * differences.std() / 2, mean + 3 * differences.std() / 2]):
        return "NumPy's std divides by n: give ddof=1."
    return None if close([low, high], [mean - 3 * error, mean + 3 * error]) else f"You get {low:.4f} and {high:.4f}."


@exercise("26-3")
def some_luck(answer: Any) -> str | None:
    """Probability of at least one false alarm, 1 - level ** settings."""
    got = call(answer, 8, 0.95)
    if close(got, 8 * 0.05):
        return "That is how many are expected on average. As a probability it would pass 1 for many settings."
    if close(got, 0.95**8):
        return "That is the probability that none is decided by luck."
    if close(got, 0.05**8):
        return "That is the probability that all of them are."
    return None if close(got, 1 - 0.95**8) else f"For 8 settings at 95 % you get {got}."
