"""Checks of notebook 00: a first look at joints."""

from __future__ import annotations

from typing import Any

from mpii_course.exercises import call, diagnose, exercise


@exercise("00-1")
def limb_length(answer: Any) -> str | None:
    """Euclidean distance between two joints."""
    got = call(answer, (10.0, 20.0), (13.0, 24.0))
    mistakes = {
        "You added the steps along x and y. The straight line is the root of the sum of their squares.": 7.0,
        "That is the squared distance. Take its square root.": 25.0,
        "A length is never negative.": -5.0,
    }
    return diagnose(got, 5.0, mistakes, f"From (10, 20) to (13, 24) the distance is 5; you get {got}.")


@exercise("00-2")
def whose_left(answer: Any) -> str | None:
    """Which way somebody faces, by the sides of the wrists."""
    word = str(answer).strip().lower()
    if word == "back":
        return "Seen from behind, their right hand would be on the right side of the image. Here it is on the left."
    return None if word == "camera" else 'Answer "camera" or "back".'
