"""From annotated pictures to one square crop a person, with everything that leads back to the picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpii_lib.datasets.image_files import read_image
from mpii_lib.errors import DatasetError
from mpii_lib.files import make_folder, replacing
from mpii_lib.pose.crops import apply_matrix, centre_crop, crop_matrix, crop_picture, square_crops
from mpii_lib.skeletons import Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Crop = Literal["mpii", "thesis"]
_ARRAYS = ("pictures", "joints", "visibility", "matrices", "head_size", "person_ids", "image_ids")  # a row a person
_HEAD = ["head_x1", "head_y1", "head_x2", "head_y2"]
_AT_ONCE = 64  # pictures whose crops wait in memory


@dataclass(frozen=True, repr=False)
class PersonCrops:
    """Square pictures of one person each. Made by `person_crops`.

    Attributes
    ----------
    pictures
        uint8 (N, S, S, 3) RGB; a memory map where they come from a cache.
    joints
        float32 (N, K, 2) x and y in crop pixels (0-based pixel centres); NaN where not annotated. A joint may lie
        outside its crop.
    visibility
        int8 (N, K): 0 not annotated, 1 occluded, 2 visible.
    matrices
        float64 (N, 3, 3) from picture pixels to crop pixels.
    head_size
        float64 (N,) in picture pixels: 0.6 of the head box' diagonal, what PCKh measures with; NaN without head box.
    person_ids, image_ids
        int64 (N,), rows of `ann.people` and `ann.images`.
    skeleton
        Names of the K joints.
    skipped
        (path, reason) of each picture that could not be read; its persons have no row.
    """

    pictures: NDArray[np.uint8]
    joints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    matrices: NDArray[np.float64]
    head_size: NDArray[np.float64]
    person_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    skeleton: Skeleton
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: slice | ArrayLike) -> PersonCrops:
        """Some of the crops: a slice, positions or a mask (N,)."""
        at = rows if isinstance(rows, slice) else np.asarray(rows)
        return replace(self, **{name: getattr(self, name)[at] for name in _ARRAYS})

    def __repr__(self) -> str:
        text = f"{len(self)} persons in {len(np.unique(self.image_ids))} pictures, {self.size} x {self.size} pixels"
        text += f", {len(self.skeleton)} joints ({self.skeleton.name})"
        return f"PersonCrops: {text}" + (
            f"; {len(self.skipped)} pictures could not be read (see .skipped)" if self.skipped else ""
        )

    @property
    def size(self) -> int:
        """Width and height S of a crop in pixels."""
        return int(self.pictures.shape[1])

    @property
    def head_size_crop(self) -> NDArray[np.float64]:
        """(N,) head sizes in crop pixels, to measure PCKh there: it comes out the same as in the picture."""
        return self.head_size * np.hypot(self.matrices[:, 0, 0], self.matrices[:, 1, 0])

    @property
    def image_joints(self) -> NDArray[np.float64]:
        """(N, K, 2) the annotated joints in picture pixels."""
        return self.to_image(self.joints)

    def to_image(self, joints: ArrayLike) -> NDArray[np.float64]:
        """Bring joints (N, K, 2) from crop pixels back to the pixels of the pictures."""
        return apply_matrix(self.matrices, joints, inverse=True)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the pictures, joints and visibility."""
        digest = hashlib.sha256(repr(self.pictures.shape).encode())
        for rows in range(0, len(self), 1024):  # a memory map is not read as a whole
            digest.update(np.ascontiguousarray(self.pictures[rows : rows + 1024]).tobytes())
        digest.update(self.joints.tobytes() + self.visibility.tobytes())
        return digest.hexdigest()


