"""Paint: solids in space, a camera that projects them, and a canvas that remembers what is on top of every pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Image = NDArray[Any]  # uint8: (H, W, 3) RGB images, or (H, W) maps and masks
Colour = Sequence[float] | Floats

_SHIFT = 4  # cv2 draws with 4 bits of sub-pixel precision
_ONE = 1 << _SHIFT
_CIRCLE = np.stack([np.cos(np.arange(14) * 2 * np.pi / 14), np.sin(np.arange(14) * 2 * np.pi / 14)], 1)
_ZEROS = np.zeros(32, np.intp)
_DISC = np.stack([np.cos(np.arange(32) * 2 * np.pi / 32), np.sin(np.arange(32) * 2 * np.pi / 32)], 1)


@dataclass
class Part:
    """A solid: the convex hull of balls, or (with `line`) a thread through points.

    Attributes
    ----------
    points
        (n, 3) centres: forward, to the body's left, up; in units of a grown-up's height.
    radii
        (n,) radii in the same unit; for a line the half width.
    colour
        RGB 0..255.
    name
        Which part of the body it is ("" for a thing), for the owner map.
    """

    points: Floats
    radii: Floats
    colour: Colour
    name: str = ""
    line: bool = False
    shine: bool = True
    edge: bool = True


@dataclass
class Group:
    """Parts drawn together, all outlines before all fillings, so that limbs have no seams; nearer groups come later."""

    parts: list[Part]
    bias: float = 0.0  # added to the depth, for what is known to be in front


def part(
    points: Any,
    radii: ArrayLike,
    colour: Colour,
    name: str = "",
    *,
    line: bool = False,
    shine: bool = True,
    edge: bool = True,
) -> Part:
    """Make a `Part`; one radius serves all points."""
    centres = np.atleast_2d(np.asarray(points, float))
    widths = np.full(len(centres), radii, float) if isinstance(radii, float) else np.asarray(radii, float)
    return Part(centres, widths, colour, name, line, shine, edge)


@dataclass(frozen=True)
class Camera:
    """Orthographic view of one body.

    `yaw` 0 faces the viewer and 90 the right border, in degrees as `pitch`, the camera's look down; `x`, `y` is the
    pixel of the body's ground point, `scale` the pixels of a grown-up's height.
    """

    yaw: float
    pitch: float
    scale: float
    x: float
    y: float

    def project(self, points: ArrayLike) -> Floats:
        """(n, 3) body coordinates -> (n, 3): pixel x, pixel y, depth towards the viewer (units of the body)."""
        yaw, pitch, scale = math.radians(self.yaw), math.radians(self.pitch), self.scale
        right, near = np.array([math.sin(yaw), math.cos(yaw), 0.0]), np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        down = near * math.sin(pitch) - up * math.cos(pitch)
        view = np.stack([scale * right, scale * down, near * math.cos(pitch) + up * math.sin(pitch)], 1)
        return np.atleast_2d(np.asarray(points, float)) @ view + [self.x, self.y, 0.0]


def _hull(centres: Floats, radii: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Outline of the convex hull of discs: for every corner its disc, and the unit vector from the disc's centre."""
    if len(centres) == 1:
        return _ZEROS, _DISC
    points = (centres[:, None] + radii[:, None, None] * _CIRCLE).reshape(-1, 2).astype(np.float32)
    index = cv2.convexHull(points, returnPoints=False)[:, 0]
    return index // len(_CIRCLE), _CIRCLE[index % len(_CIRCLE)]


def _tone(colour: Colour, gain: float) -> tuple[float, float, float]:
    red, green, blue = (min(255.0, float(c) * gain) for c in colour)
    return red, green, blue


def _fill(image: Image, corners: Floats, colour: tuple[float, float, float]) -> None:
    cv2.fillConvexPoly(image, np.round(corners * _ONE).astype(np.int32), colour, cv2.LINE_AA, _SHIFT)


class Canvas:
    """An image (H, W, 3) uint8 RGB and its owner map (H, W): which part of whom is on top, 0 for the background."""

    def __init__(self, image: Image, light: tuple[float, float] = (-0.5, -0.8)) -> None:
        self.image = image
        self.owner: Image = np.zeros(image.shape[:2], np.uint8)
        self.light = np.asarray(light, float)

    def _solid(self, corners: Floats, reach: Floats, colour: Colour, size: float) -> None:
        """Fill a hull (its corners are `corners + reach`): a shaded body, and lighter sides towards the light."""
        _fill(self.image, corners + reach, _tone(colour, 0.86))
        away = np.hypot(reach[:, 0], reach[:, 1])[:, None] * self.light
        if size > 1.5:
            _fill(self.image, corners + 0.66 * reach + 0.28 * away, _tone(colour, 1.0))
        if size > 5:
            _fill(self.image, corners + 0.3 * reach + 0.45 * away, _tone(colour, 1.13))

    def groups(self, groups: Sequence[Group], camera: Camera, owners: dict[str, int]) -> None:
        """Draw groups from far to near; `owners` gives each part's number in the owner map."""
        parts = [p for group in groups for p in group.parts]
        ends = np.cumsum([len(p.points) for p in parts])[:-1]
        places = np.split(camera.project(np.concatenate([p.points for p in parts])), ends)
        shown = iter(zip(parts, places, strict=True))
        layers = []
        for group in groups:
            members = [next(shown) for _ in group.parts]
            depth = sum(float(place[:, 2].mean()) for _, place in members) / len(members)
            layers.append((depth + group.bias, members))
        for depth, members in sorted(layers, key=lambda layer: layer[0]):
            self._group(members, camera.scale, owners, 1.0 + 0.5 * min(0.0, max(-0.3, depth)))

    def _group(self, members: list[tuple[Part, Floats]], scale: float, owners: dict[str, int], shade: float) -> None:
        edge = max(0.6, 0.006 * scale)
        fillings = []
        for p, place in members:
            centres, radii = place[:, :2], p.radii * scale
            if p.line:
                fillings.append((p, centres, radii))
                continue
            disc, ring = _hull(centres, radii)
            corners, reach = centres[disc], radii[disc, None] * ring
            border = corners + reach + edge * ring if p.edge else corners + reach
            if p.edge:
                _fill(self.image, border, _tone(p.colour, 0.42 * shade))
            cv2.fillConvexPoly(self.owner, np.round(border * _ONE).astype(np.int32), owners[p.name], cv2.LINE_8, _SHIFT)
            fillings.append((p, corners, reach))
        for p, corners, reach in fillings:
            if p.line:
                self.thread(corners, 2 * float(reach[0]), _tone(p.colour, shade), owners[p.name])
            else:
                self._solid(corners, reach, _tone(p.colour, shade), p.radii.max() * scale * p.shine)

    def thread(self, points: Floats, width: float, colour: Colour, owner: int | None = None) -> None:
        """Draw a line through points; threads thinner than three pixels hide nothing."""
        thick = max(1, round(width))
        dots = [np.round(points * _ONE).astype(np.int32)]
        cv2.polylines(self.image, dots, False, tuple(colour), thick, cv2.LINE_AA, _SHIFT)
        if owner is not None and thick >= 3:
            cv2.polylines(self.owner, dots, False, owner, thick, cv2.LINE_8, _SHIFT)
