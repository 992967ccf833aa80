"""One frame of one video: place, people, things and light put together."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.canvas import Camera, Canvas, Floats, Image
from mpii_course.sample.figure import BODY_PARTS, Body, dress
from mpii_course.sample.props import build_prop
from mpii_course.sample.scene import WATER, draw_background, draw_crowd
from mpii_course.sample.truth import OWNERS, Truth, look_up
from mpii_course.sample.video import Actor, Video

_CROWD, _SURFACE = 250, 251  # in the owner map, above the numbers of all people
_MARGIN = 1.3  # the background is larger than the image: the camera pans and zooms within a video

# Two joints and the width of the shadow that the limb between them casts.
_SHADOWS = (
    *((0, 1, 0.06), (1, 2, 0.09), (5, 4, 0.06), (4, 3, 0.09), (6, 7, 0.18), (8, 9, 0.1)),
    *((12, 11, 0.05), (11, 10, 0.04), (13, 14, 0.05), (14, 15, 0.04)),
)


@dataclass(frozen=True)
class Frame:
    """An image (H, W, 3) uint8 RGB, its people, and the mask (H, W) of a crowd in the background, or None."""

    image: Image
    people: list[Truth] = field(default_factory=list)
    crowd: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Posed:
    """An actor at one moment, as the camera sees it; `moment` goes from 0 (first key pose) to 1 (second)."""

    actor: Actor
    body: Body
    moment: float
    camera: Camera


class VideoRenderer:
    """Draws the frames of one video at one size (width, height); the place is drawn once."""

    def __init__(self, video: Video, size: tuple[int, int]) -> None:
        self.video, self.size = video, size
        large = (round(size[0] * _MARGIN), round(size[1] * _MARGIN))
        rng = np.random.default_rng([video.seed, 0])
        self._place = draw_background(video.scene, video.horizon, rng, large)
        if video.mirror:
            self._place = np.ascontiguousarray(self._place[:, ::-1])

    def frame(self, time: int, truth: bool = True) -> Frame:
        """Draw the frame at `time` (0, 1, ...); without `truth` only the image."""
        video, large = self.video, np.array(self._place.shape[1::-1])
        sway = np.sin(video.camera[0] + video.camera[1] * time)
        if video.mirror:
            sway[0] = -sway[0]
        zoom = float(1.1 + 0.1 * sway[2])
        corner = (large - large / _MARGIN / zoom) / 2 * (1 + 0.55 * sway[:2])
        crop = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
        background = cv2.warpAffine(self._place, crop, self.size, flags=cv2.INTER_LINEAR)
        canvas = Canvas(background.copy(), video.light)
        if video.crowd:
            self._crowd(canvas, round((video.horizon * large[1] - corner[1]) * zoom))
        posed = [self._pose(actor, time, zoom, (large - self.size) / 2 - corner) for actor in video.actors]
        if video.scene not in WATER and video.scene != "rock":
            _shadow(canvas, video, posed)
        for index, person in enumerate(posed):
            self._person(canvas, background, person, index)
        _finish(canvas.image, video, 1 + 0.07 * sway[3], np.random.default_rng([video.seed, 1, time]))
        if not truth:
            return Frame(canvas.image)
        people = []
        for index, person in enumerate(posed):
            unmarked = person.actor.activity is None and person.actor.yaw > 0
            people.append(look_up(canvas.owner, person.body, person.camera, index, unmarked))
        return Frame(canvas.image, people, canvas.owner == _CROWD if video.crowd else None)

    def _pose(self, actor: Actor, time: int, zoom: float, shift: Floats) -> _Posed:
        """Pose an actor; `shift` takes the still image's pixels to those of the zoomed image before zooming."""
        height = self.size[1]
        body, moment = actor.body(time)
        x, y = (np.array([actor.x, actor.y]) * height + shift) * zoom - 0.5
        yaw = actor.yaw + actor.swing * float(np.sin(actor.phase + 0.4 * time))
        scale = actor.scale * actor.look.height * height * zoom
        return _Posed(actor, body, moment, Camera(yaw, self.video.pitch, scale, x, y))

    def _person(self, canvas: Canvas, background: Image, person: _Posed, index: int) -> None:
        actor, body = person.actor, person.body
        numbers = {name: 1 + index * OWNERS + k for k, name in enumerate((*BODY_PARTS, ""))}
        groups = dress(body, actor.look)
        if actor.activity is not None:
            groups += build_prop(actor.activity.prop, body, actor.colour, actor.look, person.moment)
        canvas.groups(groups, person.camera, numbers)
        level = actor.waterline(body)
        if level is not None:
            _flood(canvas, background, person, level, self.video.scene)

    def _crowd(self, canvas: Canvas, line: int) -> None:
        views = (canvas.image, canvas.owner)
        image, owner = (np.ascontiguousarray(a[:, ::-1]) if self.video.mirror else a for a in views)
        draw_crowd(image, owner, np.random.default_rng([self.video.seed, 2]), line, _CROWD)
        if self.video.mirror:
            canvas.image[:], canvas.owner[:] = image[:, ::-1], owner[:, ::-1]


