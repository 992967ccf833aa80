"""Things that people use, built in the body's own space, so that they turn and mirror with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mpii_lib.datasets.sample.canvas import Colour, Floats, Group, Part, part
from mpii_lib.datasets.sample.figure import PELVIS, THORAX, UPPER_NECK, Body, Look

STEEL, WOOD, DARK, WHITE, RUBBER = (165, 168, 172), (158, 112, 66), (44, 44, 50), (236, 234, 228), (30, 30, 32)
Paint = tuple[float, ...]


def rod(start: ArrayLike, end: ArrayLike, radius: float, colour: Colour) -> Part:
    """A straight stick."""
    return part([start, end], radius, colour)


def box(centre: ArrayLike, half: ArrayLike, colour: Colour, radius: float = 0.006) -> list[Part]:
    """A block with its sides along the body's axes: the whole, and a lighter top."""
    c, h = np.asarray(centre, float), np.asarray(half, float)
    corners = np.array([[f, s, u] for f in (-1, 1) for s in (-1, 1) for u in (-1, 1)], float)
    lid = c + corners[corners[:, 2] > 0] * h
    return [part(c + corners * h, radius, colour, shine=False), part(lid, radius * 0.7, np.asarray(colour) * 1.2, shine=False)]


def ring(centre: ArrayLike, radius: float, width: float, colour: Colour, axes: tuple[int, int] = (0, 2)) -> Part:
    """A hoop in the plane of two axes (forward-up unless told), drawn as a line."""
    angle = np.linspace(0, 2 * np.pi, 25)
    points = np.repeat(np.asarray(centre, float)[None], 25, 0)
    points[:, axes[0]] += radius * np.cos(angle)
    points[:, axes[1]] += radius * np.sin(angle)
    return part(points, width, colour, line=True)


def _legs(centre: Floats, half: tuple[float, float], top: float, colour: Colour) -> list[Part]:
    corners = [centre + [f * half[0], s * half[1], 0] for f in (-1, 1) for s in (-1, 1)]
    return [rod([c[0], c[1], top], [c[0], c[1], 0.0], 0.011, colour) for c in corners]


def _table(centre: Floats, half: tuple[float, float], top: float, colour: Colour) -> list[Part]:
    return _legs(centre, half, top, colour) + box([centre[0], centre[1], top], [half[0] + 0.02, half[1] + 0.02, 0.012], colour)


def _grip(body: Body) -> tuple[Floats, Floats]:
    """Both hands' middle, and the direction in which a two-handed tool points: from the trailing to the leading hand."""
    lead, trail = body.hand("lead"), body.hand("trail")
    along = lead - trail
    return lead, along / max(1e-6, float(np.linalg.norm(along)))


def _forearm(body: Body, side: int, up: float = 0.0) -> Floats:
    """Direction in which a hand-held tool goes on from the forearm, turned up a little."""
    along = body.at("wrist", side) - body.at("elbow", side) + [0, 0, up]
    return along / np.linalg.norm(along)


def _to_ground(body: Body, low: float = 0.02) -> tuple[Floats, Floats]:
    """The two ends of a shaft that runs through both hands to the ground."""
    lead, along = _grip(body)
    if along[2] > -0.45:
        along = np.array([0.5, along[1] * 0.3, -0.85])
    return body.hand("trail") - 0.1 * along, lead + along * ((lead[2] - low) / -along[2])


def _seat(body: Body, colour: Paint, back: float = 0.3) -> list[Part]:
    p = body.joints[PELVIS]
    seat = np.array([p[0] + 0.06, 0.0, p[2] - 0.075])
    parts = _legs(seat, (0.11, 0.1), seat[2], np.asarray(colour) * 0.7) + box(seat, [0.13, 0.12, 0.014], colour)
    if back:
        parts.append(part([seat + [-0.13, s * 0.1, u] for s in (-1, 1) for u in (0.03, back)], 0.012, colour, shine=False))
    return parts


def _bike(body: Body, colour: Paint, wheel: float, thick: float = 0.012, wheels: bool = True) -> list[Group]:
    j = body.joints
    saddle = j[PELVIS] + [-0.03, 0, -0.075]
    bars = 0.5 * (body.hands[1] + body.hands[-1]) * [1, 0, 1] + [0.0, 0, -0.02]
    crank = 0.5 * (j[0] + j[5]) * [1, 0, 1] + [0.01, 0, -0.01]
    rear, front = np.array([saddle[0] - 0.2, 0, wheel]), np.array([bars[0] + 0.08, 0, wheel])
    frame = [(saddle, crank), (crank, bars), (saddle + [0.02, 0, -0.06], bars + [0, 0, -0.06]), (rear, crank), (rear, saddle), (front, bars)]
    parts = [rod(a, b, thick, colour) for a, b in frame]
    if wheels:
        for hub in (rear, front):
            parts += [ring(hub, wheel, 0.013, RUBBER), ring(hub, wheel * 0.86, 0.004, STEEL)]
            parts += [part([hub, hub + 0.86 * wheel * np.array([np.cos(a), 0, np.sin(a)])], 0.0015, STEEL, line=True) for a in np.arange(0, 6.3, 0.8)]
    else:
        parts += box([crank[0] + 0.05, 0, 0.02], [0.32, 0.06, 0.015], DARK) + [ring(crank + [0.2, 0, 0], 0.12, 0.02, DARK)]
    grip = part([body.hands[1], body.hands[-1]], 0.012, DARK)
    return [Group(parts, 0.0), Group([part([saddle + [-0.05, 0, 0], saddle + [0.07, 0, 0]], [0.024, 0.014], DARK), grip], 0.0)]


