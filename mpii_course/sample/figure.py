"""A person: sixteen angles become joints in space, and joints become a dressed body."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpii_course.sample.canvas import Colour, Floats, Group, Part, part
from mpii_lib.skeletons import MPII

# Lengths and radii in units of a grown-up's standing height.
THIGH, SHIN, TORSO, NECK, HEAD = 0.245, 0.24, 0.29, 0.045, 0.135
UPPER_ARM, FOREARM, HAND, FOOT, SOLE = 0.165, 0.145, 0.03, 0.085, 0.045
SHOULDER, HIP = 0.112, 0.058

# The joints of MPII on the body's left (+1) and right (-1) side: ankle, knee, hip, wrist, elbow, shoulder.
SIDES = {1: (5, 4, 3, 15, 14, 13), -1: (0, 1, 2, 10, 11, 12)}
PELVIS, THORAX, UPPER_NECK, HEAD_TOP = 6, 7, 8, 9

SKINS = ((243, 205, 178), (226, 180, 148), (196, 146, 108), (150, 105, 74), (104, 70, 50))
HAIRS = ((42, 32, 28), (92, 62, 36), (196, 160, 92), (136, 132, 130), (140, 66, 34), (24, 22, 24))


@dataclass(frozen=True)
class Look:
    """What a person wears and is: colours RGB 0..255, `build` widens the limbs, `height` scales the body."""

    skin: Colour
    hair: Colour
    style: str  # short, long, tail, bun, bald
    top: Colour
    second: Colour
    pattern: str  # plain, stripes, block, vest
    sleeve: int  # 0 none, 1 short, 2 long
    bottom: Colour
    legs: str  # trousers, shorts, skirt
    shoes: Colour
    hat: str  # "", cap, helmet, wool, brim, chef
    hat_colour: Colour
    build: float
    height: float
    hips: float


def _colour(rng: np.random.Generator) -> tuple[float, ...]:
    """A cloth colour: any hue, more often muted than loud."""
    grey = rng.uniform(30, 225)
    mix = rng.beta(2, 2)
    return tuple(float(c) for c in grey * (1 - mix) + rng.uniform(15, 240, 3) * mix)


def random_look(rng: np.random.Generator, wear: str) -> Look:
    """Draw a look by lot; `wear` is any, light, work, warm, swim or formal, with a hat after a "+"."""
    dress, _, head = wear.partition("+")
    hat = str(rng.choice(["", "", "", "", "cap", "brim"])) if dress != "swim" else ""
    look = Look(
        skin=tuple(np.array(SKINS[rng.integers(len(SKINS))]) + rng.normal(0, 6, 3)),
        hair=tuple(np.array(HAIRS[rng.integers(len(HAIRS))]) + rng.normal(0, 6, 3)),
        style=str(rng.choice(["short", "short", "long", "tail", "bun", "bald"])),
        top=_colour(rng),
        second=_colour(rng),
        pattern=str(rng.choice(["plain", "plain", "stripes", "block", "vest"])),
        sleeve=int(rng.choice([0, 1, 1, 2])),
        bottom=_colour(rng),
        legs=str(rng.choice(["trousers", "trousers", "shorts", "skirt"])),
        shoes=_colour(rng),
        hat=hat,
        hat_colour=_colour(rng),
        build=float(rng.uniform(0.86, 1.28)),
        height=float(rng.choice([1.0, 1.0, 1.0, 0.78]) * rng.uniform(0.93, 1.06)),
        hips=float(rng.uniform(0.9, 1.2)),
    )
    if dress == "warm":
        look = replace(look, sleeve=2, legs="trousers", hat=str(rng.choice(["wool", "wool", "helmet", ""])))
    elif dress == "swim":
        bare = bool(rng.random() < 0.5)
        look = replace(
            look, sleeve=0, legs="shorts", top=look.skin if bare else look.bottom, pattern="plain", shoes=look.skin
        )
    elif dress == "light":
        look = replace(look, sleeve=int(rng.integers(0, 2)), legs=str(rng.choice(["shorts", "shorts", "trousers"])))
    elif dress == "work":
        look = replace(look, legs="trousers", sleeve=int(rng.choice([1, 2, 2])))
    elif dress == "formal":
        look = replace(look, sleeve=2, pattern=str(rng.choice(["plain", "vest"])), hat="")
    return replace(look, hat=head) if head and rng.random() < 0.85 else look


def _ray(angle: float, out: float, side: int = 1) -> Floats:
    """Unit vector: angle 0 hangs down, 90 points forward, 180 up; `out` turns it away from the body's middle."""
    a, b = np.deg2rad(angle), np.deg2rad(out)
    return np.array([np.sin(a) * np.cos(b), side * np.sin(b), -np.cos(a) * np.cos(b)])


