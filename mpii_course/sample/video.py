"""A video before it is drawn: who does what, where, under which light, and how camera and people move."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mpii_course.sample.activities import POSES, Activity
from mpii_course.sample.canvas import Camera, Floats
from mpii_course.sample.figure import PELVIS, THORAX, Body, Look, pose_body, random_look

_INDOORS = ("gym", "room", "stage", "court", "rink", "pool", "site")
_WITH_ONLOOKERS = ("court", "stage", "street", "rink", "snow", "park")
_FIRST_SCENE = 0.65  # how often an activity is at its first place, and not at any of its places


@dataclass(frozen=True)
class Actor:
    """One person of a video: look, place and motion.

    `x`, `y` (of the ground point) and `scale` are parts of the image's height; `offset` (16,) is how the person's
    angles differ from the activity's; an actor without an activity stands by.
    """

    activity: Activity | None
    look: Look
    lead: int
    yaw: float
    x: float
    y: float
    scale: float
    turn: float
    offset: Floats
    phase: float
    speed: float
    swing: float
    colour: tuple[float, ...]

    def body(self, time: float) -> tuple[Body, float]:
        """The body at a time, and how far it is from the first key pose (0) to the second (1)."""
        phase = self.phase + self.speed * time
        moment = 0.5 - 0.5 * np.cos(phase)
        pose = _pose(self.activity, moment) + self.offset * (1 + 0.25 * np.sin(phase * 0.7))
        lift = self.activity.lift if self.activity else 0.0
        return pose_body(pose, self.lead, self.turn + 6 * np.sin(phase * 0.5), lift, self.look.hips), moment

    def waterline(self, body: Body) -> float | None:
        """Height above the ground up to which the person is in the water; None on land."""
        prop = self.activity.prop if self.activity else ""
        if prop == "water_deep":
            return float(0.7 * body.joints[PELVIS, 2] + 0.3 * body.joints[THORAX, 2] - 0.02)
        if prop == "water_chest":
            return float(body.joints[THORAX, 2] - 0.1)
        return 0.42 if prop == "rod_water" else None


@dataclass(frozen=True)
class Video:
    """All that the frames of one video share.

    `camera` holds the phases and speeds of pan, tilt, zoom and exposure; `shadow` how far right, how far down and how
    dark shadows fall; with `mirror` the place is shown in a mirror.
    """

    activity: Activity
    scene: str
    horizon: float
    pitch: float
    actors: tuple[Actor, ...]
    seed: int
    light: tuple[float, float]
    shadow: tuple[float, float, float]
    tone: Floats
    noise: float
    camera: Floats
    crowd: bool
    mirror: bool = False

    def mirrored(self, aspect: float) -> Video:
        """The same scene in a mirror, drawn anew: all face the other way and lead with the other side.

        `aspect` is the image's width / height.
        """
        actors = tuple(replace(a, x=aspect - a.x, yaw=-a.yaw, swing=-a.swing, lead=-a.lead) for a in self.actors)
        light, shadow = (-self.light[0], self.light[1]), (-self.shadow[0], *self.shadow[1:])
        return replace(self, actors=actors, light=light, shadow=shadow, mirror=not self.mirror)


def _pose(activity: Activity | None, moment: float) -> Floats:
    """The pose between an activity's two key poses; "~" swaps the sides of the second."""
    first, second = activity.poses if activity else ("stand", "talk")
    a, b = POSES[first], POSES[second.rstrip("~")]
    if second.endswith("~"):
        b = np.concatenate([b[:2], b[5:8], b[2:5], b[12:16], b[8:12]])
    return a + moment * (b - a)


def _yaw(rng: np.random.Generator, wish: str) -> float:
    sign = rng.choice([-1, 1])
    if wish in ("side", "front", "back"):
        return float(sign * rng.uniform(*{"side": (55, 112), "front": (0, 42), "back": (138, 180)}[wish]))
    return float(sign * (rng.uniform(8, 118) if rng.random() < 0.86 else rng.uniform(118, 180)))


def _spread(activity: Activity) -> Floats:
    """Standard deviation of each of the sixteen angles, in degrees; hands that hold a thing vary less."""
    arms = 1.25 if activity.prop in ("none", "chair", "skates") else 0.7
    legs = [0.8, 0.8, 0.5, 0.8, 0.8, 0.5]
    return activity.sd * np.array([0.6, 0.8, *legs, arms, arms, 0.6, 0.5, arms, arms, 0.6, 0.5])


def _actor(rng: np.random.Generator, of: Activity, stands_by: bool) -> Actor:
    offset = rng.normal(0, 1, 16) * _spread(of)
    return Actor(
        activity=None if stands_by else of,
        look=random_look(rng, of.wear),
        lead=int(rng.choice([-1, 1])),
        yaw=_yaw(rng, "any" if stands_by else of.yaw),
        x=0.0,
        y=0.0,
        scale=1.0,
        turn=float(rng.normal(0, 18)),
        offset=offset,
        phase=float(rng.uniform(0, 2 * np.pi)),
        speed=float(rng.uniform(0.25, 0.7)),
        swing=float(rng.normal(0, 9)),
        colour=tuple(float(c) for c in rng.uniform(25, 235, 3)),
    )