def _boards(body: Body, colour: Paint, length: float, width: float, height: float) -> list[Part]:
    """A board across the feet (along the body's left-right axis)."""
    middle = 0.5 * (body.joints[0] + body.joints[5]) * [1, 1, 0] + [0.02, 0, height]
    ends = [middle + [0, s * length, 0.018] for s in (-1, 1)] + [middle + [f * width, s * length * 0.7, 0] for f in (-1, 1) for s in (-1, 1)]
    return [part(ends, 0.011, colour)]


def _skis(body: Body, colour: Paint, ahead: float, behind: float) -> list[Part]:
    parts = []
    for side in (1, -1):
        foot = body.at("ankle", side) - [0, 0, 0.045]
        along = body.toes[side] - body.at("ankle", side)
        along = np.array([along[0], along[1] * 0.3, min(0.0, along[2] + 0.02)])
        along /= np.linalg.norm(along)
        parts.append(part([foot - behind * along, foot + ahead * along, foot + (ahead + 0.08) * along + [0, 0, 0.04]], 0.01, colour))
    return parts


def _poles(body: Body, back: float) -> list[Part]:
    ends = [(h + [0.02, 0, 0.04], np.array([h[0] - back, h[1], 0.02 if back < 0.3 else h[2] - 0.22])) for h in body.hands.values()]
    return [rod(a, b, 0.008, DARK) for a, b in ends]


def _horse(body: Body, colour: Paint) -> list[Group]:
    p = body.joints[PELVIS]
    back = p[2] - 0.13
    coat = np.asarray(colour) * 0.25 + np.array([80, 55, 35])
    trunk = part([[p[0] - 0.26, 0, back - 0.07], [p[0] + 0.24, 0, back - 0.06]], [0.14, 0.13], coat)
    neck = part([[p[0] + 0.28, 0, back], [p[0] + 0.5, 0, back + 0.27]], [0.1, 0.06], coat)
    head = part([[p[0] + 0.5, 0, back + 0.28], [p[0] + 0.66, 0, back + 0.14]], [0.06, 0.036], coat)
    mane = part([[p[0] + 0.26, 0, back + 0.12], [p[0] + 0.44, 0, back + 0.33]], 0.022, DARK)
    legs = [part([[p[0] + f, s * 0.07, back - 0.12], [p[0] + f + d, s * 0.07, 0.02]], [0.05, 0.024], coat * 0.9)
            for f, d in ((-0.3, -0.05), (0.26, 0.06)) for s in (-1, 1)]  # fmt: skip
    tail = part([[p[0] - 0.38, 0, back - 0.02], [p[0] - 0.46, 0, back - 0.3]], [0.025, 0.012], DARK)
    rein = part([body.hand("lead"), [p[0] + 0.6, 0, back + 0.2]], 0.003, DARK, line=True)
    return [Group(legs, -0.3), Group([trunk, tail], -0.1), Group([mane, neck, head], -0.05), Group([rein], 0.2)]


def _dog(at: Floats, colour: Paint, turn: float = 1.0) -> list[Part]:
    coat = np.asarray(colour) * 0.2 + np.array([115, 85, 55])
    x = np.array([turn, 0, 0])
    legs = [rod(at + f * x + [0, s * 0.03, 0.13], at + f * x + [0, s * 0.03, 0.0], 0.014, coat * 0.85) for f in (-0.1, 0.1) for s in (-1, 1)]
    body = part([at - 0.11 * x + [0, 0, 0.16], at + 0.11 * x + [0, 0, 0.17]], [0.05, 0.055], coat)
    head = part([at + 0.18 * x + [0, 0, 0.25], at + 0.25 * x + [0, 0, 0.235]], [0.042, 0.024], coat)
    ear = rod(at + 0.155 * x + [0, 0, 0.27], at + 0.14 * x + [0, 0, 0.22], 0.016, coat * 0.6)
    return [*legs, rod(at - 0.15 * x + [0, 0, 0.19], at - 0.22 * x + [0, 0, 0.27], 0.012, coat), body, head, ear]


def _hull(at: Floats, colour: Paint, length: float, half: float, depth: float) -> list[Group]:
    """A boat: the far side behind the person, the near side in front."""
    def side(s: int) -> Part:
        ends = [at + [-length, 0, depth], at + [length, 0, depth], at + [-0.8 * length, s * half, 0], at + [0.8 * length, s * half, 0]]
        return part([*ends, at + [-0.7 * length, s * half, depth * 0.8], at + [0.7 * length, s * half, depth * 0.8]], 0.012, colour)
    return [Group([side(1), side(-1)], -0.35), Group([_nearest(side)], 0.45)]


