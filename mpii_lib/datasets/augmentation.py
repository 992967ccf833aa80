"""Random affine changes of images: rotation, zoom, shear and flip, drawn as matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError


@checked
@dataclass(frozen=True)
class Augmentation:
    """Random affine changes of an image, drawn anew for each image and epoch, applied as one warp.

    Parameters
    ----------
    rotation
        Largest angle in degrees, to either side.
    zoom
        Largest relative change of size: 0.1 draws factors from 0.9 to 1.1.
    shear
        Largest shear angle in degrees, to either side.
    flip
        Mirror left and right in half of the cases.
    fill
        What is beyond the border: the image mirrored ("reflect"), its edge drawn out ("nearest"), or black
        ("constant").
    append
        Show every image twice in an epoch, once as it is and once changed, instead of only changed.

    Raises
    ------
    DatasetError
        A value is out of range.
    """

    rotation: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    flip: bool = False
    fill: Literal["reflect", "nearest", "constant"] = "reflect"
    append: bool = False

    def __post_init__(self) -> None:
        for name, value, limit in (("rotation", self.rotation, 180), ("zoom", self.zoom, 1), ("shear", self.shear, 90)):
            if not 0 <= value <= limit or (value == limit and name != "rotation"):
                raise DatasetError(f"Augmentation: {name}={value!r} is out of range; give a number from 0 to {limit}")

    def matrices(self, count: int, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """Draw `count` changes of images of `size` (height, width).

        Returns
        -------
        numpy.ndarray
            float64 (count, 3, 3). Each takes a pixel centre (x, y, 1) of the image to its place in the changed
            image, so the joints of a pose can be moved along. The middle of the image stays where it is.
        """
        angle = np.deg2rad(self.rotation) * rng.uniform(-1, 1, count)
        factor = 1 + self.zoom * rng.uniform(-1, 1, count)
        slant = np.deg2rad(self.shear) * rng.uniform(-1, 1, count)
        mirror = np.where(self.flip & (rng.random(count) < 0.5), -1.0, 1.0)
        linear = np.zeros((count, 2, 2))
        # rotation @ shear along x @ mirror, times the factor
        linear[:, 0, 0] = np.cos(angle) * mirror
        linear[:, 0, 1] = np.cos(angle) * np.tan(slant) - np.sin(angle)
        linear[:, 1, 0] = np.sin(angle) * mirror
        linear[:, 1, 1] = np.sin(angle) * np.tan(slant) + np.cos(angle)
        linear *= factor[:, None, None]
        middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
        matrices = np.tile(np.eye(3), (count, 1, 1))
        matrices[:, :2, :2] = linear
        matrices[:, :2, 2] = middle - linear @ middle
        return matrices

    def warp(self, image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Apply one change of `matrices`, (3, 3), to an image (H, W, 3) of any dtype, bilinear."""
        height, width = image.shape[:2]
        border = {"reflect": cv2.BORDER_REFLECT, "nearest": cv2.BORDER_REPLICATE, "constant": cv2.BORDER_CONSTANT}
        return cv2.warpAffine(image, matrix[:2], (width, height), flags=cv2.INTER_LINEAR, borderMode=border[self.fill])
