"""Batches for training a pose network: crops changed at random, and their heatmaps changed with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError
from mpii_lib.pose.crops import apply_matrix, crop_image, resize_matrix
from mpii_lib.pose.heatmaps import Method, Width, encode_heatmaps, joint_mask
from mpii_lib.pose.person_images import PersonCrops


@checked
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

    """

    scale: Annotated[float, 0, 2] = 0.25
    rotation: Annotated[float, 0, 180] = 30.0
    rotated: Annotated[float, 0, 1] = 0.4
    flip: Annotated[float, 0, 1] = 0.5
    shift: Annotated[float, 0, 1] = 0.0
    colour: Annotated[float, 0, 1] = 0.1

    def draw(
        self, count: int, size: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Draw the changes of N crops of `size` pixels a side.

        Returns
        -------
        matrices : numpy.ndarray
            float64 (N, 3, 3) from pixels of the crop to pixels of the changed crop. The middle stays, a shift apart.
            The determinant is negative where the crop is mirrored.
        gains : numpy.ndarray
            float32 (N, 3) factors on red, green and blue.
        """
        factor = 2 ** (self.scale * np.clip(generator.standard_normal(count), -2, 2))
        angle = np.deg2rad(self.rotation) * np.clip(generator.standard_normal(count), -2, 2)
        angle *= generator.random(count) < self.rotated
        side = np.where(generator.random(count) < self.flip, -1.0, 1.0)
        shift = size * self.shift * generator.uniform(-1, 1, (count, 2))
        logarithms = generator.standard_normal((count, 1)) + generator.standard_normal((count, 3)) / 2
        matrices = np.tile(np.eye(3), (count, 1, 1))
        cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
        matrices[:, 0, 0], matrices[:, 0, 1] = cosine * side, -sine
        matrices[:, 1, 0], matrices[:, 1, 1] = sine * side, cosine
        middle = np.full(2, (size - 1) / 2)
        matrices[:, :2, 2] = middle - matrices[:, :2, :2] @ middle + shift
        return matrices, np.exp(self.colour * logarithms).astype(np.float32)


class PoseDataset(keras.utils.PyDataset):
    """Crops with their heatmaps in batches, for `fit` and `evaluate` of a network that finds joints.

    `dataset[i]` is `(images, heatmaps, weights)`: uint8 (B, S, S, 3); for each stack of the network float32
    (B, h, h, K), all the same; and for each stack float32 (B, K), 0 where a joint is not annotated or lies outside the
    crop, so that it has no part in the loss. `len(dataset)` is the number of batches.

    Parameters
    ----------
    crops
        From `person_crops`.
    heatmap_size
        Height and width h of the heatmaps.
    stacks
        Outputs of the network.
    size
        Side S of the images; the crops' own by default. Crops a little larger than S stay sharp when they are
        enlarged at random.
    batch_size
        Crops a batch.
    shuffle, augment
        Another order and other changes in each epoch.
    seed
        Order and changes of a batch depend on the seed, the epoch and the number of the batch alone.
    drop_remainder
        Leave out a last, smaller batch.
    method, sigma
        Of `encode_heatmaps`; sigma in cells of the heatmap.
    workers
        Threads that make batches while the network trains, see `keras.utils.PyDataset`.

    Attributes
    ----------
    epoch
        Which epoch's batches `dataset[i]` gives, from 0. `run_callbacks` of `mpii_lib.training` sets it as each epoch
        begins.

    Raises
    ------
    DatasetError
        There are no crops.
    """

    @checked
    def __init__(
        self,
        crops: PersonCrops,
        heatmap_size: Annotated[int, 1, 4096] = 64,
        stacks: Annotated[int, 1, 100] = 1,
        *,
        size: Annotated[int, 1, 4096] | None = None,
        batch_size: Annotated[int, 1, 100_000] = 32,
        shuffle: bool = False,
        augment: PoseAugmentation | None = None,
        seed: Annotated[int, 0, 2**63] = 0,
        drop_remainder: bool = False,
        method: Method = "unbiased",
        sigma: Width = 1.0,
        workers: Annotated[int, 1, 64] = 1,
    ) -> None:
        super().__init__(workers=workers)
        self.crops, self.heatmap_size, self.stacks = crops, heatmap_size, stacks
        self.size = crops.size if size is None else size
        if not len(crops):
            raise DatasetError("PoseDataset: there are no crops; give at least one")
        self.batch_size, self.shuffle, self.augment, self.seed = batch_size, shuffle, augment, seed
        self.drop_remainder, self.method, self.sigma, self.epoch = drop_remainder, method, sigma, 0

    def __len__(self) -> int:
        full, rest = divmod(len(self.crops), self.batch_size)
        return full if self.drop_remainder or not rest else full + 1

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        order = np.arange(len(self.crops))
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        crops = self.crops[order[index * self.batch_size : (index + 1) * self.batch_size]]
        images, joints, visibility = self._changed(crops, np.random.default_rng([self.seed, self.epoch, index]))
        cells, pixels = (self.heatmap_size,) * 2, (self.size,) * 2
        heatmaps = encode_heatmaps(joints, visibility, cells, pixels, self.method, self.sigma)
        weights = joint_mask(joints, visibility, pixels)
        return images, (heatmaps,) * self.stacks, (weights,) * self.stacks

    def __repr__(self) -> str:
        heatmaps = f"{len(self.crops.skeleton)} heatmaps of {self.heatmap_size} x {self.heatmap_size} cells"
        return (
            f"PoseDataset: {len(self.crops)} persons in {len(self)} batches of {self.batch_size}, "
            f"images of {self.size} x {self.size} pixels, {heatmaps} for each of {self.stacks} stacks"
        )

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Path and reason of each image that could not be read when the crops were made."""
        return self.crops.skipped

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the batches of every epoch."""
        chance = (self.shuffle, self.augment, self.seed) if self.shuffle or self.augment else None
        shapes = (self.heatmap_size, self.stacks, self.size, self.batch_size, self.drop_remainder)
        text = repr((shapes, self.method, self.sigma, chance, self.crops.fingerprint))
        return hashlib.sha256(text.encode()).hexdigest()

    def _changed(
        self, crops: PersonCrops, generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int8]]:
        """Images (B, S, S, 3), the joints in them, and their visibility, after random changes."""
        matrices = np.tile(resize_matrix(crops.size, self.size), (len(crops), 1, 1))
        joints, visibility = crops.joints.astype(float), crops.visibility.copy()
        if self.augment is None:
            images = crops.images
            if crops.size != self.size:
                images = np.stack([crop_image(image, matrices[0], self.size) for image in images])
            return images, apply_matrix(matrices, joints), visibility
        changes, gains = self.augment.draw(len(crops), self.size, generator)
        mirrored, swap = np.linalg.det(changes) < 0, crops.skeleton.flip_order
        joints[mirrored], visibility[mirrored] = joints[mirrored][:, swap], visibility[mirrored][:, swap]
        matrices = changes @ matrices
        images = np.stack([crop_image(crop, m, self.size) for crop, m in zip(crops.images, matrices, strict=True)])
        images = np.clip(images * gains[:, None, None] + 0.5, 0, 255).astype(np.uint8)
        return images, apply_matrix(matrices, joints), visibility
