"""From annotated images to one square image a person, with everything that leads back to the original."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mpii_lib.arguments import checked
from mpii_lib.datasets.image_files import check_size, read_image
from mpii_lib.datasets.labels import known_ids
from mpii_lib.errors import DatasetError
from mpii_lib.files import file_bytes, make_folder, replacing
from mpii_lib.pose.crops import (
    apply_matrix,
    centre_squares,
    crop_image,
    crop_matrix,
    middle_and_extent,
    square_crops,
)
from mpii_lib.pose.metrics import head_size
from mpii_lib.skeletons import Skeleton

if TYPE_CHECKING:
    import pandas as pd

    from mpii_lib.annotations import Annotations

Crop = Literal["mpii", "thesis"]
_ARRAYS = ("images", "joints", "visibility", "matrices", "head_size", "person_ids", "image_ids")  # a row a person
_CENTRE, _BOX = ["center_x", "center_y", "scale"], ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]
_AT_ONCE = 64  # image files whose crops wait in memory


@checked
@dataclass(frozen=True, repr=False)
class PersonCrops:
    """Square images of one person each. Made by `person_crops`.

    Attributes
    ----------
    images
        uint8 (N, S, S, 3) RGB; a memory map where they come from a cache.
    joints
        float32 (N, K, 2) x and y in crop pixels (0-based pixel centres); NaN where not annotated. A joint may lie
        outside its crop.
    visibility
        int8 (N, K): 0 not annotated, 1 occluded, 2 visible.
    matrices
        float64 (N, 3, 3) from pixels of the full image to crop pixels.
    head_size
        float64 (N,) in pixels of the full image, what PCKh measures with; NaN without head box.
    person_ids, image_ids
        int64 (N,), rows of `annotations.people` and `annotations.images`.
    skeleton
        Names of the K joints.
    skipped
        (path, reason) of each image that could not be read; its persons have no row.
    """

    images: NDArray[np.uint8]
    joints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    matrices: NDArray[np.float64]
    head_size: NDArray[np.float64]
    person_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    skeleton: Skeleton
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | ArrayLike) -> PersonCrops:
        """Some of the crops: a slice, positions or a mask (N,)."""
        at = rows if isinstance(rows, slice) else np.asarray(rows)
        return replace(self, **{name: getattr(self, name)[at] for name in _ARRAYS})

    def __repr__(self) -> str:
        text = f"{len(self)} persons in {len(np.unique(self.image_ids))} images, {self.size} x {self.size} pixels"
        skipped = f"; {len(self.skipped)} images could not be read (see .skipped)" if self.skipped else ""
        return f"PersonCrops: {text}, {len(self.skeleton)} joints ({self.skeleton.name}){skipped}"

    @property
    def size(self) -> int:
        """Width and height S of a crop in pixels."""
        return int(self.images.shape[1])

    @property
    def head_size_crop(self) -> NDArray[np.float64]:
        """(N,) head sizes in crop pixels, to measure PCKh there: it comes out the same as in the full image."""
        return self.head_size * np.hypot(self.matrices[:, 0, 0], self.matrices[:, 1, 0])

    @property
    def image_joints(self) -> NDArray[np.float64]:
        """(N, K, 2) the annotated joints in pixels of the full image."""
        return self.to_image(self.joints)

    def to_image(self, joints: ArrayLike) -> NDArray[np.float64]:
        """Bring joints (N, K, 2) from crop pixels back to the pixels of the full images."""
        return apply_matrix(self.matrices, joints, inverse=True)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the images, joints and visibility."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        for start in range(0, len(self), 1024):  # a memory map is not read as a whole
            digest.update(np.ascontiguousarray(self.images[start : start + 1024]).tobytes())
        digest.update(self.joints.tobytes() + self.visibility.tobytes())
        return digest.hexdigest()


@checked
def person_crops(
    annotations: Annotations,
    person_ids: Iterable[int] | None = None,
    size: int = 256,
    crop: Crop = "mpii",
    cache: str | Path | None = None,
) -> PersonCrops:
    """Cut every person out of their image.

    Parameters
    ----------
    annotations
        The annotations; images lie in `annotations.folder`.
    person_ids
        Which persons, in this order; ids of one image that follow each other read it once. Default: all with at
        least one joint and what the crop needs: not those whose scale is 0, or whose centre or box is in no image.
    size
        Width and height of a crop in pixels.
    crop
        "mpii": the square of MPII's centre and scale, which may reach out of the image (black there), see
        `centre_crop`; needs both. "thesis": a square around the person's box and joints, inside the image, see
        `square_crop`; the joints' extent where there is no box.
    cache
        A folder. The crops are written there once and memory-mapped from then on, so that all of MPII (5.7 GB at 256
        pixels) needs no memory. They are cut again when persons, arguments, or an image's name or length change.

    Returns
    -------
    PersonCrops
        Without the persons of images that cannot be read, which are listed in `.skipped`.

    Raises
    ------
    DatasetError
        No person is left, one of the ids cannot be cropped, none of the images can be read, or the cache cannot be
        written.
    """
    check_size((size, size), "person_crops")
    ids = _chosen(annotations, person_ids, crop)
    shape = (len(ids), size, size, 3)
    if cache is None:
        images: NDArray[np.uint8] = np.empty(shape, np.uint8)
        return _joined(annotations, images, *_cut(annotations, ids, crop, size, images))
    make_folder(Path(cache), DatasetError)
    path = Path(cache) / f"crops-{_key(annotations, ids, size, crop)}.npy"
    facts = path.with_suffix(".json")  # written after the images: with it, both are whole
    try:
        known = json.loads(facts.read_text(encoding="utf-8"))
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        kept, matrices = np.array(known["person_ids"]), np.array(known["matrices"])
        if images.shape == shape and matrices.shape == (len(kept), 3, 3) and np.isin(kept, ids).all():
            return _joined(annotations, images, kept, matrices, [(file, reason) for file, reason in known["skipped"]])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # not there, or broken: cut again
    with replacing(path, DatasetError, math.prod(shape)) as temporary, temporary.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        whole = out.tell() + math.prod(shape)
        kept, matrices, skipped = _cut(annotations, ids, crop, size, out)
        out.truncate(whole)  # rows of zeros for the persons of images that cannot be read
    with replacing(facts, DatasetError) as temporary:
        text = json.dumps({"person_ids": kept.tolist(), "matrices": matrices.tolist(), "skipped": skipped})
        temporary.write_text(text, encoding="utf-8")
    return _joined(annotations, np.load(path, mmap_mode="r", allow_pickle=False), kept, matrices, skipped)


@checked
def join_crops(*parts: PersonCrops) -> PersonCrops:
    """Put the persons of several `person_crops` behind each other, all of one size and skeleton.

    The images are copied. Ids are kept as they are, so persons of different annotations may share one.

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


