"""`Annotations`: the one data model of the library, which checks itself."""

from __future__ import annotations

import hashlib
import re
import reprlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib._html import html_table
from mpii_lib.annotations import store
from mpii_lib.arguments import checked, is_numeric
from mpii_lib.errors import AnnotationError, one_line
from mpii_lib.skeletons import Skeleton

# Text and whole numbers use pandas' nullable types, so that "missing" is NA and never -1 or "". Measures stay plain
# float64, where pandas counts NaN as missing, because NumPy and matplotlib take them as they are.
IMAGE_COLUMNS: dict[str, str] = {
    "file_name": "string",
    "split": "string",
    "category": "string",
    "activity": "string",
    "activity_id": "Int64",
    "video_id": "Int64",
    "frame_sec": "float64",
    "width": "Int64",
    "height": "Int64",
}
PEOPLE_COLUMNS: dict[str, str] = {
    "image_id": "int64",
    "person_index": "Int64",
    "head_x1": "float64",
    "head_y1": "float64",
    "head_x2": "float64",
    "head_y2": "float64",
    "scale": "float64",
    "center_x": "float64",
    "center_y": "float64",
    "separated": "boolean",
    "bbox_x": "float64",
    "bbox_y": "float64",
    "bbox_w": "float64",
    "bbox_h": "float64",
    "area": "float64",
    "iscrowd": "boolean",
}
SPLITS = ("train", "val", "test")
_SIDE = 65_535  # pixels, the longest side of a JPEG; what lies further off is a mistake of the file
# Least and most of a number. A person's `scale` is for those to judge who crop by it.
RANGES = dict.fromkeys([name for name in PEOPLE_COLUMNS if name[:4] in ("head", "cent", "bbox")], (-_SIDE, _SIDE))
RANGES |= {"width": (1, _SIDE), "height": (1, _SIDE), "frame_sec": (0, 10**9), "area": (0, _SIDE**2)}
RANGES |= {"bbox_w": (0, _SIDE), "bbox_h": (0, _SIDE)}
_NUMERIC = {"integer", "floating", "mixed-integer-float"}
_KINDS = {  # what the columns of a type are made of, in pandas' words, and one of them in ours
    "string": ({"string"}, "text"),
    "Int64": (_NUMERIC, "a whole number of 64 bits"),
    "int64": (_NUMERIC, "a whole number of 64 bits"),
    "float64": (_NUMERIC, "a number"),
    "boolean": (_NUMERIC | {"boolean"}, "true or false"),
}
_OWNER = ("image_id", "person_index")  # where a person stands in its file
_PLAIN_NAME = r"\w[\w.-]{0,59}"  # nearly all names are of this kind, and looked at no further

