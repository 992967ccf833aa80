"""Reader of COCO 2017 person keypoints, `person_keypoints_train2017.json` and `person_keypoints_val2017.json`.

Format: https://cocodataset.org/#format-data, "Keypoint Detection". A person has 51 numbers: x, y and v of 17 joints,
with v = 0 not labelled, 1 labelled and not visible, 2 labelled and visible.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mpii_lib.annotations.cache import cached
from mpii_lib.annotations.table import Annotations
from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError, one_line
from mpii_lib.skeletons import COCO

_READER = "coco-2"  # raise the number when the same bytes are to give another result
_JOINTS = len(COCO.joints)
_BOX = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")
_OTHER = "give a COCO person_keypoints file"
_ADVICE = "get the official annotations again (mpii fetch coco)"


@checked
def read_coco(path: str | Path, split: Literal["train", "val"] = "train", cache: bool = True) -> Annotations:
    """Read COCO keypoint annotations.

    Parameters
    ----------
    path
        The folder that holds `annotations/person_keypoints_{split}2017.json`, or the JSON file itself.
    split
        "train" or "val": which file of the folder to read, and the value of the column `split`.
    cache
        Keep a Parquet copy beside the file and read that as long as the file's bytes stay the same.

    Returns
    -------
    Annotations
        `image_id` and `person_id` are COCO's ids. All images are kept, also those without people, and all persons, also
        crowds and those without joints; annotations of another category than the one with COCO's 17 joints are no
        persons. Coordinates are those of the file. Category and activity are NA. `folder` is the first of
        `{split}2017`, `images/{split}2017` and `images` that holds the images.

    Raises
    ------
    AnnotationError
        When the file is missing, is no JSON or no COCO keypoints, or a record is wrong; the message names the file, the
        record and the field.
    """
    path = Path(path)
    source, root = path, path.parent.parent
    if os.path.isdir(path):
        source, root = path / "annotations" / f"person_keypoints_{split}2017.json", path
    annotations = cached(source, lambda data: _parse(data, split), f"{_READER}-{split}", root, cache, _ADVICE)
    annotations.__dict__.update(folder=_image_folder(root, split, annotations.images["file_name"]))
    return annotations


def _image_folder(root: Path, split: str, names: pd.Series) -> Path:
    folders = [root / f"{split}2017", root / "images" / f"{split}2017", root / "images"]
    for folder in folders:
        if any(os.path.isfile(folder / name) for name in names.head(3)):
            return folder
    return next((folder for folder in folders if os.path.isdir(folder)), folders[0])


def _parse(data: bytes, split: str) -> Annotations:
    content = _content(data)
    images, people = content["images"], _persons(content["annotations"], content.get("categories"))
    columns = {name: _values(images, name, "image") for name in ("id", "file_name")}
    columns |= {name: _values(images, name, "image", optional=True) for name in ("width", "height")}
    persons = {name: _values(people, name, "annotation") for name in ("id", "image_id", "area", "iscrowd")}
    boxes = _values(people, "bbox", "annotation", lambda value: _numbers(value, 4))
    persons |= dict(zip(_BOX, np.reshape(boxes, (-1, 4)).T, strict=True))
    keypoints = _values(people, "keypoints", "annotation", lambda value: _numbers(value, 3 * _JOINTS))
    points: Any = np.reshape(np.array(keypoints, np.float64), (-1, _JOINTS, 3))
    order = pd.Series(persons["image_id"], dtype=object).astype(str)
    frame = pd.DataFrame(persons, dtype=object).assign(person_index=order.groupby(order).cumcount())
    joints = np.where(points[..., 2:] > 0, points[..., :2], np.nan)
    table = pd.DataFrame(columns | {"split": split}, dtype=object)
    return Annotations(table.set_index("id"), frame.set_index("id"), joints, points[..., 2], COCO)


def _content(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data, parse_constant=str)  # NaN and infinity are no JSON: as text they are no numbers
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"is not a whole JSON file ({one_line(error)})") from error
    for name in ("images", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise AnnotationError(f"is JSON without a list {name}; {_OTHER}")
    return content


def _persons(annotations: list[Any], categories: Any) -> list[Any]:
    """The annotations of persons: of the category "person" with COCO's seventeen joints in COCO's order.

    Another order would be read without a complaint. A category without a name counts as person, and so does everything
    in a file without categories; an annotation needs no category where there is only one.
    """
    if categories is None:
        return annotations
    if not isinstance(categories, list):
        raise AnnotationError(f"categories: {reprlib.repr(categories)} is no list; {_OTHER}")
    joints = dict(zip(_values(categories, "id", "category", _whole), categories, strict=True))
    persons = {
        number
        for number, category in joints.items()
        if category.get("keypoints") == list(COCO.joints) and category.get("name", "person") == "person"
    }
    if not persons:
        raise AnnotationError(f"categories, keypoints: none is a person with COCO's {_JOINTS} joints; {_OTHER}")

    def known(value: Any) -> int:
        if _whole(value) not in joints:
            raise ValueError(f"{value} is not among the categories {reprlib.repr(list(joints))}")
        return int(value)

    only = min(persons) if len(joints) == 1 else None
    owners = _values(annotations, "category_id", "annotation", known, optional=only is not None)
    return [each for each, owner in zip(annotations, owners, strict=True) if owner in (*persons, None)]


def _values(
    records: list[Any], name: str, kind: str, read: Callable[[Any], Any] = lambda value: value, optional: bool = False
) -> list[Any]:
    """One field of all records; the message names the record by its id."""
    values: list[Any] = []
    for number, record in enumerate(records):
        try:
            value = record.get(name) if isinstance(record, dict) else None
            if value is None and not optional:
                raise ValueError(f"is missing; {_OTHER}")
            values.append(value if value is None else read(value))
        except (OverflowError, ValueError) as error:
            named = isinstance(record, dict) and "id" in record
            where = f"{kind} {reprlib.repr(record['id']) if named else f'number {number}'}"
            raise AnnotationError(f"{where}, {name}: {one_line(error)}") from error
    return values


def _whole(value: Any) -> int:
    if type(value) not in (int, float) or value % 1 != 0:
        raise ValueError(f"{reprlib.repr(value)} is not a whole number")
    return int(value)


def _numbers(value: Any, length: int) -> list[float]:
    if not isinstance(value, list) or len(value) != length:
        held = f"{len(value)} numbers" if isinstance(value, list) else reprlib.repr(value)
        raise ValueError(f"{held} where {length} numbers are expected")
    if not set(map(type, value)) <= {int, float}:
        odd = next(each for each in value if type(each) not in (int, float))
        raise ValueError(f"{reprlib.repr(odd)} where a number is expected")
    return list(map(float, value))