def _shadow(canvas: Canvas, video: Video, posed: list[_Posed]) -> None:
    """Darken the ground: under the feet, and where the body keeps the light away."""
    height, width = canvas.owner.shape
    mask: Image = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
    for person in posed:
        joints, unit = person.body.joints, person.camera.scale / 4
        foot = person.camera.project(joints * [1, 1, 0])[:, :2] / 4
        cast = foot + joints[:, 2:] * unit * np.array(video.shadow[:2])
        for a, b, wide in _SHADOWS:
            cv2.line(mask, _pixel(cast[a]), _pixel(cast[b]), 190, max(1, int(wide * unit)))
        axes = (max(1, int(0.1 * unit)), max(1, int(0.035 * unit)))
        for low in np.flatnonzero(joints[:, 2] < 0.12):
            cv2.ellipse(mask, _pixel(foot[low]), axes, 0, 0, 360, 255, -1)
    blur = max(3, int(height / 4 * 0.025) | 1)
    dark = (cv2.GaussianBlur(mask, (blur, blur), 0) * video.shadow[2]).astype(np.uint8)
    keep = cv2.resize(255 - dark, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(canvas.image, cv2.merge([keep] * 3), canvas.image, 1 / 255)


def _pixel(point: Floats) -> tuple[int, int]:
    return int(np.clip(point[0], -4000, 4000)), int(np.clip(point[1], -4000, 4000))


def _flood(canvas: Canvas, background: Image, person: _Posed, level: float, scene: str) -> None:
    """Cover what is below the water's surface."""
    where = person.camera.project(person.body.joints * [1, 1, 0] + [0, 0, level])
    y = int(np.clip(where[:, 1].mean(), 0, canvas.owner.shape[0] - 1))
    water = background[y:]
    if scene not in WATER:  # a stream in the wood
        water = (0.4 * water + np.array([30, 52, 58])).astype(np.uint8)
    canvas.image[y:] = cv2.addWeighted(water, 0.7, canvas.image[y:], 0.3, 0)
    rows = canvas.owner[y:]
    rows[rows > 0] = _SURFACE
    scale = person.camera.scale
    span = int(max(4, 0.55 * (where[:, 0].max() - where[:, 0].min()) + 0.06 * scale))
    centre = (int(where[:, 0].mean()), y)
    for grow, light in ((1.0, 225), (1.25, 200)):
        axes, colour = (int(span * grow), max(1, int(0.035 * scale * grow))), (light, light + 10, light + 14)
        cv2.ellipse(canvas.image, centre, axes, 0, 0, 360, colour, 1, cv2.LINE_AA)


def _finish(image: Image, video: Video, exposure: float, rng: np.random.Generator) -> None:
    """Exposure, colour of the light and grain, in place."""
    table = np.clip(np.arange(256)[:, None] * video.tone * exposure, 0, 255).astype(np.uint8)
    cv2.LUT(image, np.ascontiguousarray(table[None]), image)
    height, width = image.shape[:2]
    tile = rng.standard_normal((96, 128), np.float32) * video.noise * min(1.0, width / 640)
    grain = np.tile(tile, (height // 96 + 1, width // 128 + 1))[:height, :width]
    if video.mirror:
        grain = grain[:, ::-1]
    cv2.add(image, cv2.merge([np.ascontiguousarray(grain)] * 3), image, dtype=cv2.CV_8U)