Selector: TypeAlias = Any  # a mask, ids, a function from the table to one of these, or None


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Annotations:
    """Images, the people in them, and the people's joints.

    The constructor checks everything that is written here, adds the columns that are missing (filled with NA), and
    brings the columns to the types of `IMAGE_COLUMNS` and `PEOPLE_COLUMNS`. Further columns are kept as they are.

    Attributes
    ----------
    images : DataFrame, one row an image
        Index `image_id` (int64, unique). `file_name` is below `folder`, and of one split alone; `split` is "train",
        "val" or "test"; images without a label have NA in `category` and `activity`; `frame_sec` in seconds; `width`,
        `height` in pixels.
    people : DataFrame, one row an annotated person
        Index `person_id` (int64, unique); `image_id` names a row of `images`; `person_index` counts from 0 in the
        image's own list. `head_x1 .. head_y2` is the head box, `center_x`, `center_y` and `bbox_*` are pixels, `scale`
        is the person's height / 200 px, `area` is the segment's in square pixels, `separated` says that the person
        stands apart from the others (MPII's `single_person`), `iscrowd` is COCO's.
    joints : float32 (people, K, 2)
        x and y in pixels of the full image, 0-based pixel centres as the file has them; NaN where not annotated.
        Belongs to `people` row by row, and cannot be written to.
    visibility : int8 (people, K)
        0 not annotated, 1 annotated and occluded, 2 annotated and visible.
    skeleton : Skeleton
        Names of the K joints and how they hang together.
    folder : Path or None
        Where `file_name` lies.

    Raises
    ------
    AnnotationError
        When they contradict each other, or a value is none that can be: text for a number, a size below 0, a place
        more than 65,535 px off, one file in two splits. The message names the table, the record and the field.

    Warns
    -----
    UserWarning
        When one file is there twice in one split: `split_images` by image could deal it to two.
    """

    images: pd.DataFrame
    people: pd.DataFrame
    joints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    skeleton: Skeleton
    folder: Path | None = None

    def __post_init__(self) -> None:
        images = _normalise(self.images, IMAGE_COLUMNS, "images", "image_id", required="file_name")
        people = _normalise(self.people, PEOPLE_COLUMNS, "people", "person_id", required="image_id")
        unknown = ~images["split"].isin(SPLITS) & images["split"].notna()
        if unknown.any():
            where = images.index[unknown.to_numpy(bool)][0]
            split = reprlib.repr(images.loc[where, "split"])
            raise AnnotationError(f"image_id {where}, split: {split}; use one of {', '.join(SPLITS)} or NA")
        _check_names(images)
        orphan = ~people["image_id"].isin(images.index).to_numpy(bool)
        if orphan.any():
            where = people.index[orphan][0]
            what = f"{people.loc[where, 'image_id']} is not in images; add the image or leave the person out"
            raise AnnotationError(f"person_id {where}, image_id: {what}")
        joints, visibility = _checked_joints(self.joints, self.visibility, people, self.skeleton)
        # The dataclass is frozen, for its users; what was checked takes the place of what was given.
        self.__dict__.update(images=images, people=people, joints=joints, visibility=visibility)

    @property
    def with_joints(self) -> NDArray[np.bool_]:
        """(people,) bool: at least one joint of the person is annotated."""
        return np.asarray(self.visibility.any(axis=1), bool)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of everything but `folder`: equal content gives equal fingerprints on every machine."""
        digest = hashlib.sha256()
        for frame in (self.images, self.people):
            digest.update(np.asarray(frame.index, np.int64).tobytes())
            for name in frame.columns:
                digest.update(f"\x1d{name}\x1d".encode())
                digest.update(_column_bytes(frame[name]))
        digest.update(self.joints.tobytes())
        digest.update(self.visibility.tobytes())
        digest.update(repr((self.skeleton.name, self.skeleton.joints)).encode())
        return digest.hexdigest()

    @checked
    def image_path(self, image_id: int) -> Path:
        """Path of one image, `folder / file_name`; AnnotationError when the id or the folder is unknown."""
        if self.folder is None:
            raise AnnotationError(f"image {image_id}: these annotations have no folder; give one when they are made")
        if image_id not in self.images.index:
            raise AnnotationError(f"image {image_id}: no such image_id; see annotations.images.index")
        return self.folder / str(self.images.loc[image_id, "file_name"])

    def where(self, images: Selector = None, people: Selector = None) -> Annotations:
        """Some of the images with their people, some of the people, or both.

        Parameters
        ----------
        images, people
            What to keep: a boolean mask (an array of full length, or a Series by id where absent and NA mean no),
            one id or several in any order, or a function from the table to one of these. None keeps everything.

        Returns
        -------
        Annotations
            In the order of the tables. People of images that are left out go with them; images stay when their
            people are left out.

        Raises
        ------
        AnnotationError
            When a mask has another length, or an id is unknown.
        """
        keep_images = _chosen(self.images, images, "images")
        keep_people = _chosen(self.people, people, "people")
        kept = self.images[keep_images]
        keep_people = keep_people & self.people["image_id"].isin(kept.index).to_numpy(bool)
        joints, visibility = self.joints[keep_people], self.visibility[keep_people]
        return replace(self, images=kept, people=self.people[keep_people], joints=joints, visibility=visibility)

    @checked
    def save(self, path: str | Path) -> Path:
        """Write one Parquet file (a row an image, its people nested in it) and return its path.

        The file appears only when it is whole, and an older one is replaced. AnnotationError when it cannot be written.
        """
        return store.write(Path(path), self)

    @classmethod
    @checked
    def load(cls, path: str | Path, folder: str | Path | None = None) -> Annotations:
        """Read what `save` wrote; `folder` overrides the saved one. AnnotationError when it is no such file."""
        content, _ = store.read(Path(path))
        where = content["folder"] if folder is None else folder
        return cls(**content | {"folder": None if where is None else Path(where)})

    def _summary(self) -> dict[str, str]:
        images = self.images
        splits = images["split"].value_counts()
        by_split = ", ".join(f"{splits[name]:,} {name}" for name in SPLITS if name in splits.index)
        rows = {
            "images": f"{len(images):,}" + (f" ({by_split})" if by_split else ""),
            "people": f"{len(self.people):,} ({int(self.with_joints.sum()):,} with joints)",
            "joints": f"{len(self.skeleton.joints)} ({self.skeleton.name})",
        }
        for label, column in (("categories", "category"), ("activities", "activity"), ("videos", "video_id")):
            if images[column].notna().any():
                rows[label] = f"{images[column].nunique():,}"
        return rows

    def __repr__(self) -> str:
        return f"Annotations({', '.join(f'{name}: {value}' for name, value in self._summary().items())})"

    def _repr_html_(self) -> str:
        return html_table(self._summary(), "Annotations")


def _normalise(frame: pd.DataFrame, columns: Mapping[str, str], table: str, index: str, required: str) -> pd.DataFrame:
    """A shallow copy with the model's columns first, in their types, and an int64 index of the right name."""
    if required not in frame.columns or not frame.columns.is_unique:
        raise AnnotationError(f"{table}: the column {required} is missing, or a column is there twice; give each once")
    rows = frame.index.to_frame(index=False, name=index).rename_axis("row")
    ids = pd.Index(_typed(rows, index, "int64"), name=index)
    if not ids.is_unique:
        raise AnnotationError(f"{table}: {index} {ids[ids.duplicated()][0]} occurs twice; ids have to be unique")
    frame = frame.set_axis(ids)
    data: dict[str, Any] = {}
    for name, dtype in columns.items():
        missing = pd.Series(np.nan if dtype == "float64" else pd.NA, index=frame.index, dtype=object)
        data[name] = _typed(frame, name, dtype) if name in frame.columns else missing.astype(dtype).array
    if data[required].isna().any():
        raise AnnotationError(f"{_name(frame, np.argmax(data[required].isna()), required)}: is missing; mend it")
    known = pd.DataFrame(data, index=ids)
    check_ranges(known, RANGES)
    return pd.concat([known, frame.drop(columns=list(columns), errors="ignore")], axis=1)


