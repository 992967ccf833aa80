"""One frame of one video: people, things and light put together, and what is known about every joint."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_lib.datasets.sample.activities import POSES, Activity
from mpii_lib.datasets.sample.canvas import Camera, Canvas, Floats
from mpii_lib.datasets.sample.figure import BODY_PARTS, HEAD, HEAD_TOP, PELVIS, THORAX, UPPER_NECK, Body, Look, dress, pose_body, random_look
from mpii_lib.datasets.sample.props import build_prop
from mpii_lib.datasets.sample.scene import WATER, draw_background, draw_crowd

MOST_PEOPLE = 5
_OWNERS = len(BODY_PARTS) + 1  # numbers of one person in the owner map: its parts and its thing
CROWD, SURFACE = 250, 251
_MARGIN = 1.3  # the background is larger than the picture: the camera pans and zooms within a video

# The parts that meet in a joint; a joint is visible when one of them is on top at its pixel.
_ARM = {10: ("forearm", "hand"), 11: ("upper arm", "forearm"), 12: ("upper arm", "torso")}
_LEG = {0: ("shin", "foot"), 1: ("thigh", "shin"), 2: ("thigh", "pelvis", "torso", "skirt")}
_MIDDLE = {6: ("pelvis", "torso", "skirt"), 7: ("torso", "neck"), 8: ("neck", "head", "hair", "torso"), 9: ("head", "hair", "hat")}
_PARTS: dict[int, tuple[str, ...]] = dict(_MIDDLE)
for _joint, _names in {**_ARM, **_LEG}.items():
    for _side, _index in (("right", _joint), ("left", 5 - _joint if _joint < 6 else 25 - _joint)):
        _PARTS[_index] = tuple(n if n in BODY_PARTS else f"{_side} {n}" for n in _names)


@dataclass(frozen=True)
class Actor:
    """One person of a video: look, place and motion. `x`, `y` (of the ground point) and `scale` are parts of the picture's height."""

    activity: Activity | None  # None: stands by
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


@dataclass(frozen=True)
class Video:
    """All that the frames of one video share. `mirrored` shows the same scene seen in a mirror, drawn anew."""

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
    camera: Floats  # phases and speeds of pan, tilt, zoom and of the exposure
    crowd: bool
    mirror: bool = False

    def mirrored(self, aspect: float) -> Video:
        """The mirror image: every person faces the other way and leads with the other side; `aspect` = width / height."""
        actors = tuple(replace(a, x=aspect - a.x, yaw=-a.yaw, swing=-a.swing, lead=-a.lead) for a in self.actors)
        return replace(self, actors=actors, light=(-self.light[0], self.light[1]), shadow=(-self.shadow[0], *self.shadow[1:]), mirror=not self.mirror)


@dataclass(frozen=True)
class Truth:
    """What is known about one person of a picture; pixels, 0-based pixel centres.

    `joints` (16, 2) with NaN outside the picture, `visible` (16,) bool, `face` (5, 2) nose, eyes, ears with `face_state` (5,) 0/1/2,
    `head` x1 y1 x2 y2, `centre`, `height` of the upright person, `mask` (H, W) bool of its visible pixels.
    """

    joints: Floats
    visible: NDArray[np.bool_]
    face: Floats
    face_state: NDArray[np.int64]
    head: Floats
    centre: Floats
    height: float
    mask: NDArray[np.bool_]
    stands_by_unmarked: bool = False  # seen, but nobody marked its joints


@dataclass(frozen=True)
class Frame:
    """A picture (H, W, 3) uint8 RGB, its people, and the mask of a crowd in the background (or None)."""

    image: NDArray[np.uint8]
    people: list[Truth] = field(default_factory=list)
    crowd: NDArray[np.bool_] | None = None


def _pose(activity: Activity | None, moment: float) -> Floats:
    """The pose between an activity's two key poses; "~" swaps the sides of the second."""
    first, second = activity.poses if activity else ("stand", "talk")
    a, b = POSES[first], POSES[second.rstrip("~")]
    if second.endswith("~"):
        b = np.concatenate([b[:2], b[5:8], b[2:5], b[12:16], b[8:12]])
    return a + moment * (b - a)


