"""One image file, whatever its kind, as an array of the wanted size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mpii_lib.errors import DatasetError, one_line

FORMATS = ("BMP", "GIF", "JPEG", "PNG")  # those that Keras reads from a folder
LONGEST = 8192  # pixels of a side that images are scaled to
NO_FILE = "no such file"


@contextmanager
def open_image(path: Path | str) -> Iterator[Image.Image]:
    """Open an image file, of which only the header is read, and close it in the end.

    DatasetError, which is the reason alone, for what is no image in one of `FORMATS`, has more pixels than Pillow's
    `Image.MAX_IMAGE_PIXELS`, or cannot be decoded while it is open. A pipe is not waited for.
    """
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise DatasetError("is a directory" if stat.S_ISDIR(mode) else "is a pipe or a device, not a file")
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > (Image.MAX_IMAGE_PIXELS or np.inf):
                raise DatasetError(f"{image.width} x {image.height} pixels are more than {Image.MAX_IMAGE_PIXELS:,}")
            yield image
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError(NO_FILE) from None
    except UnidentifiedImageError:
        raise DatasetError("not an image") from None
    except Exception as error:  # Pillow's decoders raise what they like on broken bytes
        raise DatasetError(getattr(error, "strerror", None) or one_line(error) or type(error).__name__) from None


def read_image(path: Path | str, size: tuple[int, int] | None = None, upright: bool = False) -> np.ndarray:
    """Read one image, a JPEG, PNG, GIF or BMP file, as RGB scaled to `size`.

    Parameters
    ----------
    path
        The file; its content counts, not its ending.
    size
        (height, width) in pixels. A JPEG of a multiple of that is decoded at 1/2, 1/4 or 1/8. None: as it is.
    upright
        Follow a camera's note on how it was held (EXIF). Annotations count in the pixels as they are stored, so data
        sets are read without it.

    Returns
    -------
    numpy.ndarray
        uint8 (height, width, 3). What is transparent is laid on white.

    Raises
    ------
    DatasetError
        The message is the reason alone: the file is missing, broken, cut short, not an image, or too large.
    """
    with open_image(path) as image:
        if image.mode.startswith(("I", "F")):
            raise DatasetError(f"pixels of type {image.mode} are not 8 bits a colour")
        if upright:
            image = ImageOps.exif_transpose(image)
        if size is None:
            return np.asarray(on_white(image))
        height, width = size
        image.draft("RGB", (width, height))
        return np.asarray(on_white(image).resize((width, height), Image.Resampling.BILINEAR))


def on_white(image: Image.Image) -> Image.Image:
    """Make an image RGB; what is transparent is laid on white, as viewers show it."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale an image in memory, uint8 (H, W, 3), to `size` (height, width) with the filter of `read_image`."""
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def check_size(size: tuple[int, int], caller: str) -> tuple[int, int]:
    """Give (height, width) as plain numbers; DatasetError for a size that no image can be scaled to."""
    if not 1 <= min(size) <= max(size) <= LONGEST:
        raise DatasetError(f"{caller}: size={size}: give height and width in pixels, from 1 to {LONGEST}")
    return int(size[0]), int(size[1])


def check_images(paths: list[Path], caller: str) -> None:
    """Refuse a folder that is wrong as a whole: no file is there, or none of the first twenty is an image."""
    reasons: list[str] = []
    for path in paths:
        try:
            read_image(path, (8, 8))
            return
        except DatasetError as error:
            if str(error) != NO_FILE:
                reasons.append(f"{path}: {error}")
        if len(reasons) == 20:
            break
    if reasons:
        raise DatasetError(f"{caller}: the first {len(reasons)} image files cannot be read ({reasons[0]}); mend them")
    raise DatasetError(
        f"{caller}: none of the {len(paths)} image files is there, {paths[0]} for instance; "
        "put the images in that folder (`mpii fetch mpii FOLDER` downloads MPII)"
    )
