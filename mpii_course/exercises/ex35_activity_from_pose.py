"""Checks of notebook 35: mirrored poses, limb directions, and probabilities from two sources combined."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, exercise

# Four joints: head, left hand, right hand, hips. In a mirror the hands change places.
_POSE = np.array([[0.0, -3.0], [-2.0, -1.0], [1.0, -2.0], [0.0, 0.0]])
_FLIP = np.array([0, 2, 1, 3])


@exercise("35-1")
def mirrored(answer: object) -> str | None:
    """Negate x and swap left and right.

    1. Two things change in a mirror: the side on which each joint is, and which of them is called left.
    2. pose[flip_order] * [-1, 1]
    """
    swapped = _POSE[_FLIP]
    mistakes = {
        "The pose is mirrored, but the array still calls the old left hand left. Swap the sides too.": _POSE * [-1, 1],
        "The sides are swapped, but nobody has moved: a mirror also turns x round.": swapped,
        "That person stands on the head. A mirror on the wall turns x round, not y.": swapped * [1, -1],
        "You turned y round, and swapped no sides. A mirror on the wall turns x round, not y.": _POSE * [1, -1],
        "You turned x and y round. Only x changes in a mirror.": -swapped,
    }
    return diagnose(call(answer, _POSE, _FLIP), swapped * [-1, 1], mistakes)


@exercise("35-2")
def limb_directions(answer: object) -> str | None:
    """(end - start) / length for each limb.

    1. The limb as an arrow is the end joint minus the start joint. Divide each arrow by its own length.
    2. vectors = pose[end] - pose[start]; vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    """
    limbs = [(3, 0), (0, 1), (0, 2)]
    start, end = np.array(limbs).T
    vectors = _POSE[end] - _POSE[start]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    mistakes = {
        "These are the limbs with their lengths. Divide each by its own length.": vectors,
        "They point from the end to the start.": -vectors / length,
        "There is one length for all limbs: take the norm along the last axis.": vectors / np.linalg.norm(vectors),
    }
    return diagnose(call(answer, _POSE, limbs), vectors / length, mistakes, "The first limb goes straight up, [0, -1].")


@exercise("35-3")
def combined(answer: object) -> str | None:
    """Product of two sets of probabilities, divided by the prior that both contain, summing to 1.

    1. The prior is in both sets, so it is in their product twice. It has to be there once.
    2. product = first * second / prior; product / product.sum()
    """
    first, second, prior = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.6, 0.2]), np.array([0.6, 0.3, 0.1])
    product = first * second

    def summing_to_1(values: np.ndarray) -> np.ndarray:
        return values / values.sum()

    mistakes = {
        "It does not sum to 1. Divide by the sum.": product / prior,
        "The product counts the prior twice. Divide by it once.": summing_to_1(product),
        "The prior is in there three times. It has to be there once.": summing_to_1(product * prior),
        "You divided each of the two by the prior. One of the two has to stay in.": summing_to_1(product / prior**2),
        "That is the mean. Multiply: what one source rules out, the other cannot save.": (first + second) / 2,
        "Divide by the sum of the products, not by how many there are.": product / prior / 3,
    }
    return diagnose(call(answer, first, second, prior), summing_to_1(product / prior), mistakes)
