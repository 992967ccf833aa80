"""Checks of notebook 34: the sum of Grad-CAM, the share of a map on people, and squares that cover an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("34-1")
def cam(answer: Any) -> str | None:
    """ReLU of the weighted sum of the maps."""
    generator = np.random.default_rng(0)
    maps, weights = generator.random((3, 4, 5)), np.array([1.0, -2.0, 0.5, -1.0, 1.5])
    got = np.asarray(call(answer, maps.copy(), weights.copy()), dtype=float)
    total = maps @ weights
    if got.shape != (3, 4):
        return f"Maps of shape (3, 4, 5) give a result of shape (3, 4); yours is {got.shape}. Sum over the maps."
    if close(got, total):
        return "What speaks against the category is still in it: cut the sum off at zero."
    if close(got, np.maximum(maps * weights, 0).sum(axis=-1)):
        return "You cut off before the sum. Then no map can ever speak against another: add first, cut off afterwards."
    if close(got, np.maximum(maps.sum(axis=-1), 0)):
        return "Every map counts the same here. Multiply each by its weight before the sum."
    if close(got, np.maximum(total, 0) / max(total.max(), 1e-12)):
        return "The map is right but already divided by its maximum; leave the scale as it is."
    if close(got, np.maximum(total / 5, 0)):
        return "That is the mean over the maps. Grad-CAM takes the sum."
    return None if close(got, np.maximum(total, 0)) else "Multiply each map by its weight, add up, and cut off at zero."


@exercise("34-2")
def attention_ratio(answer: Any) -> str | None:
    """Share of the map's positive part inside the mask, divided by the mask's share of the image."""
    heat = np.array([[4.0, 2.0, -3.0, 0.0], [2.0, 0.0, 2.0, -1.0]])
    mask = np.array([[True, True, True, False], [False, False, False, False]])
    got = call(answer, heat.copy(), mask.copy())
    positive = np.maximum(heat, 0)
    share, area = positive[mask].sum() / positive.sum(), mask.mean()
    if close(got, share):
        return "That is the share of the map inside the mask. Divide it by the share of the image that the mask covers."
    if close(got, heat[mask].sum() / heat.sum() / area) or close(got, heat[mask].sum() / positive.sum() / area):
        return "Numbers below zero are still in the sums: set them to zero first."
    if close(got, positive[mask].mean() / positive[~mask].mean()):
        return "You compare the inside with the outside. Compare the share of the map with the share of the area."
    if close(got, share / mask.sum()):
        return "Divide by the share of the image that is covered, not by the number of pixels."
    return None if close(got, share / area) else f"For the test map, {share:.2f} of it lies on {area:.3f} of the image."


@exercise("34-3")
def starts(answer: Any) -> str | None:
    """Positions of a sliding square that cover every pixel and stay inside."""
    for length, patch, stride in ((96, 16, 8), (100, 16, 8), (10, 10, 3), (7, 3, 2), (20, 6, 4)):
        got = sorted(int(start) for start in call(answer, length, patch, stride))
        case = f"length {length}, patch {patch}, stride {stride}"
        if not got:
            return f"For {case} you give no position at all."
        if got[0] < 0 or got[-1] + patch > length:
            return f"For {case} the square leaves the image: the last position that fits is {length - patch}."
        covered = np.zeros(length, dtype=bool)
        for start in got:
            covered[start : start + patch] = True
        if not covered.all():
            where = int(np.flatnonzero(~covered)[0])
            return f"For {case} pixel {where} is never covered. Put a last square at the border."
        if len(got) > len({*range(0, length - patch + 1, stride), length - patch}):
            return f"For {case} there are {len(got)} positions, more than are needed: is one there twice?"
    return None
