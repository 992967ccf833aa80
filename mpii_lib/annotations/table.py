"""`Annotations`: the one data model of the library, which checks itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib.annotations import store
from mpii_lib.errors import AnnotationError
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

Selector: TypeAlias = Any  # a mask, ids, a function from the table to one of these, or None


@dataclass(frozen=True, eq=False, repr=False)
class Annotations:
    """Images, the people in them, and the people's joints.

    The constructor checks everything that is written here, adds the columns that are missing (filled with NA), and
    brings the columns to the types of `IMAGE_COLUMNS` and `PEOPLE_COLUMNS`. Further columns are kept as they are.

    Attributes
    ----------
    images : DataFrame, one row an image
        Index `image_id` (int64, unique). `file_name` is below `folder`; `split` is "train", "val" or "test"; images
        without a label have NA in `category` and `activity`; `frame_sec` in seconds; `width`, `height` in pixels.
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
        When the parts contradict each other; the message names the table, the record and the field.
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
            raise AnnotationError(
                f"images, image_id {where}, split: {images.loc[where, 'split']!r}; use one of {', '.join(SPLITS)} or NA"
            )
        orphan = ~people["image_id"].isin(images.index).to_numpy(bool)
        if orphan.any():
            where = people.index[orphan][0]
            raise AnnotationError(
                f"people, person_id {where}, image_id: {people.loc[where, 'image_id']} is not in images; "
                "add the image or leave the person out"
            )
        joints, visibility = _checked_joints(self.joints, self.visibility, people.index, self.skeleton)
        for name, value in (
            ("images", images),
            ("people", people),
            ("joints", joints),
            ("visibility", visibility),
            ("folder", None if self.folder is None else Path(self.folder)),
        ):
            object.__setattr__(self, name, value)

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

    def equals(self, other: Annotations) -> bool:
        """Whether both hold the same images, people, joints and skeleton; `folder` does not count."""
        return self.fingerprint == other.fingerprint

    def image_path(self, image_id: int) -> Path:
        """Path of one picture, `folder / file_name`; AnnotationError when the id or the folder is unknown."""
        if self.folder is None:
            raise AnnotationError(f"image {image_id}: these annotations have no folder; give one when they are made")
        if image_id not in self.images.index:
            raise AnnotationError(f"image {image_id}: no such image_id; see annotations.images.index")
        return self.folder / str(self.images.loc[image_id, "file_name"])

    def where(self, images: Selector = None, people: Selector = None) -> Annotations:
        """Part of the images with their people, part of the people, or both.

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
        return Annotations(
            kept, self.people[keep_people], self.joints[keep_people], self.visibility[keep_people],
            self.skeleton, self.folder,
        )  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write one Parquet file (a row an image, its people nested in it) and return its path.

        The file appears only when it is whole, and an older one is replaced. AnnotationError when it cannot be written.
        """
        parts = store.Parts(
            self.images, self.people, self.joints, self.visibility, self.skeleton,
            None if self.folder is None else str(self.folder),
        )  # fmt: skip
        return store.write(Path(path), parts)

    @classmethod
    def load(cls, path: str | Path, folder: str | Path | None = None) -> Annotations:
        """Read what `save` wrote; `folder` overrides the saved one. AnnotationError when it is no such file."""
        return cls._from_parts(store.read(Path(path)), folder)

    @classmethod
    def _from_parts(cls, parts: store.Parts, folder: str | Path | None) -> Annotations:
        folder = parts.folder if folder is None else folder
        place = None if folder is None else Path(folder)
        return cls(parts.images, parts.people, parts.joints, parts.visibility, parts.skeleton, place)

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
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in self._summary().items()
        )
        return f'<table><caption style="text-align:left">Annotations</caption><tbody>{rows}</tbody></table>'