def _nearest(side: Callable[[int], Part]) -> Part:
    return part(np.concatenate([side(1).points, side(-1).points]) * [1, 0.9, 1] - [0, 0, 0.05], 0.012, side(1).colour)


def _strings(centre: Floats, normal_side: float, colour: Paint) -> list[Part]:
    oval = ring(centre, 0.09, 0.009, colour)
    return [oval, *(part([centre + [d, 0, -0.06], centre + [d, 0, 0.06]], 0.0015, WHITE, line=True) for d in (-0.04, 0, 0.04))]


def _tool(body: Body, name: str, colour: Paint) -> list[Part]:
    """Long tools held in both hands, working on the ground."""
    top, end = _to_ground(body)
    if name == "shovel":
        lead, along = _grip(body)
        end = lead + 0.34 * along
        blade = part([end, end + 0.13 * along], [0.045, 0.035], STEEL)
        return [rod(body.hand("trail") - 0.12 * along, end, 0.01, WOOD), blade]
    shaft = [rod(top, end, 0.01, WOOD if name in ("rake", "broom") else STEEL)]
    if name == "vacuum":
        tank = box([end[0] - 0.05, end[1], 0.05], [0.1, 0.08, 0.045], colour)
        return [rod(top, end, 0.017, DARK), rod(end + [-0.02, -0.08, 0.0], end + [-0.02, 0.08, 0.0], 0.026, colour), *tank]
    if name == "rake":
        return shaft + [rod(end + [0, s * 0.11, 0], end + [0.03, s * 0.13, 0.0], 0.006, STEEL) for s in (-1, -0.5, 0, 0.5, 1)] + [rod(end - [0, 0.11, 0], end + [0, 0.11, 0], 0.009, STEEL)]
    width, tall = (0.12, 0.03) if name == "broom" else (0.1, 0.02)
    head = part([end + [0, s * width, u] for s in (-1, 1) for u in (0, tall)], 0.018, colour if name == "broom" else WHITE)
    if name == "mop":
        bucket = box([end[0] - 0.05, end[1] + 0.28 * body.lead, 0.07], [0.06, 0.06, 0.06], colour)
        return [*shaft, head, *bucket]
    return [*shaft, head]


def _hand_prop(body: Body, name: str, colour: Paint) -> list[Part]:
    """Things swung or aimed with the hands."""
    lead, along = _grip(body)
    side = body.lead
    fore = _forearm(body, side)
    if name == "racket":
        c = lead + fore * 0.22
        return [rod(lead - fore * 0.03, c - fore * 0.07, 0.011, DARK), *_strings(c, 0.0, colour), part([lead + [0.5, 0.1, 0.25]], 0.026, (215, 235, 60))]
    if name == "club":
        end = lead + _forearm(body, side) * 0.42
        return [rod(lead, end, 0.007, STEEL), part([end, end + [0.05, 0, 0]], 0.016, DARK), part([[0.55, 0, 0.014]], 0.016, WHITE)]
    if name == "bat":
        way = _forearm(body, side, 0.25) * [-0.3, 1, 1] + [-0.1, 0, 0.5]
        return [part([lead, lead + 0.42 * way / np.linalg.norm(way)], [0.011, 0.026], WOOD), part([lead + [0.5, 0, -0.05]], 0.03, WHITE)]
    if name == "axe":
        way = _forearm(body, side)
        end = lead + 0.3 * way
        blade = part([end + np.array([-way[2], 0, way[0]]) * d for d in (-0.08, 0.02)] + [end - 0.06 * way], 0.014, STEEL)
        return [rod(lead - 0.1 * way, end, 0.011, WOOD), blade, *box([0.42, 0, 0.08], [0.08, 0.08, 0.08], WOOD)]
    if name == "rifle":
        trail, way = body.hand("trail"), lead - body.hand("trail")
        way = way / np.linalg.norm(way)
        return [part([trail - 0.16 * way - [0, 0, 0.03], trail], [0.026, 0.016], WOOD), rod(trail, lead + 0.32 * way, 0.011, DARK)]
    if name == "bow":
        arc = [lead + [-0.12 * np.sin(a) ** 2, 0, 0.33 * np.sin(a)] for a in np.linspace(-1.4, 1.4, 13)]
        string = part([arc[0], body.hand("trail"), arc[-1]], 0.0025, WHITE, line=True)
        return [part(arc, 0.009, WOOD, line=True), string, part([body.hand("trail"), lead + [0.12, 0, 0]], 0.004, DARK, line=True)]
    way = np.array([0.72, 0.1 * side, 0.6])
    tip = lead + 0.85 * way
    line = part([tip, tip + [0.25, 0, -0.5], [tip[0] + 0.35, tip[1], 0.0]], 0.002, WHITE, line=True)
    return [part([lead - 0.12 * way, tip], [0.011, 0.005], WOOD if colour[0] > 128 else DARK), line]


