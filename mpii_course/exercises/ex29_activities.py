"""Checks of notebook 29: the list of classes, average precision, and an accuracy that no wrong list can spoil."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, diagnose, exercise

_RAW = [
    "tennis, doubles",
    " golf",
    "yoga,  Power",
    "",
    "tennis, doubles ",
    "yoga, Power",
    "golf",
    "   ",
    "Irish step dancing",
]
_CLEAN = ["Irish step dancing", "golf", "tennis, doubles", "yoga, Power"]


@exercise("29-1")
def class_list(answer: Any) -> str | None:
    """Cleaned names, each once, sorted."""
    got = call(answer, list(_RAW))
    if not isinstance(got, list | tuple | np.ndarray):
        return f"Return a list of names; you return a {type(got).__name__}."
    found = [str(name) for name in got]
    if "doubles" in found or "Power" in found:
        return 'You cut at commas: "doubles" is no activity. A comma is part of the name.'
    if any(not name.strip() for name in found):
        return "The empty name is a class in yours. An image without a name has no label."
    if any(name != " ".join(name.split()) for name in found):
        return "Stray spaces make two classes of one. Trim the names, and write each run of spaces as one."
    if {name.lower() for name in found} == {name.lower() for name in _CLEAN} and set(found) != set(_CLEAN):
        return "Leave upper and lower case as they are in the file."
    if len(found) > len(set(found)):
        return "Some classes stand in the list more than once."
    if sorted(found) == sorted(_CLEAN) and found != sorted(_CLEAN):
        return "Sort the list: the position of a name is its number, and must not depend on the order of the images."
    return None if found == _CLEAN else f"For the names of the check you get {found}."


@exercise("29-2")
def average_precision(answer: Any) -> str | None:
    """Mean over the hits of the share of hits so far."""
    hits = np.array([1, 0, 1, 0, 0, 1])
    got = [call(answer, hits.tolist()), call(answer, [0, 0, 1])]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    right = (hits * precision).sum() / hits.sum()
    mistakes = {
        "You took the mean over all positions. Only those where the image shows the activity count.":
            [precision.mean(), 1 / 9],
        "Divide by the number of images that show the activity, not by all images.":
            [(hits * precision).sum() / len(hits), 1 / 9],
        "That is the sum of the precisions. Divide by the number of images that show the activity.":
            [(hits * precision).sum(), 1 / 3],
        "That is the share of images that show it, whatever their order. The order is what counts.":
            [hits.mean(), 1 / 3],
    }  # fmt: skip
    otherwise = f"For [1, 0, 1, 0, 0, 1] you get {got[0]}, not the mean of 1, 2/3 and 3/6; for [0, 0, 1] {got[1]}."
    return diagnose(got, [right, 1 / 3], mistakes, otherwise)


@exercise("29-3")
def accuracy_by_name(answer: Any) -> str | None:
    """Names of the predictions against the names of the images."""
    classes = ["ballet", "golf", "rowing", "surfing", "yoga, Power"]
    labels = ["golf", "rowing", "rowing", "surfing", "unicycling", "yoga, Power"]
    predictions = np.array([1, 2, 3, 3, 4, 4])
    got = call(answer, predictions.copy(), list(classes), list(labels))
    own = sorted(set(labels))
    mistakes = {
        "You made a second list from the test names. Turn the predictions into names by the list of the training.":
            np.mean([own.index(name) == k for name, k in zip(labels, predictions.tolist(), strict=True)]),
        "You left out the image whose activity is not among the classes. It counts as wrong.": 4 / 5,
        "That is the number of right predictions. Divide by the number of images.": 4,
    }  # fmt: skip
    return diagnose(got, 4 / 6, mistakes, f"In the example of the check 4 of 6 predictions are right; you get {got}.")
