"""Sizes of a person in pixels, in which pose scores are measured: head, box, torso."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib.errors import MpiiError
from mpii_lib.skeletons import COCO, Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Array = NDArray[np.float64]


def head_size(people: pd.DataFrame | Annotations) -> Array:
    """Head sizes (N,) in pixels: 0.6 times the diagonal of the head box; NaN where a person has none.

    `people` is a table with head_x1, head_y1, head_x2, head_y2 (`annotations.people`), or the annotations.

    Raises
    ------
    MpiiError
        When the table has no head boxes.
    """
    box = _columns(people, ["head_x1", "head_y1", "head_x2", "head_y2"], "head_size")
    return 0.6 * np.hypot(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])


def box_size(people: pd.DataFrame | Annotations) -> Array:
    """Longer side (N,) in pixels of each person's box, for `pck`; NaN where there is none. Errors as `head_size`."""
    return _columns(people, ["bbox_w", "bbox_h"], "box_size").max(axis=1)


def torso_size(truth: ArrayLike, skeleton: Skeleton = COCO) -> Array:
    """Torso (N,) in pixels, for `pck`: left shoulder to right hip; the other diagonal where these are not annotated.

    `truth` is (N, K, 2) in pixels, NaN where not annotated; NaN comes out where neither diagonal is there.
    """
    joints = np.asarray(truth, float)
    left, right = ("left_", "right_") if "left_hip" in skeleton.joints else ("l_", "r_")
    diagonals = [
        np.linalg.norm(joints[:, skeleton.index(a + "shoulder")] - joints[:, skeleton.index(b + "hip")], axis=1)
        for a, b in ((left, right), (right, left))
    ]
    return np.where(np.isnan(diagonals[0]), diagonals[1], diagonals[0])


def _columns(people: pd.DataFrame | Annotations, names: list[str], caller: str) -> Array:
    table = people if isinstance(people, pd.DataFrame) else people.people
    missing = [name for name in names if name not in table]
    if missing:
        raise MpiiError(f"{caller}: the table has no column {missing[0]}; give annotations.people")
    return table[names].to_numpy(dtype=float, na_value=np.nan)
