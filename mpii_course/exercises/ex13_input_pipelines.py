"""Checks of notebook 13: what images need in memory, mirrored joints, and how far a shuffling buffer reaches."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("13-1")
def gigabytes(answer: Any) -> str | None:
    """Gigabytes of N float32 images in one array: N H W 3 4 / 1e9."""
    got = call(answer, 25_000, 224, 224)
    wanted = 25_000 * 224 * 224 * 3 * 4 / 1e9
    if any(close(got, wanted * unit) for unit in (1e3, 1e6, 1e9)):
        return "The number is right, its unit is not: a gigabyte is 10**9 bytes."
    mistakes = {
        "A colour image has three numbers a pixel.": wanted / 3,
        "That would do for uint8. A float32 takes four bytes.": wanted / 4,
        "A float32 takes four bytes; eight are those of a float64.": wanted * 2,
    }
    return diagnose(got, wanted, mistakes, f"For 25,000 images of 224 x 224 you get {got}.", tolerance=1e-3)


@exercise("13-2")
def mirrored(answer: Any) -> str | None:
    """Joints of the mirrored image: x becomes W - 1 - x, and left and right change names."""
    joints = np.array([[10.0, 5.0], [30.0, 6.0], [20.0, 9.0]])
    order = np.array([1, 0, 2])
    given = joints.copy()
    got = call(answer, given, 100, order)
    if not np.array_equal(given, joints):
        return "Your function changes the joints that it was given. Work on a copy."
    wanted = (joints * [-1, 1] + [99, 0])[order]
    mistakes = {
        "The joints moved, but the left wrist is still named left wrist: reorder the rows with order.": wanted[order],
        "The names changed, but the joints did not move.": joints[order],
        "One pixel off: the pixels of a row of 100 are numbered 0 to 99, so 0 goes to 99.": wanted + [1, 0],
        "That turns the image upside down. x is the first number.": (joints * [1, -1] + [0, 99])[order],
    }
    otherwise = f"For joints {joints.tolist()} in an image 100 wide you get {got}."
    return diagnose(got, wanted, mistakes, otherwise)


@exercise("13-3")
def earliest(answer: Any) -> str | None:
    """The first place at which image p can leave a buffer of b: max(0, p - b + 1)."""
    got = [call(answer, position, buffer) for position, buffer in ((500, 100), (500, 1), (20, 100))]
    mistakes = {
        "One too early. With a buffer of one image nothing is shuffled: image 500 comes at place 500.": [400, 499, 0],
        "No place lies before the first one, which is 0.": [401, 500, -79],
        "A buffer of one shuffles nothing, and no place lies before 0: your formula breaks both.": [400, 499, -80],
        "It has to get into the buffer first, and for that the images before it have to leave.": [0, 0, 0],
    }
    otherwise = f"For image 500 in buffers of 100 and of 1, and image 20 in a buffer of 100, you get {got}."
    return diagnose(got, [401, 500, 0], mistakes, otherwise)