def _body(actor: Actor, time: float) -> tuple[Body, float]:
    phase = actor.phase + actor.speed * time
    moment = 0.5 - 0.5 * np.cos(phase)
    pose = _pose(actor.activity, moment) + actor.offset * (1 + 0.25 * np.sin(phase * 0.7))
    lift = actor.activity.lift if actor.activity else 0.0
    return pose_body(pose, actor.lead, actor.turn + 6 * np.sin(phase * 0.5), lift, actor.look.hips), moment


def _yaw(rng: np.random.Generator, wish: str) -> float:
    sign = rng.choice([-1, 1])
    if wish == "side":
        return float(sign * rng.uniform(55, 112))
    if wish == "front":
        return float(sign * rng.uniform(0, 42))
    if wish == "back":
        return float(sign * rng.uniform(138, 180))
    return float(sign * (rng.uniform(8, 118) if rng.random() < 0.86 else rng.uniform(118, 180)))


def _spread(activity: Activity) -> Floats:
    """Standard deviation of each of the sixteen angles, in degrees."""
    arms = 1.25 if activity.prop in ("none", "chair", "skates") else 0.7
    return activity.sd * np.array([0.6, 0.8, 0.8, 0.8, 0.5, 0.8, 0.8, 0.5, arms, arms, 0.6, 0.5, arms, arms, 0.6, 0.5])


def _actor(rng: np.random.Generator, activity: Activity | None, of: Activity) -> Actor:
    offset = rng.normal(0, 1, 16) * _spread(of)
    return Actor(
        activity=activity, look=random_look(rng, of.wear), lead=int(rng.choice([-1, 1])), yaw=_yaw(rng, of.yaw if activity else "any"),
        x=0.0, y=0.0, scale=1.0, turn=float(rng.normal(0, 18)), offset=offset, phase=float(rng.uniform(0, 2 * np.pi)),
        speed=float(rng.uniform(0.25, 0.7)), swing=float(rng.normal(0, 9)),
        colour=tuple(float(c) for c in rng.uniform(25, 235, 3)),
    )  # fmt: skip


def _place(rng: np.random.Generator, actors: list[Actor], activity: Activity, pitch: float, horizon: float, aspect: float) -> tuple[Actor, ...]:
    """Choose scale and place so that the first person fills the picture well; the others stand beside it, the smaller the farther."""
    first = actors[0]
    body, _ = _body(first, 0)
    flat = Camera(first.yaw, pitch, 1.0, 0.0, 0.0).project(body.joints * first.look.height)
    low, high = flat.min(0), flat.max(0)
    wide, tall = high[0] - low[0] + 0.12, high[1] - low[1] + 0.1
    people = len(actors)
    room = rng.uniform(0.55, 0.86) * (1.0 if people == 1 else 0.86)
    scale = min(room / tall, room * aspect * 0.92 / (wide + 0.3 * (people - 1)), 1.05)
    middle = 0.53
    if rng.random() < 0.1:  # so near that the picture cuts the person
        scale, middle = scale * rng.uniform(1.2, 1.55), rng.uniform(0.58, 0.8)
    y = middle - scale * (low[1] + high[1]) / 2 + rng.normal(0, 0.025)
    level = _waterline(first.activity, body)
    y = max(y, horizon + 0.1 + (level or 0.0) * scale)
    x = aspect * rng.uniform(0.4, 0.6) if people == 1 else aspect * rng.uniform(0.26, 0.4)
    x -= scale * (low[0] + high[0]) / 2
    placed = [replace(first, x=x, y=y, scale=scale)]
    for actor in actors[1:]:
        if activity.people == "pair":  # face to face
            near = 0.3 * scale
            sin_yaw, cos_yaw = np.sin(np.deg2rad(first.yaw)), np.cos(np.deg2rad(first.yaw))
            placed.append(replace(actor, yaw=first.yaw + 180, x=x + near * sin_yaw, y=y + near * cos_yaw * np.sin(np.deg2rad(pitch)) + 0.004 * cos_yaw,
                                  scale=scale, phase=first.phase, speed=first.speed, lead=-first.lead))  # fmt: skip
            continue
        size = scale * rng.uniform(0.72, 1.0)
        x += scale * rng.uniform(0.28, 0.75) * max(0.8, wide)
        placed.append(replace(actor, x=x, y=max(horizon + 0.08, y - (scale - size) * rng.uniform(0.2, 0.5)), scale=size))
    return tuple(sorted(placed, key=lambda a: a.y))


