"""What explanations are measured by: where people are, and what can be read from features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib.arguments import checked
from mpii_lib.datasets.image_files import check_size, open_image
from mpii_lib.errors import DatasetError, ModelError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations


@checked
def people_boxes(
    annotations: Annotations, image_id: int, size: tuple[int, int], margin: float = 0.1
) -> NDArray[np.intp]:
    """Boxes around the annotated joints of everyone in an image, in pixels of the image scaled to `size`.

    Parameters
    ----------
    annotations
        With the image's file; only its header is read, for the true size.
    image_id
        Which image.
    size
        (height, width) that the classifier gets.
    margin
        Room on each side, as a share of the longer side of the box.

    Returns
    -------
    (P, 4) top, bottom, left, right, the ends not included, clipped to the image. Persons without joints have no box.

    Raises
    ------
    ModelError, DatasetError, AnnotationError
        The image's file cannot be read, `size` is none, the image_id is unknown.
    """
    check_size(size, "people_boxes")
    path = annotations.image_path(image_id)
    try:
        with open_image(path) as file:
            width, height = file.size
    except DatasetError as error:
        raise ModelError(f"{path}: {error}") from None
    boxes = []
    for person in np.flatnonzero(annotations.people["image_id"].to_numpy() == image_id):
        joints = annotations.joints[person][annotations.visibility[person] > 0].astype(float)
        if len(joints):
            low, high = joints.min(axis=0), joints.max(axis=0)
            room = margin * (high - low).max()
            (left, top), (right, bottom) = np.stack([low - room, high + room]) / (width, height) * (size[1], size[0])
            boxes.append((top, bottom, left, right))
    limits = (size[0], size[0], size[1], size[1])
    return np.clip(np.rint(np.reshape(boxes, (-1, 4))), 0, limits).astype(np.intp)


@checked
def readable(features: ArrayLike, values: ArrayLike, groups: ArrayLike | Sequence[str], *, folds: int = 5) -> float:
    """How well a fact can be read from features by a straight line: R^2 of a ridge regression on groups held out.

    Parameters
    ----------
    features
        (N, D).
    values
        (N,) the fact; rows where it is NaN are left out.
    groups
        (N,) what belongs together, such as videos: no group is on both sides of a fold.
    folds
        Number of folds; with fewer groups, as many as there are.

    Returns
    -------
    1 is perfect, 0 is no better than the mean of all; it can be negative. NaN when all values are the same.

    Raises
    ------
    ModelError
        When the lengths differ, a feature is not finite, or fewer than two groups are left.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold, cross_val_predict

    table, wanted, belongs = np.asarray(features, dtype=float), np.asarray(values, dtype=float), np.asarray(groups)
    if table.ndim != 2 or wanted.shape != (len(table),) or belongs.shape != (len(table),):
        raise ModelError(f"readable: {table.shape}, {wanted.shape}, {belongs.shape}; give (N, D), (N,) and (N,)")
    if folds < 2 or not np.isfinite(table).all():
        raise ModelError(f"readable: {folds} folds, features from {table.min()} on; give 2 or more, and finite numbers")
    known = np.isfinite(wanted)
    table, wanted, belongs = table[known], wanted[known], pd.factorize(belongs[known], sort=True)[0]
    count = len(np.unique(belongs))
    if count < 2:
        raise ModelError(f"readable: {count} groups with a known value; at least 2 are needed")
    fold = GroupKFold(min(folds, count))
    guess = cross_val_predict(RidgeCV(np.logspace(-1, 5, 13)), table, wanted, groups=belongs, cv=fold)
    return float(1 - np.mean((wanted - guess) ** 2) / (np.var(wanted) or np.nan))