def _name(table: pd.DataFrame, row: Any, column: str) -> str:
    """A record as messages name it: a person also by its place in the file."""
    owner = [f"{name} {reprlib.repr(table[name].tolist()[row])}" for name in _OWNER if name in table.columns]
    whose = f" ({', '.join(owner)})" if table.index.name == "person_id" else ""
    return f"{table.index.name} {table.index[row]}{whose}, {column}"


def _typed(table: pd.DataFrame, name: str, dtype: str) -> Any:
    """A column's values in its type; AnnotationError for the first that is of another kind."""
    try:
        return _cast(table[name], dtype)
    except (TypeError, ValueError, OverflowError) as reason:
        for row, value in enumerate(table[name].tolist()):
            try:
                _cast(pd.Series([value], dtype=object), dtype)
            except (TypeError, ValueError, OverflowError) as error:
                what = f"{reprlib.repr(value)} is not {_KINDS[dtype][1]}"
                raise AnnotationError(f"{_name(table, row, name)}: {what}; mend it") from error
        raise AnnotationError(f"{_name(table, 0, name)} and below: {one_line(reason)}; mend it") from reason


def _cast(column: pd.Series, dtype: str) -> Any:
    values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    if pd.api.types.infer_dtype(values, skipna=True) not in _KINDS[dtype][0] | {"empty"}:
        raise TypeError(dtype)
    # Arrow's text holds no half of a surrogate pair, and Int64 cuts no fraction off.
    first: Any = {"string": pd.StringDtype("pyarrow"), "int64": "Int64"}.get(dtype, dtype)
    with np.errstate(invalid="ignore"):  # the same as an error
        return values.astype(first).astype(dtype).array  # type: ignore[call-overload]


