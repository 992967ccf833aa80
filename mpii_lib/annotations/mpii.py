"""Reader of the MPII Human Pose annotation file, `mpii_human_pose_v1_u12_1.mat`.

The format is described by its authors' README (Andriluka et al., CVPR 2014, http://human-pose.mpi-inf.mpg.de). What the
file really holds differs from person to person: fields are missing or empty, their order changes, numbers come in five
types and `is_visible` also as text. Structs are therefore read by the names of their fields, and every number is cast
to float64 before anything is computed, since the unsigned types of the file would underflow.
"""

from __future__ import annotations

import gc
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mpii_lib.annotations import matlab
from mpii_lib.annotations.cache import cached
from mpii_lib.annotations.matlab import EMPTY, NAN, number
from mpii_lib.annotations.table import Annotations, check_ranges
from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError, one_line
from mpii_lib.skeletons import MPII

_ADVICE = "get the official file again (mpii fetch mpii)"
OFFICIAL_NAMES = ("mpii_human_pose_v1_u12_1.mat", "mpii_human_pose_v1_u12_2.mat")
_READER = "mpii-1"  # raise the number when the same bytes are to give another result: old caches are then left unused
_NUMBERS = ("x1", "y1", "x2", "y2", "scale")
_PERSON = ["image_id", "person_index", "head_x1", "head_y1", "head_x2", "head_y2", "scale", "center_x", "center_y"]
_POINT = ("x", "y", "id", "is_visible")
_VISIBILITY = {0: 1, 1: 2, "0": 1, "1": 2}
_JOINTS = len(MPII.joints)
_TALLEST = 1000  # times 200 px; the file's largest scale is 17


@checked
def read_mpii(path: str | Path, cache: bool = True) -> Annotations:
    """Read MPII Human Pose annotations.

    Parameters
    ----------
    path
        The .mat file, or a folder that holds it under its official name, also one level down.
    cache
        Keep a Parquet copy beside the file and read that as long as the file's bytes stay the same.

    Returns
    -------
    Annotations
        `image_id` is the 0-based position in `annolist`. Every struct of `annorect` is a person, also those without
        joints. Coordinates are those of the file, unchanged: published readers that compare pixel by pixel use them as
        0-based pixel centres, and values below 1 occur. An empty or missing `is_visible` counts as visible, as in the
        community's readers. Labels are NA where the name is empty, `activity_id` where it is -1. `video_id` is the
        file's `vididx` (1-based, into its `video_list`). `separated` comes from `single_person`: NA when the file
        has none for any image, else whether the image's list names the person. `folder` is `images` beside the file,
        or in the folder that was given.

    Raises
    ------
    AnnotationError
        When the file is missing, is no MATLAB file, has no RELEASE, or breaks its own format, or a value is none that
        can be; the message names the file, the record and the field.
    """
    try:
        source, folder = _locate(Path(path))
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read ({error.strerror}); check that you may read it") from error
    return cached(source, _parse, _READER, folder, cache, _ADVICE)


def _locate(path: Path) -> tuple[Path, Path]:
    """The .mat file and the folder of its images."""
    if not path.is_dir():
        return path, path.parent / "images"
    below = sorted(child for child in path.iterdir() if child.is_dir())
    for folder in (path, *below):
        for name in OFFICIAL_NAMES:
            if (folder / name).is_file():
                beside = folder / "images"
                return folder / name, beside if beside.is_dir() else path / "images"
    others = sorted(path.glob("*.mat"))
    if len(others) == 1:
        return others[0], path / "images"
    raise AnnotationError(f"{path}: holds no {OFFICIAL_NAMES[0]}; name the .mat file, or get it (mpii fetch mpii)")


def _parse(data: bytes) -> Annotations:
    with _no_collector():
        release = matlab.load_release(data)
        try:
            return _annotations(release)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {one_line(error)}"
            raise AnnotationError(f"RELEASE is not laid out as MPII's ({what})") from error


