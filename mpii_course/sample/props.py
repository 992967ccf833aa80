"""Things that people use, built in the body's own space, so that they turn and mirror with it.

Most of them stand in the table of `things`; the few that need arithmetic are functions here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from mpii_course.sample.canvas import Colour, Floats, Group, Part, part
from mpii_course.sample.figure import PELVIS, THORAX, UPPER_NECK, Body, Look
from mpii_course.sample.things import TABLE

_STEEL, _DARK, _WHITE, _RUBBER = (165, 168, 172), (44, 44, 50), (236, 234, 228), (30, 30, 32)
_WOOD = (158, 112, 66)
_CORNERS = np.array([[f, s, u] for f in (-1, 1) for s in (-1, 1) for u in (-1, 1)], float)
_TERM = re.compile(r"([+-]?)(\d*\.?\d*)(?:([a-z]+)(?:\.([flu]+))?|\(([^)]*)\))")


def _read_table() -> dict[str, list[list[str]]]:
    """The table's lines, split at blanks, for each thing."""
    things: dict[str, list[list[str]]] = {}
    name = ""
    for line in TABLE.strip().splitlines():
        if line[0] != " ":
            name = line
            things[name] = []
        else:
            things[name] += [one.split() for one in _repeat(line)]
    return things


def _repeat(line: str) -> Iterator[str]:
    """A line once for every alternative in its braces, of which all have as many; only the first keeps its "@"."""
    pieces = [piece.split("|") for piece in re.split(r"[{}]", line)]  # outside and inside the braces in turn
    for number in range(max(len(piece) for piece in pieces)):
        text = "".join(piece[number if at % 2 else 0] for at, piece in enumerate(pieces))
        yield text if number == 0 else re.sub(r"@\S+", "", text)


_THINGS = _read_table()


def _points(token: str, names: dict[str, Floats]) -> list[Floats]:
    """The point of one token, or its two points when it has a "~"."""
    if "~" in token:
        return [_points(token.replace("~", sign), names)[0] for sign in ("-", "")]
    total = np.zeros(3)
    for sign, factor, name, axes, numbers in _TERM.findall(token):
        value = names[name] if name else np.array([float(v) for v in numbers.split(",")])
        if axes:
            value = value * [axis in axes for axis in "flu"]
        total = total + (-1 if sign == "-" else 1) * float(factor or 1) * value
    return [total]


def _unit(vector: Floats) -> Floats:
    return vector / max(1e-6, float(np.linalg.norm(vector)))


def _names(body: Body, look: Look) -> dict[str, Floats]:
    """The points and directions that the table may name, for a body that leads with its left."""
    j, lead, trail = body.joints, body.hands[1], body.hands[-1]
    arm = body.at("wrist", 1) - body.at("elbow", 1)
    fore, up = _unit(arm), _unit(j[THORAX] - j[PELVIS])
    shaft = _unit(lead - trail)
    if shaft[2] > -0.45:  # too flat to reach the ground
        shaft = np.array([0.5, shaft[1] * 0.3, -0.85])
    return {
        "lead": lead, "trail": trail, "hands": 0.5 * (lead + trail), "arm": arm, "fore": fore,
        "across": np.array([-fore[2], 0, fore[0]]), "top": trail - 0.1 * shaft,
        "floor": lead + shaft * ((lead[2] - 0.02) / -shaft[2]), "anl": j[5], "anr": j[0], "ankles": 0.5 * (j[0] + j[5]),
        "tol": body.toes[1], "tor": body.toes[-1], "shl": j[13], "shr": j[12], "pelvis": j[PELVIS], "thorax": j[THORAX],
        "neck": j[UPPER_NECK], "up": up, "back": np.array([-up[2], 0, up[0]]), "low": j.min(0), "high": j.max(0),
        "chest": 0.6 * j[THORAX] + 0.4 * j[PELVIS] + [0.065 * look.build, 0, 0],
        "desk": np.array([0, 0, min(lead[2] - 0.06, 0.5)]),
    }  # fmt: skip


def _from_table(name: str, names: dict[str, Floats], colours: dict[str, Colour]) -> list[Group]:
    groups: list[Group] = []
    for word, *rest in _THINGS[name]:
        if word in ("let", "unit"):
            point = _points(rest[1], names)[0]
            names[rest[0]] = _unit(point) if word == "unit" else point
        elif word == "with":
            others = _from_table(rest[0], names, colours)
            groups += [Group(other.parts, float(rest[1])) for other in others] if rest[1:] else others
        else:
            if word[0] == "@":
                groups.append(Group([], float(word[1:])))
                word, *rest = rest
            radii, colour, _, *tokens = rest
            points = [point for token in tokens for point in _points(token, names)]
            groups[-1].parts += _parts(word, [float(r) for r in radii.split("/")], _mix(colour, colours), points)
    return groups