def _vehicle(body: Body, name: str, colour: Paint) -> list[Group]:
    """What carries a person."""
    p = body.joints[PELVIS]
    if name in ("mountain_bike", "road_bike", "bmx"):
        return _bike(body, colour, {"mountain_bike": 0.19, "road_bike": 0.185, "bmx": 0.14}[name], 0.016 if name == "mountain_bike" else 0.01)
    if name == "exercise_bike":
        return _bike(body, colour, 0.1, 0.024, wheels=False)
    if name == "unicycle":
        hub = 0.5 * (body.joints[0] + body.joints[5]) * [0, 0, 1]
        hub[2] = max(0.16, hub[2])
        wheel = ring(hub, hub[2] - 0.01, 0.014, RUBBER)
        return [Group([wheel, rod(hub, p - [0, 0, 0.08], 0.012, STEEL), part([p + [-0.05, 0, -0.07], p + [0.06, 0, -0.07]], 0.022, colour)])]
    if name == "skateboard":
        wheels = [part([[0.03 + f, s * 0.14, 0.018]], 0.018, DARK) for f in (-0.03, 0.03) for s in (-1, 1)]
        return [Group(wheels + _boards(body, colour, 0.24, 0.05, 0.045), -0.2)]
    if name in ("surfboard", "snowboard", "sup", "windsurf"):
        size = {"surfboard": (0.5, 0.1), "snowboard": (0.36, 0.05), "sup": (0.62, 0.12), "windsurf": (0.6, 0.1)}[name]
        groups = [Group(_boards(body, colour, *size, 0.02), -0.2)]
        if name == "sup":
            lead, along = _grip(body)
            end = lead + along * 0.45
            groups.append(Group([rod(body.hand("trail") - 0.03 * along, end, 0.009, DARK), part([end, end + 0.14 * along], [0.03, 0.04], WHITE)], 0.1))
        if name == "windsurf":
            foot, top = np.array([0.33, 0.1, 0.04]), np.array([0.16, 0.1, 1.25])
            sail = part([foot + [0.02, -0.1, 0.12], top, [0.3, -0.62, 0.42]], 0.008, colour, shine=False)
            groups += [Group([sail], -0.05), Group([rod(foot, top, 0.012, DARK), rod([0.3, 0.1, 0.52], [0.3, -0.6, 0.5], 0.011, DARK)], 0.1)]
        return groups
    if name == "sled":
        return [Group(box([p[0] + 0.16, 0, p[2] - 0.085], [0.32, 0.11, 0.02], colour) + [rod([p[0] - 0.16, s * 0.1, 0.02], [p[0] + 0.5, s * 0.1, 0.02], 0.012, DARK) for s in (-1, 1)], -0.1)]
    if name == "kayak":
        lead, trail = body.hand("lead"), body.hand("trail")
        along = (lead - trail) / np.linalg.norm(lead - trail)
        blades = [part([e, e + 0.12 * d], [0.025, 0.04], colour) for e, d in ((lead + 0.3 * along, along), (trail - 0.3 * along, -along))]
        oar = Group([rod(lead + 0.3 * along, trail - 0.3 * along, 0.009, DARK), *blades], 0.5)
        return [*_hull(np.array([p[0] + 0.2, 0, 0.0]), colour, 0.8, 0.13, 0.1), oar]
    return [*_hull(np.array([p[0] + 0.2, 0, 0.0]), WOOD, 0.7, 0.24, 0.22), Group(_hand_prop(body, "rod", colour), 0.5)]


def _gym(body: Body, name: str, colour: Paint) -> list[Group]:
    """Mats, weights and machines."""
    j = body.joints
    if name == "mat":
        low, high = j.min(0), j.max(0)
        corners = [[f, s * 0.2, 0.002] for f in (low[0] - 0.12, high[0] + 0.12) for s in (-1, 1)]
        return [Group([part(corners, 0.008, colour, shine=False)], -0.6)]
    if name == "dumbbells":
        groups = []
        for side, h in body.hands.items():
            groups.append(Group([rod(h - [0.06, 0, 0], h + [0.06, 0, 0], 0.01, STEEL), *(part([h + [f, 0, 0]], 0.032, DARK) for f in (-0.07, 0.07))], 0.08))
        return groups
    if name == "barbell":
        c = 0.5 * (body.hands[1] + body.hands[-1])
        plates = [part([c + [f, s * (0.42 + d), u] for f, u in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1), (0.07, 0.07), (-0.07, -0.07))], 0.014, k)
                  for s in (-1, 1) for d, k in ((0, colour), (0.035, DARK))]  # fmt: skip
        return [Group([rod(c - [0, 0.52, 0], c + [0, 0.52, 0], 0.009, STEEL), *plates], 0.1)]
    if name == "fitball":
        return [Group([part([[j[PELVIS][0] - 0.01, 0, j[PELVIS][2] * 0.46]], j[PELVIS][2] * 0.46, colour)], -0.12)]
    if name == "stepper":
        toe = body.toes[body.lead]
        return [Group(box([0.1, 0, 0.035], [0.11, 0.26, 0.035], colour if toe[2] < 2 else DARK), -0.3)]
    rail = box([0.12, 0, 0.07], [0.55, 0.025, 0.012], STEEL)
    flywheel = [part([[0.6, 0, 0.16]], 0.12, DARK), part([[0.6, 0.0, 0.16], 0.5 * (body.hands[1] + body.hands[-1])], 0.003, WHITE, line=True)]
    grip = rod(body.hands[1], body.hands[-1], 0.01, DARK)
    return [Group([*rail, *flywheel], -0.1), Group([grip], 0.1), Group(box([j[PELVIS][0], 0, j[PELVIS][2] - 0.085], [0.07, 0.08, 0.02], colour), -0.05)]