@dataclass(frozen=True)
class Body:
    """A posed body in space: `joints` (16, 3) forward, left, up in MPII's order, the ground at 0."""

    joints: Floats
    hands: dict[int, Floats]
    toes: dict[int, Floats]
    face: Floats  # unit vector out of the face
    crown: Floats  # unit vector up the head
    lead: int  # +1: the left side leads, -1: the right side

    def mirrored(self) -> Body:
        """The mirror image: left is right."""
        across = np.array([1.0, -1.0, 1.0])
        return Body(
            self.joints[MPII.flip_order] * across,
            {-s: h * across for s, h in self.hands.items()},
            {-s: t * across for s, t in self.toes.items()},
            self.face * across,
            self.crown,
            -self.lead,
        )

    def at(self, name: str, side: int) -> Floats:
        """Joint of one side by its name."""
        return self.joints[SIDES[side][("ankle", "knee", "hip", "wrist", "elbow", "shoulder").index(name)]]


def pose_body(pose: Floats, lead: int, turn: float, lift: float, hips: float = 1.0) -> Body:
    """Turn angles into a body.

    Parameters
    ----------
    pose
        (16,) degrees: torso, head; thigh, shin, out of the leading leg; the same of the trailing one; upper arm,
        forearm, out, forearm's out of the leading arm; the same of the trailing one.
    lead
        +1 when the left side leads, -1 when the right one does.
    turn
        Degrees by which the head looks to the leading side.
    lift
        How high the lowest point is above the ground.
    """
    joints = np.zeros((16, 3))
    spine = -_ray(-pose[0], 0.0)
    crown = np.array([np.sin(np.deg2rad(pose[1])), 0.0, np.cos(np.deg2rad(pose[1]))])
    joints[THORAX] = TORSO * spine
    joints[UPPER_NECK] = joints[THORAX] + NECK * (spine + crown) / np.linalg.norm(spine + crown)
    joints[HEAD_TOP] = joints[UPPER_NECK] + HEAD * crown
    hands, toes = {}, {}
    for side, leg, arm in ((lead, pose[2:5], pose[8:12]), (-lead, pose[5:8], pose[12:16])):
        ankle, knee, hip, wrist, elbow, shoulder = SIDES[side]
        joints[hip] = [0.0, side * HIP * hips, -0.01]
        joints[knee] = joints[hip] + THIGH * _ray(leg[0], leg[2], side)
        joints[ankle] = joints[knee] + SHIN * _ray(leg[1], leg[2] * 0.6, side)
        joints[shoulder] = joints[THORAX] - 0.02 * spine + [0.0, side * SHOULDER, 0.0]
        joints[elbow] = joints[shoulder] + UPPER_ARM * _ray(arm[0], arm[2], side)
        forearm = _ray(arm[1], arm[3], side)
        joints[wrist] = joints[elbow] + FOREARM * forearm
        hands[side] = joints[wrist] + HAND * forearm
        bend = 92.0 if leg[1] > -45 else 92.0 - min(1.0, (-45 - leg[1]) / 45) * 60
        toes[side] = joints[ankle] + FOOT * _ray(leg[1] + bend, 12, side) - [0, 0, 0.018]
    low = min(joints[[0, 5]][:, 2].min() - SOLE, min(t[2] for t in toes.values()) - 0.022, joints[:, 2].min() - 0.04)
    up = np.array([0.0, 0.0, lift - low])
    yaw = np.deg2rad(turn) * lead
    look = np.array([np.cos(yaw) * crown[2], np.sin(yaw), -crown[0] * np.cos(yaw)])
    return Body(
        joints + up, {s: h + up for s, h in hands.items()}, {s: t + up for s, t in toes.items()}, look, crown, lead
    )


