"""A map over its image."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mpii_lib.errors import ModelError
from mpii_lib.explain import overlay


def test_where_the_map_is_zero_the_image_stays_and_where_it_is_one_it_is_yellow():
    figure, axes = plt.subplots(figsize=(2, 2), dpi=50)
    figure.subplots_adjust(0, 0, 1, 1)
    heat = np.zeros((20, 20))
    heat[:, 10:] = 1
    overlay(axes, np.full((20, 20, 3), 100, np.uint8), heat, strength=1.0)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    left, right = pixels[50, 20], pixels[50, 80]
    plt.close(figure)
    assert left.max() - left.min() <= 1  # grey
    assert right[0] > 200 and right[1] > 200 and right[2] < 120  # the bright end of cividis


def test_a_map_of_another_size_is_refused():
    _, axes = plt.subplots()
    with pytest.raises(ModelError, match="size"):
        overlay(axes, np.zeros((20, 20, 3)), np.zeros((10, 10)))
    plt.close("all")
