"""Who trains and who tests: splits and class weights.

Frames of one video look nearly alike. When some are in training and others in test, the test score measures memory.
So the split that a score may be reported from keeps each video whole (`by="video"`).
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

By = Literal["image", "video", "category"]
SPLITS = ("train", "val", "test")


@checked
def split_images(
    ann: Annotations,
    fractions: ArrayLike = (0.7, 0.15, 0.15),
    by: By = "video",
    seed: int = 0,
) -> pd.Series:
    """Deal the labelled images out to "train", "val" and "test" by lot.

    Labelled images that the file itself calls "test", as in the sample's test part, are the test split; then the others
    are dealt out to train and val only, in the proportion of these two shares. MPII's own test images have no labels
    and take no part.

    Parameters
    ----------
    ann
        The annotations.
    fractions
        Shares of train, val and test; they sum to 1, and that of train is above 0. A share of 0 leaves a split empty.
    by
        "image": each image at random, as the original report did; frames of one video land on both sides.
        "category": images at random too, but each category keeps the shares.
        "video": whole videos at random; of each category's videos every split gets its share, rounded, and of three
        videos or more at least one. How many images a video has plays no part, so that the splits hold short and long
        videos alike, and their shares of the images are met on average only. An image without `video_id` is a video of
        its own. A video with images of several categories counts for the most frequent one; a category that only
        occurs in videos of others may be missing in a split.
    seed
        From 0 to 2**32 - 1. The same seed gives the same split, whatever the order of the rows.

    Returns
    -------
    pandas.Series
        "train", "val" or "test", named "split", indexed by image_id, in the order of `ann.images`.

    Raises
    ------
    DatasetError
        The fractions are no shares that sum to 1, the seed is out of range, or no training image is labelled.
    """
    shares = np.asarray(fractions, dtype=float)
    if shares.shape != (3,) or not np.all(shares >= [1e-6, 0, 0]) or not np.isclose(shares.sum(), 1.0, atol=1e-6):
        found = reprlib.repr(shares.tolist())
        raise DatasetError(f"split_images: fractions={found}: give three shares that sum to 1, as (0.7, 0.15, 0.15)")
    images = _labelled(ann)
    categories, groups = _categories_and_groups(images, by, seed)
    test = ann.images.index[ann.images["split"].isin(["test"]) & ann.images["category"].notna()]
    if len(test):
        shares = np.array([*shares[:2] / shares[:2].sum(), 0])
    dealt = pd.Series(_deal(categories, groups, shares, np.random.default_rng(seed)), index=images.index)
    numbers = pd.concat([dealt, pd.Series(SPLITS.index("test"), index=test)])
    split = pd.Series(np.array(SPLITS)[numbers], index=numbers.index, name="split", dtype="str")
    return split.reindex(ann.images.index[ann.images.index.isin(split.index)]).rename_axis("image_id")


@checked
def class_weights(labels: Iterable[str | int]) -> dict[int, float]:
    """Weights that let each class count the same in the loss: n / (k * n_c), scikit-learn's "balanced".

    Parameters
    ----------
    labels
        One class for each image, numbers or names; k is the number of classes that occur.

    Returns
    -------
    dict
        Weight of each class that occurs, keyed as in `labels` (Keras wants whole numbers). A rare class weighs more.

    Raises
    ------
    DatasetError
        There are no labels, or some are missing.
    """
    column = pd.Series(list(labels))
    if column.empty:
        raise DatasetError("class_weights: there are no labels; give one class for each training image")
    if column.isna().any():
        raise DatasetError(f"class_weights: {int(column.isna().sum())} labels are missing; drop those images first")
    try:
        counts = column.value_counts().sort_index()
        weights = len(column) / (len(counts) * counts)
        return dict(zip(counts.index.tolist(), weights.astype(float).tolist(), strict=True))
    except TypeError:
        raise DatasetError("class_weights: labels are not all names, or all numbers; give one class for each") from None


def _labelled(ann: Annotations) -> pd.DataFrame:
    """The images that take part, by ascending image_id so that the order of the rows cannot change the outcome."""
    images = ann.images[ann.images["split"].isin(["train"]) & ann.images["category"].notna()].sort_index()
    if images.empty:
        count = len(ann.images)
        raise DatasetError(f"split_images: none of the {count} images is labelled for training; use MPII or the sample")
    return images


def _categories_and_groups(images: pd.DataFrame, by: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For each image the number of what keeps its shares (category) and of what stays together (video)."""
    if not 0 <= seed < 2**32:
        raise DatasetError(f"split_images: seed={seed} is out of range; give one from 0 to {2**32 - 1}")
    categories = pd.factorize(images["category"], sort=True)[0]
    alone = np.arange(len(images))
    if by == "image":
        return np.zeros(len(images), dtype=np.int64), alone
    if by == "category":
        return categories, alone
    videos = pd.factorize(images["video_id"])[0]
    # factorize says -1 where the video is not known: such an image is a video of its own.
    keys = np.where(videos >= 0, videos, len(images) + alone)
    return categories, pd.factorize(keys)[0]


def _deal(categories: np.ndarray, groups: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give each group to one split, category by category; returns the number of the split of each image."""
    category_of = pd.crosstab(groups, categories).idxmax(axis=1)
    split_of = np.zeros(len(category_of), dtype=np.int64)
    for _, members in category_of.groupby(category_of):
        split_of[rng.permutation(members.index)] = np.repeat(np.arange(3), _counts(len(members), shares, rng))
    return split_of[groups]


def _counts(number: int, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How many of so many groups each split gets: its share, rounded, and of three groups or more at least one."""
    quota = shares * number
    counts = np.floor(quota).astype(np.int64)
    by_remainder = np.lexsort([rng.random(3), counts - quota])  # equal ones by lot
    counts[by_remainder[: number - counts.sum()]] += 1
    while number >= 3 and np.any(empty := (counts == 0) & (shares > 0)):
        counts[counts.argmax()] -= 1
        counts[empty.argmax()] += 1
    return counts
