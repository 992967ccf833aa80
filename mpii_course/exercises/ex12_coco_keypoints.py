"""Checks of notebook 12: the 51 numbers, squares inside the image, the way back, and splits by whole images."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, diagnose_each, exercise


@exercise("12-1")
def count(answer: object) -> str | None:
    """Labelled (v > 0) and visible (v = 2) joints of 51 numbers.

    1. Each joint is three numbers: x, y and the flag v, which says whether it is labelled and visible.
    2. flags = np.array(keypoints[2::3]); (flags > 0).sum(), (flags == 2).sum()
    """
    flags = [2, 1, 0, 2, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    points = [[9 * i, 7 * i, v] if v else [0, 0, 0] for i, v in enumerate(flags)]
    listed = {
        "Seventeen joints are listed, but those with v = 0 are not labelled.": 17,
        "The first joint lies at (0, 0) and is labelled: look at the flag v, not at the place.": 4,
        "Labelled are all joints with v above 0, the hidden ones (v = 1) too.": 3,
    }
    visible = {
        "That is the sum of the flags. Count the joints whose flag is 2.": 8,
        "Those are the hidden ones. Visible is v = 2.": 2,
    }
    parts = {"the number of labelled joints": (5, listed), "the number of visible joints": (3, visible)}
    return diagnose_each(call(answer, sum(points, []), returns=list(parts)), parts)


@exercise("12-2")
def slide(answer: object) -> str | None:
    """Start of a square moved inside 0..length as little as possible.

    1. The square may not begin before 0, and its end, start + side, not lie behind length.
    2. min(max(start, 0), length - side)
    """
    got = call_each(answer, (-20, 100, 640), (600, 100, 640), (50, 100, 640), (-5, 640, 640))
    mistakes = {
        "This is the middle of the image. Move a square only where it reaches out, no further.": [270, 270, 270, 0],
        "The near edge is right. A square can reach out on the far side too: its end is start + side.": [0, 600, 50, 0],
        "A square that begins at -20 reaches out of the image, which begins at 0.": [-20, 540, 50, -5],
    }
    return diagnose(got, [0, 540, 50, 0], mistakes)


@exercise("12-3")
def to_image(answer: object) -> str | None:
    """Pixel of the image of a pixel of the crop, (x + 0.5) side / size + left - 0.5.

    1. Scale first, by as much as the crop was made smaller, then move to where the square begins.
    2. Lengths are measured from a pixel's edge, half a pixel before its middle: add 0.5 first, take it off last.
    3. (x + 0.5) * side / size + left - 0.5
    """
    left, grow = 100.0, 500 / 256
    into = "That is the way into the crop. Turn the formula round: first scale by side / size, then add left."
    mistakes = {
        into: (63.75 - left) / grow - 0.5,
        f"{into} Mind the half pixel.": (63.25 - left) / grow,
        "Half a pixel is lost. Go from the pixel's middle to the edges (+ 0.5) first, and back (- 0.5) last.": 63.25
        * grow
        + left,
        "You added the half pixel and did not take it off again at the end.": 63.75 * grow + left,
        "The crop was made smaller, so the way back makes it larger: side / size, not size / side.": 63.75 / grow
        + left
        - 0.5,
        "The square does not begin at the edge of the image: add left.": 63.75 * grow - 0.5,
    }
    return diagnose(call(answer, 63.25, left, 500.0, 256), 63.75 * grow + left - 0.5, mistakes)


@exercise("12-4")
def test_persons(answer: object) -> str | None:
    """Which persons belong to the test images.

    1. Ask for each person whether the number of their image is among the chosen ones.
    2. np.isin(images, chosen)
    """
    images, chosen = np.array([7, 7, 3, 9, 3, 7]), np.array([3, 9])
    wanted = np.isin(images, chosen)
    first = np.isin(np.arange(6), np.unique(images, return_index=True)[1]) & wanted
    mistakes = {
        "Turned round: True is for the persons of the drawn images.": ~wanted,
        "These are as many persons as images. All persons of a drawn image are in the test split.": np.arange(6) < 2,
        "You mark one person of each drawn image. All of them belong to the test split.": first,
        "These are places. Return True or False for each person.": np.flatnonzero(wanted),
    }
    return diagnose(call(answer, images, chosen), wanted, mistakes)
