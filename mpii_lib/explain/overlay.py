"""A map of numbers laid over the image that it explains."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError
from mpii_lib.plots import blank


@checked
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
        When map and image do not have the same height and width, or `strength` is not in 0..1.
    """
    pixels, values = np.asarray(image, dtype=float), np.clip(np.asarray(heat, dtype=float), 0, 1)
    if pixels.shape != (*values.shape, 3) or not values.size or not 0 <= strength <= 1:
        found = f"image {pixels.shape}, map {values.shape}, strength {strength}"
        raise ModelError(f"overlay: {found}; give (H, W, 3), a map of its size (H, W), and 0..1")
    grey = pixels @ (0.299, 0.587, 0.114)
    blank(axes, title).imshow(0.15 * 255 + 0.85 * grey, cmap="gray", vmin=0, vmax=255)
    axes.imshow(values, cmap="cividis", vmin=0, vmax=1, alpha=strength * values, interpolation="bilinear")
