"""Checks of notebook 12: the 51 numbers, squares inside the image, the way back, and splits by whole images."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("12-1")
def count(answer: Any) -> str | None:
    """Labelled (v > 0) and visible (v = 2) joints of 51 numbers."""
    flags = [2, 1, 0, 2, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    points = [[9 * i, 7 * i, v] if v else [0, 0, 0] for i, v in enumerate(flags)]
    numbers = [number for point in points for number in point]
    labelled, visible = call(answer, numbers, returns=("how many are labelled", "how many of them are visible"))
    if labelled == 17:
        return "Seventeen joints are listed, but those with v = 0 are not labelled."
    if labelled == 4:
        return "The first joint lies at (0, 0) and is labelled: look at the flag v, not at the place."
    mistakes = {
        "The two are swapped: labelled comes first, and at least as many are labelled as visible.": (3, 5),
        "Labelled are all joints with v above 0, the hidden ones (v = 1) too.": (3, 3),
        "That is the sum of the flags. Count the joints whose flag is 2.": (5, 8),
        "Those are the hidden ones. Visible is v = 2.": (5, 2),
    }
    otherwise = f"For the flags {flags} you return {labelled} and {visible}. The flag is every third number."
    return diagnose((labelled, visible), (5, 3), mistakes, otherwise)


@exercise("12-2")
def slide(answer: Any) -> str | None:
    """Start of a square moved inside 0..length as little as possible."""
    cases = {(-20, 100, 640): 0, (600, 100, 640): 540, (50, 100, 640): 50, (-5, 640, 640): 0}
    got = {case: call(answer, *case) for case in cases}
    if close(got[50, 100, 640], 270):
        return "You put every square in the middle. Move it only where it reaches out, and as little as possible."
    if close(got[600, 100, 640], 600) and close(got[-20, 100, 640], 0):
        return "The near edge is right. A square can reach out on the far side too: its end is start + side."
    if close(got[-20, 100, 640], -20):
        return "A square that begins at -20 reaches out of the image, which begins at 0."
    for case, wanted in cases.items():
        if not close(got[case], wanted):
            return f"For start {case[0]}, side {case[1]} and length {case[2]} you return {got[case]}."
    return None


@exercise("12-3")
def to_image(answer: Any) -> str | None:
    """Pixel of the image of a pixel of the crop, (x + 0.5) side / size + left - 0.5."""
    got = call(answer, 63.5, 100.0, 512.0, 256)
    if close(got, (64 - 100) / 2 - 0.5) or close(got, (64 - 100) / 2):
        return "That is the way into the crop. Turn the formula round: first scale by side / size, then add left."
    mistakes = {
        "Half a pixel is lost. Go from the pixel's middle to the edges (+ 0.5) first, and back (- 0.5) last.": 227,
        "You added the half pixel and did not take it off again at the end.": 228,
        "The crop was made smaller, so the way back makes it larger: side / size, not size / side.": 131.5,
        "The square does not begin at the edge of the image: add left.": 127.5,
    }
    otherwise = f"For x = 63.5, left = 100, side = 512, size = 256 you return {got}."
    return diagnose(got, 64 * 2 + 100 - 0.5, mistakes, otherwise)


@exercise("12-4")
def test_persons(answer: Any) -> str | None:
    """Which persons belong to the test images."""
    images, chosen = np.array([7, 7, 3, 9, 3, 7]), np.array([3, 9])
    got = np.asarray(call(answer, images, chosen))
    wanted = np.isin(images, chosen)
    if got.shape != wanted.shape:
        return f"There are 6 persons, so 6 values; you return an array of shape {got.shape}."
    if np.array_equal(got, ~wanted):
        return "Turned round: True is for the persons of the drawn images."
    if np.array_equal(got.astype(bool), np.arange(6) < 2) or got.sum() == 2:
        return "You mark as many persons as there are images. All persons of a drawn image belong to the test split."
    hint = f"For images {images.tolist()} and chosen [3, 9] you return {got}."
    return None if np.array_equal(got, wanted) else hint