def _mix(text: str, colours: dict[str, Colour]) -> Colour:
    """A colour: a name, `name*factor+r,g,b`, or `r,g,b`."""
    name, _, change = text.partition("*")
    if name in colours and not change:
        return colours[name]
    if name not in colours:
        return [float(v) for v in name.split(",")]
    factor, _, plus = change.partition("+")
    return np.asarray(colours[name]) * float(factor) + np.array([float(v) for v in (plus or "0,0,0").split(",")])


def _parts(kind: str, radii: list[float], colour: Colour, points: list[Floats]) -> list[Part]:
    if kind == "box":
        centre, half = points
        lid = centre + _CORNERS[_CORNERS[:, 2] > 0] * half
        whole = part(centre + _CORNERS * half, radii[0], colour, shine=False)
        return [whole, part(lid, radii[0] * 0.7, np.asarray(colour) * 1.2, shine=False)]
    if kind == "ring":
        return [_ring(points[0], points[1][0], radii[0], colour)]
    widths = radii if len(radii) > 1 else radii[0]
    return [part(points, widths, colour, line=kind == "line", shine=kind != "flat")]


def _ring(centre: Floats, radius: float, width: float, colour: Colour) -> Part:
    """A hoop upright along the body's direction, drawn as a line."""
    angle = np.linspace(0, 2 * np.pi, 25)
    circle = np.stack([np.cos(angle), np.zeros(25), np.sin(angle)], 1)
    return part(centre + radius * circle, width, colour, line=True)


def _bike(body: Body, colour: Colour, wheel: float, thick: float, rolls: bool = True) -> list[Group]:
    saddle = body.joints[PELVIS] + [-0.03, 0, -0.075]
    bars = 0.5 * (body.hands[1] + body.hands[-1]) * [1, 0, 1] + [0.0, 0, -0.02]
    crank = 0.5 * (body.joints[0] + body.joints[5]) * [1, 0, 1] + [0.01, 0, -0.01]
    rear, front = np.array([saddle[0] - 0.2, 0, wheel]), np.array([bars[0] + 0.08, 0, wheel])
    low = np.array([0, 0, -0.06])
    tubes = [
        (saddle, crank),
        (crank, bars),
        (saddle + [0.02, 0, -0.06], bars + low),
        (rear, crank),
        (rear, saddle),
        (front, bars),
    ]
    parts = [part(tube, thick, colour) for tube in tubes]
    for hub in (rear, front) if rolls else ():
        parts += [_ring(hub, wheel, 0.013, _RUBBER), _ring(hub, wheel * 0.86, 0.004, _STEEL)]
        spokes = [hub + 0.86 * wheel * np.array([np.cos(a), 0, np.sin(a)]) for a in np.arange(0, 6.3, 0.8)]
        parts += [part([hub, end], 0.0015, _STEEL, line=True) for end in spokes]
    if not rolls:
        stand = _parts("box", [0.006], _DARK, [np.array([crank[0] + 0.05, 0, 0.02]), np.array([0.32, 0.06, 0.015])])
        parts += [*stand, _ring(crank + [0.2, 0, 0], 0.12, 0.02, _DARK)]
    grip = part([body.hands[1], body.hands[-1]], 0.012, _DARK)
    return [Group(parts), Group([part([saddle + [-0.05, 0, 0], saddle + [0.07, 0, 0]], [0.024, 0.014], _DARK), grip])]


def _unicycle(body: Body, colour: Colour) -> list[Group]:
    seat = body.joints[PELVIS] - [0, 0, 0.07]
    hub = np.array([0, 0, max(0.16, body.joints[[0, 5], 2].mean())])
    saddle = part([seat - [0.05, 0, 0], seat + [0.06, 0, 0]], 0.022, colour)
    fork = part([hub, seat - [0, 0, 0.01]], 0.012, _STEEL)
    return [Group([_ring(hub, hub[2] - 0.01, 0.014, _RUBBER), fork, saddle])]


