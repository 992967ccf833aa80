"""From picture files to batches: read, resize, warp, one batch at a time, so that memory does not grow with the data.

What is random is drawn before an epoch starts, from the seed and the number of the epoch: the order of the pictures
and one affine matrix a picture. Threads then only do as they are told, and any epoch can be had again, which is what
a resumed training needs.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpii_lib.datasets.augmentation import Augmentation
from mpii_lib.datasets.labels import Column, image_labels
from mpii_lib.datasets.pictures import check_pictures, read_picture, resize_picture
from mpii_lib.datasets.shards import Shards, open_shards
from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from types import ModuleType

    from mpii_lib.annotations import Annotations


class ImageDataset:
    """Pictures with their labels, streamed from disk in batches. Made by `classification_dataset`.

    Attributes
    ----------
    classes
        C names. A label is a position in this list; or multi-hot, a number for each of them.
    labels, image_ids, paths
        int32 (N,) or float32 (N, C), int64 (N,) and N paths, in the order in which the images were given, whether
        shuffled or not.
    size
        (height, width) in pixels.
    excluded
        Number of images left out because they have no label, or one that is not in `classes`.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        labels: np.ndarray,
        image_ids: np.ndarray,
        classes: list[str],
        *,
        size: tuple[int, int],
        batch: int,
        shuffle: bool,
        augment: Augmentation | None,
        seed: int,
        drop_remainder: bool,
        excluded: int,
        shards: Shards | None = None,
    ) -> None:
        self.paths, self.labels, self.image_ids, self.classes = list(paths), labels, image_ids, classes
        self.size, self.batch, self.shuffle, self.augment = size, batch, shuffle, augment
        self.seed, self.drop_remainder, self.excluded = seed, drop_remainder, excluded
        self._shards = shards
        self._unreadable: dict[int, str] = {}
        if shards is not None:
            bad = shards.unreadable
            self._unreadable = {at: bad[image] for at, image in enumerate(image_ids.tolist()) if image in bad}

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        text = f"{len(self)} pictures of {len(self.classes)} classes, {self.size[0]} x {self.size[1]} pixels"
        if self.excluded:
            text += f"; {self.excluded} images without a label left out"
        if self._unreadable:
            text += f"; {len(self._unreadable)} pictures could not be read (see .skipped)"
        return f"ImageDataset: {text}"

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Path and reason of each picture that could not be read so far; whole after the first epoch."""
        return [(str(self.paths[position]), reason) for position, reason in sorted(self._unreadable.items())]

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch when every picture can be read."""
        rows = len(self) * (2 if self.augment is not None and self.augment.append else 1)
        return rows // self.batch if self.drop_remainder else -(-rows // self.batch)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the batches of every epoch: settings; name, length and label of each picture."""
        chance = (self.shuffle, self.augment, self.seed) if self.shuffle or self.augment else None
        digest = hashlib.sha256(repr((self.classes, self.size, self.batch, self.drop_remainder, chance)).encode())
        if self._shards is not None and self._shards.size != self.size:  # of the same size they are the same pictures
            digest.update(f"shards of {self._shards.size}\n".encode())
        for path, label, image in zip(self.paths, self.labels.tolist(), self.image_ids.tolist(), strict=True):
            if self._shards is not None:
                length = self._shards.source_bytes[image]
            else:
                length = path.stat().st_size if path.is_file() else -1
            digest.update(f"{path.name}\0{length}\0{label}\n".encode())
        return digest.hexdigest()

    @property
    def tf(self) -> Any:
        """The stream of epoch 0: a `tf.data.Dataset` as `epoch` makes it."""
        return self.epoch(0)

    def epoch(self, number: int) -> Any:
        """Build the stream of one epoch.

        Parameters
        ----------
        number
            Counted from 0. With `shuffle` the order, and with `augment` the changes, differ from epoch to epoch; the
            same number gives the same pictures again.

        Returns
        -------
        tf.data.Dataset
            Batches of float32 RGB 0..255 (B, H, W, 3) and of `labels`. Unreadable pictures are left out and noted in
            `skipped`, so its number of batches is not known before it ran.
        """
        tf = _tensorflow()
        labels = tf.constant(self.labels)
        return self._stream(number).map(lambda pictures, positions: (pictures, tf.gather(labels, positions)))

    def batches(self, epoch: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Iterate over one epoch in NumPy: pictures as in `epoch`, `labels`, image_ids int64 (B,).

        The three stay together whatever is shuffled or skipped.
        """
        for pictures, positions in self._stream(epoch).as_numpy_iterator():
            yield pictures, self.labels[positions], self.image_ids[positions]

    def _plan(self, epoch: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Everything random of one epoch: the positions in order, and the changes in the form that the warp wants."""
        count = len(self)
        positions, backward = np.arange(count), None
        if self.augment is not None:
            changes = self.augment.matrices(count, self.size, np.random.default_rng([self.seed, epoch, 1]))
            if self.augment.append:
                positions = np.concatenate([positions, positions])
                changes = np.concatenate([np.tile(np.eye(3), (count, 1, 1)), changes])
            # The warp asks for each pixel of the result where it comes from: the inverse, without its last entry, 1.
            backward = np.linalg.inv(changes).reshape(-1, 9)[:, :8].astype(np.float32)
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch, 0]).permutation(len(positions))
            positions, backward = positions[order], None if backward is None else backward[order]
        return positions, backward

    def _read(self, position: np.int64) -> tuple[np.ndarray, np.bool_]:
        """One picture, uint8 (H, W, 3), and whether it could be read; called by tf.data's threads."""
        try:
            return read_picture(self.paths[position], self.size), np.True_
        except DatasetError as error:
            self._unreadable[int(position)] = str(error)
            return np.zeros((*self.size, 3), np.uint8), np.False_

    def _read_rows(self, positions: np.ndarray) -> np.ndarray:
        """A batch from the shards, uint8 (B, H, W, 3); called by tf.data's threads."""
        assert self._shards is not None
        pictures = self._shards.read(self.image_ids[positions].tolist())
        if self._shards.size != self.size:
            pictures = np.stack([resize_picture(picture, self.size) for picture in pictures])
        return pictures

    def _stream(self, epoch: int) -> Any:
        """Batches of float32 pictures (B, H, W, 3) and their positions int64 (B,)."""
        tf = _tensorflow()
        positions, backward = self._plan(epoch)
        if backward is None:
            backward = np.zeros((len(positions), 0), np.float32)

        def finish(pictures: Any, positions: Any, changes: Any) -> Any:
            pictures = tf.cast(pictures, tf.float32)
            if self.augment is not None:
                pictures = tf.raw_ops.ImageProjectiveTransformV3(
                    images=pictures,
                    transforms=changes,
                    output_shape=self.size,
                    interpolation="BILINEAR",
                    fill_mode=self.augment.fill.upper(),
                    fill_value=0.0,
                )
                pictures = tf.ensure_shape(pictures, (None, *self.size, 3))
            return pictures, positions

        with tf.device("CPU:0"):
            batches = self._decoded if self._shards is None else self._stored
            return batches(tf, positions, backward).map(finish, num_parallel_calls=2, deterministic=True).prefetch(2)

    def _decoded(self, tf: ModuleType, positions: np.ndarray, backward: np.ndarray) -> Any:
        """Batches of uint8 pictures, positions and changes, from the picture files."""

        def read(position: Any, change: Any) -> Any:
            # Pillow and not tf.io: it names the file that fails and why, reads grey, CMYK and misnamed files, decodes
            # large JPEGs at a fraction of their size, and lets go of Python's lock while it works.
            picture, readable = tf.numpy_function(self._read, [position], (tf.uint8, tf.bool), stateful=False)
            return tf.ensure_shape(picture, (*self.size, 3)), position, change, tf.ensure_shape(readable, ())

        stream = tf.data.Dataset.from_tensor_slices((positions, backward))
        stream = stream.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        stream = stream.filter(lambda *row: row[-1]).batch(self.batch, drop_remainder=self.drop_remainder)
        return stream.map(lambda *batch: batch[:-1])

    def _stored(self, tf: ModuleType, positions: np.ndarray, backward: np.ndarray) -> Any:
        """The same batches from the shards, a batch at a time: a call for each picture would take longer than it."""
        readable = ~np.isin(positions, list(self._unreadable))

        def read(positions: Any, changes: Any) -> Any:
            pictures = tf.numpy_function(self._read_rows, [positions], tf.uint8, stateful=False)
            return tf.ensure_shape(pictures, (positions.shape[0], *self.size, 3)), positions, changes

        stream = tf.data.Dataset.from_tensor_slices((positions[readable], backward[readable]))
        stream = stream.batch(self.batch, drop_remainder=self.drop_remainder)
        return stream.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def classification_dataset(
    ann: Annotations,
    image_ids: Iterable[int],
    target: Column | Sequence[Column] = "category",
    *,
    classes: Sequence[str] | None = None,
    size: tuple[int, int] = (224, 224),
    batch: int = 32,
    shuffle: bool = False,
    augment: Augmentation | None = None,
    seed: int = 0,
    drop_remainder: bool = False,
    shards: str | Path | Shards | None = None,
) -> ImageDataset:
    """Stream pictures and their class from disk.

    Parameters
    ----------
    ann
        The annotations; pictures lie in `ann.folder`.
    image_ids
        Which images, for instance `split.index[split == "train"]`.
    target
        What to predict: "category" or "activity", one class a picture. A sequence, ("category", "activity"), gives
        both at once, for a classifier with `multilabel=True`: multi-hot labels, and classes that name their column
        ("activity: running").
    classes
        Names in the order of the labels. Default: all names in `ann`, sorted (`labels.label_names`), so that the parts
        of a split agree.
    size
        (height, width) in pixels; a picture is scaled to it whatever its proportions.
    batch
        Pictures a batch.
    shuffle
        Another order in each epoch, over all pictures (no buffer).
    augment
        Random changes on the fly, or None.
    seed
        Fixes order and changes of every epoch; 0 or more.
    drop_remainder
        Leave out a last, smaller batch.
    shards
        A folder of `write_shards` (`mpii shards`), or what `open_shards` gave: pictures come from there, and no file is
        decoded. Of the shards' own size they are the very same pictures; a smaller `size` is scaled down from them.

    Returns
    -------
    ImageDataset
        `.tf`, `.epoch(n)`, `.batches(n)`, `.classes`, `.labels`, `.image_ids`, `.skipped`.

    Raises
    ------
    DatasetError
        An image_id is unknown, none of the images has a label, or no picture file is there or can be read; the shards
        are damaged, smaller than `size`, or do not hold these pictures.
    """
    if batch < 1 or np.shape(size) != (2,) or min(size) < 1 or seed < 0:
        raise DatasetError(
            f"classification_dataset: batch={batch}, size={size}, seed={seed} cannot be used; "
            "size is (height, width), these and batch are at least 1, seed at least 0"
        )
    ids = np.asarray(list(image_ids), dtype=np.int64)
    labels, names = image_labels(ann, ids, target, classes)
    labelled = labels >= 0 if labels.ndim == 1 else labels.any(axis=1)
    kept = ids[labelled]
    if not len(kept):
        what = target if isinstance(target, str) else " or ".join(target)
        raise DatasetError(
            f"classification_dataset: none of the {len(ids)} images has a {what} among the {len(names)} classes; "
            "use labelled images, as split_images gives them"
        )
    paths = [Path(ann.image_path(image_id)) for image_id in kept.tolist()]
    if shards is None:
        check_pictures(paths, "classification_dataset")
    else:
        shards = shards if isinstance(shards, Shards) else open_shards(shards)
        names_of = ann.images["file_name"].reindex(kept).astype(str).tolist()
        _check_shards(shards, kept.tolist(), names_of, paths, (int(size[0]), int(size[1])))
    return ImageDataset(
        paths,
        labels[labelled],
        kept,
        names,
        size=(int(size[0]), int(size[1])),
        batch=int(batch),
        shuffle=shuffle,
        augment=augment,
        seed=int(seed),
        drop_remainder=drop_remainder,
        excluded=int((~labelled).sum()),
        shards=shards,
    )


