"""Labels: cleaned activity names, one class or several for a picture, and what a careless split would invent.

Two things go wrong easily with MPII's activity names. Most of them contain commas ("sitting, playing cards"), so taking
", " for a separator cuts one activity into several that do not exist. And one name has up to seven activity ids, so
the *name* is the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Column = Literal["category", "activity"]
COLUMNS: tuple[Column, ...] = ("category", "activity")


def clean_name(name: Any) -> str | None:
    """Trim a name and write each run of white space as one space; None where nothing is left, or nothing was.

    Upper and lower case stay as in the file, and so do commas: no two names of the official file differ in case or
    white space alone, so there is nothing to merge.
    """
    if name is None or name is pd.NA or (isinstance(name, float) and np.isnan(name)):
        return None
    return " ".join(str(name).split()) or None


def activity_names(ann: Annotations, image_ids: Iterable[int] | None = None, least: int = 1) -> list[str]:
    """List the activities that occur, by cleaned name, sorted: the classes of an activity classifier.

    The official file has 396 on its training images. The protocol with 393 classes (Pishchulin 2014, as Gkioxari 2015
    and Girdhar 2017 use it) takes the names that occur on its own lists of 15,206 training and validation images;
    which images these are is not in the annotation file, so 393 cannot be had from it. With the ids of those images
    as `image_ids`, this function gives that list.

    Parameters
    ----------
    ann
        The annotations.
    image_ids
        Look at these images only; all by default.
    least
        Keep activities with at least this many images: one with a single image cannot be in training and test.

    Raises
    ------
    DatasetError
        No activity is left, or an image_id is unknown.
    """
    images = ann.images if image_ids is None else ann.images.reindex(_known(ann, image_ids))
    counts = Counter(name for name in map(clean_name, images["activity"].astype(object)) if name)
    names = sorted(name for name, count in counts.items() if count >= least)
    if not names:
        raise DatasetError(
            f"activity_names: no activity has {least} or more of the {len(images)} images; give labelled images"
        )
    return names


def label_names(ann: Annotations, target: Column | Sequence[Column]) -> list[str]:
    """List the classes of a target: the names of a column, sorted, or those of several columns one after another.

    With several columns each name gets its column in front ("activity: running"), because "running" is a category and
    an activity too.
    """
    columns = _columns(target)
    names = []
    for column in columns:
        cleaned = {clean_name(value) for value in ann.images[column].astype(object)} - {None}
        names += sorted(_title(column, name, columns) for name in cleaned if name)
    return names


def multi_hot(labels: Iterable[Iterable[str]], classes: Sequence[str]) -> np.ndarray:
    """Write several labels an example as zeros and ones.

    Parameters
    ----------
    labels
        For each of N examples its names, cleaned here; none at all is allowed.
    classes
        C names in the order of the columns.

    Returns
    -------
    numpy.ndarray
        float32 (N, C): 1 where the example has the label, as binary cross-entropy wants it.

    Raises
    ------
    DatasetError
        A label is not among the classes, a class is named twice, or a string stands where a list of names should.
    """
    names = _distinct(classes)
    place = {name: position for position, name in enumerate(names)}
    rows = list(labels)
    hot = np.zeros((len(rows), len(names)), dtype=np.float32)
    for row, given in enumerate(rows):
        if isinstance(given, str):
            raise DatasetError(
                f"multi_hot: example {row} is the string {given!r}; give a list of names, one of them too"
            )
        for name in filter(None, map(clean_name, given)):
            if name not in place:
                raise DatasetError(f"multi_hot: example {row} has the label {name!r}, which is none of the classes")
            hot[row, place[name]] = 1.0
    return hot


def from_multi_hot(hot: np.ndarray, classes: Sequence[str], threshold: float = 0.5) -> list[tuple[str, ...]]:
    """Give the names that stand in each row: those whose value is at least `threshold`, in the order of the classes.

    Parameters
    ----------
    hot
        (N, C) zeros and ones, or probabilities.
    classes
        The C names.
    """
    values, names = np.asarray(hot), _distinct(classes)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise DatasetError(f"from_multi_hot: values {values.shape} for {len(names)} classes; give (N, {len(names)})")
    return [tuple(name for name, value in zip(names, row, strict=True) if value >= threshold) for row in values]


def image_labels(
    ann: Annotations,
    image_ids: Iterable[int],
    target: Column | Sequence[Column] = "category",
    classes: Sequence[str] | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Give the labels of images, and the names of the classes.

    Parameters
    ----------
    ann, image_ids
        The annotations, and which of their images.
    target
        "category" or "activity": one class an image. A sequence of these, such as ("category", "activity"): several
        labels an image.
    classes
        Names in the order of the labels; by default `label_names(ann, target)`.

    Returns
    -------
    labels : numpy.ndarray
        One column: int32 (N,), -1 where the image has no label among the classes. A sequence of columns: float32
        (N, C) multi-hot, with a row of zeros there.
    classes : list of str
        The C names.
    """
    ids = _known(ann, image_ids)
    names = _distinct(label_names(ann, target) if classes is None else classes)
    columns = _columns(target)
    found = [[clean_name(value) for value in ann.images[column].reindex(ids).astype(object)] for column in columns]
    if isinstance(target, str):
        return pd.Index(names, dtype=object).get_indexer(pd.Index(found[0], dtype=object)).astype(np.int32), names
    wanted = set(names)
    titled = [
        [name and _title(column, name, columns) for name in values]
        for column, values in zip(columns, found, strict=True)
    ]
    return multi_hot([[name for name in row if name in wanted] for row in zip(*titled, strict=True)], names), names


