"""Reader of COCO 2017 person keypoints, `person_keypoints_train2017.json` and `person_keypoints_val2017.json`.

Format: https://cocodataset.org/#format-data, "Keypoint Detection". A person has 51 numbers: x, y and v of 17 joints,
with v = 0 not labelled, 1 labelled and not visible, 2 labelled and visible.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mpii_lib.annotations.cache import cached
from mpii_lib.annotations.table import Annotations
from mpii_lib.errors import AnnotationError, one_line
from mpii_lib.skeletons import COCO

_READER = "coco-1"  # raise the number when the same bytes are to give another result
_JOINTS = len(COCO.joints)
_OTHER = "give a COCO person_keypoints file"
_ADVICE = "get the official annotations again (mpii fetch coco)"


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
        crowds and those without joints. Coordinates are those of the file. Category and activity are NA. `folder`
        is the first of `{split}2017`, `images/{split}2017` and `images` that holds the images.

    Raises
    ------
    AnnotationError
        When the file is missing, is no JSON or no COCO keypoints, or a record is wrong; the message names the file, the
        record and the field.
    """
    if split not in ("train", "val"):
        raise AnnotationError(f"read_coco: split {split!r}; use 'train' or 'val'")
    path = Path(path)
    source, root = path, path.parent.parent
    if path.is_dir():
        source, root = path / "annotations" / f"person_keypoints_{split}2017.json", path
    annotations = cached(source, lambda data: _parse(data, source, split), f"{_READER}-{split}", root, cache)
    return replace(annotations, folder=_image_folder(root, split, annotations.images["file_name"]))


def _image_folder(root: Path, split: str, names: pd.Series) -> Path:
    folders = [root / f"{split}2017", root / "images" / f"{split}2017", root / "images"]
    for folder in folders:
        if any((folder / name).is_file() for name in names.head(3)):
            return folder
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _parse(data: bytes, source: Path, split: str) -> Annotations:
    content = _content(data, source)
    images, people = content["images"], content["annotations"]
    _check_category(content.get("categories"), source)
    table = {
        "file_name": _values(images, "file_name", str, source, "image"),
        "split": split,
        "width": _values(images, "width", _whole, source, "image", optional=True),
        "height": _values(images, "height", _whole, source, "image", optional=True),
    }
    image_ids = _values(images, "id", _whole, source, "image")
    owners = _values(people, "image_id", _whole, source, "annotation")
    person_ids = _values(people, "id", _whole, source, "annotation")
    boxes = _lists(people, "bbox", 4, source)
    known = set(image_ids)
    for number, owner in enumerate(owners):
        if owner not in known:
            raise AnnotationError(f"{source}: annotation {person_ids[number]}, image_id: no image {owner}; {_ADVICE}")
    persons = pd.DataFrame(
        {
            "image_id": np.array(owners, np.int64),
            **{f"bbox_{name}": boxes[:, column] for column, name in enumerate("xywh")},
            "area": np.array(_values(people, "area", float, source, "annotation"), np.float64),
            "iscrowd": np.array(_values(people, "iscrowd", _flag, source, "annotation"), bool),
        },
        index=person_ids,
    )
    persons["person_index"] = persons.groupby("image_id").cumcount()
    points = _lists(people, "keypoints", 3 * _JOINTS, source).reshape(-1, _JOINTS, 3)
    wrong = np.argwhere(~np.isin(points[..., 2], (0, 1, 2)))
    if len(wrong):
        person, joint = wrong[0]
        where = f"annotation {person_ids[person]}, keypoints, v of {COCO.joints[joint]}"
        raise AnnotationError(f"{source}: {where}: {points[person, joint, 2]} where 0, 1 or 2 is expected; {_ADVICE}")
    visibility = points[..., 2].astype(np.int8)
    joints = np.where(visibility[..., None] > 0, points[..., :2], np.nan)
    try:
        return Annotations(pd.DataFrame(table, index=image_ids), persons, joints, visibility, COCO)
    except AnnotationError as error:  # an id that occurs twice, for instance
        raise AnnotationError(f"{source}: {error}") from error


def _content(data: bytes, source: Path) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{source}: is not a whole JSON file ({one_line(error)}); {_ADVICE}") from error
    for name in ("images", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            raise AnnotationError(f"{source}: is JSON without a list {name}; {_OTHER}")
    return content


def _check_category(categories: Any, source: Path) -> None:
    """The joints have to be COCO's seventeen in COCO's order: another order would be read without a complaint."""
    for category in categories if isinstance(categories, list) else []:
        joints = category.get("keypoints") if isinstance(category, dict) else None
        if joints is not None and tuple(joints) != COCO.joints:
            raise AnnotationError(f"{source}: categories, keypoints: are not COCO's {_JOINTS} joints; {_OTHER}")


def _values(
    records: list[Any], name: str, read: Callable[[Any], Any], source: Path, kind: str, optional: bool = False
) -> list[Any]:
    """One field of all records; the message names the record by its id."""
    values: list[Any] = []
    for number, record in enumerate(records):
        try:
            values.append(None if optional and record.get(name) is None else read(record[name]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if not isinstance(record, dict):
                raise AnnotationError(
                    f"{source}: {kind} number {number}: is no object with fields; {_ADVICE}"
                ) from error
            where = f"{source}: {kind} {record.get('id', f'number {number}')}"
            if name not in record:
                raise AnnotationError(f"{where}: has no field {name}; {_OTHER}") from error
            raise AnnotationError(f"{where}, {name}: {one_line(error)}; {_ADVICE}") from error
    return values


def _lists(records: list[Any], name: str, length: int, source: Path) -> np.ndarray:
    """(records, length) float64 of a field that is a list of numbers."""

    def read(value: Any) -> np.ndarray:
        numbers = np.array(value, np.float64)
        if numbers.shape != (length,):
            raise ValueError(f"{numbers.size} numbers where {length} are expected")
        return numbers

    return np.array(_values(records, name, read, source, "annotation"), np.float64).reshape(len(records), length)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


def _flag(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r} where 0 or 1 is expected")
    return bool(value)
