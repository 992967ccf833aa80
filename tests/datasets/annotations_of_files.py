"""Annotations of image files without people, for tests of what reads images."""

import numpy as np
import pandas as pd

from mpii_lib.annotations import Annotations
from mpii_lib.skeletons import MPII


def make_annotations(folder, names, categories, activities=None):
    """Annotations of the files `names` in `folder`; image ids count from 100."""
    images = pd.DataFrame(
        {"file_name": names, "split": "train", "category": categories, "activity": activities},
        index=pd.RangeIndex(100, 100 + len(names), name="image_id"),
    )
    people = pd.DataFrame({"image_id": np.zeros(0, np.int64)}, index=pd.RangeIndex(0, name="person_id"))
    return Annotations(images, people, np.zeros((0, 16, 2), np.float32), np.zeros((0, 16), np.int8), MPII, folder)
