"""Checks of notebook 13: what pictures need in memory, mirrored joints, and how far a shuffling buffer reaches."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("13-1")
def gigabytes(answer: Any) -> str | None:
    """Gigabytes of N float32 pictures in one array: N H W 3 4 / 1e9."""
    got = call(answer, 25_000, 224, 224)
    wanted = 25_000 * 224 * 224 * 3 * 4 / 1e9
    if close(got, wanted / 3):
        return "A colour picture has three numbers a pixel."
    if close(got, wanted / 4):
        return "That would do for uint8. A float32 takes four bytes."
    if close(got, wanted * 2):
        return "A float32 takes four bytes; eight are those of a float64."
    if close(got, wanted * 1e9) or close(got, wanted * 1e3) or close(got, wanted * 1e6):
        return "The number is right, its unit is not: a gigabyte is 10**9 bytes."
    return None if close(got, wanted, 1e-3) else f"For 25,000 pictures of 224 x 224 you get {got}."


@exercise("13-2")
def mirrored(answer: Any) -> str | None:
    """Joints of the mirrored picture: x becomes W - 1 - x, and left and right change names."""
    joints = np.array([[10.0, 5.0], [30.0, 6.0], [20.0, 9.0]])
    order = np.array([1, 0, 2])
    given = joints.copy()
    got = call(answer, given, 100, order)
    if not np.array_equal(given, joints):
        return "Your function changes the joints that it was given. Work on a copy."
    wanted = (joints * [-1, 1] + [99, 0])[order]
    if close(got, wanted[order]):
        return "The joints moved, but the left wrist still has the name of the left wrist: reorder the rows with order."
    if close(got, joints[order]):
        return "The names changed, but the joints did not move."
    if close(got, wanted + [1, 0]):
        return "One pixel off: the pixels of a row of 100 are numbered 0 to 99, so pixel 0 goes to pixel 99."
    if close(got, (joints * [1, -1] + [0, 99])[order]):
        return "That turns the picture upside down. x is the first of the two numbers."
    return None if close(got, wanted) else f"For joints {joints.tolist()} in a picture 100 wide you get {got}."


@exercise("13-3")
def earliest(answer: Any) -> str | None:
    """The first place at which picture p can leave a buffer of b: max(0, p - b + 1)."""
    got = [call(answer, position, buffer) for position, buffer in ((500, 100), (500, 1), (20, 100))]
    if close(got, [401, 500, 0]):
        return None
    if close(got, [400, 499, 0]):
        return "One too early. With a buffer of one picture nothing is shuffled: picture 500 comes out at place 500."
    if close(got, [401, 500, -79]):
        return "No place lies before the first one, which is 0."
    if close(got, [400, 499, -80]):
        return "With a buffer of one nothing is shuffled, and no place lies before place 0: your formula breaks both."
    if close(got, [0, 0, 0]):
        return "It has to get into the buffer first, and for that the pictures before it have to leave."
    return f"For picture 500 in buffers of 100 and of 1, and picture 20 in a buffer of 100, you get {got}."