def _furniture(body: Body, name: str, colour: Paint, look: Look) -> list[Group]:
    """Tables, seats and what stands on them."""
    j = body.joints
    p = j[PELVIS]
    if name == "chair":
        return [Group(_seat(body, colour), -0.12)]
    if name == "chess":
        table = _table(np.array([p[0] + 0.42, 0, 0]), (0.16, 0.2), p[2] + 0.07, WOOD)
        pieces = [part([[p[0] + 0.32 + 0.05 * i, s * 0.07, p[2] + 0.09], [p[0] + 0.32 + 0.05 * i, s * 0.07, p[2] + 0.125]], [0.014, 0.009], WHITE if i % 2 else DARK)
                  for i in range(5) for s in (-1, 0, 1)]  # fmt: skip
        return [Group(_seat(body, colour), -0.12), Group(table, 0.12), Group(pieces, 0.2)]
    if name == "counter":
        c = [0.4, 0, 0.22]
        pan = [part([[0.36, -0.12 + 0.06 * np.cos(a), 0.47 + 0.0 * a] for a in np.arange(0, 6.3, 0.9)], 0.016, DARK), part([[0.36, 0.12, 0.46], [0.36, 0.12, 0.53]], 0.05, STEEL)]
        return [Group(box(c, [0.13, 0.42, 0.22], colour), 0.02), Group(pan, 0.05), Group([rod(body.hand("lead"), body.hand("lead") + [0.06, 0, -0.1], 0.008, WOOD)], 0.1)]
    if name == "bench":
        top = body.hand("lead")[2] - 0.06
        saw = part([body.hand("lead") - [0.03, 0, 0.02], body.hand("lead") + [0.24, 0, -0.04], body.hand("lead") + [0.0, 0, -0.05]], 0.008, STEEL)
        return [Group(_table(np.array([0.44, 0, 0]), (0.14, 0.32), min(top, 0.5), WOOD), 0.0), Group([saw], 0.1),
                Group([part([[0.4, -0.36, min(top, 0.5) + 0.03], [0.4, 0.36, min(top, 0.5) + 0.03]], 0.02, (206, 168, 112))], 0.03)]  # fmt: skip
    if name == "ironing":
        lead = body.hand("lead")
        board = [part([[0.3, -0.35, 0.47], [0.3, 0.3, 0.47], [0.4, -0.35, 0.47], [0.36, 0.42, 0.47]], 0.018, colour), rod([0.34, -0.2, 0.45], [0.34, 0.2, 0.0], 0.01, STEEL), rod([0.34, 0.2, 0.45], [0.34, -0.2, 0.0], 0.01, STEEL)]
        iron = part([[lead[0], lead[1], 0.52], [lead[0] + 0.09, lead[1], 0.5], [lead[0] - 0.02, lead[1], 0.5]], [0.02, 0.012, 0.02], WHITE)
        return [Group(board, 0.02), Group([iron], 0.1)]
    if name == "lounger":
        return [Group([part([p + [-0.28, s * 0.12, 0.2 - 0.06] if f else p + [0.42, s * 0.12, -0.1] for s in (-1, 1) for f in (0, 1)] + [p + [0, 0, -0.1]], 0.02, colour),
                       rod(p + [-0.15, 0, -0.1], [p[0] - 0.15, 0, 0], 0.015, WOOD), rod(p + [0.3, 0, -0.1], [p[0] + 0.3, 0, 0], 0.015, WOOD)], -0.3)]  # fmt: skip
    if name == "bed":
        return [Group([*box([0.08, 0, 0.08], [0.62, 0.2, 0.07], colour), *box([-0.42, 0, 0.17], [0.1, 0.14, 0.02], WHITE)], -0.5)]
    if name == "easel":
        c = np.array([0.42, 0.12 * body.lead, 0.72])
        sheet = part([c + [0.02 * u, s * 0.17, u * 0.22] for s in (-1, 1) for u in (-1, 1)], 0.008, WHITE, shine=False)
        marks = [part([c + [-0.01, s * 0.1, u], c + [-0.01, s * 0.02, u + 0.09]], 0.02, k, shine=False) for s, u, k in ((1, -0.1, colour), (-1, 0.0, look.second))]
        return [Group([rod(c, [0.5, -0.1, 0], 0.012, WOOD), rod(c, [0.38, 0.3, 0], 0.012, WOOD), sheet, *marks], -0.02)]
    c = [0.48, 0, 0.16]
    car = [*box(c, [0.2, 0.75, 0.1], colour), *box([0.48, -0.05, 0.33], [0.16, 0.42, 0.07], np.asarray(colour) * 0.9), part([[0.3, s * 0.16, 0.33 + u] for s in (-2, 1) for u in (-0.04, 0.04)], 0.01, (150, 185, 205))]
    wheels = [part([[0.28, s * 0.48, 0.09]], 0.09, RUBBER) for s in (-1, 1)]
    return [Group(car, -0.15), Group(wheels, -0.1), Group([part([body.hand("lead") + [0.02, 0, 0]], 0.04, (240, 215, 90))], 0.1)]