def random_video(activity: Activity, seed: np.random.SeedSequence, aspect: float = 4 / 3) -> Video:
    """Draw all that the frames of one video share: scene, camera, light and people."""
    rng = np.random.default_rng(seed)
    scene = activity.scenes[0] if rng.random() < 0.65 else str(rng.choice(activity.scenes))
    pitch = float(rng.choice([rng.uniform(0, 8), rng.uniform(4, 16), rng.uniform(12, 28)]))
    horizon = float(np.clip(0.56 - pitch / 62 + rng.normal(0, 0.05), 0.06, 0.68))
    if scene == "rock":
        horizon = 0.9
    number = {"": int(rng.choice([1, 2, 3], p=[0.62, 0.26, 0.12])), "pair": 2}.get(activity.people) or int(activity.people)
    if activity.people == "2":
        number = int(rng.choice([2, 2, 3]))
    actors = [_actor(rng, activity, activity)]
    for _ in range(number - 1):
        by_stands = activity.people != "pair" and rng.random() < 0.18
        actors.append(_actor(rng, None if by_stands else activity, activity))
    placed = _place(rng, actors, activity, pitch, min(horizon, 0.7) if scene != "rock" else 0.0, aspect)
    sun = float(rng.uniform(-1, 1))
    inside = scene in ("gym", "room", "stage", "court", "rink", "pool", "site")
    tone = np.array([1.0, 1.0, 1.0]) * rng.uniform(0.78, 1.16) * (1 + rng.normal(0, 0.05) * np.array([1, 0.1, -1]))
    return Video(
        activity=activity, scene=scene, horizon=horizon, pitch=pitch, actors=placed, seed=int(rng.integers(1 << 62)),
        light=(0.9 * sun, -0.75), shadow=(-0.55 * sun * (0.4 if inside else 1), float(rng.uniform(-0.05, 0.1)), 0.34 if inside else 0.48),
        tone=tone, noise=float(rng.uniform(1.5, 6.5)), camera=np.stack([rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.3, 0.9, 4)]),
        crowd=bool(scene in ("court", "stage", "street", "rink", "snow", "park") and 0.12 < horizon < 0.6 and rng.random() < 0.16),
    )  # fmt: skip