def person_crops(
    ann: Annotations,
    person_ids: Iterable[int] | None = None,
    size: int = 256,
    crop: Crop = "mpii",
    cache: str | Path | None = None,
) -> PersonCrops:
    """Cut every person out of its picture.

    Parameters
    ----------
    ann
        The annotations; pictures lie in `ann.folder`.
    person_ids
        Which persons, in this order; ids of one picture that follow each other read it once. Default: all with at
        least one joint and what the crop needs.
    size
        Width and height of a crop in pixels.
    crop
        "mpii": the square of MPII's centre and scale, which may reach out of the picture (black there), see
        `centre_crop`; needs both. "thesis": a square around the person's box and joints, inside the picture, see
        `square_crop`; the joints' extent where there is no box.
    cache
        A folder. The crops are written there once and memory-mapped from then on, so that all of MPII (5.7 GB at 256
        pixels) needs no memory. Persons, settings and the pictures' names and lengths decide whether they are current.

    Returns
    -------
    PersonCrops
        Without the persons of pictures that cannot be read, which are listed in `.skipped`.

    Raises
    ------
    DatasetError
        No person is left, one of the ids cannot be cropped, none of the pictures can be read, or the cache cannot be
        written.
    """
    if crop not in ("mpii", "thesis"):
        raise DatasetError(f'person_crops: crop={crop!r} is unknown; use "mpii" or "thesis"')
    if isinstance(size, bool) or int(size) != size or size < 1:
        raise DatasetError(f"person_crops: size={size!r}: give the side of a crop in pixels, such as 64 or 256")
    ids = _chosen(ann, person_ids, crop)
    rows = ann.people.index.get_indexer(ids)
    image_ids = ann.people["image_id"].to_numpy(np.int64)[rows]
    paths = [Path(ann.image_path(image_id)) for image_id in image_ids.tolist()]
    job = _Job(ann, rows, image_ids, paths, int(size), crop)
    if cache is None:
        pictures: NDArray[np.uint8] = np.empty((len(rows), size, size, 3), np.uint8)
        return job.result(pictures, *job.cut(pictures))
    return _cached(job, Path(cache))


def join_crops(*parts: PersonCrops) -> PersonCrops:
    """Put the persons of several `person_crops` behind each other, all of one size and skeleton.

    The pictures are copied. Ids are kept as they are, so persons of different annotations may share one.

    Raises
    ------
    DatasetError
        Nothing is given, or sizes or skeletons differ.
    """
    kinds = {(part.size, part.skeleton.joints) for part in parts}
    if len(kinds) != 1:
        raise DatasetError(f"join_crops: {len(parts)} parts of {len(kinds)} kinds; give crops of one size and skeleton")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    skipped = [entry for part in parts for entry in part.skipped]
    return PersonCrops(**joined, skeleton=parts[0].skeleton, skipped=skipped)