def _music(body: Body, name: str, colour: Paint) -> list[Group]:
    j = body.joints
    p, lead, trail, s = j[PELVIS], body.hand("lead"), body.hand("trail"), body.lead
    if name == "drums":
        front = np.array([p[0] + 0.42, 0, 0])
        drums = [part([front + [0.05, d, 0.16], front + [-0.06, d, 0.16]], r, colour) for d, r in ((0.0, 0.16),)]
        drums += [x for d, u in ((-0.22, 0.36), (0.2, 0.36), (-0.07, 0.42), (0.09, 0.42)) for x in box(front + [-0.08, d, u], [0.06, 0.07, 0.04], colour, 0.012)]
        cymbals = [part([front + [0, d, 0.6] + np.array([0.0, t, 0.02 * t]) for t in (-0.12, 0.12)], 0.008, (214, 180, 84)) for d in (-0.36, 0.36)]
        stands = [rod(front + [0, d, 0.6], front + [0, d, 0.0], 0.006, STEEL) for d in (-0.36, 0.36)]
        sticks = [rod(h, h + [0.14, 0, 0.05], 0.007, WOOD) for h in (lead, trail)]
        return [Group(_seat(body, DARK, 0), -0.12), Group([*stands, *cymbals, *drums], 0.1), Group(sticks, 0.2)]
    if name == "violin":
        chin = j[UPPER_NECK] + [0.04, s * 0.04, -0.02]
        way = (lead - chin) / np.linalg.norm(lead - chin)
        bow = trail - (trail - (chin + 0.1 * way)) * 1.8
        return [Group(_seat(body, colour), -0.12), Group([part([chin, chin + 0.12 * way], [0.04, 0.032], (150, 78, 36)), rod(chin, lead + 0.03 * way, 0.01, DARK)], 0.12), Group([rod(trail, bow, 0.004, WOOD)], 0.18)]
    if name == "guitar":
        belly = np.array([p[0] + 0.1, -s * 0.06, p[2] + 0.07])
        head = lead + (lead - belly) * 0.25
        return [Group([part([belly + [0, -s * 0.06, -0.02]], 0.085, colour), part([belly + [0, s * 0.05, 0.02]], 0.062, colour), rod(belly + [0.03, 0, 0], head, 0.014, WOOD), part([head], 0.022, DARK)], 0.06),
                Group([part([belly + [0.02, -s * 0.1, 0], j[THORAX] + [0, s * 0.06, 0]], 0.006, DARK, line=True)], 0.03)]  # fmt: skip
    if name == "piano":
        top = 0.5 * (lead[2] + trail[2]) - 0.03
        keys = [part([[p[0] + 0.36, d, top], [p[0] + 0.42, d, top]], 0.012, WHITE) for d in np.linspace(-0.3, 0.3, 9)]
        return [Group(_seat(body, DARK, 0), -0.12), Group([*box([p[0] + 0.56, 0, 0.3], [0.09, 0.4, 0.3], colour), *box([p[0] + 0.42, 0, top - 0.05], [0.09, 0.38, 0.03], colour), *keys], 0.0)]
    if name == "trumpet":
        mouth = j[UPPER_NECK] + [0.07, 0, 0.045]
        bell = mouth + (0.5 * (lead + trail) - mouth) * 1.4 + [0.14, 0, 0.03]
        return [Group([rod(mouth, bell, 0.011, (214, 176, 70)), part([bell, bell + [0.05, 0, 0]], [0.018, 0.042], (224, 188, 84))], 0.15)]
    stand = [rod([0.42, 0, 0.5], [0.42, 0, 0.0], 0.009, DARK), part([[0.4, d, u] for d in (-0.13, 0.13) for u in (0.5, 0.62)], 0.006, DARK)]
    return [Group([rod(lead, lead + _forearm(body, s) * 0.16, 0.005, WHITE)], 0.15), Group(stand, 0.1)]


