"""Checks of notebook 10: reading the MPII file without being fooled by it."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, close, diagnose, exercise


@exercise("10-1")
def joint_array(answer: object) -> str | None:
    """(16, 2) array by joint id, NaN where a joint is missing.

    1. Begin with an array of NaN, and write each joint of the list into the row that its id names.
    2. joints = np.full((16, 2), np.nan); joints[point["id"]] = point["x"], point["y"]
    """
    points = [
        {"id": 9, "x": np.uint16(310), "y": np.uint8(12)},
        {"id": 0, "x": 7.5, "y": 0.0},
        {"id": 15, "x": 20, "y": 30},
    ]
    wanted = np.full((16, 2), np.nan)
    wanted[9], wanted[0], wanted[15] = (310, 12), (7.5, 0), (20, 30)
    lost, listed, zeros = wanted.copy(), np.full((16, 2), np.nan), np.nan_to_num(wanted)
    lost[0], listed[:3] = np.nan, wanted[[9, 0, 15]]
    order = "The joints stand in the order of the list. Put each one into the row that its id names."
    missing = "A joint that is not in the list has to be NaN; here it looks like a place in the image."
    mistakes = {
        order: listed,
        f"{order} {missing}": np.nan_to_num(listed),
        missing: zeros,
        f"{missing} Whole numbers cannot be NaN, so make the array of floats.": np.trunc(zeros),
        "Joint 0 lies at (7.5, 0) and got lost: a coordinate of zero is a place, not a missing joint.": lost,
    }
    return diagnose(call(answer, points), wanted, mistakes, "Compare each row with its id.")


@exercise("10-2")
def head_size(answer: object) -> str | None:
    """0.6 times the diagonal of the head box, whatever the types and the order of the corners.

    1. The sides of the box are differences of its corners. Make the corners floats before you subtract or square.
    2. 0.6 * np.hypot(float(x2) - float(x1), float(y2) - float(y1))
    """
    mistakes = {
        "That is the diagonal itself. The head size is 0.6 of it.": [50.0, 50.0],
        "That is 0.6 times the sum of the sides. The diagonal is shorter.": [42.0, 42.0],
        "The square root is missing: this is the squared diagonal.": [1500.0, 1500.0],
    }
    got = call_each(answer, (10.0, 20.0, 40.0, 60.0), (40.0, 60.0, 10.0, 20.0))
    if hint := diagnose(got, [30.0, 30.0], mistakes, "The sides are 30 and 40."):
        return hint
    for kind, corners, head in ((np.uint8, (40, 60, 10, 20), 30.0), (np.int16, (110, 20, 410, 420), 300.0)):
        with np.errstate(all="ignore"):
            (small,) = call_each(answer, tuple(map(kind, corners)))
        if not close(small, head, 1e-3):
            box = f"For the corners {corners} as {kind.__name__} you return {small:g} and not {head:g}"
            return f"{box}: a difference or a square does not fit into that type. Make them float first."
    return None


@exercise("10-3")
def visibility(answer: object) -> str | None:
    """1 for hidden, 2 for visible; numbers, strings and emptiness.

    1. Ask whether the value is empty before you look inside, and turn text into a number before you ask what it is.
    2. 2 if np.size(value) == 0 else 1 + int(np.ravel(value)[0])
    """
    got = call_each(answer, (np.uint8(1),), (np.uint8(0),), ("1",), ("0",))
    mistakes = {
        "The string '0' came out as visible: text that is not empty is true. Turn it into a number.": [2, 1, 2, 2],
        "0 means not annotated in our array. A hidden joint is 1, and a visible one is 2.": [2, 0, 2, 0],
    }
    empty = "An empty value counts as visible (2) by the community's convention."
    return diagnose(got, [2, 1, 2, 1], mistakes) or diagnose(call(answer, np.empty((0, 0))), 2, {}, empty)
