"""Checks of notebook 34: the sum of Grad-CAM, the share of a map on people, and squares that cover an image."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, exercise


@exercise("34-1")
def cam(answer: object) -> str | None:
    """ReLU of the weighted sum of the maps.

    1. Each map counts for or against the category by its weight. Add them up; what is against is left out at the end.
    2. np.maximum(maps @ weights, 0)
    """
    maps, weights = np.random.default_rng(0).random((3, 4, 5)), np.array([1.0, -2.0, 0.5, -1.0, 1.5])
    total = maps @ weights
    right = np.maximum(total, 0)
    mistakes = {
        "What speaks against the category is still in it: cut the sum off at zero.": total,
        "This is cut off before the sum, so no map speaks against another.": np.maximum(maps * weights, 0).sum(axis=-1),
        "Every map counts the same here. Multiply each by its weight before the sum.": maps.sum(axis=-1),
        "The map is right but already divided by its maximum; leave the scale as it is.": right / right.max(),
        "That is the mean over the maps. Grad-CAM takes the sum.": right / 5,
        "The maps are not summed yet: each is multiplied by its weight, no more.": maps * weights,
    }
    return diagnose(call(answer, maps, weights), right, mistakes)


@exercise("34-2")
def attention_ratio(answer: object) -> str | None:
    """Share of the map's positive part inside the mask, divided by the mask's share of the image.

    1. Numbers below zero do not count. Which share of the rest lies inside, and which share of the image is that?
    2. positive = np.maximum(heat, 0); positive[mask].sum() / positive.sum() / mask.mean()
    """
    heat = np.array([[4.0, 2.0, -3.0, 0.0], [2.0, 0.0, 2.0, -1.0]])
    mask = np.array([[True, True, True, False], [False, False, False, False]])
    positive = np.maximum(heat, 0)
    share, area = positive[mask].sum() / positive.sum(), mask.mean()
    negative = "Numbers below zero are still in the sum: set them to zero first."
    mistakes = {
        "That is the share of the map inside the mask. Divide it by the mask's share of the image.": share,
        negative: heat[mask].sum() / heat.sum() / area,
        f"{negative} You did so in one of the two sums.": heat[mask].sum() / positive.sum() / area,
        "That compares inside and outside. Compare two shares.": positive[mask].mean() / positive[~mask].mean(),
        "Divide by the share of the image that is covered, not by the number of pixels.": share / mask.sum(),
    }
    return diagnose(call(answer, heat, mask), share / area, mistakes)


@exercise("34-3")
def starts(answer: object) -> str | None:
    """Positions of a sliding square that cover every pixel and stay inside.

    1. Which is the last position at which the square still lies inside? It is needed even if the stride misses it.
    2. sorted({*range(0, length - patch + 1, stride), length - patch})
    """
    for length, patch, stride in ((96, 16, 8), (100, 16, 8), (10, 10, 3), (10, 3, 2), (20, 6, 4)):
        case = f"For length {length}, patch {patch}, stride {stride}"
        got = np.ravel(np.asarray(call(answer, length, patch, stride), dtype=float))
        if not got.size or (got % 1).any():
            return f"{case} a list of whole positions is expected; you return {got.tolist()}."
        if got.min() < 0 or got.max() + patch > length:
            return f"{case} the square leaves the image: the last position that fits is {length - patch}."
        covered = (got[:, None] <= np.arange(length)) & (np.arange(length) < got[:, None] + patch)
        if not covered.any(axis=0).all():
            where = int(np.flatnonzero(~covered.any(axis=0))[0])
            return f"{case} pixel {where} is never covered. Put a last square at the border."
        if sorted(got) != sorted({*range(0, length - patch + 1, stride), length - patch}):
            return f"{case} every pixel is covered, but not in steps of {stride} with each position once."
    return None
