"""Checks of notebook 28: a bootstrap over videos, calibration error, and temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import Hint, call, close, diagnose, exercise

# Twelve videos of one to four images each, not side by side.
_VIDEO = np.random.default_rng(1).permutation(np.repeat(np.arange(12), [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]))
_VIDEOS = 12


@exercise("28-1")
def draw(answer: Any) -> str | None:
    """Positions of the images in a draw of whole videos."""
    times = np.array([_times_drawn(call(answer, _VIDEO.copy(), np.random.default_rng(seed))) for seed in range(200)])
    if (times.max(axis=1) <= 1).all():
        return "No video comes twice in any draw: draw with repetition."
    wrong = times.sum(axis=1) != _VIDEOS
    if wrong.any():
        return f"There are {_VIDEOS} videos, so draw {_VIDEOS}; one of your draws has {times[wrong].sum(axis=1)[0]}."
    if (times == times[0]).all():
        return "Each generator gives the same draw: take the random numbers from the generator that is handed over."
    images = np.bincount(_VIDEO)
    often, seldom = times[:, images == 4].mean(), times[:, images == 1].mean()
    if abs(often - seldom) > 0.5:  # 0.05 is what chance does in so many draws
        return (
            f"A video of four images is drawn {often / seldom:.1f} times as often as one of a single image. Draw from "
            "the different videos (np.unique), not from the images."
        )
    return None


def _times_drawn(drawn: Any) -> np.ndarray:
    """How often a student's draw has each video; a Hint where it is no draw of whole videos."""
    positions = np.asarray(drawn)
    if positions.ndim != 1 or not len(positions) or not np.issubdtype(positions.dtype, np.integer):
        raise Hint(f"Return positions as whole numbers in one row; you return {positions.dtype} {positions.shape}.")
    if positions.min() < 0 or positions.max() >= len(_VIDEO):
        last = len(_VIDEO) - 1
        raise Hint(f"There are {len(_VIDEO)} images, at positions 0 to {last}; you return {positions.max()}.")
    counts = np.bincount(positions, minlength=len(_VIDEO))
    times = [np.unique(counts[video == _VIDEO]) for video in range(_VIDEOS)]
    if any(len(values) > 1 for values in times):
        raise Hint("Images of one video are not drawn equally often: a video comes with all of its images.")
    return np.concatenate(times)


@exercise("28-2")
def calibration_error(answer: Any) -> str | None:
    """Expected calibration error: bins weighted by their examples, distances without sign."""
    confidence = np.array([0.55, 0.65, 0.62, 0.95, 0.91, 0.97, 0.99, 0.93])
    right = np.array([1, 1, 0, 1, 0, 1, 0, 1])
    got = call(answer, confidence.copy(), right.copy(), 4)
    bins = [(confidence <= 0.75) & (confidence > 0.5), confidence > 0.75]
    gaps = np.array([right[inside].mean() - confidence[inside].mean() for inside in bins])
    shares = np.array([inside.mean() for inside in bins])
    wanted = float(shares @ np.abs(gaps))
    if close(got, shares @ gaps) or close(got, -(shares @ gaps)):
        return "Gaps above and below cancel each other: take the distance in each bin, without its sign."
    mistakes = {
        "Each bin counts the same. Weight a bin by its share of the predictions.": np.mean(np.abs(gaps)),
        "You took the mean over all four bins, the empty ones too. Weight a bin by its share of the predictions.":
            np.abs(gaps).sum() / 4,
        "Take the distance in each bin, not its square.": shares @ gaps**2,
        "Divide by the number of predictions, so that the weights sum to 1.": wanted * len(right),
    }  # fmt: skip
    return diagnose(got, wanted, mistakes, f"For the example of the check you get {got} instead of {wanted:.4f}.")


@exercise("28-3")
def soften(answer: Any) -> str | None:
    """Probabilities to the power of 1 / T, normalised by row."""
    given = np.array([[0.8, 0.15, 0.05], [0.5, 0.3, 0.2]])
    got = call(answer, given.copy(), 2.0)
    powers, exponentials = np.sqrt(given), np.exp(given / 2)
    mistakes = {
        "Nothing has changed. To divide all probabilities of a row by T and normalise gives the same row.": given,
        "The rows do not sum to 1 any more: divide each by its sum.": powers,
        "Divide the logarithms by T, not the probabilities, and then each row by its sum.": given / 2,
        "You divided by the sum of all: sum over axis 1, and keep the dimension.": powers / powers.sum(),
        "You divided by the sums of the columns: sum over axis 1, and keep the dimension.": powers / powers.sum(axis=0),
        "With T = 2 the model should be less confident; yours is more so. The power is 1 / T.":
            given**2 / (given**2).sum(axis=1, keepdims=True),
        "Divide the logarithms of the probabilities by T before the exponential, not the probabilities themselves.":
            exponentials / exponentials.sum(axis=1, keepdims=True),
    }  # fmt: skip
    wanted = powers / powers.sum(axis=1, keepdims=True)
    return diagnose(got, wanted, mistakes, "For T = 2 each probability becomes its square root over the row's sum.")
