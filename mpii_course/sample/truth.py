"""What is known about the people of a drawn image: joints, and whether each is really to be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.canvas import Camera, Floats, Image
from mpii_course.sample.figure import BODY_PARTS, HEAD, UPPER_NECK, Body

OWNERS = len(BODY_PARTS) + 1  # numbers that one person has in the owner map: its parts and its thing
# Hips and shoulders, and how much farther away than the middle of the two they lie when the trunk hides them.
_ROOTS, _FAR = np.array([2, 3, 12, 13]), np.array([0.052, 0.052, 0.085, 0.085])
_TRUNK = ("torso", "pelvis", "skirt")
# The official head boxes are drawn with room around the skull: eight head sizes make a person's height.
_HEAD_BOX = 1.36

# The parts that meet in a joint: it is visible when one of them is on top at its pixel.
_PARTS: dict[int, tuple[str, ...]] = {
    6: (*_TRUNK, "left thigh", "right thigh"),
    7: ("torso", "neck"),
    8: ("neck", "head", "hair", "torso"),
    9: ("head", "hair", "hat"),
}
for _side, _leg, _arm in (("right", (0, 1, 2), (10, 11, 12)), ("left", (5, 4, 3), (15, 14, 13))):
    _limbs = [f"{_side} {name}" for name in ("foot", "shin", "thigh", "hand", "forearm", "upper arm")]
    _foot, _shin, _thigh, _hand, _forearm, _upper = _limbs
    _PARTS |= {_leg[0]: (_shin, _foot), _leg[1]: (_thigh, _shin), _leg[2]: (_thigh, *_TRUNK)}
    _PARTS |= {_arm[0]: (_forearm, _hand), _arm[1]: (_upper, _forearm), _arm[2]: (_upper, "torso")}


@dataclass(frozen=True)
class Truth:
    """What is known about one person of an image, in pixels (0-based pixel centres).

    Attributes
    ----------
    joints
        (16, 2) in MPII's order, NaN outside the image.
    visible
        (16,) whether the joint is inside the image and no other part, thing or person hides it.
    face, face_state
        (5, 2) nose, left and right eye, left and right ear; (5,) 0 not to be marked, 1 hidden, 2 visible.
    head
        x1, y1, x2, y2 of the head.
    centre
        Middle of the joints' extent.
    height
        Pixels from sole to crown if the person stood upright.
    mask
        (H, W) the person's visible pixels.
    unmarked
        A bystander whose joints nobody has marked.
    """

    joints: Floats
    visible: NDArray[np.bool_]
    face: Floats
    face_state: NDArray[np.int64]
    head: Floats
    centre: Floats
    height: float
    mask: NDArray[np.bool_]
    unmarked: bool = False


def look_up(owner: Image, body: Body, camera: Camera, index: int, unmarked: bool) -> Truth:
    """Compare a body with the owner map (H, W) of the image, in which it is number `index`."""
    height, width = owner.shape
    first = 1 + index * OWNERS
    number = {name: first + k for k, name in enumerate(BODY_PARTS)}
    points = camera.project(body.joints)
    inside = _inside(points, width, height)
    top = _top(owner, points)
    visible = np.array([inside[j] and top[j] in [number[n] for n in _PARTS[j]] for j in range(16)])
    depth = points[_ROOTS, 2].reshape(2, 2)
    behind = (depth - depth.mean(axis=1, keepdims=True)).ravel() < -_FAR
    visible[_ROOTS] &= ~(behind & np.isin(top[_ROOTS], [number[n] for n in _TRUNK]))
    centre = body.joints[UPPER_NECK] + 0.5 * HEAD * body.crown
    side = np.cross(body.crown, body.face)
    eye = centre + 0.05 * body.face + 0.01 * body.crown
    nose = centre + 0.062 * body.face - 0.012 * body.crown
    features = [nose, eye + 0.02 * side, eye - 0.02 * side, centre + 0.053 * side, centre - 0.053 * side]
    face = camera.project(features)
    nearer = face[:, 2] - camera.project(centre)[0, 2] > [0, 0, 0, -0.03, -0.03]
    state = np.where(_top(owner, face) == number["head"], 2, 1) * (_inside(face, width, height) & nearer)
    extent = [_HEAD_BOX * way for way in (0.5 * HEAD * body.crown, 0.05 * side, 0.05 * body.face)]
    skull = camera.project([centre + sign * way for way in extent for sign in (1, -1)])[:, :2]
    return Truth(
        joints=np.where(inside[:, None], points[:, :2], np.nan),
        visible=visible,
        face=face[:, :2],
        face_state=state,
        head=np.concatenate([skull.min(0), skull.max(0)]),
        centre=(points[:, :2].min(0) + points[:, :2].max(0)) / 2,
        height=camera.scale,
        mask=(owner >= first) & (owner < first + len(BODY_PARTS)),
        unmarked=unmarked,
    )


def _inside(points: Floats, width: int, height: int) -> NDArray[np.bool_]:
    return np.all((points[:, :2] >= -0.5) & (points[:, :2] < [width - 0.5, height - 0.5]), axis=1)


def _top(owner: Image, points: Floats) -> Image:
    """What is on top at each point (or at the border next to it)."""
    pixel = np.clip(np.round(points[:, :2]), 0, np.array(owner.shape[::-1]) - 1).astype(int)
    return owner[pixel[:, 1], pixel[:, 0]]
