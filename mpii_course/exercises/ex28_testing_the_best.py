"""Checks of notebook 28: a bootstrap over videos, calibration error, and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise

# Twelve videos of one to four pictures each, not side by side.
_VIDEO = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7, 8, 9, 9, 10, 10, 10, 11, 11, 11, 11])
_VIDEO = np.random.default_rng(1).permutation(_VIDEO)


@exercise("28-1")
def draw(answer: Any) -> str | None:
    """Positions of the pictures in a draw of whole videos."""
    sizes = np.bincount(_VIDEO)
    drawn_videos = []
    for seed in range(20):
        positions = np.asarray(call(answer, _VIDEO.copy(), np.random.default_rng(seed)))
        if positions.ndim != 1 or not len(positions) or not np.issubdtype(positions.dtype, np.integer):
            return f"Return positions as whole numbers in one row; you return {positions.dtype} {positions.shape}."
        if positions.min() < 0 or positions.max() >= len(_VIDEO):
            return (
                f"There are {len(_VIDEO)} pictures, at positions 0 to {len(_VIDEO) - 1}; you return {positions.max()}."
            )
        counts = np.bincount(positions, minlength=len(_VIDEO))
        times = [np.unique(counts[video == _VIDEO]) for video in range(len(sizes))]
        if any(len(values) > 1 for values in times):
            return "Pictures of one video are not drawn equally often: a video comes with all of its pictures."
        drawn_videos.append(np.array([values[0] for values in times]))
    numbers = np.array(drawn_videos)
    if (numbers.max(axis=1) <= 1).all():
        return "No video comes twice in any draw: draw with repetition."
    if (numbers.sum(axis=1) != len(sizes)).any():
        return (
            f"There are {len(sizes)} videos, so draw {len(sizes)}; one of your draws has {numbers.sum(axis=1).max()}."
        )
    if (numbers == numbers[0]).all():
        return "Each generator gives the same draw: take the random numbers from the generator that is handed over."
    return None


@exercise("28-2")
def calibration_error(answer: Any) -> str | None:
    """Expected calibration error: bins weighted by their examples, distances without sign."""
    sure = np.array([0.55, 0.65, 0.62, 0.95, 0.91, 0.97, 0.99, 0.93])
    right = np.array([1, 1, 0, 1, 0, 1, 0, 1])
    parts = [(sure <= 0.75) & (sure > 0.5), sure > 0.75]
    gaps = [right[part].mean() - sure[part].mean() for part in parts]
    shares = [part.mean() for part in parts]
    wanted = float(np.dot(shares, np.abs(gaps)))
    got = call(answer, sure, right, 4)
    if close(got, wanted):
        return None
    if close(got, np.mean(np.abs(gaps))):
        return "Each bin counts the same in yours. Weigh a bin by its share of the answers."
    if close(got, np.mean([0, 0, *np.abs(gaps)])):
        return "You took the mean over all four bins, the empty ones too. Weigh a bin by its share of the answers."
    if close(got, abs(np.dot(shares, gaps))) or close(got, np.dot(shares, gaps)) or close(got, -np.dot(shares, gaps)):
        return "Too sure and not sure enough cancel in yours: take the distance in each bin, without its sign."
    if close(got, np.dot(shares, np.square(gaps))):
        return "Take the distance in each bin, not its square."
    if close(got, wanted * len(sure)):
        return "Divide by the number of answers, so that the weights sum to 1."
    return f"For the example of the check you get {got} instead of {wanted:.4f}."


@exercise("28-3")
def soften(answer: Any) -> str | None:
    """Probabilities to the power of 1 / T, normalised by row."""
    given = np.array([[0.8, 0.15, 0.05], [0.5, 0.3, 0.2]])
    powers = given**0.5
    wanted = powers / powers.sum(axis=1, keepdims=True)
    got = call(answer, given.copy(), 2.0)
    wrong_way = given**2 / (given**2).sum(axis=1, keepdims=True)
    if close(got, given):
        return "Nothing has changed. To divide all probabilities of a row by T and normalise gives the same row."
    if close(got, given / 2) or close(got, powers):
        return "The rows do not sum to 1 any more: divide each by its sum."
    if close(got, powers / powers.sum()) or close(got, powers / powers.sum(axis=0)):
        return "Divide each row by its own sum: sum over axis 1, and keep the dimension."
    if close(got, wrong_way):
        return "With T = 2 the answers should be less sure; yours are surer. The power is 1 / T."
    softmax = np.exp(given / 2) / np.exp(given / 2).sum(axis=1, keepdims=True)
    if close(got, softmax):
        return (
            "Divide the logarithms of the probabilities by T before the exponential, not the probabilities themselves."
        )
    return (
        None
        if close(got, wanted)
        else "For T = 2 each probability becomes its square root, divided by the sum of its row."
    )
