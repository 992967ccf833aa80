"""Batches for training a pose network: crops changed at random, and their heatmaps changed with them.

What is random is drawn before an epoch starts, from the seed and the number of the epoch, so that any epoch can be had
again and a resumed training sees what an unbroken one would have seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mpii_lib.errors import DatasetError
from mpii_lib.pose.crops import apply_matrix, crop_picture
from mpii_lib.pose.heatmaps import Method, encode_heatmaps, joint_mask
from mpii_lib.pose.persons import PersonCrops


@dataclass(frozen=True)
class PoseAugmentation:
    """Random changes of a person's crop; the joints move along, and a mirrored person's sides change places.

    The defaults of `scale`, `rotation`, `rotated` and `flip` are those of Newell et al. (2016, `pose-hg-train`).

    Parameters
    ----------
    scale
        Sizes change by 2**x, x normal with this standard deviation, cut off at twice of it.
    rotation
        Standard deviation of the angle in degrees, cut off at twice of it.
    rotated
        Share of the crops that are turned at all.
    flip
        Share of the crops that are mirrored.
    shift
        Largest shift along each axis, as a share of the side.
    colour
        Standard deviation of the logarithm of the brightness; half of it for each colour on its own.

    Raises
    ------
    DatasetError
        A value is out of range.
    """

    scale: float = 0.25
    rotation: float = 30.0
    rotated: float = 0.4
    flip: float = 0.5
    shift: float = 0.0
    colour: float = 0.1

    def __post_init__(self) -> None:
        limits = {"scale": 2, "rotation": 180, "rotated": 1, "flip": 1, "shift": 1, "colour": 1}
        for name, limit in limits.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise DatasetError(f"PoseAugmentation: {name}={value!r}: give a number from 0 to {limit}")

    def draw(self, count: int, size: int, rng: np.random.Generator) -> Changes:
        """Draw the changes of `count` crops of `size` pixels a side; the middle stays, a shift apart."""
        factor = 2 ** (self.scale * np.clip(rng.standard_normal(count), -2, 2))
        angle = np.deg2rad(self.rotation) * np.clip(rng.standard_normal(count), -2, 2)
        angle *= rng.random(count) < self.rotated
        mirrored = rng.random(count) < self.flip
        shift = size * self.shift * rng.uniform(-1, 1, (count, 2))
        gains = np.exp(
            self.colour * rng.standard_normal((count, 1)) + self.colour / 2 * rng.standard_normal((count, 3))
        )
        matrices = np.tile(np.eye(3), (count, 1, 1))
        cosine, sine, side = np.cos(angle), np.sin(angle), np.where(mirrored, -1.0, 1.0)
        matrices[:, 0, 0], matrices[:, 0, 1] = cosine * side, -sine
        matrices[:, 1, 0], matrices[:, 1, 1] = sine * side, cosine
        matrices[:, :2, :2] *= factor[:, None, None]
        middle = np.full(2, (size - 1) / 2)
        matrices[:, :2, 2] = middle - matrices[:, :2, :2] @ middle + shift
        return Changes(matrices, mirrored, gains.astype(np.float32))


class Changes(NamedTuple):
    """What `PoseAugmentation.draw` drew for N crops."""

    matrices: NDArray[np.float64]  # (N, 3, 3) from crop pixels to pixels of the changed crop
    mirrored: NDArray[np.bool_]  # (N,)
    gains: NDArray[np.float32]  # (N, 3) factors on the colours


class PoseBatches:
    """Crops with their heatmaps, as `mpii_lib.training.fit` takes them.

    A batch is `(pictures, targets, weights)`: uint8 (B, S, S, 3); one float32 (B, h, h, K) for each output of the
    network, all the same; and one float32 (B, K) for each, 0 where a joint is not annotated or lies outside the crop,
    so that it has no part in the loss.

    Parameters
    ----------
    crops
        From `person_crops`.
    map_size
        Height and width h of the heatmaps.
    outputs
        Outputs of the network: its number of stacks.
    size
        Side S of the pictures; the crops' own by default. Crops a little larger than S stay sharp when they are
        enlarged at random.
    batch
        Crops a batch. Where `shuffle` is on, a last, smaller batch is left out: batch normalisation wants full ones.
    shuffle, augment, seed
        Another order and other changes in each epoch; the same seed and epoch give the same batches.
    method, sigma
        Of `encode_heatmaps`; sigma in heatmap pixels.
    background
        uint8 (M, S', S', 3) square pictures with nobody in them, mixed in. Their heatmaps are zero and their weights
        one: the network shall learn to say that nobody is there.
    """

    def __init__(
        self,
        crops: PersonCrops,
        map_size: int,
        outputs: int = 1,
        *,
        size: int | None = None,
        batch: int = 32,
        shuffle: bool = False,
        augment: PoseAugmentation | None = None,
        seed: int = 0,
        method: Method = "unbiased",
        sigma: float = 1.0,
        background: NDArray[np.uint8] | None = None,
    ) -> None:
        if batch < 1 or outputs < 1 or map_size < 1 or not len(crops):
            raise DatasetError(
                f"PoseBatches: {len(crops)} crops, map_size={map_size}, outputs={outputs}, batch={batch}: "
                "each has to be at least 1"
            )
        self.crops, self.map_size, self.outputs = crops, map_size, outputs
        self.size = crops.size if size is None else int(size)
        self.batch, self.shuffle, self.augment, self.seed = int(batch), shuffle, augment, int(seed)
        self.method: Method = method
        self.sigma = sigma
        self.background = np.zeros((0, 1, 1, 3), np.uint8) if background is None else np.asarray(background)
        self.drop_remainder = shuffle and len(self) >= self.batch

    def __len__(self) -> int:
        return len(self.crops) + len(self.background)

    def __repr__(self) -> str:
        nobody = f" and {len(self.background)} pictures of nobody" if len(self.background) else ""
        return (
            f"PoseBatches: {len(self.crops)} persons{nobody} in batches of {self.batch}, pictures of {self.size} x "
            f"{self.size} to {self.outputs} x {len(self.crops.skeleton)} heatmaps of {self.map_size} x {self.map_size}"
        )

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch."""
        return len(self) // self.batch if self.drop_remainder else -(-len(self) // self.batch)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Pictures that could not be read when the crops were made."""
        return self.crops.skipped

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the batches of every epoch."""
        chance = (self.shuffle, self.augment, self.seed) if self.shuffle or self.augment else None
        shapes = (self.map_size, self.outputs, self.size, self.batch, self.method, self.sigma)
        digest = hashlib.sha256(repr((shapes, chance, self.crops.fingerprint)).encode())
        digest.update(np.ascontiguousarray(self.background).tobytes())
        return digest.hexdigest()

    @property
    def tf(self) -> Any:
        """The batches of epoch 0, see `epoch`."""
        return self.epoch(0)

    def epoch(self, number: int, workers: int = 1) -> Any:
        """Give the batches of one epoch (from 0) as a `keras.utils.PyDataset`, on any backend."""
        from mpii_lib._keras import keras

        plan, make = self._plan(number), self._batch

        class Epoch(keras.utils.PyDataset):
            def __len__(self) -> int:
                return len(plan)

            def __getitem__(self, index: int) -> tuple[Any, ...]:
                return make(plan[index])

        return Epoch(workers=workers, max_queue_size=8)

    def example(self, number: int = 0, index: int = 0) -> tuple[Any, ...]:
        """Make one batch (pictures, targets, weights) of an epoch, to look at."""
        return self._batch(self._plan(number)[index])

    def _plan(self, number: int) -> list[_Rows]:
        """Everything random of one epoch."""
        total = self.batches_per_epoch * self.batch
        order = np.arange(len(self))
        if self.shuffle:
            order = np.random.default_rng([self.seed, number, 0]).permutation(len(self))
        changes = None
        if self.augment is not None:
            changes = self.augment.draw(len(self), self.size, np.random.default_rng([self.seed, number, 1]))
        starts = range(0, min(total, len(self)), self.batch)
        return [_Rows(order[start : start + self.batch], changes) for start in starts]

    def _batch(self, rows: _Rows) -> tuple[Any, ...]:
        pictures = np.stack([self._picture(row, rows.changes) for row in rows.order])
        joints, visibility = self._joints(rows)
        grid, side = (self.map_size,) * 2, (self.size,) * 2
        maps = encode_heatmaps(joints, visibility, grid, side, self.method, self.sigma)
        weights = joint_mask(joints, visibility, side)
        weights[rows.order >= len(self.crops)] = 1
        return pictures, (maps,) * self.outputs, (weights,) * self.outputs

    def _picture(self, row: int, changes: Changes | None) -> NDArray[np.uint8]:
        nobody = row - len(self.crops)
        picture = self.crops.pictures[row] if nobody < 0 else self.background[nobody]
        if changes is None and len(picture) == self.size:
            return np.asarray(picture)
        matrix = resize_matrix(len(picture), self.size)
        if changes is None:
            return crop_picture(picture, matrix, self.size)
        changed = crop_picture(picture, changes.matrices[row] @ matrix, self.size)
        return np.clip(changed * changes.gains[row] + 0.5, 0, 255).astype(np.uint8)

    def _joints(self, rows: _Rows) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Joints in pixels of the changed pictures, and their visibility; nothing is annotated where nobody is."""
        known = np.flatnonzero(rows.order < len(self.crops))
        at = rows.order[known]
        count = len(self.crops.skeleton)
        joints, visibility = np.full((len(rows.order), count, 2), np.nan), np.zeros((len(rows.order), count), np.int8)
        matrix = np.tile(resize_matrix(self.crops.size, self.size), (len(at), 1, 1))
        moved, seen = self.crops.joints[at].astype(float), self.crops.visibility[at].copy()
        if rows.changes is not None:
            matrix = rows.changes.matrices[at] @ matrix
            mirrored, swap = rows.changes.mirrored[at], self.crops.skeleton.flip_order
            moved[mirrored], seen[mirrored] = moved[mirrored][:, swap], seen[mirrored][:, swap]
        joints[known], visibility[known] = apply_matrix(matrix, moved), seen
        return joints, visibility


class _Rows(NamedTuple):
    order: NDArray[np.intp]  # positions of one batch; those behind the crops are background
    changes: Changes | None  # of all positions


def resize_matrix(old: int, new: int) -> NDArray[np.float64]:
    """(3, 3) from pixels of a square picture to those of the same picture at another size."""
    factor = new / old
    return np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2], [0, 0, 1.0]])