def _worn(body: Body, name: str, colour: Paint, look: Look) -> list[Group]:
    """Backpack, race number, skates, dogs and other company."""
    j = body.joints
    if name == "backpack":
        mid = 0.5 * (j[PELVIS] + j[THORAX])
        up = (j[THORAX] - j[PELVIS]) / 0.29
        out = np.array([-up[2], 0, up[0]])
        pack = part([mid + out * 0.11 + up * u + [0, s * 0.06, 0] for u in (-0.1, 0.12) for s in (-1, 1)], 0.055, colour)
        roll = part([mid + out * 0.1 + up * 0.2 + [0, s * 0.1, 0] for s in (-1, 1)], 0.035, look.second)
        straps = [part([j[k] * 0.7 + j[THORAX] * 0.3 - out * d, mid - out * 0.05 + [0, 0.05 * k2, 0]], 0.011, colour) for k, k2, d in ((13, 1, 0.035), (12, -1, 0.035))]
        return [Group([pack, roll], -0.0), Group(straps, 0.02)]
    if name == "bib":
        c = 0.6 * j[THORAX] + 0.4 * j[PELVIS] + [0.065 * look.build, 0, 0]
        return [Group([part([c + [0, s * 0.05, u] for s in (-1, 1) for u in (-0.04, 0.04)], 0.004, WHITE, shine=False), part([c + [0.006, s * 0.03, 0] for s in (-1, 1)], 0.013, DARK, shine=False)], 0.02)]
    if name == "dog":
        dog = np.array([0.42, 0.22 * body.lead, 0.0])
        return [Group(_dog(dog, colour), 0.0), Group([part([body.hand("trail"), dog + [0.14, 0, 0.22]], 0.004, DARK, line=True)], 0.1)]
    if name == "dog_front":
        return [Group(_dog(np.array([0.5, 0, 0.0]), colour, -1.0), 0.0)]
    blades = [part([body.at("ankle", s) + [-0.04, 0, -0.05], body.toes[s] + [0.03, 0, -0.022]], 0.009, STEEL) for s in (1, -1)]
    return [Group(blades, 0.05)]


def _work(body: Body, name: str, colour: Paint) -> list[Group]:
    lead, along = _grip(body)
    if name == "box":
        c = 0.5 * (body.hands[1] + body.hands[-1]) + [0.06, 0, 0.03]
        return [Group(box(c, [0.1, 0.14, 0.09], np.asarray(colour) * 0.3 + np.array([130, 95, 55])), 0.03)]
    if name == "chainsaw":
        log = part([[0.5, -0.5, 0.12], [0.5, 0.5, 0.12]], 0.1, (112, 82, 54))
        return [Group([log], -0.05), Group([*box(lead + [-0.02, 0, -0.02], [0.06, 0.04, 0.04], (220, 110, 30)), part([lead + [0.05, 0, -0.03], lead + [0.3, 0, -0.1]], 0.022, STEEL)], 0.1)]
    if name == "hose":
        curve = [body.hand("trail") + [-0.25 * t, 0.1 * t, -0.42 * t] for t in (0, 0.5, 1.0)] + [np.array([-0.5, 0.2, 0.02])]
        jet = [lead + [0.12 + 0.5 * t, 0, 0.16 * t - 0.3 * t * t] for t in np.linspace(0, 1.6, 8)]
        return [Group([part([*curve[::-1], body.hand("trail"), lead], 0.014, (200, 150, 40), line=True), rod(lead, lead + [0.12, 0, 0.02], 0.018, STEEL)], 0.08), Group([part(jet, 0.012, (205, 225, 240), line=True)], 0.09)]
    if name == "bricks":
        rows = [box([0.46, (k - 1.5 + 0.5 * (r % 2)) * 0.15, 0.035 + 0.07 * r], [0.05, 0.07, 0.03], (176, 88, 64)) for r in range(3) for k in range(4 - r % 2)]
        return [Group([x for row in rows for x in row], -0.05), Group([part([lead, lead + [0.1, 0, -0.02]], [0.01, 0.02], STEEL)], 0.1)]
    if name == "hammer":
        way = _forearm(body, body.lead, 0.3)
        end = lead + 0.14 * way
        return [Group([rod(lead, end, 0.009, WOOD), part([end - [0.04, 0, 0], end + [0.04, 0, 0]], 0.018, DARK)], 0.1), Group(_table(np.array([0.44, 0, 0]), (0.12, 0.3), 0.38, WOOD), 0.0)]
    if name == "roller":
        return [Group([rod(lead, lead + [0.1, 0, 0.24], 0.008, STEEL), part([lead + [0.1, s * 0.07, 0.26] for s in (-1, 1)], 0.026, colour), *box([0.3, 0.35, 0.06], [0.06, 0.06, 0.06], colour)], 0.05)]
    if name == "shears":
        bush = [part([[0.62 + f, s, u]], r, (52 + 18 * k, 104 + 14 * k, 44)) for k, (f, s, u, r) in enumerate(((0, -0.2, 0.2, 0.2), (0.02, 0.2, 0.22, 0.21), (-0.03, 0, 0.42, 0.2), (0, 0.0, 0.16, 0.18)))]
        return [Group(bush, -0.1), Group([rod(lead, lead + [0.2, 0, 0.05], 0.01, STEEL), rod(body.hand("trail"), body.hand("trail") + [0.2, 0.0, 0.08], 0.01, STEEL)], 0.1)]
    if name == "plant":
        x = 0.4
        leaves = [part([[x, 0, 0.1], [x + 0.08 * np.cos(a), 0.1 * np.sin(a), 0.26]], [0.008, 0.022], (58, 132, 58)) for a in np.arange(0, 6, 1.2)]
        return [Group([part([[x, 0, 0.03], [x, 0, 0.1]], [0.05, 0.065], (176, 92, 58)), *leaves], 0.0)]
    mid = 0.5 * (body.hands[1] + body.hands[-1])
    deck = np.array([mid[0] + 0.36, 0, 0.1])
    wheels = [part([deck + [f, s * 0.12, -0.05]], 0.048, RUBBER) for f in (-0.12, 0.14) for s in (-1, 1)]
    return [Group([rod(mid + [0, s * 0.08, 0], deck + [-0.1, s * 0.1, 0.02], 0.01, STEEL) for s in (-1, 1)], 0.02), Group([*wheels, *box(deck, [0.16, 0.12, 0.05], colour), part([deck + [0.02, 0, 0.07]], 0.045, DARK)], 0.0)]