@dataclass(frozen=True)
class _Job:
    """Which persons are to be cut, and how."""

    ann: Annotations
    rows: NDArray[np.intp]
    image_ids: NDArray[np.int64]
    paths: list[Path]
    size: int
    crop: Crop

    def key(self) -> str:
        digest = hashlib.sha256(repr((1, self.size, self.crop, self.ann.skeleton.joints)).encode())
        digest.update(self.ann.joints[self.rows].tobytes() + self.ann.visibility[self.rows].tobytes())
        digest.update(self.ann.people.iloc[self.rows].to_csv().encode())
        for path in dict.fromkeys(self.paths):
            digest.update(f"{path.name}\0{path.stat().st_size if path.is_file() else -1}\n".encode())
        return digest.hexdigest()[:24]

    def squares(self, positions: Sequence[int], image_size: tuple[int, int]) -> NDArray[np.float64]:
        rows = self.rows[list(positions)]
        people = self.ann.people.iloc[rows]
        if self.crop == "mpii":
            centres = people[["center_x", "center_y"]].to_numpy(float)
            return np.array([centre_crop(c, s) for c, s in zip(centres, people["scale"].to_numpy(float), strict=True)])
        boxes = people[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy(float)
        sizes = np.tile(np.array(image_size, float), (len(rows), 1))
        return square_crops(boxes, self.ann.joints[rows], self.ann.visibility[rows], sizes)

    def read(self, positions: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | str:
        """Crops and matrices of the persons of one picture, or why it cannot be read."""
        try:
            picture = read_image(self.paths[positions[0]])
        except DatasetError as error:
            return str(error)
        matrices = crop_matrix(self.squares(positions, picture.shape[:2]), self.size)
        return np.stack([crop_picture(picture, matrix, self.size) for matrix in matrices]), matrices

    def groups(self) -> Iterator[list[int]]:
        for _, positions in groupby(range(len(self.rows)), key=lambda at: self.image_ids[at]):
            yield list(positions)

    def cut(self, pictures: NDArray[np.uint8]) -> tuple[list[int], NDArray[np.float64], list[tuple[str, str]]]:
        """Fill `pictures` from the front; returns the positions that are in it, their matrices, and the skipped."""
        kept: list[int] = []
        matrices: list[NDArray[np.float64]] = []
        skipped: dict[str, str] = {}
        groups = list(self.groups())
        with ThreadPoolExecutor(max_workers=2) as pool:
            for start in range(0, len(groups), _AT_ONCE):
                chunk = groups[start : start + _AT_ONCE]
                for positions, done in zip(chunk, pool.map(self.read, chunk), strict=True):
                    if isinstance(done, str):
                        skipped[str(self.paths[positions[0]])] = done
                        continue
                    pictures[len(kept) : len(kept) + len(positions)] = done[0]
                    matrices.append(done[1])
                    kept += positions
        if not kept:
            path, reason = next(iter(skipped.items()))
            raise DatasetError(f"person_crops: none of the {len(skipped)} pictures can be read, {path}: {reason}")
        return kept, np.concatenate(matrices), list(skipped.items())

    def result(
        self,
        pictures: NDArray[np.uint8],
        kept: list[int],
        matrices: NDArray[np.float64],
        skipped: list[tuple[str, str]],
    ) -> PersonCrops:
        rows = self.rows[kept]
        people = self.ann.people.iloc[rows]
        visibility = self.ann.visibility[rows]
        joints = np.where(visibility[..., None] > 0, apply_matrix(matrices, self.ann.joints[rows]), np.nan)
        head = people[_HEAD].to_numpy(float)
        return PersonCrops(
            pictures[: len(kept)],
            joints.astype(np.float32),
            visibility,
            matrices,
            0.6 * np.hypot(head[:, 2] - head[:, 0], head[:, 3] - head[:, 1]),
            people.index.to_numpy(np.int64),
            self.image_ids[kept],
            self.ann.skeleton,
            skipped,
        )


def _chosen(ann: Annotations, person_ids: Iterable[int] | None, crop: Crop) -> NDArray[np.int64]:
    """The persons to cut; DatasetError when there is none or one that cannot be cut."""
    fits = np.ones(len(ann.people), bool)
    if crop == "mpii":
        fits = ann.people[["center_x", "center_y", "scale"]].notna().all(axis=1).to_numpy(bool)
    else:
        fits = ann.with_joints | ann.people[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].notna().all(axis=1).to_numpy(bool)
    needs = "centre and scale" if crop == "mpii" else "a box or joints"
    if person_ids is None:
        found = ann.people.index.to_numpy(np.int64)[fits & ann.with_joints]
        if not len(found):
            other = "thesis" if crop == "mpii" else "mpii"
            raise DatasetError(
                f'person_crops: nobody has joints and {needs}, which crop="{crop}" needs; use crop="{other}"'
            )
        return found
    ids = np.asarray(list(person_ids), np.int64)
    at = ann.people.index.get_indexer(ids)
    if not len(ids):
        raise DatasetError("person_crops: there are no person_ids; take them from ann.people.index")
    if (at < 0).any():
        raise DatasetError(
            f"person_crops: {int((at < 0).sum())} person_ids are not in the annotations, {ids[at < 0][0]} for "
            "instance; take them from ann.people.index"
        )
    if not fits[at].all():
        raise DatasetError(f'person_crops: person {ids[~fits[at]][0]} has no {needs}, which crop="{crop}" needs')
    return ids


def _cached(job: _Job, folder: Path) -> PersonCrops:
    make_folder(folder, DatasetError)
    path = folder / f"crops-{job.key()}.npy"
    facts = path.with_suffix(".json")  # written after the pictures: with it, both are whole
    try:
        known: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        matrices = np.array(known["matrices"])
        if pictures.shape[1:] == (job.size, job.size, 3) and len(matrices) == len(known["kept"]) <= len(pictures):
            return job.result(pictures, known["kept"], matrices, [(p, r) for p, r in known["skipped"]])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there, or broken: cut again
    with replacing(path, DatasetError) as temporary:
        shape = (len(job.rows), job.size, job.size, 3)
        written = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        kept, matrices, skipped = job.cut(written)
        written.flush()
        del written
    with replacing(facts, DatasetError) as temporary:
        temporary.write_text(
            json.dumps({"kept": kept, "matrices": matrices.tolist(), "skipped": skipped}), encoding="utf-8"
        )
    return job.result(np.load(path, mmap_mode="r", allow_pickle=False), kept, matrices, skipped)