def _skis(body: Body, colour: Colour) -> list[Group]:
    skis = []
    for side in (1, -1):
        foot = body.at("ankle", side) - [0, 0, 0.045]
        along = body.toes[side] - body.at("ankle", side)
        along = _unit(np.array([along[0], along[1] * 0.3, min(0.0, along[2] + 0.02)]))
        skis.append(part([foot - 0.32 * along, foot + 0.42 * along, foot + 0.5 * along + [0, 0, 0.04]], 0.01, colour))
    poles = [part([h + [0.02, 0, 0.04], h - [0.5, 0, 0.22]], 0.008, _DARK) for h in body.hands.values()]
    return [Group(skis, -0.25), Group(poles, 0.05)]


def _football(body: Body, phase: float) -> list[Group]:
    at = body.toes[1] + [0.1 + 0.25 * phase, 0, 0.03 * phase]
    at[2] = max(0.06, at[2])
    return [Group([part(at, 0.06, _WHITE), part(at + [0.02, 0, 0.01], 0.02, _DARK)], 0.05)]


def _rope(body: Body, colour: Colour, phase: float) -> list[Group]:
    top = 1.0 if phase > 0.5 else -0.1
    swing = [
        [0.1 * np.sin(2 * a), 0.42 * np.cos(a), 0.5 + (top - 0.5) * np.sin(a) * 1.1]
        for a in np.linspace(0.3, np.pi - 0.3, 15)
    ]
    return [Group([part([body.hands[1], *swing, body.hands[-1]], 0.008, colour, line=True)], 0.2 if top < 0 else -0.2)]


def _holds(body: Body, colour: Colour) -> list[Group]:
    colours = [colour, (232, 190, 60), (70, 150, 200), (210, 80, 70)]
    places = [
        (0.16, side + 0.13 * (row % 2), 0.21 * row)
        for row in range(9)
        for side in (-0.75, -0.45, -0.15, 0.15, 0.45, 0.7)
    ]
    holds = [part(place, 0.022 + 0.012 * ((k * 7) % 3), colours[k % 4]) for k, place in enumerate(places)]
    rope = part([body.joints[PELVIS] + [0.05, 0, 0], [0.12, 0.05, 2.6]], 0.005, (230, 90, 60), line=True)
    return [Group(holds, -1.0), Group([rope], 0.05)]


def _fitball(body: Body, colour: Colour) -> list[Group]:
    radius = body.joints[PELVIS, 2] * 0.46
    return [Group([part([body.joints[PELVIS, 0] - 0.01, 0, radius], float(radius), colour)], -0.12)]


_MADE: dict[str, Callable[[Body, Colour, float], list[Group]]] = {
    "mountain_bike": lambda body, colour, phase: _bike(body, colour, 0.19, 0.016),
    "road_bike": lambda body, colour, phase: _bike(body, colour, 0.185, 0.01),
    "bmx": lambda body, colour, phase: _bike(body, colour, 0.14, 0.01),
    "exercise_bike": lambda body, colour, phase: _bike(body, colour, 0.1, 0.024, rolls=False),
    "unicycle": lambda body, colour, phase: _unicycle(body, colour),
    "skis": lambda body, colour, phase: _skis(body, colour),
    "ball_foot": lambda body, colour, phase: _football(body, phase),
    "rope": _rope,
    "holds": lambda body, colour, phase: _holds(body, colour),
    "fitball": lambda body, colour, phase: _fitball(body, colour),
}


def build_prop(name: str, body: Body, colour: Colour, look: Look, phase: float) -> list[Group]:
    """Build a thing for a posed body.

    A body that leads with its right is served by the mirror image of what its mirror image gets.

    Parameters
    ----------
    name
        The thing; "none" and water, which is drawn with the place, give nothing.
    body, look
        Who uses it.
    colour
        RGB 0..255 of what has no colour of its own.
    phase
        0..1, how far the motion is from the first key pose to the second.
    """
    whole = body if body.lead > 0 else body.mirrored()
    if name in _MADE:
        groups = _MADE[name](whole, colour, phase)
    elif name in _THINGS:
        colours = {
            "own": colour, "second": look.second, "steel": _STEEL, "wood": _WOOD, "dark": _DARK, "white": _WHITE,
            "rubber": _RUBBER, "stick": _WOOD if colour[0] > 128 else _DARK,
        }  # fmt: skip
        groups = _from_table(name, _names(whole, look), colours)
    else:
        return []
    for p in (p for group in groups if body.lead < 0 for p in group.parts):
        p.points = p.points * [1, -1, 1]
    return groups
