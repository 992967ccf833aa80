"""Checks of notebook 29: the list of classes, average precision, and an accuracy that no wrong list can spoil."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise

_RAW = [
    "tennis, doubles",
    " golf",
    "yoga,  Power",
    "",
    "tennis, doubles ",
    "yoga, Power",
    "golf",
    "   ",
    "Irish dancing",
]
_CLEAN = ["Irish dancing", "golf", "tennis, doubles", "yoga, Power"]


@exercise("29-1")
def class_list(answer: object) -> str | None:
    """Cleaned names, each once, sorted.

    1. Trim each name, write each run of spaces as one, leave out what is empty, keep each name once, and sort.
    2. sorted({" ".join(name.split()) for name in names} - {""})
    """
    got = call(answer, _RAW)
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
    return None if found == _CLEAN else f"For the names {_RAW} you return {found}."


@exercise("29-2")
def average_precision(answer: object) -> str | None:
    """Mean over the hits of the share of hits so far.

    1. Walk down the ranking. At each image that shows the activity: which share of the images so far does?
    2. precision = np.cumsum(shows) / np.arange(1, len(shows) + 1); its mean over the places where shows is 1.
    """
    hits = np.array([1, 0, 1, 0, 0, 1])
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    total = (hits * precision).sum()
    mistakes = {
        "That is the mean over all positions. Only those of images that show it count.": [precision.mean(), 1 / 9],
        "Divide by the number of images that show the activity, not by all images.": [total / len(hits), 1 / 9],
        "That is the sum of the precisions. Divide by the number of images that show the activity.": [total, 1 / 3],
        "That is the share of images that show it. Their order is what counts.": [hits.mean(), 1 / 3],
    }
    return diagnose(call_each(answer, (hits.tolist(),), ([0, 0, 1],)), [total / 3, 1 / 3], mistakes)


@exercise("29-3")
def accuracy_by_name(answer: object) -> str | None:
    """Names of the predictions against the names of the images.

    1. A prediction is a position in the list that the model was trained with. Turn it into a name, then compare names.
    2. np.mean(np.array(classes)[predictions] == np.array(labels))
    """
    classes = ["ballet", "golf", "rowing", "surfing", "yoga, Power"]
    labels = ["golf", "rowing", "rowing", "surfing", "unicycling", "yoga, Power"]
    predictions = np.array([1, 2, 3, 3, 4, 4])
    own = np.unique(labels)[predictions]
    mistakes = {
        "That is what a second list, made from the test names, gives. Use that of the training.":
            np.mean(own == labels),
        "That leaves out the image whose activity is not among the classes. It counts as wrong.": 4 / 5,
        "That is the number of right predictions. Divide by the number of images.": 4,
    }  # fmt: skip
    return diagnose(call(answer, predictions, classes, labels), 4 / 6, mistakes, "Four of these six are right.")