def _arm(body: Body, look: Look, side: int) -> Group:
    shoulder, elbow, wrist = (body.at(n, side) for n in ("shoulder", "elbow", "wrist"))
    b, name = look.build, "left" if side > 0 else "right"
    upper = look.top if look.sleeve else look.skin
    fore = look.top if look.sleeve == 2 else look.skin
    parts = [
        part([shoulder, elbow], [0.029 * b, 0.024 * b], upper if look.sleeve == 2 else look.skin, name + " upper arm"),
        part([elbow, wrist], [0.0235 * b, 0.017 * b], fore, name + " forearm"),
        part([wrist, body.hands[side]], [0.016, 0.019], look.skin, name + " hand"),
    ]
    if look.sleeve == 1:
        parts.append(part([shoulder, 0.4 * shoulder + 0.6 * elbow], [0.034 * b, 0.032 * b], upper, name + " upper arm"))
    return Group(parts, 0.035)


def _leg(body: Body, look: Look, side: int) -> Group:
    hip, knee, ankle = (body.at(n, side) for n in ("hip", "knee", "ankle"))
    b, name = look.build, "left" if side > 0 else "right"
    lower = look.bottom if look.legs == "trousers" else look.skin
    upper = look.bottom if look.legs != "skirt" else look.skin
    heel = ankle - [0, 0, 0.018]
    parts = [
        part([heel, body.toes[side]], [0.026, 0.019], look.shoes, name + " foot"),
        part([knee, ankle], [0.037 * b, 0.024 * b], lower, name + " shin"),
        part([hip, knee], [0.053 * b, 0.039 * b], upper, name + " thigh"),
    ]
    return Group(parts)


def _torso(body: Body, look: Look) -> list[Group]:
    j, b = body.joints, look.build
    hips, shoulders = j[[2, 3]], j[[12, 13]]
    waist = 0.72 * j[PELVIS] + 0.28 * j[THORAX]
    neck = part([0.85 * j[THORAX] + 0.15 * j[PELVIS], j[UPPER_NECK]], [0.034, 0.03], look.skin, "neck")
    seat = part([*hips, waist], [0.05 * b, 0.05 * b, 0.055 * b], look.bottom, "pelvis")
    chest = 0.7 * j[THORAX] + 0.3 * j[PELVIS]
    shirt = part(
        [*shoulders, chest, 0.75 * waist + 0.25 * j[PELVIS], *(0.55 * hips + 0.45 * waist)],
        np.array([0.033, 0.033, 0.062, 0.056, 0.045, 0.045]) * b,
        look.top,
        "torso",
    )
    parts: list[Part] = [seat, shirt]
    if look.pattern == "stripes":
        for t in (0.22, 0.45, 0.68):
            ends = shoulders[:, :] * (1 - t) + (hips * 0.6 + waist * 0.4) * t
            parts.append(part(ends, 0.012 * b, look.second, "torso", shine=False, edge=False))
    elif look.pattern == "block":
        parts.append(part([*shoulders, chest], np.array([0.03, 0.03, 0.045]) * b, look.second, "torso", edge=False))
    elif look.pattern == "vest":
        front = [0.8 * j[THORAX] + 0.2 * chest, waist]
        parts.append(part(front, np.array([0.024, 0.03]) * b, look.second, "torso", edge=False))
    groups = [Group([neck], -0.02), Group(parts)]
    if look.legs == "skirt":
        knees = j[[1, 4]]
        hem = 0.35 * hips + 0.65 * knees
        skirt = part([*hips, *hem], np.array([0.052, 0.052, 0.066, 0.066]) * b, look.bottom, "skirt")
        groups.append(Group([skirt], 0.05))
    return groups


