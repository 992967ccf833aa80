"""A map of numbers laid over the image that it explains."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from mpii_lib.errors import ModelError
from mpii_lib.plots import blank


def overlay(axes: Axes, image: ArrayLike, heat: ArrayLike, *, title: str = "", strength: float = 0.75) -> None:
    """Draw an image in grey and a map over it: the larger the number, the more yellow and the less of the image.

    Parameters
    ----------
    axes
        Where to draw.
    image
        (H, W, 3) RGB, uint8 or float in 0..255.
    heat
        (H, W); values below 0 show nothing, 1 and more show most. An occlusion map is divided by its maximum first.
    title
        Above the image.
    strength
        How opaque the map is at 1.

    Raises
    ------
    ModelError
        When map and image do not have the same height and width.
    """
    pixels, values = np.asarray(image, dtype=float), np.clip(np.asarray(heat, dtype=float), 0, 1)
    if pixels.shape[:2] != values.shape:
        raise ModelError(f"overlay: the map is {values.shape} and the image {pixels.shape[:2]}; give maps of its size")
    grey = pixels @ (0.299, 0.587, 0.114)
    blank(axes, title).imshow(0.15 * 255 + 0.85 * grey, cmap="gray", vmin=0, vmax=255)
    axes.imshow(values, cmap="cividis", vmin=0, vmax=1, alpha=strength * values, interpolation="bilinear")
