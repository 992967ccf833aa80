"""One image of your own, a file or an array, and where the person stands in it, to joints."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mpii_lib.arguments import checked
from mpii_lib.datasets.image_files import on_white, read_image
from mpii_lib.errors import DatasetError
from mpii_lib.pose.crops import Square, apply_matrix, crop_image, crop_matrix
from mpii_lib.pose.prediction import input_side, predict_poses

if TYPE_CHECKING:
    import keras

MARGIN = 1.1  # the thesis' crop: ten per cent around the box


@dataclass(frozen=True)
class FoundPose:
    """What `find_pose` found in one image.

    Attributes
    ----------
    image
        uint8 (H, W, 3) RGB.
    square
        Where the network looked, in pixels of the image.
    joints
        float64 (K, 2) in pixels of the image; the network names a place for every joint, also of nobody.
    scores
        float32 (K,) how sure it is of each, see `PredictedPoses.scores`.
    threshold
        A mean score below this means: no person found with confidence.
    """

    image: NDArray[np.uint8]
    square: Square
    joints: NDArray[np.float64]
    scores: NDArray[np.float32]
    threshold: float

    @property
    def confidence(self) -> float:
        """Mean score of the joints."""
        return float(self.scores.mean())

    @property
    def found(self) -> bool:
        """Whether the network is sure enough that it sees a person."""
        return self.confidence >= self.threshold

    @property
    def sure(self) -> NDArray[np.int8]:
        """(K,) 2 for joints above the threshold, 1 below, as `plots.draw_pose` takes visibility: filled and hollow."""
        return np.where(self.scores >= self.threshold, 2, 1).astype(np.int8)

    def __repr__(self) -> str:
        verdict, sign = ("a person", "at least") if self.found else ("no person found with confidence", "below")
        return f"{verdict}: mean score {self.confidence:.2f}, {sign} {self.threshold:.2f}"


@checked
def find_pose(
    model: keras.Model,
    image: str | Path | NDArray[np.uint8],
    box: ArrayLike | None = None,
    *,
    threshold: float = 0.3,
    flip_test: bool = True,
) -> FoundPose:
    """Find one person's joints in an image of your own.

    Parameters
    ----------
    model
        As for `predict_poses`, with logits as outputs.
    image
        A JPEG, PNG, GIF or BMP file (a camera's note on how it was held is followed), or an array (H, W, 3),
        (H, W, 4) or (H, W) of bytes.
    box
        x, y, width, height of the person in pixels; the network looks at the square around what of it is in the image,
        and ten per cent more. None or empty: at the whole image.
    threshold
        Mean score from which a person counts as found.
    flip_test
        Average with the mirrored image.

    Returns
    -------
    FoundPose
        Also where nobody is: then `.found` is False and its text says so.

    Raises
    ------
    DatasetError
        The image cannot be read, or the box lies outside of it.
    """
    pixels = _pixels(image)
    square = _square(box, pixels.shape[:2])
    size = input_side(model)
    matrix = crop_matrix(square, size)
    poses = predict_poses(model, crop_image(pixels, matrix, size)[None], flip_test=flip_test)
    return FoundPose(pixels, square, apply_matrix(matrix, poses.joints[0], inverse=True), poses.scores[0], threshold)


def _pixels(image: str | Path | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(image, str | Path):
        try:
            return read_image(image, upright=True)
        except DatasetError as error:
            raise DatasetError(f"{image}: {error}; give a JPEG or PNG file") from None
    array = image
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,), (4,)) or not array.size:
        raise DatasetError(f"image of shape {array.shape} and type {array.dtype}: give bytes (H, W, 3)")
    return np.asarray(on_white(Image.fromarray(array)))


def _square(box: ArrayLike | None, image_size: tuple[int, ...]) -> Square:
    height, width = image_size[:2]
    whole = box is None or np.size(box) == 0
    numbers = np.array([0, 0, width, height], float) if whole else np.asarray(box, float)
    given = f"find_pose: box {reprlib.repr(numbers.tolist())}"
    if numbers.shape != (4,) or not (np.abs(numbers) < 1e100).all() or numbers[2:].min() <= 0:
        raise DatasetError(f"{given}: give x, y, width and height in pixels, the last two above 0")
    x, y = np.maximum(numbers[:2], 0).tolist()
    wide, high = (np.minimum(numbers[:2] + numbers[2:], [width, height]) - [x, y]).tolist()
    if min(wide, high) <= 0:
        raise DatasetError(f"{given} lies outside of the image of {width} x {height} pixels")
    side = max(wide, high) * (1 if whole else MARGIN)
    return Square(x + (wide - side) / 2, y + (high - side) / 2, side)