def check_ranges(table: pd.DataFrame, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise AnnotationError for the first number outside its column's range; what is missing passes."""
    for name in table.columns.intersection(list(ranges)):
        values = table[name].to_numpy(np.float64, na_value=np.nan)
        least, most = ranges[name]
        wrong = (values < least) | (values > most)
        if wrong.any():
            row = int(np.argmax(wrong))
            what = f"{values[row]} is not within {least:g} to {most:g}"
            raise AnnotationError(f"{_name(table, row, name)}: {what}; mend it")


def _check_names(images: pd.DataFrame) -> None:
    """File names lie below the folder, the file system takes them, and no file is in two splits."""
    names = images["file_name"]
    for number, name in names[~names.str.fullmatch(_PLAIN_NAME)].items():
        parts = re.split(r"[/\\]", name)
        outside = parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", name)
        if outside or "\0" in name or name == "." or max(len(part.encode()) for part in parts) > 255:
            what = "is no name of a file below the folder"
            raise AnnotationError(f"image_id {number}, file_name: {reprlib.repr(name)} {what}; mend it")
    twice = images[names.duplicated(keep=False)]
    if len(twice):
        splits = twice.groupby("file_name")["split"].transform(lambda each: each.nunique(dropna=False))
        again = twice[splits == splits.max()]  # of several, first one that is in several splits
        again = again[again["file_name"] == again["file_name"].iloc[0]]
        pair = again.drop_duplicates("split") if splits.max() > 1 else again
        where = " and ".join(f"image_id {number} ({split})" for number, split in pair["split"].head(2).items())
        what = f"{where}: file_name is {reprlib.repr(pair['file_name'].iloc[0])} in both; leave one out"
        if splits.max() > 1:
            raise AnnotationError(what)
        warnings.warn(what, stacklevel=2)


def _checked_joints(
    joints: ArrayLike, visibility: ArrayLike, people: pd.DataFrame, skeleton: Skeleton
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    shape = (len(people), len(skeleton))
    if not (is_numeric(joints) and is_numeric(visibility)):
        raise AnnotationError("joints, visibility: something else than numbers is in them; give arrays of numbers")
    where, seen = np.array(joints, np.float64), np.asarray(visibility)
    if where.shape != (*shape, 2):
        raise AnnotationError(f"joints: shape {where.shape} where {(*shape, 2)} is expected (people, joints, x and y)")
    if seen.shape != shape:
        raise AnnotationError(f"visibility: shape {seen.shape} where {shape} is expected (people, joints)")
    finite = (np.abs(where) <= _SIDE).all(axis=2)
    for bad, field, text in (
        (~np.isin(seen, (0, 1, 2)), "visibility", "has to be 0 (not annotated), 1 (occluded) or 2 (visible)"),
        ((seen > 0) & ~finite, "joints", f"are not within {_SIDE} px where visibility says annotated; mend it"),
        ((seen == 0) & ~np.isnan(where).all(axis=2), "joints", "are there where visibility is 0; use NaN"),
    ):
        if bad.any():
            person, joint = np.argwhere(bad)[0]
            values = f"{where[person, joint].tolist()} with {seen[person, joint]}"
            raise AnnotationError(f"{_name(people, person, field)} of {skeleton.joints[joint]}: {values} {text}")
    where[~finite] = np.nan  # one bit pattern of NaN, so that equal content has equal bytes
    kept = where.astype(np.float32), seen.astype(np.int8)
    for array in kept:
        array.flags.writeable = False
    return kept


def _chosen(frame: pd.DataFrame, selector: Any, table: str) -> NDArray[np.bool_]:
    """(rows,) bool mask from a mask, ids, or a function that gives one of them."""
    if selector is None:
        return np.ones(len(frame), bool)
    if callable(selector):
        selector = selector(frame)
    if isinstance(selector, pd.Series) and pd.api.types.is_bool_dtype(selector.dtype):
        selector = selector.index[selector.fillna(False).to_numpy(bool)].intersection(frame.index)
    try:
        values = pd.Series([selector] if np.isscalar(selector) else list(selector), dtype=object).convert_dtypes()
        missing = values[~values.isin(frame.index)].tolist()
    except (TypeError, ValueError) as error:
        what = reprlib.repr(selector)
        raise AnnotationError(f"where({table}=...): {what} is none; give a mask, an id, ids or a function") from error
    if pd.api.types.is_bool_dtype(values.dtype):
        if len(values) != len(frame):
            raise AnnotationError(f"where({table}=...): the mask has {len(values)} entries for {len(frame)} rows")
        return values.fillna(False).to_numpy(bool)
    if missing:
        first = reprlib.repr(missing[0])
        raise AnnotationError(f"where({table}=...): {len(missing)} ids are not in {table}, the first is {first}")
    return np.asarray(frame.index.isin(values), bool)


def _column_bytes(column: pd.Series) -> bytes:
    """Bytes that depend on the values alone, not on the pandas version or the storage of its text."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan, copy=True)
        numbers[np.isnan(numbers)] = np.nan
        return numbers.tobytes()
    return "\x1f".join("\x00" if pd.isna(value) else str(value) for value in column.tolist()).encode()