def _sport(body: Body, name: str, colour: Paint, phase: float) -> list[Group]:
    lead, trail = body.hand("lead"), body.hand("trail")
    if name == "ball_foot":
        at = body.toes[body.lead] + [0.1 + 0.25 * phase, 0, 0.03 * phase]
        return [Group([part([[at[0], at[1], max(0.06, at[2])]], 0.06, WHITE), part([[at[0] + 0.02, at[1], max(0.06, at[2]) + 0.01]], 0.02, DARK)], 0.05)]
    if name == "ball_hand":
        return [Group([part([0.5 * (lead + trail) + [0.05, 0, 0.06]], 0.07, (214, 116, 48))], 0.08)]
    if name == "rope":
        top = 1.0 if phase > 0.5 else -0.1
        middle = [np.array([0.1 * np.sin(a * 2), body.lead * 0.42 * np.cos(a), 0.5 + (top - 0.5) * np.sin(a) * 1.1]) for a in np.linspace(0.3, np.pi - 0.3, 15)]
        return [Group([part([lead, *middle, trail], 0.008, colour, line=True)], 0.2 if top < 0 else -0.2)]
    holds = [part([[0.16, s, u]], 0.022 + 0.012 * ((k * 7) % 3), [colour, (232, 190, 60), (70, 150, 200), (210, 80, 70)][k % 4])
             for k, (s, u) in enumerate((a + 0.13 * (b % 2), b * 0.21) for b in range(9) for a in (-0.75, -0.45, -0.15, 0.15, 0.45, 0.7))]  # fmt: skip
    rope = part([body.joints[PELVIS] + [0.05, 0, 0], [0.12, 0.05, 2.6]], 0.005, (230, 90, 60), line=True)
    return [Group(holds, -1.0), Group([rope], 0.05)]


_KINDS: dict[str, tuple[str, ...]] = {
    "tool": ("shovel", "vacuum", "rake", "broom", "mop"),
    "hand": ("racket", "club", "bat", "axe", "rifle", "bow", "rod", "rod_water"),
    "vehicle": ("mountain_bike", "road_bike", "bmx", "exercise_bike", "unicycle", "skateboard", "surfboard", "snowboard", "sup", "windsurf",
                "sled", "kayak", "boat"),
    "gym": ("mat", "dumbbells", "barbell", "fitball", "stepper", "rower"),
    "furniture": ("chair", "chess", "counter", "bench", "ironing", "lounger", "bed", "easel", "car"),
    "music": ("drums", "violin", "guitar", "piano", "trumpet", "baton"),
    "worn": ("backpack", "bib", "dog", "dog_front", "skates"),
    "work": ("box", "chainsaw", "hose", "bricks", "hammer", "roller", "shears", "plant", "mower"),
    "sport": ("ball_foot", "ball_hand", "rope", "holds"),
}  # fmt: skip
_KIND = {name: kind for kind, names in _KINDS.items() for name in names}


def build_prop(name: str, body: Body, colour: Paint, look: Look, phase: float) -> list[Group]:
    """Groups of one prop for a posed body; [] for "none" and for water, which the scene draws.

    A body that leads with its right is served by the mirror image of what its mirror image gets.
    """
    if body.lead > 0:
        return _build(name, body, colour, look, phase)
    groups = _build(name, body.mirrored(), colour, look, phase)
    for group in groups:
        for p in group.parts:
            p.points = p.points * [1, -1, 1]
    return groups


def _build(name: str, body: Body, colour: Paint, look: Look, phase: float) -> list[Group]:
    kind = _KIND.get(name, "")
    if kind == "tool":
        return [Group(_tool(body, name, colour), 0.1)]
    if kind == "hand":
        jetty = [Group(box([-0.02, 0, -0.025], [0.24, 0.34, 0.02], WOOD), -1.0)] if name == "rod" else []
        return [*jetty, Group(_hand_prop(body, "rod" if name == "rod_water" else name, colour), 0.12)]
    if kind == "vehicle":
        return _vehicle(body, name, colour)
    if kind == "gym":
        return _gym(body, name, colour)
    if kind == "furniture":
        return _furniture(body, name, colour, look)
    if kind == "music":
        return _music(body, name, colour)
    if kind == "worn":
        return _worn(body, name, colour, look)
    if kind == "work":
        return _work(body, name, colour)
    if kind == "sport":
        return _sport(body, name, colour, phase)
    if name == "horse":
        return _horse(body, colour)
    if name == "skis":
        return [Group(_skis(body, colour, 0.42, 0.32), -0.25), Group(_poles(body, 0.5), 0.05)]
    if name == "poles":
        return [Group(_poles(body, 0.12), 0.05)]
    return []
