"""From image files to batches: read, resize, warp, one batch at a time, so that memory does not grow with the data.

What is random depends on the seed and the number of the epoch alone: the order of the images and one affine matrix an
image. Any epoch can be had again, which is what a resumed training needs.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.datasets.augmentation import Augmentation
from mpii_lib.datasets.image_files import check_images, check_size, read_image, resize_image
from mpii_lib.datasets.labels import Column, image_labels, known_ids
from mpii_lib.datasets.shards import Shards, open_shards
from mpii_lib.errors import DatasetError
from mpii_lib.files import file_bytes

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations


class ImageDataset(keras.utils.PyDataset):
    """Images with their labels, read from disk in batches, for `fit`, `evaluate` and `predict` of any Keras model.

    Parameters
    ----------
    annotations
        The annotations; images lie in `annotations.folder`.
    image_ids
        Which images, for instance `split.index[split == "train"]`. Those without a label are left out.
    target
        What to predict: "category" or "activity", one class an image. A sequence, ("category", "activity"), gives
        both at once, for a classifier with `multilabel=True`: multi-hot labels, and classes that name their column
        ("activity: running").
    classes
        Names in the order of the labels. Default: all names in `annotations`, sorted (`labels.label_names`), so that
        the splits agree.
    size
        (height, width) in pixels; an image is scaled to it whatever its proportions.
    batch_size
        Images a batch.
    shuffle
        Another order in each epoch, over all images (no buffer).
    augment
        Random changes on the fly, or None.
    seed
        Fixes order and changes of every epoch; 0 or more.
    drop_remainder
        Leave out a last, smaller batch.
    shards
        A folder of `write_shards` (`mpii shards`), or what `open_shards` gave: images come from there, and no file is
        decoded. Of the shards' own size they are the very same images; a smaller `size` is scaled down from them.

    Attributes
    ----------
    epoch
        Which epoch's order and changes `dataset[i]` has, counted from 0. `run_callbacks` of `mpii_lib.training` sets it
        at the beginning of each epoch; a dataset that is read by hand stays at 0.
    classes
        C names. A label is a position in this list; or multi-hot, a number for each of them.
    excluded
        Number of images left out because they have no label, or one that is not in `classes`.

    Raises
    ------
    DatasetError
        An image_id is unknown, none of the images has a label, `drop_remainder` leaves no batch, or no image file is
        there or can be read; the shards are damaged, smaller than `size`, or do not hold these images.

    Notes
    -----
    `len(dataset)` is the number of batches, as Keras wants it. `dataset[i]` is a pair of float32 RGB images 0..255
    (B, H, W, 3) and labels, int32 (B,) or float32 (B, C). What is missing, or no file, is left out from the
    beginning; a file that turns out to be broken shortens its batch. Both are listed in `skipped`.
    """

    @checked
    def __init__(
        self,
        annotations: Annotations,
        image_ids: Iterable[int],
        target: Column | Sequence[Column] = "category",
        *,
        classes: Sequence[str] | None = None,
        size: tuple[int, int] = (224, 224),
        batch_size: int = 32,
        shuffle: bool = False,
        augment: Augmentation | None = None,
        seed: int = 0,
        drop_remainder: bool = False,
        shards: str | Path | Shards | None = None,
    ) -> None:
        super().__init__()
        if batch_size < 1 or seed < 0:
            raise DatasetError(f"ImageDataset: batch_size={batch_size}, seed={seed}: give at least 1, and at least 0")
        ids = known_ids(image_ids, annotations.images.index)
        labels, self.classes = image_labels(annotations, ids, target, classes)
        labelled = labels >= 0 if labels.ndim == 1 else labels.any(axis=1)
        self._image_ids, self._labels = ids[labelled], labels[labelled]
        if not len(self._image_ids):
            what = target if isinstance(target, str) else " or ".join(target)
            raise DatasetError(f"ImageDataset: none of the {len(ids)} images has a {what} of the classes; use others")
        self.size, self.batch_size, self.shuffle = check_size(size, "ImageDataset"), int(batch_size), shuffle
        self.augment, self.seed, self.drop_remainder, self.epoch = augment, int(seed), drop_remainder, 0
        self.excluded = int((~labelled).sum())
        self._paths = [Path(annotations.image_path(image_id)) for image_id in self._image_ids.tolist()]
        self._unreadable: dict[int, str] = {}  # position -> reason
        self._shards = open_shards(shards) if isinstance(shards, str | Path) else shards
        if self._shards is None:
            check_images(self._paths, "ImageDataset")
            missing = [file_bytes(path) < 0 for path in self._paths]
            for position in np.flatnonzero(missing).tolist():
                self._read_file(position)  # to know why
        else:
            names = annotations.images["file_name"].reindex(self._image_ids).astype(str).tolist()
            _check_shards(self._shards, self._image_ids.tolist(), names, self._paths, self.size)
            missing = [self._shards.source_bytes[image] < 0 for image in self._image_ids.tolist()]
            bad = self._shards.unreadable
            ids_of = enumerate(self._image_ids.tolist())
            self._unreadable = {position: bad[image] for position, image in ids_of if image in bad}
        self._positions = np.flatnonzero(~np.array(missing))  # of the images that an epoch has
        self._planned: tuple[int, np.ndarray, np.ndarray | None] | None = None
        if not len(self):
            raise DatasetError(f"ImageDataset: drop_remainder leaves no batch of {batch_size}; use a smaller one")

    def __len__(self) -> int:
        rows = len(self._positions) * (2 if self.augment is not None and self.augment.append else 1)
        return rows // self.batch_size if self.drop_remainder else -(-rows // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        positions, matrices = self._plan()
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        images, readable = self._read(positions[rows])
        if self.augment is not None and matrices is not None:
            changes = zip(images, matrices[rows][readable], strict=True)
            images = np.stack([self.augment.warp(image, matrix) for image, matrix in changes])
        return images.astype(np.float32), self._labels[positions[rows][readable]]

    def __repr__(self) -> str:
        text = f"{len(self.image_ids)} images of {len(self.classes)} classes, {self.size[0]} x {self.size[1]} pixels"
        text += f", {len(self)} batches of {self.batch_size}"
        if self.excluded:
            text += f"; {self.excluded} images without a label left out"
        if self._unreadable:
            text += f"; {len(self._unreadable)} images could not be read (see .skipped)"
        return f"ImageDataset: {text}"

    @property
    def labels(self) -> np.ndarray:
        """int32 (N,) or float32 (N, C): labels in the order in which the images were given, shuffled or not.

        As `image_ids` and `paths`, it leaves out the images that could not be read so far: after `predict` on a dataset
        that does not shuffle, they go with the rows of its result.
        """
        return self._labels[self._readable()]

    @property
    def image_ids(self) -> np.ndarray:
        """int64 (N,): the images in the order in which they were given; see `labels`."""
        return self._image_ids[self._readable()]

    @property
    def paths(self) -> list[Path]:
        """Their files."""
        return [path for position, path in enumerate(self._paths) if position not in self._unreadable]

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Path and reason of each image that could not be read so far; whole after the first epoch."""
        return [(str(self._paths[position]), reason) for position, reason in sorted(self._unreadable.items())]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the batches of every epoch: arguments; name, length and label of each image."""
        chance = (self.shuffle, self.augment, self.seed) if self.shuffle or self.augment else None
        digest = hashlib.sha256(repr((self.classes, self.size, self.batch_size, self.drop_remainder, chance)).encode())
        if self._shards is not None and self._shards.size != self.size:  # of the same size they are the same images
            digest.update(f"shards of {self._shards.size}\n".encode())
        for path, label, image in zip(self._paths, self._labels.tolist(), self._image_ids.tolist(), strict=True):
            if self._shards is not None:
                length = self._shards.source_bytes[image]
            else:
                length = file_bytes(path)
            digest.update(f"{path.name}\0{length}\0{label}\n".encode())
        return digest.hexdigest()

    def in_order(self) -> ImageDataset:
        """Give the same dataset without shuffling, for `predict`."""
        twin = copy.copy(self)
        twin.shuffle, twin._planned = False, None
        return twin

    def load(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read all images into memory, in order: images (N, H, W, 3), `labels`, `image_ids`. For small sets."""
        batches = [self.in_order()[index] for index in range(len(self))]
        return np.concatenate([images for images, _ in batches]), self.labels, self.image_ids

    def _readable(self) -> np.ndarray:
        return ~np.isin(np.arange(len(self._paths)), list(self._unreadable))

    def _plan(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw everything random of the epoch: the positions in order, and a matrix for each when they are changed."""
        planned = self._planned
        if planned is None or planned[0] != self.epoch:
            positions, matrices = self._positions, None
            if self.augment is not None:
                rng = np.random.default_rng([self.seed, self.epoch, 1])
                matrices = self.augment.matrices(len(positions), self.size, rng)
                if self.augment.append:
                    positions = np.concatenate([positions, positions])
                    matrices = np.concatenate([np.tile(np.eye(3), (len(matrices), 1, 1)), matrices])
            if self.shuffle:
                order = np.random.default_rng([self.seed, self.epoch, 0]).permutation(len(positions))
                positions, matrices = positions[order], None if matrices is None else matrices[order]
            planned = self._planned = (self.epoch, positions, matrices)
        return planned[1:]

    def _read(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read images, uint8 (B, H, W, 3), and say which of the positions they are: bool, True where it was read."""
        if self._shards is None:
            images = list(_readers().map(self._read_file, positions.tolist()))
        readable = np.array([position not in self._unreadable for position in positions.tolist()])
        if not readable.any():
            path, reason = self._paths[positions[0]], self._unreadable[int(positions[0])]
            raise DatasetError(f"{path}: {reason}, and none of its batch can be read; leave out what .skipped lists")
        if self._shards is None:
            return np.stack([image for image in images if image is not None]), readable
        stored = self._shards.read(self._image_ids[positions[readable]].tolist())
        if self._shards.size != self.size:
            stored = np.stack([resize_image(image, self.size) for image in stored])
        return stored, readable

    def _read_file(self, position: int) -> np.ndarray | None:
        if position in self._unreadable:
            return None
        try:
            return read_image(self._paths[position], self.size)
        except DatasetError as error:
            self._unreadable[position] = str(error)
            return None


@cache
def _readers() -> ThreadPoolExecutor:
    """Threads that decode the images of a batch side by side: Pillow lets go of Python's lock while it works."""
    return ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="read-image")


def _check_shards(
    shards: Shards, image_ids: list[int], names: list[str], paths: list[Path], size: tuple[int, int]
) -> None:
    """Refuse shards that were made from other images, or are too small."""
    make = "make them again with `mpii shards`"
    if size[0] > shards.size[0] or size[1] > shards.size[1]:
        raise DatasetError(f"{shards.folder}: its images of {shards.size} are smaller than {size}; make larger shards")
    for image, name, path in zip(image_ids, names, paths, strict=True):
        if shards.names.get(image) != name:
            found = f"as {shards.names[image]}" if image in shards.names else "not at all"
            raise DatasetError(f"{shards.folder}: image {image}, {name}, is in these shards {found}; {make}")
        # The images need not be there any more; those that are have to be the ones that were read.
        if file_bytes(path) not in (-1, shards.source_bytes[image]):
            raise DatasetError(f"{shards.folder}: {path} has changed since the shards were made; {make}")
    if all(image in shards.unreadable for image in image_ids):
        raise DatasetError(f"{shards.folder}: none of the {len(image_ids)} images could be read when they were made")