def split_at_commas(names: Iterable[Any]) -> pd.DataFrame:
    """Show which "labels" a split of activity names at ", " would invent, as the original report made its 600.

    Parameters
    ----------
    names
        One activity name for each image; missing ones are left out.

    Returns
    -------
    DataFrame
        A row for each piece, most frequent first: `names` (how many activities it is cut from), `images`, and
        `is_activity` (whether it is an activity name by itself).
    """
    images = Counter(name for name in map(clean_name, names) if name)
    cut: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for name, count in images.items():
        for piece in {clean_name(part) or "" for part in name.split(", ")} - {""}:
            cut[piece] += 1
            seen[piece] += count
    table = pd.DataFrame(
        {"names": cut, "images": seen, "is_activity": {piece: piece in images for piece in cut}},
    ).rename_axis("piece")
    return table.sort_values(["names", "images"], ascending=False, kind="stable")


def _columns(target: Column | Sequence[Column]) -> tuple[Column, ...]:
    columns = (target,) if isinstance(target, str) else tuple(target)
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= set(COLUMNS):
        raise DatasetError(
            f'target={target!r} is unknown; use "category" or "activity", or ("category", "activity") for both at once'
        )
    return columns


def _title(column: str, name: str, columns: Sequence[str]) -> str:
    return name if len(columns) == 1 else f"{column}: {name}"


def _distinct(classes: Sequence[str]) -> list[str]:
    names = [clean_name(name) or "" for name in classes]
    if len(set(names)) < len(names) or "" in names:
        twice = next((name for name, count in Counter(names).items() if count > 1), "")
        raise DatasetError(f"a class is named twice in `classes`, or has no name ({twice!r}); give each name once")
    return names


def _known(ann: Annotations, image_ids: Iterable[int]) -> pd.Index:
    ids = pd.Index(np.asarray(list(image_ids), dtype=np.int64))
    unknown = ids[~ids.isin(ann.images.index)]
    if len(unknown):
        raise DatasetError(
            f"{len(unknown)} image_ids are not in the annotations, the first is {unknown[0]}; "
            "take them from ann.images.index"
        )
    return ids