def _check_shards(
    shards: Shards, image_ids: list[int], names: list[str], paths: list[Path], size: tuple[int, int]
) -> None:
    """Refuse shards that were made from other pictures, or are too small."""
    make = "make them again with `mpii shards`"
    if size[0] > shards.size[0] or size[1] > shards.size[1]:
        raise DatasetError(
            f"{shards.folder}: has pictures of {shards.size[0]} x {shards.size[1]} pixels, {size[0]} x {size[1]} are "
            "asked for; make larger shards in another folder, or ask for this size"
        )
    for image, name, path in zip(image_ids, names, paths, strict=True):
        if shards.names.get(image) != name:
            found = f"as {shards.names[image]}" if image in shards.names else "not at all"
            raise DatasetError(
                f"{shards.folder}: image {image}, {name}, is in these shards {found}; they are of other data: {make}"
            )
        # The pictures need not be there any more; those that are have to be the ones that were read.
        if path.is_file() and path.stat().st_size != shards.source_bytes[image]:
            raise DatasetError(f"{shards.folder}: {path} has changed since the shards were made; {make}")
    if all(image in shards.unreadable for image in image_ids):
        raise DatasetError(f"{shards.folder}: none of the {len(image_ids)} pictures could be read when they were made")


def _tensorflow() -> ModuleType:
    """TensorFlow, loaded when the first stream is built and without the messages of its start."""
    from mpii_lib._keras import silenced_stderr

    with silenced_stderr():
        import tensorflow as tf
    # A stream that skips cannot know its length. Keras takes the end of such a stream for a mistake, and says so.
    warnings.filterwarnings("ignore", message="Your input ran out of data", module="keras")
    return tf