@contextmanager
def _no_collector() -> Iterator[None]:
    """Pause the cyclic collector: it would search a million arrays again and again for cycles they cannot have."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _annotations(release: Any) -> Annotations:
    images = _column(release, "annolist", None)
    count = len(images)
    columns = _image_columns(images, release)
    people = _People()
    rectangles = _cells(images, "annorect", "annolist")
    # Each image's structs are let go as soon as they are read, which is faster (they are still in the processor's
    # cache) and needs less memory than to let go of a million arrays in the end.
    images["annorect"] = None
    for image in range(count):
        people.add_image(image, rectangles[image])
        rectangles[image] = None
    joints, visibility = people.joints()
    frame = pd.DataFrame(people.rows, columns=_PERSON)
    singles = _column(release, "single_person", count, optional=True)
    frame["separated"] = _separated(singles, frame)
    check_ranges(frame.rename_axis("person_id"), {"scale": (0, _TALLEST)})
    return Annotations(pd.DataFrame(columns), frame, joints, visibility, MPII)


def _column(release: Any, name: str, count: int | None, optional: bool = False) -> Any:
    """One member of RELEASE as a flat array: `annolist` lies (1, n), `act` and `single_person` (n, 1)."""
    if name not in release.dtype.names or (optional and release[name].size == 0 and count):
        if optional:
            return None
        raise AnnotationError(f"RELEASE has no field {name}")
    column = release[name].ravel()
    if count is not None and column.size != count:
        raise AnnotationError(f"RELEASE.{name} has {column.size} entries for {count} images")
    return column


def _cells(structs: NDArray[Any], name: str, member: str) -> list[Any]:
    """One field of all entries of a member."""
    if structs.size and name not in (structs.dtype.names or ()):
        raise AnnotationError(f"RELEASE.{member} has no field {name}")
    return structs[name].tolist() if structs.size else []


def _image_columns(images: NDArray[Any], release: Any) -> dict[str, Any]:
    count = len(images)
    train = _column(release, "img_train", count)
    odd = np.flatnonzero(~np.isin(train, (0, 1)))
    if odd.size:
        raise AnnotationError(f"img_train {odd[0]}: {reprlib.repr(train[odd[0]])} where 0 or 1 is expected")
    names = images.dtype.names or ()
    video = "vididx" if "vididx" in names else "vidx"
    cells = _cells(images, "image", "annolist")
    columns: dict[str, Any] = {
        "file_name": matlab.each(_file_name, cells, "annolist", "image.name"),
        "split": np.where(train == 1, "train", "test"),
    }
    for column, name in (("frame_sec", "frame_sec"), ("video_id", video)):
        if name in names:
            columns[column] = matlab.each(number, images[name].tolist(), "annolist", name)
    acts = _column(release, "act", count, optional=True)
    if acts is not None and count:
        fields = (("category", "cat_name", matlab.text), ("activity", "act_name", matlab.text))
        for column, name, read in (*fields, ("activity_id", "act_id", number)):
            columns[column] = matlab.each(read, _cells(acts, name, "act"), "act", name)
        columns["activity_id"] = [NAN if value < 0 else value for value in columns["activity_id"]]
    return columns


def _file_name(cell: Any) -> str | None:
    """The name in an `image` struct."""
    return matlab.text(matlab.fields(cell).get("name", EMPTY))


@dataclass
class _People:
    """Collects persons and joints as plain numbers, one pass over the structs; arrays are made at the end."""

    rows: list[list[float]] = field(default_factory=list)
    points: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _POINT})
    owners: list[int] = field(default_factory=list)

    def add_image(self, image: int, rectangles: Any) -> None:
        """Add the persons of one `annorect`: (1, n) structs, or an empty array."""
        names = rectangles.dtype.names
        if names is None:
            if rectangles.size:
                raise AnnotationError(f"annolist {image}, annorect: holds no structs")
            return
        for index, cells in enumerate(rectangles.ravel().tolist()):
            person = dict(zip(names, cells, strict=True))
            row: list[float] = [image, index]
            name = ""
            try:
                for name in _NUMBERS:
                    row.append(number(person[name]) if name in person else NAN)
                name = "objpos"
                center = matlab.fields(person.get("objpos"))
                row += [number(center.get(axis, EMPTY)) for axis in "xy"]
                name = "annopoints"
                self._add_points(matlab.fields(person.get("annopoints")).get("point"))
            except (TypeError, ValueError, AttributeError) as error:
                where = f"annolist {image}, annorect {index}, {name}"
                raise AnnotationError(f"{where}: {one_line(error)}") from error
            self.rows.append(row)

    def _add_points(self, points: Any) -> None:
        if points is None or points.size == 0:
            return
        names = points.dtype.names or ()
        for name in ("x", "y", "id"):
            if name not in names:
                raise ValueError(f"point has no field {name}")
            try:
                self.points[name].extend(matlab.numbers(points[name].ravel().tolist()))
            except (TypeError, ValueError) as error:
                raise ValueError(f"point.{name}: {one_line(error)}") from error
        self.owners.extend([len(self.rows)] * points.size)
        # Visibility is 0, 1, '0', '1' or nothing: nothing is written only for joints that are seen.
        flags = points["is_visible"].ravel().tolist() if "is_visible" in names else [EMPTY] * points.size
        try:
            self.points["is_visible"].extend([_VISIBILITY[flag.item()] if flag.size else 2 for flag in flags])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"point.is_visible: {one_line(error)} where 0, 1 or nothing is expected") from error

    def joints(self) -> tuple[Any, NDArray[np.int8]]:
        """(people, 16, 2) and (people, 16). A joint that a person has twice keeps the later one."""
        joints = np.full((len(self.rows), _JOINTS, 2), np.nan)
        visibility = np.zeros((len(self.rows), _JOINTS), np.int8)
        owners = np.array(self.owners, np.intp)
        x, y, joint, seen = (np.array(self.points[name], np.float64) for name in _POINT)
        wrong = np.flatnonzero(~np.isin(joint, np.arange(_JOINTS)))
        if wrong.size:
            image, index, *_ = self.rows[owners[wrong[0]]]
            where = f"annolist {image}, annorect {index}, point.id"
            raise AnnotationError(f"{where}: {joint[wrong[0]]} where 0 to {_JOINTS - 1} is expected")
        there = ~(np.isnan(x) | np.isnan(y))
        rows, columns = owners[there], joint[there].astype(np.intp)
        joints[rows, columns] = np.stack([x, y], axis=1)[there]
        visibility[rows, columns] = seen[there]
        return joints, visibility


def _separated(singles: Any, people: pd.DataFrame) -> Any:
    """Whether `single_person` names each person; it counts from 1."""
    lists = [] if singles is None else [np.ravel(cell).tolist() for cell in singles]
    if not any(lists):
        return pd.array([pd.NA] * len(people), dtype="boolean")
    persons = zip(people["image_id"].tolist(), people["person_index"].tolist(), strict=True)
    positions = {person: position for position, person in enumerate(persons)}
    separated = np.zeros(len(people), bool)
    for image, numbers in enumerate(lists):
        for value in numbers:
            position = positions.get((image, value - 1)) if type(value) in (int, float) else None
            if position is None:
                what = f"names person {reprlib.repr(value)}, which annorect lacks"
                raise AnnotationError(f"single_person {image}: {what}")
            separated[position] = True
    return pd.array(separated, dtype="boolean")
