"""Places: textured backgrounds that several categories share, so that the place alone does not tell the activity."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.canvas import Image

Rng = np.random.Generator
_W = 320  # backgrounds are drawn 320 pixels wide and enlarged: a little out of focus, as behind a person

WATER = ("lake", "sea", "pool")


def _noise(rng: Rng, height: int, width: int, cells: int, stretch: float = 1.0) -> NDArray[np.float32]:
    """Smooth noise in 0..1 of two octaves; `stretch` widens the grains sideways."""
    total = np.zeros((height, width), np.float32)
    for octave, weight in ((1, 0.65), (3, 0.35)):
        rows, columns = max(2, int(cells * octave * height / width)), max(2, int(cells * octave / stretch))
        total += weight * cv2.resize(
            rng.random((rows, columns), np.float32), (width, height), interpolation=cv2.INTER_LINEAR
        )
    return total


def _blend(rng: Rng, shape: tuple[int, int], colours: list[NDArray[np.float64]], grain: float, stretch: float) -> Image:
    """Mix two colours, from top to bottom and by noise."""
    mix = 0.55 * np.linspace(0, 1, shape[0], dtype=np.float32)[:, None] + 0.45 * _noise(rng, *shape, 6)
    mix += grain * (_noise(rng, *shape, 40, stretch) - 0.5)
    share = np.linspace(0, 1, 256)[:, None]
    table = (colours[0] * (1 - share) + colours[1] * share).astype(np.uint8)
    level = cv2.convertScaleAbs(np.maximum(mix, 0), alpha=255)
    return cv2.LUT(cv2.merge([level] * 3), table[None])


def _tint(rng: Rng, colour: tuple[int, int, int], spread: float = 14) -> tuple[float, ...]:
    return tuple(float(c) for c in np.clip(np.array(colour) + rng.normal(0, spread, 3), 4, 250))


def _rect(image: Image, x: float, y: float, width: float, height: float, colour: tuple[float, ...]) -> None:
    cv2.rectangle(image, (int(x), int(y)), (int(x + width), int(y + height)), colour, -1)


def _line(
    image: Image, start: tuple[float, float], end: tuple[float, float], colour: tuple[float, ...], thick: int = 1
) -> None:
    ends = [(int(x), int(y)) for x, y in (start, end)]
    cv2.line(image, ends[0], ends[1], colour, thick, cv2.LINE_AA)


def _tree(image: Image, rng: Rng, x: float, foot: float, size: float, fir: bool = False) -> None:
    trunk, leaf = _tint(rng, (92, 70, 50)), _tint(rng, (58, 100, 54) if not fir else (44, 78, 62), 16)
    _rect(image, x - 0.05 * size, foot - 0.5 * size, 0.1 * size, 0.5 * size, trunk)
    for k in range(4):
        tone = tuple(c * (0.8 + 0.14 * k) for c in leaf)
        if fir:
            y, half = foot - (0.3 + 0.24 * k) * size, (0.42 - 0.09 * k) * size
            cv2.fillConvexPoly(image, np.array([[x - half, y], [x + half, y], [x, y - 0.45 * size]], np.int32), tone)
        else:
            dx, dy = rng.normal(0, 0.16, 2)
            radius = max(1, int(rng.uniform(0.2, 0.34) * size))
            cv2.circle(image, (int(x + dx * size), int(foot - (0.72 + dy) * size)), radius, tone, -1)


def _hills(image: Image, rng: Rng, horizon: int, tall: float, colour: tuple[float, ...]) -> None:
    width = image.shape[1]
    x = np.linspace(0, width, 33)
    ridge = horizon - tall * (0.4 + np.interp(x, np.linspace(0, width, 7), rng.random(7)) * 0.6)
    cv2.fillPoly(image, [np.stack([np.r_[x, width, 0], np.r_[ridge, horizon, horizon]], 1).astype(np.int32)], colour)


def _floor_lines(image: Image, rng: Rng, horizon: int, count: int, colour: tuple[float, ...], across: int = 0) -> None:
    height, width = image.shape[:2]
    vanish = rng.uniform(0.2, 0.8) * width
    for x in np.linspace(-2.5 * width, 3.5 * width, count):
        _line(image, (x * 0.12 + vanish * 0.88, horizon), (x, height + 40), colour)
    for t in np.linspace(0.15, 1, across) ** 2:
        y = horizon + t * (height - horizon)
        _line(image, (0, y), (width, y), colour)


def _outdoors(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    width = image.shape[1]
    if kind in ("park", "field", "snow", "lake", "sea") and rng.random() < 0.7:
        far = (120, 140, 130) if kind != "snow" else (196, 206, 222)
        for tall in (0.45, 0.25):
            _hills(image, rng, horizon, tall * max(horizon, 30) * rng.uniform(0.5, 1.1), _tint(rng, far))
    trees = {"park": 5, "field": 2, "snow": 5, "lake": 4, "sea": 0}[kind]
    for _ in range(rng.integers(trees + 1) + (kind == "park")):
        size, x = rng.uniform(25, 90), rng.uniform(0, width)
        if kind == "lake":
            _tree(image, rng, x, horizon + 2, size * 0.5)
        else:
            _tree(image, rng, x, horizon + rng.uniform(0, 0.25) * size, size, kind == "snow")
    if kind in ("park", "field") and rng.random() < 0.35:
        y, colour = horizon + rng.uniform(2, 14), _tint(rng, (150, 130, 104))
        for x in np.arange(rng.uniform(0, 12), width, 14):
            _rect(image, x, y - 14, 3, 16, colour)
        _rect(image, 0, y - 10, width, 2, colour)
    if kind == "field":
        _floor_lines(image, rng, horizon, 26, _tint(rng, (112, 104, 66)))


def _forest(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    for depth in np.sort(rng.random(rng.integers(9, 18))):
        wide, foot = 3 + 14 * depth**2, horizon + depth**2 * 0.35 * (height - horizon)
        tone = tuple(c * (1.2 - 0.55 * depth) for c in _tint(rng, (104, 86, 66)))
        _rect(image, rng.uniform(-5, width), -2, wide, foot, tone)
    for _ in range(rng.integers(2, 7)):
        _tree(image, rng, rng.uniform(0, width), horizon + rng.uniform(4, 20), rng.uniform(18, 44), rng.random() < 0.5)


def _street(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    x = -rng.uniform(0, 40)
    while x < width:
        wide, tall, wall = rng.uniform(40, 100), horizon * rng.uniform(0.5, 1.05), _tint(rng, (166, 146, 128), 26)
        _rect(image, x, horizon - tall, wide, tall, wall)
        glass = _tint(rng, (112, 128, 142))
        for wy in np.arange(horizon - tall + 8, horizon - 14, 20):
            for wx in np.arange(x + 7, x + wide - 12, 17):
                _rect(image, wx, wy, 9, 11, glass)
        x += wide + (rng.uniform(0, 30) if rng.random() < 0.4 else 0)
    kerb = int(horizon + rng.uniform(0.05, 0.2) * (height - horizon))
    _rect(image, 0, horizon, width, kerb - horizon, _tint(rng, (160, 156, 150)))
    if rng.random() < 0.5:
        y = int(kerb + rng.uniform(0.3, 0.7) * (height - kerb))
        for x in np.arange(-rng.uniform(0, 40), width, 46):
            _rect(image, x, y, 24, 3, (214, 212, 200))


def _hall(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    if rng.random() < 0.6:
        band = rng.uniform(0.3, 0.8) * horizon
        _rect(image, 0, band, width, rng.uniform(6, 30), _tint(rng, (120, 120, 130), 40))
    if kind == "gym":
        for _ in range(rng.integers(1, 4)):  # mirrors and machines
            x, wide = rng.uniform(0, width), rng.uniform(30, 80)
            if rng.random() < 0.5:
                _rect(image, x, 0.15 * horizon, wide, 0.75 * horizon, _tint(rng, (176, 190, 200)))
            else:
                tone = _tint(rng, (60, 60, 66))
                _rect(image, x, horizon - 40, 5, 46, tone)
                _rect(image, x + 0.5 * wide, horizon - 40, 5, 46, tone)
                _rect(image, x, horizon - 30, 0.5 * wide, 5, tone)
                cv2.circle(image, (int(x), horizon - 28), 9, tone, -1)
    elif kind == "court" and rng.random() < 0.5:
        net = _tint(rng, (226, 226, 226))
        _rect(image, 0, horizon + 4, width, 3, net)
        for x in range(0, width, 7):
            cv2.line(image, (x, horizon + 4), (x, horizon + 26), net, 1)
    white = _tint(rng, (228, 226, 220))
    if kind == "court":
        _floor_lines(image, rng, horizon, 5, white, 2)
    elif rng.random() < 0.5:
        _floor_lines(image, rng, horizon, 30, _tint(rng, (96, 88, 80)))
    if kind == "rink":
        _rect(image, 0, horizon - 22, width, 24, _tint(rng, (230, 232, 234), 6))
        _rect(image, 0, horizon - 2, width, 4, _tint(rng, (200, 170, 40), 30))
        centre = (int(rng.uniform(0, width)), int(height * 0.9))
        cv2.ellipse(image, centre, (120, 34), 0, 0, 360, (196, 90, 90), 2, cv2.LINE_AA)


def _room(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    width = image.shape[1]
    if kind == "site" and rng.random() < 0.6:
        brick, gap = _tint(rng, (160, 104, 84)), _tint(rng, (186, 176, 166))
        start, wide = rng.uniform(-60, width * 0.6), rng.uniform(90, 240)
        _rect(image, start, 0, wide, horizon, brick)
        for k, y in enumerate(np.arange(0.0, horizon, 9)):
            _rect(image, start, y, wide, 1, gap)
            for x in np.arange(start + (k % 2) * 9, start + wide, 18):
                _rect(image, x, y, 1, 9, gap)
    if kind == "site":
        for _ in range(rng.integers(2, 6)):
            x, tone = rng.uniform(0, width), _tint(rng, (170, 140, 96))
            _rect(image, x, rng.uniform(-20, horizon * 0.4), rng.uniform(4, 9), horizon, tone)
        return
    for _ in range(rng.integers(1, 4)):
        x, y = rng.uniform(-20, width - 20), rng.uniform(0.08, 0.4) * horizon
        wide, tall = rng.uniform(30, 80), rng.uniform(0.25, 0.5) * horizon
        style = rng.integers(4)
        _rect(image, x - 3, y - 3, wide + 6, tall + 6, _tint(rng, (236, 232, 224)))
        _rect(image, x, y, wide, tall, _tint(rng, (176, 206, 228)) if style < 2 else _tint(rng, (130, 110, 100), 45))
        if style < 2:
            _rect(image, x + wide / 2 - 1, y, 2, tall, _tint(rng, (236, 232, 224)))
    if rng.random() < 0.7:  # a cupboard or a shelf
        x, wide, tall = rng.uniform(-20, width - 30), rng.uniform(30, 100), rng.uniform(0.3, 0.9) * horizon
        wood = _tint(rng, (140, 104, 74), 24)
        _rect(image, x, horizon - tall, wide, tall + 5, wood)
        for y in np.arange(horizon - tall + 6, horizon, 16):
            _rect(image, x + 3, y, wide - 6, 10, tuple(c * 0.72 for c in wood))
            for bx in np.arange(x + 5, x + wide - 8, 7):
                _rect(image, bx, y + 1, 5, 9, _tint(rng, (140, 110, 100), 50))
    if rng.random() < 0.6:
        _floor_lines(image, rng, horizon, 34, _tint(rng, (112, 88, 66)))


def _stage(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    curtain = np.array(_tint(rng, (110, 40, 56), 34))
    for x in np.arange(0.0, width, 10):
        _rect(image, x, 0, 10, horizon, tuple(curtain * (0.55 + 0.25 * np.sin(x * 0.35) + 0.1 * rng.random())))
    glow: Image = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 4)):
        x, aim = rng.uniform(0, width), rng.uniform(0.1, 0.9) * width
        cone = [[x - 4, -5], [x + 4, -5], [aim + 60, height], [aim - 60, height]]
        cv2.fillConvexPoly(glow, np.array(cone, np.int32), 70)
    glow = cv2.GaussianBlur(glow, (21, 21), 0)
    colour = np.array(_tint(rng, (240, 224, 180), 40))
    cv2.add(image, (glow[..., None] * (colour / 255)).astype(np.uint8), image)


def _water(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    if kind == "pool":
        for x in np.linspace(-width, 2 * width, 9):
            _line(image, (width / 2 + 0.2 * (x - width / 2), horizon), (x, height), _tint(rng, (196, 90, 80), 20), 2)
        _rect(image, 0, horizon - 8, width, 10, _tint(rng, (214, 208, 196)))
    else:
        _outdoors(image, rng, horizon, kind)
    for _ in range(60):
        depth = rng.random() ** 0.6
        y, x, wide = horizon + depth * (height - horizon), rng.uniform(0, width), 4 + 26 * depth
        tone = np.clip(image[min(height - 1, int(y)), int(x) % width] * rng.uniform(1.06, 1.3), 0, 255)
        _line(image, (x - wide / 2, y), (x + wide / 2, y), tuple(map(float, tone)), 1 + int(depth * 1.6))


def _rock(image: Image, rng: Rng, horizon: int, kind: str) -> None:
    height, width = image.shape[:2]
    for _ in range(26):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(10, 50)
        points = np.stack([x + size * rng.normal(0, 0.8, 5), y + size * rng.normal(0, 0.6, 5)], 1)
        tone = np.clip(np.array(image[min(height - 1, int(y)), int(x) % width]) * rng.uniform(0.78, 1.2), 0, 255)
        cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), tuple(float(c) for c in tone), cv2.LINE_AA)


# How each scene is painted, and what is above and below its horizon: two RGB colours each, mixed by a smooth texture.
_SCENES: dict[str, tuple[Callable[[Image, Rng, int, str], None], tuple[tuple[int, int, int], ...]]] = {
    "street": (_street, ((188, 196, 206), (150, 150, 152), (112, 112, 114), (140, 136, 130))),
    "park": (_outdoors, ((160, 196, 232), (214, 224, 232), (84, 128, 62), (122, 152, 84))),
    "field": (_outdoors, ((170, 200, 228), (226, 222, 210), (146, 136, 84), (108, 126, 66))),
    "forest": (_forest, ((96, 122, 84), (150, 166, 134), (92, 82, 58), (104, 110, 66))),
    "court": (_hall, ((178, 176, 172), (150, 158, 170), (176, 122, 82), (150, 104, 76))),
    "gym": (_hall, ((186, 184, 182), (140, 146, 156), (112, 104, 98), (88, 90, 98))),
    "room": (_room, ((222, 212, 194), (196, 190, 182), (150, 116, 82), (128, 104, 82))),
    "site": (_room, ((176, 170, 160), (148, 140, 130), (148, 130, 104), (120, 112, 100))),
    "stage": (_stage, ((62, 42, 66), (34, 26, 42), (104, 74, 60), (78, 56, 52))),
    "snow": (_outdoors, ((168, 194, 224), (220, 226, 232), (232, 236, 242), (206, 216, 230))),
    "rink": (_hall, ((172, 182, 196), (206, 206, 208), (214, 224, 234), (196, 210, 224))),
    "lake": (_water, ((176, 204, 226), (222, 226, 226), (78, 112, 124), (108, 142, 146))),
    "sea": (_water, ((158, 196, 230), (224, 228, 230), (52, 112, 148), (98, 156, 178))),
    "pool": (_water, ((206, 208, 206), (176, 190, 198), (72, 158, 192), (112, 188, 212))),
    "rock": (_rock, ((150, 126, 104), (182, 158, 132), (128, 108, 86), (150, 138, 118))),
}
SCENES = tuple(_SCENES)


def draw_background(kind: str, horizon: float, rng: Rng, size: tuple[int, int]) -> Image:
    """Draw a place.

    Parameters
    ----------
    kind
        One of `SCENES`.
    horizon
        Where the ground begins, as a part of the height.
    rng
        Decides on everything else.
    size
        Width and height in pixels.

    Returns
    -------
    (H, W, 3) uint8 RGB.
    """
    width, height = _W, round(_W * size[1] / size[0])
    line = int(np.clip(horizon, 0.03, 0.9) * height)
    paint, shades = _SCENES[kind]
    colours = [np.clip(np.array(c) + rng.normal(0, 9, 3) + rng.normal(0, 11), 5, 250) for c in shades]
    grains = (0.5 if kind in ("forest", "rock") else 0.12, 0.25 if kind in ("court", "gym", "room", "rink") else 0.8)
    above = _blend(rng, (line, width), colours[:2], grains[0], 1)
    below = _blend(rng, (height - line, width), colours[2:], grains[1], 6 if kind in WATER else 2)
    image = np.ascontiguousarray(np.concatenate([above, below]))
    paint(image, rng, line, kind)
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def draw_crowd(image: Image, owner: Image, rng: Rng, line: int, number: int) -> None:
    """Draw a row of small onlookers on the horizon (`line`, pixels) and mark them in the owner map."""
    width = image.shape[1]
    tall = 0.11 * image.shape[0]
    for x in np.sort(rng.uniform(0.05, 0.95, rng.integers(6, 14))) * width:
        h, cloth, skin = tall * rng.uniform(0.85, 1.1), _tint(rng, (120, 110, 110), 50), _tint(rng, (200, 156, 126), 24)
        foot = line + rng.uniform(0.0, 0.25) * tall
        for target, body, head in ((image, cloth, skin), (owner, number, number)):
            axes = max(1, int(0.15 * h)), max(1, int(0.42 * h))
            cv2.ellipse(target, (int(x), int(foot - 0.42 * h)), axes, 0, 0, 360, body, -1)
            cv2.circle(target, (int(x), int(foot - 0.9 * h)), max(1, int(0.11 * h)), head, -1)