def _chosen(annotations: Annotations, person_ids: Iterable[int] | None, crop: Crop) -> NDArray[np.int64]:
    """The persons to cut; DatasetError when there is none, or one that cannot be cut."""
    people = annotations.people
    if crop == "mpii":
        fits = np.isfinite(centre_squares(_numbers(people, _CENTRE))[:, 2])
    else:
        fits = np.isfinite(middle_and_extent(_numbers(people, _BOX), annotations.joints, annotations.visibility)[1])
    needs = "centre and positive scale" if crop == "mpii" else "a box or two joints"
    if person_ids is None:
        ids = people.index.to_numpy(np.int64)[fits & annotations.with_joints]
        if not len(ids):
            other = "thesis" if crop == "mpii" else "mpii"
            raise DatasetError(f'person_crops: nobody has joints and {needs}; use crop="{other}"')
        return ids
    ids = known_ids(person_ids, people.index, "person_ids")
    if not len(ids):
        raise DatasetError("person_crops: there are no person_ids; take them from annotations.people.index")
    rows = people.index.get_indexer(ids)
    if not fits[rows].all():
        raise DatasetError(f'person_crops: person {ids[~fits[rows]][0]} has no {needs}, which crop="{crop}" needs')
    return ids


def _cut(
    annotations: Annotations, ids: NDArray[np.int64], crop: Crop, size: int, images: NDArray[np.uint8] | BinaryIO
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[tuple[str, str]]]:
    """Fill `images` with crops, from the front; returns whose they are, their matrices, and the unreadable files.

    A file is written to: where the disk is full, writing into a map of it would end the process.
    """

    def read(group: tuple[Path, list[int]]) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | str:
        """Crops and matrices of the persons of one image, or why it cannot be read."""
        path, rows = group
        try:
            image = read_image(path)
        except DatasetError as error:
            return str(error)
        matrices = crop_matrix(_squares(annotations, rows, crop, image.shape[:2]), size)
        return np.stack([crop_image(image, matrix, size) for matrix in matrices]), matrices

    people = annotations.people
    all_rows = people.index.get_indexer(ids).tolist()
    paths = [annotations.image_path(int(image_id)) for image_id in people["image_id"].iloc[all_rows]]
    by_path = groupby(zip(paths, all_rows, strict=True), key=itemgetter(0))
    groups = [(path, [row for _, row in pairs]) for path, pairs in by_path]
    kept: list[int] = []
    matrices: list[NDArray[np.float64]] = []
    skipped: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for start in range(0, len(groups), _AT_ONCE):
            chunk = groups[start : start + _AT_ONCE]
            for (path, rows), done in zip(chunk, pool.map(read, chunk), strict=True):
                if isinstance(done, str):
                    skipped[str(path)] = done
                    continue
                if isinstance(images, np.ndarray):
                    images[len(kept) : len(kept) + len(rows)] = done[0]
                else:
                    images.write(done[0].data)
                matrices.append(done[1])
                kept += rows
    if not kept:
        file, reason = next(iter(skipped.items()))
        raise DatasetError(f"person_crops: none of the {len(skipped)} images can be read, {file}: {reason}")
    return people.index.to_numpy(np.int64)[kept], np.concatenate(matrices), list(skipped.items())