def _place(rng: np.random.Generator, actors: list[Actor], pitch: float, horizon: float, aspect: float) -> list[Actor]:
    """Choose scale and place: the first fills the image well, the others stand beside, smaller when farther."""
    first, *others = actors
    body, _ = first.body(0)
    flat = Camera(first.yaw, pitch, 1.0, 0.0, 0.0).project(body.joints * first.look.height)
    low, high = flat.min(0), flat.max(0)
    wide, tall = high[0] - low[0] + 0.12, high[1] - low[1] + 0.1
    room = rng.uniform(0.55, 0.86) * (0.86 if others else 1.0)
    scale, middle = min(room / tall, room * aspect * 0.92 / (wide + 0.3 * len(others)), 1.05), 0.53
    if rng.random() < 0.1:  # so near that the border cuts the person
        scale, middle = scale * rng.uniform(1.2, 1.55), rng.uniform(0.58, 0.8)
    y = middle - scale * (low[1] + high[1]) / 2 + rng.normal(0, 0.025)
    y = max(y, horizon + 0.1 + (first.waterline(body) or 0.0) * scale)
    x = aspect * (rng.uniform(0.26, 0.4) if others else rng.uniform(0.4, 0.6))
    x -= scale * (low[0] + high[0]) / 2
    placed = [replace(first, x=x, y=y, scale=scale)]
    for actor in others:
        if actor.activity and actor.activity.people == "pair":
            placed.append(_partner(placed[0], actor, pitch))
            continue
        size = scale * rng.uniform(0.72, 1.0)
        x += scale * rng.uniform(0.28, 0.75) * max(0.8, wide)
        ground = max(horizon + 0.08, y - (scale - size) * rng.uniform(0.2, 0.5))
        placed.append(replace(actor, x=x, y=ground, scale=size))
    return sorted(placed, key=lambda a: a.y)


def _partner(first: Actor, actor: Actor, pitch: float) -> Actor:
    """Face to face with the first person, in step with it."""
    near, yaw = 0.3 * first.scale, np.deg2rad(first.yaw)
    x = first.x + near * np.sin(yaw)
    y = first.y + (near * np.sin(np.deg2rad(pitch)) + 0.004) * np.cos(yaw)
    there = replace(actor, yaw=first.yaw + 180, x=x, y=y, scale=first.scale)
    return replace(there, phase=first.phase, speed=first.speed, lead=-first.lead)


def _number(rng: np.random.Generator, people: str) -> int:
    some, two_or_three = int(rng.choice([1, 2, 3], p=[0.62, 0.26, 0.12])), [2, 2, 3]
    if people == "2":
        return int(rng.choice(two_or_three))
    return {"": some, "pair": 2}.get(people) or int(people)


def random_video(activity: Activity, seed: np.random.SeedSequence, aspect: float = 4 / 3) -> Video:
    """Draw by lot all that the frames of one video share: place, camera, light and people.

    Parameters
    ----------
    activity
        What the people do.
    seed
        Decides on everything.
    aspect
        Width / height of the images.
    """
    rng = np.random.default_rng(seed)
    scene = activity.scenes[0] if rng.random() < _FIRST_SCENE else str(rng.choice(activity.scenes))
    pitch = float(rng.choice([rng.uniform(0, 8), rng.uniform(4, 16), rng.uniform(12, 28)]))
    horizon = float(np.clip(0.56 - pitch / 62 + rng.normal(0, 0.05), 0.06, 0.68))
    if scene == "rock":
        horizon = 0.9
    number = _number(rng, activity.people)
    actors = [_actor(rng, activity, False)]
    for _ in range(number - 1):
        actors.append(_actor(rng, activity, activity.people != "pair" and rng.random() < 0.18))
    placed = _place(rng, actors, pitch, 0.0 if scene == "rock" else min(horizon, 0.7), aspect)
    sun = float(rng.uniform(-1, 1))
    inside = scene in _INDOORS
    warmth = np.array([1, 0.1, -1])
    return Video(
        activity=activity,
        scene=scene,
        horizon=horizon,
        pitch=pitch,
        actors=tuple(placed),
        tone=rng.uniform(0.78, 1.16) * (1 + rng.normal(0, 0.05) * warmth),
        seed=int(rng.integers(1 << 62)),
        light=(0.9 * sun, -0.75),
        shadow=(-0.55 * sun * (0.4 if inside else 1), float(rng.uniform(-0.05, 0.1)), 0.34 if inside else 0.48),
        noise=float(rng.uniform(1.5, 6.5)),
        camera=np.stack([rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.3, 0.9, 4)]),
        crowd=scene in _WITH_ONLOOKERS and 0.12 < horizon < 0.6 and bool(rng.random() < 0.16),
    )
