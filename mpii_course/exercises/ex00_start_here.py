"""Checks of notebook 00: a first look at joints."""

from mpii_course.exercises.diagnosis import call_each, diagnose, exercise


@exercise("00-1")
def limb_length(answer: object) -> str | None:
    """Euclidean distance between two joints.

    1. The steps along x and along y are the short sides of a right triangle. How long is its third side?
    2. np.hypot(b[0] - a[0], b[1] - a[1])
    """
    mistakes = {
        "These are the steps along x and y, added. The straight line is shorter.": [7.0, 17.0],
        "That is the squared distance. Take its square root.": [25.0, 169.0],
    }
    got = call_each(answer, ((10.0, 20.0), (13.0, 24.0)), ((9.0, 5.0), (4.0, 17.0)))
    return diagnose(got, [5.0, 13.0], mistakes)


@exercise("00-2")
def whose_left(answer: object) -> str | None:
    """Which way somebody faces, by the sides of the wrists.

    1. Stand before a mirror and raise your right hand. Now imagine a person in place of the mirror image.
    2. Of somebody who faces the camera, the right side is on the left of the image.
    """
    word = str(answer).strip().lower()
    if word == "back":
        return "Seen from behind, their right hand would be on the right side of the image. Here it is on the left."
    return None if word == "camera" else 'Answer "camera" or "back".'