def _squares(annotations: Annotations, rows: list[int], crop: Crop, image_size: tuple[int, ...]) -> NDArray[np.float64]:
    people = annotations.people.iloc[rows]
    if crop == "mpii":
        return centre_squares(_numbers(people, _CENTRE))
    sizes = np.tile(np.array(image_size, float), (len(rows), 1))
    return square_crops(_numbers(people, _BOX), annotations.joints[rows], annotations.visibility[rows], sizes)


def _numbers(people: pd.DataFrame, columns: list[str]) -> NDArray[np.float64]:
    return people[columns].to_numpy(float, na_value=np.nan)


def _joined(
    annotations: Annotations,
    images: NDArray[np.uint8],
    ids: NDArray[np.int64],
    matrices: NDArray[np.float64],
    skipped: list[tuple[str, str]],
) -> PersonCrops:
    """Crops with what the annotations say of their persons."""
    rows = annotations.people.index.get_indexer(ids)
    people, visibility = annotations.people.iloc[rows], annotations.visibility[rows]
    joints = np.where(visibility[..., None] > 0, apply_matrix(matrices, annotations.joints[rows]), np.nan)
    return PersonCrops(
        images[: len(ids)],
        joints.astype(np.float32),
        visibility,
        matrices,
        head_size(people),
        ids,
        people["image_id"].to_numpy(np.int64),
        annotations.skeleton,
        skipped,
    )


def _key(annotations: Annotations, ids: NDArray[np.int64], size: int, crop: Crop) -> str:
    """What the crops depend on, as a name of a file."""
    rows = annotations.people.index.get_indexer(ids)
    people = annotations.people.iloc[rows]
    digest = hashlib.sha256(repr((2, size, crop, annotations.skeleton.joints)).encode())
    digest.update(annotations.joints[rows].tobytes() + annotations.visibility[rows].tobytes())
    digest.update(people.to_csv().encode())
    for image_id in people["image_id"].unique():
        path = annotations.image_path(int(image_id))
        digest.update(f"{path.name}\0{file_bytes(path)}\n".encode(errors="surrogatepass"))
    return digest.hexdigest()[:24]
