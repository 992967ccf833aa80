"""Exercises that are answered with one letter."""

from __future__ import annotations

from collections.abc import Mapping


def choose(answer: object, right: str, wrong: Mapping[str, str]) -> str | None:
    """None for the right letter, else the hint of the letter that was chosen.

    Parameters
    ----------
    answer
        What the student chose, in upper or lower case, with or without a bracket.
    right
        The right letter, lower case.
    wrong
        From each other letter to its hint.
    """
    letter = str(answer).strip(" ().").lower()
    known = ", ".join(sorted([right, *wrong]))
    return None if letter == right else wrong.get(letter, f"Answer with one letter in quotes, one of {known}.")
