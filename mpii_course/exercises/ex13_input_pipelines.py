"""Checks of notebook 13: what images need in memory, mirrored joints, and how far a shuffling buffer reaches."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("13-1")
def gigabytes(answer: object) -> str | None:
    """Gigabytes of N float32 images in one array: N H W 3 4 / 1e9.

    1. How many numbers has a colour image, and how many bytes a float32?
    2. images * height * width * 3 * 4 / 1e9
    """
    wanted = 25_000 * 192 * 256 * 3 * 4 / 1e9
    unit = "The number is right, its unit is not: a gigabyte is 10**9 bytes."
    mistakes = {
        unit: wanted * 1e9,
        f"{unit} Yours are kilobytes.": wanted * 1e6,
        f"{unit} Yours are megabytes.": wanted * 1e3,
        "That is in units of 2**30 bytes (GiB). Here a gigabyte is 10**9 bytes.": wanted * 1e9 / 2**30,
        "A colour image has three numbers a pixel.": wanted / 3,
        "That would do for uint8. A float32 takes four bytes.": wanted / 4,
        "A float32 takes four bytes; eight are those of a float64.": wanted * 2,
    }
    return diagnose(call(answer, 25_000, 192, 256), wanted, mistakes, tolerance=1e-3)


@exercise("13-2")
def mirrored(answer: object) -> str | None:
    """Joints of the mirrored image: x becomes W - 1 - x, and left and right change names.

    1. A pixel at the left edge goes to the right edge, so x changes and y does not. And whose wrist is it now?
    2. moved[:, 0] = width - 1 - joints[:, 0]; moved[order]
    """
    joints, order = np.array([[10.0, 5.0], [30.0, 6.0], [20.0, 9.0]]), np.array([1, 0, 2])
    wanted = (joints * [-1, 1] + [99, 0])[order]
    mistakes = {
        "The joints moved, but the left wrist is still named left wrist: reorder the rows with order.": wanted[order],
        "The names changed, but the joints did not move.": joints[order],
        "One pixel off: the pixels of a row of 100 are numbered 0 to 99, so 0 goes to 99.": wanted + [1, 0],
        "That turns the image upside down. x is the first number.": (joints * [1, -1] + [0, 99])[order],
    }
    return diagnose(call(answer, joints, 100, order, unchanged=True), wanted, mistakes)


@exercise("13-3")
def earliest(answer: object) -> str | None:
    """The first place at which image p can leave a buffer of b: max(0, p - b + 1).

    1. Before image p gets into the buffer, p - b + 1 images have to leave it. What if that is less than 0?
    2. max(0, position - buffer + 1)
    """
    mistakes = {
        "One too early. With a buffer of one image nothing is shuffled: image 500 comes at place 500.": [400, 499, 0],
        "No place lies before the first one, which is 0.": [401, 500, -79],
        "A buffer of one shuffles nothing, and no place lies before 0: your formula breaks both.": [400, 499, -80],
        "It has to get into the buffer first, and for that the images before it have to leave.": [0, 0, 0],
    }
    return diagnose(call_each(answer, (500, 100), (500, 1), (20, 100)), [401, 500, 0], mistakes)
