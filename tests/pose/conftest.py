"""Three images of people whose joints can be seen in the pixels."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.skeletons import MPII

# Right joints lie on one side of the image, left ones on the other.
JOINTS = np.stack([np.linspace(30, 130, 16), 40 + 7 * (np.arange(16) % 8)], axis=1).round()


@pytest.fixture
def draw_dots():
    """Writes a dark image with a bright 5 x 5 spot at each joint."""

    def draw(path):
        pixels = np.full((120, 160, 3), 20, np.uint8)
        for x, y in JOINTS.astype(int):
            pixels[y - 2 : y + 3, x - 2 : x + 3] = 250
        Image.fromarray(pixels).save(path)

    return draw


@pytest.fixture
def people(tmp_path, draw_dots):
    """Three images, the second with two persons, the third broken."""
    for number in range(2):
        draw_dots(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"nothing")
    images = pd.DataFrame({"file_name": ["0.png", "1.png", "2.png"]}, index=[10, 11, 12])
    owners = [10, 11, 11, 12]
    table = pd.DataFrame({"image_id": owners}, index=[1, 2, 3, 4])
    table["head_x1"], table["head_y1"], table["head_x2"], table["head_y2"] = 0.0, 0.0, 30.0, 40.0
    table["scale"], table["center_x"], table["center_y"] = 0.5, 80.0, 60.0
    visibility = np.full((4, 16), 2, np.int8)
    visibility[1, 3] = 0
    joints = np.where(visibility[..., None] > 0, np.tile(JOINTS, (4, 1, 1)), np.nan).astype(np.float32)
    return Annotations(images, table, joints, visibility, MPII, tmp_path)