def _head(body: Body, look: Look) -> list[Group]:
    j, up, out = body.joints, body.crown, body.face
    centre = j[UPPER_NECK] + 0.5 * HEAD * up
    side = np.cross(up, out)
    face = part(
        [centre - 0.02 * up + 0.012 * out, centre + 0.012 * up + 0.008 * out], [0.042, 0.051], look.skin, "head"
    )
    ears = [part([centre + s * 0.051 * side - 0.004 * up], 0.011, look.skin, "head") for s in (1, -1)]
    groups = [Group([face, *ears], 0.03)]
    back = centre - 0.016 * out + 0.012 * up
    if look.style != "bald":
        hair = [part([back], 0.056, look.hair, "hair")]
        if look.style == "long":
            long = part([back, back - 0.02 * out - 0.1 * up], [0.05, 0.035], look.hair, "hair")
            groups.append(Group([long], -0.015))  # from the front it falls behind the neck
        elif look.style == "tail":
            hair.append(part([back - 0.05 * out, back - 0.075 * out - 0.075 * up], [0.02, 0.014], look.hair, "hair"))
        elif look.style == "bun":
            hair.append(part([back - 0.03 * out + 0.05 * up], 0.025, look.hair, "hair"))
        groups.append(Group(hair, 0.03 - 0.012))
        fringe = [centre + 0.042 * up + 0.014 * out + s * 0.02 * side for s in (1, -1)]
        groups.append(Group([part(fringe, 0.022, look.hair, "hair")], 0.032))
    eyes = [[centre + 0.052 * out + s * 0.02 * side] for s in (1, -1)]
    mouth = [centre + 0.05 * out - 0.03 * up + s * 0.012 * side for s in (1, -1)]
    marks = [*((eye, 0.0065, (50, 35, 35)) for eye in eyes), (mouth, 0.004, (150, 70, 70))]
    spots = [part(*mark, "head", shine=False, edge=False) for mark in marks]
    spots.append(part([centre + 0.058 * out - 0.012 * up], 0.009, np.asarray(look.skin) * 0.95, "head", edge=False))
    groups.append(Group(spots, 0.055 if out[0] >= 0 else 0.0))
    if look.hat:
        groups.append(Group(_hat(look, centre, up, out, side), 0.06))
    return groups


def _hat(look: Look, centre: Floats, up: Floats, out: Floats, side: Floats) -> list[Part]:
    top = centre + 0.03 * up - 0.004 * out
    colour = look.hat_colour
    if look.hat == "chef":
        return [part([top, top + 0.07 * up], [0.05, 0.055], (240, 240, 238), "hat")]
    if look.hat == "wool":
        return [
            part([top, top + 0.02 * up], [0.056, 0.045], colour, "hat"),
            part([top + 0.07 * up], 0.018, look.second, "hat"),
        ]
    if look.hat == "helmet":
        return [part([top - 0.012 * out, top + 0.012 * up + 0.012 * out], [0.061, 0.058], colour, "hat")]
    crown = part([top, top + 0.016 * up], [0.052, 0.048], colour, "hat")
    if look.hat == "brim":
        rim = [top + 0.085 * (np.cos(a) * out + np.sin(a) * side) for a in np.linspace(0, 2 * np.pi, 9)[:-1]]
        return [part(rim, 0.006, colour, "hat"), crown]
    return [
        crown,
        part([top + 0.045 * out + s * 0.025 * side for s in (1, -1)] + [top + 0.088 * out], 0.008, colour, "hat"),
    ]


def dress(body: Body, look: Look) -> list[Group]:
    """All parts of a dressed body, ready for `Canvas.groups`."""
    limbs = [make(body, look, side) for make in (_leg, _arm) for side in (1, -1)]
    return [*_torso(body, look), *limbs, *_head(body, look)]


_LIMBS = ("upper arm", "forearm", "hand", "thigh", "shin", "foot")
BODY_PARTS = (
    *(f"{side} {limb}" for side in ("left", "right") for limb in _LIMBS),
    *("torso", "pelvis", "skirt", "neck", "head", "hair", "hat"),
)
