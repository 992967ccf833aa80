"""Checks of notebook 29: the list of classes, average precision, and an accuracy that no wrong list can spoil."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise

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
        return "The empty name is a class in yours. A picture without a name has no label."
    if any(name != " ".join(name.split()) for name in found):
        return "Stray spaces make two classes of one. Trim the names, and write each run of spaces as one."
    if {name.lower() for name in found} == {name.lower() for name in _CLEAN} and set(found) != set(_CLEAN):
        return "Leave upper and lower case as they are in the file."
    if len(found) > len(set(found)):
        return "Some classes stand in the list more than once."
    if sorted(found) == sorted(_CLEAN) and found != sorted(_CLEAN):
        return "Sort the list: the position of a name is its number, and must not depend on the order of the pictures."
    return None if found == _CLEAN else f"For the names of the check you get {found}."


@exercise("29-2")
def average_precision(answer: Any) -> str | None:
    """Mean over the hits of the share of hits so far."""
    shows = [1, 0, 1, 0, 0, 1]
    got = call(answer, list(shows))
    hits = np.array(shows)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    wanted = float((hits * precision).sum() / hits.sum())
    if close(got, precision.mean()):
        return "You took the mean over all positions. Only those where the picture shows the activity count."
    if close(got, (hits * precision).sum() / len(hits)):
        return "Divide by the number of pictures that show the activity, not by all pictures."
    if close(got, (hits * precision).sum()):
        return "That is the sum of the precisions. Divide by the number of pictures that show the activity."
    if close(got, hits.mean()):
        return "That is the share of pictures that show it, whatever their order. The order is what counts."
    if close(got, wanted) and not close(call(answer, [0, 0, 1]), 1 / 3):
        return "Right for one ranking, but a hit at the third place alone should give 1/3."
    return None if close(got, wanted) else f"For [1, 0, 1, 0, 0, 1] you get {got}, not the mean of 1, 2/3 and 3/6."


@exercise("29-3")
def accuracy_by_name(answer: Any) -> str | None:
    """Names of the answers against the names of the pictures."""
    classes = ["ballet", "golf", "rowing", "surfing", "yoga, Power"]
    truth = ["golf", "rowing", "rowing", "yoga, Power", "unicycling", "yoga, Power"]
    answers = np.array([1, 2, 3, 4, 4, 4])
    got = call(answer, answers.copy(), list(classes), list(truth))
    own = sorted(set(truth))
    by_own_list = np.mean([own.index(name) == at for name, at in zip(truth, answers.tolist(), strict=True)])
    if close(got, by_own_list):
        return "You made a second list from the test names. Turn the answers into names by the list of the training."
    if close(got, 4 / 5):
        return "You left out the picture whose activity is not among the classes. It counts as wrong."
    if close(got, 4):
        return "That is the number of right answers. Divide by the number of pictures."
    return None if close(got, 4 / 6) else f"In the example of the check 4 of 6 answers are right; you get {got}."
