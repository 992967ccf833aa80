"""Square crops around one person, as matrices that move images and joints together.

Coordinates: joints count pixel centres, so the middle of the first pixel is 0. Boxes and squares count edges, as COCO's
boxes do, so an image of width W reaches from 0 to W and its first pixel from 0 to 1. A joint at x lies at x + 0.5 on
the scale of the edges. Only this module has to know.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError

FARTHEST = 1e5  # pixels; no image is wider, and what is farther away is no place
LARGEST = 2**15 - 1  # pixels a side; OpenCV draws no larger images
Side = Annotated[int, 1, LARGEST]


class Square(NamedTuple):
    """A square in an image: left edge `x`, upper edge `y` and `side`, in pixels, where the image begins at 0."""

    x: float
    y: float
    side: float


@checked
def square_crop(
    box: Annotated[ArrayLike, "4"],
    joints: Annotated[ArrayLike, "K 2"],
    visibility: Annotated[ArrayLike, "K"],
    image_size: tuple[float, float],
    margin: Annotated[float, -0.9, 100] = 0.1,
) -> Square:
    """The square around one person, as the thesis makes it (A. O. Andersen 2021, section 2.2.2).

    The longer side of the box becomes the side of a square, the square is centred on the outermost annotated joints,
    grows by `margin`, at most to what the image can hold, and is moved inside. It moves along x only where it would
    reach out of the image, so the person stays in the middle where that is possible.

    Parameters
    ----------
    box
        (4,) x, y, width, height in pixels, as COCO has it. Where it is none, the extent of the joints is taken: with
        NaN in it, without a positive width and height, or no larger than a pixel.
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
        There is neither a box nor two joints apart, or the image has no size.
    """
    found = square_crops(
        np.asarray(box)[None], np.asarray(joints)[None], np.asarray(visibility)[None], [image_size], margin
    )
    return Square(*map(float, found[0]))


@checked
def square_crops(
    boxes: Annotated[ArrayLike, "N 4"],
    joints: Annotated[ArrayLike, "N K 2"],
    visibility: Annotated[ArrayLike, "N K"],
    image_sizes: Annotated[ArrayLike, "N 2"],
    margin: Annotated[float, -0.9, 100] = 0.1,
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
        A person has neither a box nor two joints apart, or an image no size; the message says at which position.
    """
    middle, extent = middle_and_extent(boxes, joints, visibility)
    size = np.asarray(image_sizes, float)
    for good, words in (
        (extent > 0, "has neither a box nor two joints; leave it out"),
        (((size > 0) & (size < FARTHEST)).all(axis=1), "has no image_size; give height and width"),
    ):
        if not good.all():
            raise AnnotationError(f"square_crop: person at position {int(np.argmin(good))} {words}")
    side = np.clip(extent * (1 + margin), 1, size.min(axis=1))
    corner = np.clip(middle - side[:, None] / 2, 0, size[:, ::-1] - side[:, None])
    return np.column_stack([corner, side])


def middle_and_extent(
    boxes: ArrayLike, joints: ArrayLike, visibility: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 2) the middle of each person, and (N,) the longer side; NaN without a box and without two joints apart."""
    box, points = np.asarray(boxes, float), np.asarray(joints, float)
    known = (np.abs(points) < FARTHEST).all(axis=2) & (np.asarray(visibility) > 0)
    low = np.where(known[..., None], points + 0.5, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known[..., None], points + 0.5, -np.inf).max(axis=1, initial=-np.inf)
    boxed = (np.abs(box) < FARTHEST).all(axis=1) & (box[:, 2:].min(axis=1) > 0) & (box[:, 2:].max(axis=1) > 1)
    alone = ~known.any(axis=1)
    box = np.where(boxed[:, None], box, 0)
    low[alone], high[alone] = box[alone, :2], box[alone, :2] + box[alone, 2:]
    extent = np.where(boxed[:, None], box[:, 2:], high - low).max(axis=1)
    return (low + high) / 2, np.where(extent > 1, extent, np.nan)


@checked
def centre_crop(
    center: Annotated[ArrayLike, "2"], scale: Annotated[ArrayLike, ""], margin: float = 1.25, shift: float = 15.0
) -> Square:
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
        A value is missing, the scale is not positive, or they lead farther than 100,000 pixels.
    """
    square = centre_squares(np.append(center, scale)[None].astype(float), margin, shift)[0]
    if np.isnan(square).any():
        raise AnnotationError(f"centre_crop: center {center!r}, scale {scale!r}: give pixels and a positive number")
    return Square(*map(float, square))