def _normalise(frame: pd.DataFrame, columns: Mapping[str, str], table: str, index: str, required: str) -> pd.DataFrame:
    """A shallow copy with the model's columns first, in their types, and an int64 index of the right name."""
    if required not in frame.columns:
        raise AnnotationError(f"{table}: the column {required} is missing; add it")
    data: dict[str, Any] = {}
    for name, dtype in columns.items():
        missing = np.nan if dtype == "float64" else pd.NA
        try:
            column = frame[name] if name in frame.columns else pd.Series(missing, index=frame.index, dtype=object)
            data[name] = column.astype(dtype)  # type: ignore[call-overload]
        except (TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:120]
            raise AnnotationError(f"{table}, {name}: cannot be read as {dtype} ({reason}); mend the column") from error
    data.update({name: frame[name] for name in frame.columns if name not in columns})
    try:
        ids = pd.Index(frame.index.astype("int64"), name=index)
        if not (ids == frame.index).all():
            raise ValueError("fractions")
    except (TypeError, ValueError) as error:
        raise AnnotationError(f"{table}: the index {index} has to be whole numbers, not {frame.index.dtype}") from error
    if not ids.is_unique:
        raise AnnotationError(f"{table}: {index} {ids[ids.duplicated()][0]} occurs twice; ids have to be unique")
    if data[required].isna().any():
        where = ids[data[required].isna().to_numpy(bool)][0]
        raise AnnotationError(f"{table}, {index} {where}, {required}: is missing; every row needs one")
    return pd.DataFrame({name: column.array for name, column in data.items()}, index=ids)


def _checked_joints(
    joints: ArrayLike, visibility: ArrayLike, people: pd.Index, skeleton: Skeleton
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    shape = (len(people), len(skeleton.joints))
    where = np.asarray(joints, np.float32).copy()
    seen = np.asarray(visibility)
    if where.shape != (*shape, 2):
        raise AnnotationError(f"joints: shape {where.shape} where {(*shape, 2)} is expected (people, joints, x and y)")
    if seen.shape != shape:
        raise AnnotationError(f"visibility: shape {seen.shape} where {shape} is expected (people, joints)")

    def complain(bad: NDArray[np.bool_], field: str, text: str) -> None:
        if bad.any():
            person, joint = np.argwhere(bad)[0]
            raise AnnotationError(f"people, person_id {people[person]}, {field} of {skeleton.joints[joint]}: {text}")

    complain(~np.isin(seen, (0, 1, 2)), "visibility", "has to be 0 (not annotated), 1 (occluded) or 2 (visible)")
    finite = np.isfinite(where).all(axis=2)
    complain((seen > 0) & ~finite, "joints", "are not finite where visibility says annotated; make both agree")
    complain((seen == 0) & ~np.isnan(where).all(axis=2), "joints", "are there where visibility is 0; use NaN")
    where[~finite] = np.nan  # one bit pattern of NaN, so that equal content has equal bytes
    seen = seen.astype(np.int8)
    where.flags.writeable = seen.flags.writeable = False
    return where, seen


def _chosen(frame: pd.DataFrame, selector: Any, table: str) -> NDArray[np.bool_]:
    """(rows,) bool mask from a mask, ids, or a function that gives one of them."""
    if selector is None:
        return np.ones(len(frame), bool)
    if callable(selector):
        selector = selector(frame)
    if isinstance(selector, pd.Series) and pd.api.types.is_bool_dtype(selector.dtype):
        yes = selector.index[selector.fillna(False).to_numpy(bool)]
        return np.asarray(frame.index.isin(yes), bool)
    if not isinstance(selector, pd.Series | pd.Index | np.ndarray | pd.api.extensions.ExtensionArray):
        selector = [selector] if np.isscalar(selector) else list(selector)
    values = pd.array(selector) if not len(selector) or isinstance(selector, list) else selector
    if pd.api.types.is_bool_dtype(getattr(values, "dtype", None)):
        mask = pd.array(values, dtype="boolean").fillna(False).to_numpy(bool)
        if mask.shape != (len(frame),):
            raise AnnotationError(f"where({table}=...): the mask has {mask.size} entries for {len(frame)} rows")
        return mask
    ids = pd.Index(values)
    missing = ids[~ids.isin(frame.index)]
    if len(missing):
        raise AnnotationError(f"where({table}=...): {len(missing)} ids are not in {table}, the first is {missing[0]!r}")
    return np.asarray(frame.index.isin(ids), bool)


def _column_bytes(column: pd.Series) -> bytes:
    """Bytes that depend on the values alone, not on the pandas version or the storage of its text."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan, copy=True)
        numbers[np.isnan(numbers)] = np.nan
        return numbers.tobytes()
    return "\x1f".join("\x00" if pd.isna(value) else str(value) for value in column.tolist()).encode()
