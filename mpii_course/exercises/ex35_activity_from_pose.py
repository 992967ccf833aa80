"""Checks of notebook 35: mirrored poses, limb directions, and two witnesses joined."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise

# Four joints: head, left hand, right hand, hips. In a mirror the hands change places.
_POSE = np.array([[0.0, -3.0], [-2.0, -1.0], [1.0, -2.0], [0.0, 0.0]])
_FLIP = np.array([0, 2, 1, 3])


@exercise("35-1")
def mirrored(answer: Any) -> str | None:
    """Negate x and swap left and right."""
    got = call(answer, _POSE.copy(), _FLIP.copy())
    if close(got, _POSE * [-1, 1]):
        return "The picture is mirrored, but the array still calls the old left hand left. Swap the sides too."
    if close(got, _POSE[_FLIP]):
        return "The sides are swapped, but nobody has moved: a mirror also turns x round."
    if close(got, _POSE[_FLIP] * [1, -1]) or close(got, _POSE * [1, -1]):
        return "That person stands on the head. A mirror on the wall turns x round, not y."
    if close(got, -_POSE[_FLIP]) or close(got, -_POSE):
        return "You turned x and y round. Only x changes in a mirror."
    wanted = _POSE[_FLIP] * [-1, 1]
    return None if close(got, wanted) else f"The left hand should be at {wanted[1].tolist()}."


@exercise("35-2")
def limb_directions(answer: Any) -> str | None:
    """(end - start) / length for each limb."""
    limbs = [(3, 0), (0, 1), (0, 2)]
    got = call(answer, _POSE.copy(), limbs)
    start, end = np.array(limbs).T
    vectors = _POSE[end] - _POSE[start]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if close(got, vectors):
        return "These are the limbs with their lengths. Divide each by its own length."
    if close(got, -vectors / length):
        return "They point from the end to the start."
    if close(got, vectors / np.linalg.norm(vectors)):
        return "You divided by one length for all limbs: take the norm along the last axis, and keep the axis."
    return None if close(got, vectors / length) else f"The first limb goes straight up, [0, -1]; you return {got!r}."


@exercise("35-3")
def joined(answer: Any) -> str | None:
    """Product of two sets of probabilities, summing to 1."""
    first, second = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.6, 0.2])
    got = call(answer, first.copy(), second.copy())
    product = first * second
    if close(got, product):
        return "The product does not sum to 1. Divide by its sum."
    if close(got, (first + second) / 2):
        return "That is the mean. The exercise asks for the product: who says no, should be heard."
    if close(got, product / 3):
        return "Divide by the sum of the products, not by how many there are."
    return None if close(got, product / product.sum()) else f"For {first} and {second} you get {got!r}."
