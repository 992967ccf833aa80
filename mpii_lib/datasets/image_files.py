"""One image file, whatever its kind, as an array of the wanted size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mpii_lib.errors import DatasetError


def read_image(path: Path | str, size: tuple[int, int] | None = None, upright: bool = False) -> np.ndarray:
    """Read one image of any kind that Pillow knows, as RGB scaled to `size`.

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
        uint8 (height, width, 3).

    Raises
    ------
    DatasetError
        The message is the reason alone: the file is missing, broken, cut short, or not an image.
    """
    try:
        with Image.open(path) as file:
            image: Image.Image = file
            if image.mode.startswith(("I", "F")):
                raise DatasetError(f"pixels of type {image.mode} are not 8 bits a colour")
            if upright:
                image = ImageOps.exif_transpose(image)
            if size is None:
                return np.asarray(image.convert("RGB"))
            height, width = size
            image.draft("RGB", (width, height))
            return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError("no such file") from None
    except UnidentifiedImageError:
        raise DatasetError("not an image") from None
    except Exception as error:  # Pillow's decoders raise what they like on broken bytes
        reason = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())
        raise DatasetError(reason) from None


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale an image in memory, uint8 (H, W, 3), to `size` (height, width) with the filter of `read_image`."""
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def check_images(paths: list[Path], caller: str) -> None:
    """Refuse a folder that is wrong as a whole: no file is there, or none of the first twenty is an image."""
    reasons: list[str] = []
    for path in paths:
        if path.is_file():
            try:
                read_image(path, (8, 8))
                return
            except DatasetError as error:
                reasons.append(f"{path}: {error}")
        if len(reasons) == 20:
            break
    if reasons:
        raise DatasetError(
            f"{caller}: none of the first {len(reasons)} image files can be read ({reasons[0]}); fetch them again"
        )
    raise DatasetError(
        f"{caller}: none of the {len(paths)} image files is there, {paths[0]} for instance; "
        "put the images in that folder (`mpii fetch mpii FOLDER` downloads MPII)"
    )