def _shadow(canvas: Canvas, video: Video, bodies: list[tuple[Body, Camera]]) -> None:
    """Darken the ground: under the feet, and where the body keeps the light away."""
    height, width = canvas.owner.shape
    mask = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
    for body, camera in bodies:
        foot = camera.project(body.joints * [1, 1, 0])[:, :2]
        cast = (foot + body.joints[:, 2:] * camera.scale * np.array(video.shadow[:2])) / 4
        unit = camera.scale / 4
        for a, b, w in ((0, 1, 0.06), (1, 2, 0.09), (5, 4, 0.06), (4, 3, 0.09), (6, 7, 0.18), (8, 9, 0.1), (12, 11, 0.05), (11, 10, 0.04), (13, 14, 0.05), (14, 15, 0.04)):
            cv2.line(mask, _int(cast[a]), _int(cast[b]), 190, max(1, int(w * unit)))
        for a in np.flatnonzero(body.joints[:, 2] < 0.12):
            cv2.ellipse(mask, _int(foot[a] / 4), (max(1, int(0.1 * unit)), max(1, int(0.035 * unit))), 0, 0, 360, 255, -1)
    blur = max(3, int(height / 4 * 0.025) | 1)
    mask = cv2.GaussianBlur(mask, (blur, blur), 0)
    keep = cv2.resize(255 - (mask * video.shadow[2]).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(canvas.image, cv2.merge([keep] * 3), canvas.image, 1 / 255)


def _int(point: Floats) -> tuple[int, int]:
    return int(np.clip(point[0], -4000, 4000)), int(np.clip(point[1], -4000, 4000))


def _waterline(activity: Activity | None, body: Body) -> float | None:
    """Height above the ground up to which a person is in the water."""
    prop = activity.prop if activity else ""
    if prop == "water_deep":
        return float(0.7 * body.joints[PELVIS, 2] + 0.3 * body.joints[THORAX, 2] - 0.02)
    if prop == "water_chest":
        return float(body.joints[THORAX, 2] - 0.1)
    return 0.42 if prop == "rod_water" else None


def _flood(canvas: Canvas, background: NDArray[np.uint8], camera: Camera, body: Body, level: float, scene: str) -> None:
    """Cover what is below the water's surface."""
    where = camera.project(body.joints * [1, 1, 0] + [0, 0, level])
    y = int(np.clip(where[:, 1].mean(), 0, canvas.owner.shape[0] - 1))
    if scene in WATER:
        water = background[y:]
    else:  # a stream in the wood
        water = (0.4 * background[y:] + np.array([30, 52, 58])).astype(np.uint8)
    canvas.image[y:] = cv2.addWeighted(water, 0.7, canvas.image[y:], 0.3, 0)
    rows = canvas.owner[y:]
    rows[rows > 0] = SURFACE
    span = int(max(4, 0.55 * (where[:, 0].max() - where[:, 0].min()) + 0.06 * camera.scale))
    centre = (int(where[:, 0].mean()), y)
    for grow, light in ((1.0, 225), (1.25, 200)):
        cv2.ellipse(canvas.image, centre, (int(span * grow), max(1, int(0.035 * camera.scale * grow))), 0, 0, 360, (light, light + 10, light + 14), 1, cv2.LINE_AA)


def _finish(image: NDArray[np.uint8], video: Video, exposure: float, rng: np.random.Generator) -> None:
    """Exposure, colour of the light and grain, in place."""
    table = np.clip(np.arange(256)[:, None] * video.tone * exposure, 0, 255).astype(np.uint8)
    cv2.LUT(image, np.ascontiguousarray(table[None]), image)
    height, width = image.shape[:2]
    tile = rng.standard_normal((96, 128), np.float32) * video.noise * min(1.0, width / 640)
    grain = np.tile(tile, (height // 96 + 1, width // 128 + 1))[:height, :width]
    if video.mirror:
        grain = grain[:, ::-1]
    cv2.add(image, cv2.merge([np.ascontiguousarray(grain)] * 3), image, dtype=cv2.CV_8U)


def _truth(canvas: Canvas, body: Body, camera: Camera, index: int) -> Truth:
    """Look up in the owner map which joints are really to be seen."""
    height, width = canvas.owner.shape
    first = 1 + index * _OWNERS
    points = camera.project(body.joints)
    joints = points[:, :2]
    inside = ((joints >= -0.5) & (joints < [width - 0.5, height - 0.5])).all(1)
    pixel = np.clip(np.round(joints), 0, [width - 1, height - 1]).astype(int)
    top = canvas.owner[pixel[:, 1], pixel[:, 0]]
    visible = np.zeros(16, bool)
    for j in range(16):
        own = [first + BODY_PARTS.index(n) for n in _PARTS[j]]
        visible[j] = inside[j] and top[j] in own
    depth = points[:, 2] - 0.5 * (points[PELVIS, 2] + points[THORAX, 2])
    behind = {first + BODY_PARTS.index(n) for n in ("torso", "pelvis", "skirt")}
    for j in (2, 3, 12, 13):  # on the far side of one's own body
        visible[j] &= not (top[j] in behind and depth[j] - depth[[2, 3, 12, 13]].mean() < -0.045)
    centre = body.joints[UPPER_NECK] + 0.5 * HEAD * body.crown
    side = np.cross(body.crown, body.face)
    where = np.array([centre + 0.062 * body.face - 0.012 * body.crown, *(centre + 0.05 * body.face + s * 0.02 * side + 0.01 * body.crown for s in (1, -1)),
                      *(centre + s * 0.053 * side for s in (1, -1))])  # fmt: skip
    face = camera.project(where)
    middle = camera.project(centre)[0]
    mine = [first + BODY_PARTS.index(n) for n in ("head", "hair", "hat")]
    state = np.zeros(5, np.int64)
    for k, (x, y, z) in enumerate(face):
        if 0 <= x < width - 0.5 and 0 <= y < height - 0.5 and z > middle[2] - (0.0 if k < 3 else 0.03):
            state[k] = 2 if canvas.owner[round(y), round(x)] in mine[:1] else 1
    skull = camera.project([centre + 0.5 * HEAD * s * body.crown for s in (1, -1)] + [centre + s * 0.05 * d for s in (1, -1) for d in (side, body.face)])
    owners = canvas.owner
    return Truth(
        joints=np.where(inside[:, None], joints, np.nan), visible=visible, face=face[:, :2], face_state=state,
        head=np.r_[skull[:, :2].min(0), skull[:, :2].max(0)], centre=(joints.min(0) + joints.max(0)) / 2,
        height=camera.scale, mask=(owners >= first) & (owners < first + len(BODY_PARTS)),
    )  # fmt: skip


class VideoRenderer:
    """Draws the frames of one video at one size (width, height); the background is drawn once."""

    def __init__(self, video: Video, size: tuple[int, int]) -> None:
        self.video, self.size = video, size
        large = (round(size[0] * _MARGIN), round(size[1] * _MARGIN))
        self._background = draw_background(video.scene, video.horizon, np.random.default_rng([video.seed, 0]), large)
        if video.mirror:
            self._background = np.ascontiguousarray(self._background[:, ::-1])

    def frame(self, time: int, truth: bool = True) -> Frame:
        """Draw the frame at `time` (0, 1, ...); without `truth` only the picture."""
        video, (width, height) = self.video, self.size
        sway = np.sin(video.camera[0] + video.camera[1] * time)
        if video.mirror:
            sway[0] = -sway[0]
        large = np.array(self._background.shape[1::-1])
        zoom = 1.1 + 0.1 * sway[2]  # of the people against their place, and so of the background
        window = large / _MARGIN / zoom
        corner = (large - window) / 2 * (1 + 0.55 * sway[:2])
        crop = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
        background = cv2.warpAffine(self._background, crop, self.size, flags=cv2.INTER_LINEAR)
        canvas = Canvas(background.copy(), video.light)
        if video.crowd:
            self._crowd(canvas, round((video.horizon * large[1] - corner[1]) * zoom))
        shift = (large - [width, height]) / 2
        posed = []
        for actor in video.actors:
            body, moment = _body(actor, time)
            scale = actor.scale * actor.look.height * height * zoom
            x, y = (np.array([actor.x, actor.y]) * height + shift - corner) * zoom
            camera = Camera(actor.yaw + actor.swing * float(np.sin(actor.phase + 0.4 * time)), video.pitch, scale, x - 0.5, y - 0.5)
            posed.append((actor, body, moment, camera))
        if video.scene not in WATER and video.scene != "rock":
            _shadow(canvas, video, [(body, camera) for _, body, _, camera in posed])
        for index, (actor, body, moment, camera) in enumerate(posed):
            owners = {name: 1 + index * _OWNERS + k for k, name in enumerate((*BODY_PARTS, ""))}
            prop = build_prop(actor.activity.prop, body, actor.colour, actor.look, moment) if actor.activity else []
            canvas.groups([*dress(body, actor.look), *prop], camera, owners)
            level = _waterline(actor.activity, body)
            if level is not None:
                _flood(canvas, background, camera, body, level, video.scene)
        _finish(canvas.image, video, 1 + 0.07 * sway[3], np.random.default_rng([video.seed, 1, time]))
        if not truth:
            return Frame(canvas.image)
        people = [
            replace(_truth(canvas, body, camera, index), stands_by_unmarked=actor.activity is None and actor.lead > 0)
            for index, (actor, body, _, camera) in enumerate(posed)
        ]
        return Frame(canvas.image, people, canvas.owner == CROWD if video.crowd else None)

    def _crowd(self, canvas: Canvas, line: int) -> None:
        image, owner = (np.ascontiguousarray(a[:, ::-1]) if self.video.mirror else a for a in (canvas.image, canvas.owner))
        draw_crowd(image, owner, np.random.default_rng([self.video.seed, 2]), line, CROWD)
        if self.video.mirror:
            canvas.image[:], canvas.owner[:] = image[:, ::-1], owner[:, ::-1]
