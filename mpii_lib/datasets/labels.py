"""Labels: cleaned activity names, one class or several for an image, and what a careless split would invent.

Two things go wrong easily with MPII's activity names. Most of them contain commas ("sitting, playing cards"), so taking
", " for a separator cuts one activity into several that do not exist. And one name has up to seven activity ids, so
the *name* is the class.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Column = Literal["category", "activity"]


def clean_name(name: Any) -> str | None:
    """Trim a name and write each run of white space as one space; None where nothing is left, or there is no name.

    Upper and lower case stay as in the file, and so do commas: no two names of the official file differ in case or
    white space alone, so there is nothing to merge.
    """
    return " ".join(str(name).split()) or None if pd.api.types.is_scalar(name) and not pd.isna(name) else None


@checked
def label_names(annotations: Annotations, target: Column | Sequence[Column]) -> list[str]:
    """List the classes of a target: the names of a column, sorted, or those of several columns one after another.

    With several columns each name gets its column in front ("activity: running"), because "running" is a category and
    an activity too.
    """
    columns = [_titled(annotations, column, target) for column in _columns(target)]
    return [name for column in columns for name in sorted(column.dropna().unique())]


@checked
def image_labels(
    annotations: Annotations,
    image_ids: Iterable[int],
    target: Column | Sequence[Column] = "category",
    classes: Sequence[str] | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Give the labels of images, and the names of the classes.

    Parameters
    ----------
    annotations, image_ids
        The annotations, and which of their images.
    target
        "category" or "activity": one class an image. A sequence of these, such as ("category", "activity"): several
        labels an image.
    classes
        Names in the order of the labels; by default `label_names(annotations, target)`.

    Returns
    -------
    labels : numpy.ndarray
        One column: int32 (N,), -1 where the image has no label among the classes. A sequence of columns: float32
        (N, C) multi-hot, as binary cross-entropy wants it, with a row of zeros there.
    classes : list of str
        The C names.

    Raises
    ------
    DatasetError
        An image_id or the target is unknown, or a class is named twice.
    """
    given = label_names(annotations, target) if classes is None else classes
    names = [clean_name(name) or "" for name in given]
    if len(set(names)) < len(names) or "" in names:
        raise DatasetError("`classes`: a class is named twice, or has no name; give each name once")
    ids = list(image_ids)
    hot = np.zeros((len(ids), len(names)), dtype=np.float32)
    for column in _columns(target):
        positions = pd.Index(names, dtype=object).get_indexer(_titled(annotations, column, target, ids))
        if isinstance(target, str):
            return positions.astype(np.int32), names
        rows = np.flatnonzero(positions >= 0)
        hot[rows, positions[rows]] = 1
    return hot, names


def known_ids(ids: Iterable[int], known: pd.Index, name: str = "image_ids") -> NDArray[np.int64]:
    """Give ids as an array; DatasetError when one of them is not among the `known` ones, or is no whole number."""
    given: list[Any] = list(ids)
    unknown = [each for each in given if not isinstance(each, Integral) or isinstance(each, bool) or each not in known]
    if unknown:
        first = reprlib.repr(unknown[0])
        raise DatasetError(f"{len(unknown)} {name} are not in the annotations, the first is {first}; leave them out")
    return np.array(given, dtype=np.int64)


def _columns(target: Column | Sequence[Column]) -> tuple[Column, ...]:
    columns = (target,) if isinstance(target, str) else tuple(target)
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= {"category", "activity"}:
        raise DatasetError('target: give "category" or "activity", or ("category", "activity") for both at once')
    return columns


def _titled(
    annotations: Annotations, column: str, target: Column | Sequence[Column], image_ids: Iterable[int] | None = None
) -> pd.Series:
    """The names of a column, cleaned, None where there is none; with the column in front where the target has several.

    Of some images in the order given, or of all.
    """
    values = annotations.images[column].astype(object)
    if image_ids is not None:
        values = values.loc[known_ids(image_ids, values.index)]
    names = values.map(clean_name)
    return names if len(_columns(target)) == 1 else f"{column}: " + names
