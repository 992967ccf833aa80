"""Square crops around one person, as matrices that move images and joints together.

Coordinates: joints count pixel centres, so the middle of the first pixel is 0. Boxes and squares count edges, as COCO's
boxes do, so an image of width W reaches from 0 to W and its first pixel from 0 to 1. A joint at x lies at x + 0.5 on
the scale of the edges. Only this module has to know.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpii_lib.errors import AnnotationError


class Square(NamedTuple):
    """A square in an image: left edge `x`, upper edge `y` and `side`, in pixels, where the image begins at 0."""

    x: float
    y: float
    side: float


def square_crop(
    box: ArrayLike, joints: ArrayLike, visibility: ArrayLike, image_size: tuple[int, int], margin: float = 0.1
) -> Square:
    """The square around one person, as the thesis makes it (A. O. Andersen 2021, section 2.2.2).

    The longer side of the box becomes the side of a square, the square is centred on the outermost annotated joints,
    grows by `margin`, at most to what the image can hold, and is moved inside. It moves along x only where it would
    reach out of the image, so the person stays in the middle where that is possible.

    Parameters
    ----------
    box
        (4,) x, y, width, height in pixels, as COCO has it. With a NaN in it, the extent of the joints is taken.
    joints
        (K, 2) x and y in pixels of the image; NaN or anything where not annotated.
    visibility
        (K,) 0 not annotated, 1 occluded, 2 visible. Without any joint the square is centred on the box.
    image_size
        Height and width of the image in pixels, as in `image.shape[:2]`.
    margin
        How much the sides grow: 0.1 is ten per cent.

    Returns
    -------
    Square
        Inside the image. Where the box is larger than the image's shorter side, joints may lie outside the square.

    Raises
    ------
    AnnotationError
        There is neither a box nor a joint, or the image has no size.
    """
    sizes = np.asarray(image_size, float)[None]
    found = square_crops(np.asarray(box)[None], np.asarray(joints)[None], np.asarray(visibility)[None], sizes, margin)
    return Square(*map(float, found[0]))


def square_crops(
    boxes: ArrayLike, joints: ArrayLike, visibility: ArrayLike, image_sizes: ArrayLike, margin: float = 0.1
) -> NDArray[np.float64]:
    """Squares of many persons at once: `square_crop` with a first axis.

    Parameters
    ----------
    boxes, joints, visibility, image_sizes
        (N, 4), (N, K, 2), (N, K), and (N, 2) heights and widths.
    margin
        How much the sides grow.

    Returns
    -------
    numpy.ndarray
        float64 (N, 3): x, y and side of each square.

    Raises
    ------
    AnnotationError
        A person has neither a box nor a joint, or an image no size; the message says at which position.
    """
    box, size = np.asarray(boxes, float), np.asarray(image_sizes, float)
    points = np.where(np.asarray(visibility)[..., None] > 0, np.asarray(joints, float), np.nan) + 0.5
    known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=2))
    low = np.where(known[..., None], points, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known[..., None], points, -np.inf).max(axis=1, initial=-np.inf)
    boxed, posed = np.isfinite(box).all(axis=1), np.asarray(known.any(axis=1))
    if not (boxed | posed).all():
        where = int(np.flatnonzero(~(boxed | posed))[0])
        raise AnnotationError(f"square_crop: person at position {where} has neither a box nor a joint; leave it out")
    if not (size > 0).all():
        where = int(np.flatnonzero(~(size > 0).all(axis=1))[0])
        raise AnnotationError(f"square_crop: image_size at position {where} is {size[where]}; give height and width")
    low[~posed], high[~posed] = box[~posed, :2], box[~posed, :2] + box[~posed, 2:]
    extent = np.where(boxed[:, None], box[:, 2:], high - low)
    side = np.clip(extent.max(axis=1) * (1 + margin), 1, size.min(axis=1))
    corner = np.clip((low + high - side[:, None]) / 2, 0, size[:, ::-1] - side[:, None])
    return np.column_stack([corner, side])


def centre_crop(center: ArrayLike, scale: ArrayLike, margin: float = 1.25, shift: float = 15.0) -> Square:
    """The square of MPII's centre and scale, where scale is the person's height divided by 200 pixels.

    Parameters
    ----------
    center
        (2,) x and y of MPII's `objpos` in pixels.
    scale
        MPII's `scale`. Without margin the side is 200 * scale.
    margin
        Factor on the side. 1.25 is what Newell et al. (2016, `pose-hg-train`) and simple-baselines
        (`lib/dataset/mpii.py`) take; 1 is the person's height.
    shift
        Move the centre down by `shift` * scale pixels: `objpos` lies on the trunk, and both sources take 15 so that the
        ankles are inside. 0 leaves the centre alone.

    Returns
    -------
    Square
        May reach out of the image; `crop_image` fills what is beyond.

    Raises
    ------
    AnnotationError
        A value is missing, or the scale is not positive.
    """
    middle, height = np.asarray(center, float), float(np.asarray(scale, float))
    if not (np.isfinite(middle).all() and middle.shape == (2,) and np.isfinite(height) and height > 0):
        raise AnnotationError(f"centre_crop: center {middle}, scale {height}: give two numbers and a positive one")
    side = 200 * height * margin
    x, y = middle + 0.5 - side / 2
    return Square(float(x), float(y + shift * height), float(side))


def crop_matrix(square: ArrayLike, size: int) -> NDArray[np.float64]:
    """Matrix from image pixels to the pixels of a crop with `size` pixels a side.

    Both count pixel centres: the square's left edge becomes -0.5 and its right edge size - 0.5. Published code that
    takes `center` to size / 2 lies half a crop pixel to the right and below of this.

    Parameters
    ----------
    square
        x, y, side: a `Square`, or an array (..., 3) of several.
    size
        Width and height of the crop in pixels.

    Returns
    -------
    numpy.ndarray
        float64 (..., 3, 3). Put a change after the crop by multiplying from the left, as with
        `Augmentation.matrices(...) @ crop_matrix(...)`.

    Raises
    ------
    AnnotationError
        A side or the size is not positive.
    """
    squares = np.asarray(square, float)
    if not (np.isfinite(squares).all() and (squares[..., 2] > 0).all() and size > 0):
        raise AnnotationError(f"crop_matrix: square {squares}, size {size}: sides have to be positive")
    factor = size / squares[..., 2]
    matrix = np.zeros((*squares.shape[:-1], 3, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = factor
    matrix[..., :2, 2] = (0.5 - squares[..., :2]) * factor[..., None] - 0.5
    matrix[..., 2, 2] = 1
    return matrix


def resize_matrix(old: int, new: int) -> NDArray[np.float64]:
    """(3, 3) matrix from pixels of a square image to those of the same image at another size."""
    return crop_matrix((0, 0, old), new)


def apply_matrix(matrix: ArrayLike, joints: ArrayLike, inverse: bool = False) -> NDArray[np.float64]:
    """Move joints by an affine matrix, or back.

    Parameters
    ----------
    matrix
        (..., 3, 3), one for each person or one for all.
    joints
        (..., K, 2) x and y in pixels; NaN stays NaN.
    inverse
        Go back, from crop pixels to image pixels. There and back differs by less than 1e-6 pixels.

    Returns
    -------
    numpy.ndarray
        float64 (..., K, 2).
    """
    transform = np.asarray(matrix, float)
    if inverse:
        transform = np.linalg.inv(transform)
    moved = np.asarray(joints, float) @ np.swapaxes(transform[..., :2, :2], -1, -2)
    return np.asarray(moved + transform[..., None, :2, 2])


def crop_image(image: NDArray[np.uint8], matrix: ArrayLike, size: int) -> NDArray[np.uint8]:
    """Cut, turn and resize an image in one step, averaging where it shrinks; black where the image ends.

    `cv2.warpAffine` alone reads at most four pixels of the image for one of the crop, whatever lies between them: a
    image shrunk by five flickers. Here the crop is drawn k times larger, so that no pixel is passed over, and blocks
    of k x k are averaged, as an area filter does.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, C).
    matrix
        (3, 3) from image pixels to crop pixels (`crop_matrix`, or a change after it).
    size
        Width and height of the crop in pixels.

    Returns
    -------
    numpy.ndarray
        uint8 (size, size) or (size, size, C).

    Raises
    ------
    AnnotationError
        The matrix cannot be inverted.
    """
    import cv2

    transform = np.asarray(matrix, float)
    stretch = np.linalg.svd(transform[:2, :2], compute_uv=False)
    if not stretch.min() > 0:
        raise AnnotationError("crop_image: the matrix presses the image flat; make it with crop_matrix")
    # One pixel of the edge around the image: otherwise its own edge would be mixed with black.
    bordered = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    transform = transform @ np.array([[1.0, 0, -1], [0, 1, -1], [0, 0, 1]])
    finer = max(1, int(np.ceil(1 / stretch.min() - 1e-6)))
    larger = np.array([[finer, 0, (finer - 1) / 2], [0, finer, (finer - 1) / 2], [0, 0, 1]]) @ transform
    crop = cv2.warpAffine(bordered, larger[:2], (finer * size, finer * size), flags=cv2.INTER_LINEAR)
    if finer > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)