def centre_squares(people: NDArray[np.float64], margin: float = 1.25, shift: float = 15.0) -> NDArray[np.float64]:
    """(N, 3) `centre_crop` of x, y and scale (N, 3); NaN where that is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        side = 200 * people[:, 2:] * margin
        squares = np.hstack([people[:, :2] + 0.5 - side / 2 + people[:, 2:] * [0, shift], side])
    fits = (np.abs(squares) < FARTHEST).all(axis=1, keepdims=True) & (side > 0)
    return np.where(fits, squares, np.nan)


@checked
def crop_matrix(square: Annotated[ArrayLike, "... 3"], size: Side) -> NDArray[np.float64]:
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
        A side is not positive, or a square is farther away than 100,000 pixels.
    """
    squares = np.asarray(square, float)
    fits = (np.abs(squares) < FARTHEST).all(axis=-1) & (squares[..., 2] > 1 / FARTHEST)
    if not fits.all():
        raise AnnotationError(f"crop_matrix: square {squares[~fits][0]}: give x, y and a positive side in pixels")
    factor = size / squares[..., 2]
    matrix = np.zeros((*squares.shape[:-1], 3, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = factor
    matrix[..., :2, 2] = (0.5 - squares[..., :2]) * factor[..., None] - 0.5
    matrix[..., 2, 2] = 1
    return matrix


@checked
def resize_matrix(old: int, new: int) -> NDArray[np.float64]:
    """(3, 3) matrix from pixels of a square image to those of the same image at another size; errors of crop_matrix."""
    return crop_matrix((0, 0, old), new)


@checked
def apply_matrix(
    matrix: Annotated[ArrayLike, "... 3 3"], joints: Annotated[ArrayLike, "... K 2"], inverse: bool = False
) -> NDArray[np.float64]:
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

    Raises
    ------
    AnnotationError
        Shapes do not fit, or the matrix cannot be inverted.
    """
    transform, points = np.asarray(matrix, float), np.asarray(joints, float)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            transform = np.linalg.inv(transform) if inverse else transform
            moved = points @ np.swapaxes(transform[..., :2, :2], -1, -2)
            return np.asarray(moved + transform[..., None, :2, 2])
    except (ValueError, np.linalg.LinAlgError):
        raise AnnotationError("apply_matrix: give one matrix for all or for each, that can be inverted") from None


@checked
def crop_image(image: NDArray[np.uint8], matrix: Annotated[ArrayLike, "3 3"], size: Side) -> NDArray[np.uint8]:
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
        The image is not of bytes, or the matrix makes a line of it, or less than a pixel of 100,000.
    """
    import cv2

    transform = np.asarray(matrix, float)
    high, wide, *channels = image.shape if image.ndim in (2, 3) else (0, 0)
    if image.dtype != np.uint8 or not image.size or max(high, wide) > LARGEST - 2:
        raise AnnotationError(f"crop_image: image {image.dtype} {image.shape}: give bytes (H, W, 3)")
    usable = (np.abs(transform) < FARTHEST**2).all()
    stretch = np.linalg.svd(transform[:2, :2], compute_uv=False).min() if usable else 0
    if not stretch > 1e-5:
        raise AnnotationError("crop_image: the matrix presses the image flat; make it with crop_matrix")
    # No finer than the image itself asks for: of a square far larger than the image, memory would be without bound.
    finest = min(4 * max(high, wide, size), LARGEST) // size
    finer = min(max(1, int(np.ceil(1 / stretch - 1e-6))), finest)
    # One pixel of the edge around the image: otherwise its own edge would be mixed with black.
    bordered = cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    transform = transform @ np.array([[1.0, 0, -1], [0, 1, -1], [0, 0, 1]])
    larger = np.array([[finer, 0, (finer - 1) / 2], [0, finer, (finer - 1) / 2], [0, 0, 1]]) @ transform
    crop = cv2.warpAffine(bordered, larger[:2], (finer * size, finer * size), flags=cv2.INTER_LINEAR)
    if finer > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8).reshape(size, size, *channels)
