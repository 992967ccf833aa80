"""Checks of notebook 28: a bootstrap over videos, calibration error, and temperature."""

import numpy as np

from mpii_course.exercises.diagnosis import Hint, call, diagnose, exercise, row_numbers

# Twelve videos of one to four images each, not side by side.
_VIDEO = np.random.default_rng(1).permutation(np.repeat(np.arange(12), [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]))
_VIDEOS = 12


@exercise("28-1")
def draw(answer: object) -> str | None:
    """Positions of the images in a draw of whole videos.

    1. Draw from the list of different videos, as many as there are, with repetition. Then collect the images of each.
    2. known = np.unique(video); drawn = generator.choice(known, len(known))
    3. np.concatenate([np.flatnonzero(video == one) for one in drawn])
    """
    times = np.array([_times_drawn(call(answer, _VIDEO, np.random.default_rng(seed))) for seed in range(200)])
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


def _times_drawn(drawn: object) -> np.ndarray:
    """How often a student's draw has each video; a Hint where it is no draw of whole videos."""
    counts = np.bincount(row_numbers(drawn, len(_VIDEO)), minlength=len(_VIDEO))
    times = [np.unique(counts[video == _VIDEO]) for video in range(_VIDEOS)]
    if not counts.any() or any(len(values) > 1 for values in times):
        raise Hint("Images of one video are not drawn equally often: a video comes with all of its images.")
    return np.concatenate(times)


@exercise("28-2")
def calibration_error(answer: object) -> str | None:
    """Expected calibration error: bins weighted by their examples, distances without sign.

    1. In each bin: how far is the mean confidence from the share of right predictions?
    2. Add these distances up, each weighted by the share of the predictions in its bin. Empty bins add nothing.
    3. inside.mean() * abs(right[inside].mean() - confidence[inside].mean()), summed over the bins.
    """
    confidence = np.array([0.55, 0.65, 0.62, 0.95, 0.91, 0.97, 1.0, 0.93, 0.3])
    right = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1])

    def errors(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bins = [number == one for one in np.unique(number)]
        gaps = np.array([right[inside].mean() - confidence[inside].mean() for inside in bins])
        return gaps, np.array([inside.mean() for inside in bins])

    alone = (4 * confidence).astype(int)
    gaps, shares = errors(np.minimum(alone, 3))
    wanted = float(shares @ np.abs(gaps))
    mistakes = {
        "Gaps above and below cancel: take the distance in each bin, without its sign.": abs(shares @ gaps),
        "The gaps still have their signs: take the distance in each bin.": -abs(shares @ gaps),
        "A confidence of 1 belongs to the last bin.": np.prod(np.abs(errors(alone)), axis=0).sum(),
        "Each bin counts the same. Weight a bin by its share of the predictions.": np.mean(np.abs(gaps)),
        "That is the mean over all four bins. Weight a bin by its share of the predictions.": np.abs(gaps).sum() / 4,
        "Take the distance in each bin, not its square.": shares @ gaps**2,
        "Divide by the number of predictions, so that the weights sum to 1.": wanted * len(right),
    }
    return diagnose(call(answer, confidence, right, 4), wanted, mistakes, f"The right result is {wanted:.4f}.")


@exercise("28-3")
def soften(answer: object) -> str | None:
    """Probabilities to the power of 1 / T, normalised by row.

    1. A temperature divides logits, and logarithms of probabilities are logits. Then each row has to sum to 1 again.
    2. exp(log(p) / T) is p to the power of 1 / T.
    3. powers = probabilities ** (1 / temperature); powers / powers.sum(axis=1, keepdims=True)
    """
    given = np.array([[0.8, 0.15, 0.05], [0.5, 0.3, 0.2]])

    def by_row(values: np.ndarray) -> np.ndarray:
        return values / values.sum(axis=1, keepdims=True)

    powers = np.sqrt(given)
    mistakes = {
        "Nothing has changed. To divide all probabilities of a row by T and normalise gives the same row.": given,
        "The rows do not sum to 1 any more: divide each by its sum.": powers,
        "Divide the logarithms by T, not the probabilities, and then each row by its sum.": given / 2,
        "You divided by the sum of all: sum over axis 1, and keep the dimension.": powers / powers.sum(),
        "You divided by the sums of the columns: sum over axis 1, and keep the dimension.": powers / powers.sum(axis=0),
        "With T = 2 the model should be less confident; yours is more so.": by_row(given**2),
        "Divide the logarithms of the probabilities by T, then take the exponential.": by_row(np.exp(given / 2)),
    }
    return diagnose(call(answer, given, 2.0), by_row(powers), mistakes)
