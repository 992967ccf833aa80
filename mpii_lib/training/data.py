"""What `fit` and `extract_features` read from: arrays or an `ImageDataset`, with the same order for the same epoch."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from mpii_lib.errors import TrainingError
from mpii_lib.training.strategy import stream_arrays


class Source(Protocol):
    """Examples that come in a fixed order in each epoch."""

    steps: int  # batches in an epoch
    count: int  # examples

    @property
    def labels(self) -> np.ndarray | None:
        """Labels (N,) or (N, C); None where they are not known before they are read."""

    def epoch(self, index: int, class_weight: dict[int, float] | None) -> dict[str, Any]:
        """Give the arguments of `keras.Model.fit` for epoch `index` (from 0), in that epoch's order."""

    def validation(self) -> Any:
        """Give the examples to validate on, always in the same order."""

    def settings(self) -> dict[str, Any]:
        """Say in which portions, order and form the examples come."""

    def describe(self) -> dict[str, Any]:
        """Say what this is for the run record: examples, fingerprint, skipped."""


class ArraySource:
    """Examples in memory: inputs (N, ...), labels (N,) integer or (N, C) multi-hot."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, batch: int, shuffle: bool, seed: int, what: str) -> None:
        self.inputs, self.labels = np.asarray(inputs), np.asarray(labels)
        self.batch, self.shuffle, self.seed = batch, shuffle, seed
        self.skipped: list[tuple[str, str]] = []
        if len(self.inputs) != len(self.labels) or not len(self.inputs):
            raise TrainingError(
                f"{what} data: {len(self.inputs)} inputs and {len(self.labels)} labels; give as many of both"
            )
        if np.issubdtype(self.inputs.dtype, np.floating):
            finite = np.isfinite(self.inputs).reshape(len(self.inputs), -1).all(axis=1)
            if not finite.all():
                raise TrainingError(
                    f"{what} data: example {int(np.argmin(finite))} has NaN or infinite values; leave it out or mend it"
                )
        self.count = len(self.inputs)
        self.steps = math.ceil(self.count / batch)

    def epoch(self, index: int, class_weight: dict[int, float] | None) -> dict[str, Any]:
        """Give the examples in an order that depends on the seed and the epoch alone."""
        arrays = [self.inputs, self.labels]
        if class_weight is not None:
            arrays.append(np.array([class_weight[label] for label in range(len(class_weight))], "float32")[self.labels])
        if self.shuffle:
            order = np.random.default_rng([self.seed, index]).permutation(self.count)
            arrays = [array[order] for array in arrays]
        return {"x": stream_arrays(arrays, self.batch)}

    def validation(self) -> Any:
        """Give the examples in their own order."""
        return self._in_order

    @cached_property
    def _in_order(self) -> Any:
        return stream_arrays([self.inputs, self.labels], self.batch)

    def settings(self) -> dict[str, Any]:
        """Batch and order."""
        return {"batch": self.batch, "shuffle": self.shuffle}

    @cached_property
    def _fingerprint(self) -> str:
        return array_fingerprint(self.inputs, self.labels)

    def describe(self) -> dict[str, Any]:
        """Count, content hash, and the pictures that gave no features."""
        return {"examples": self.count, "fingerprint": self._fingerprint, "skipped": self.skipped}


class StreamSource:
    """An `ImageDataset` of `mpii_lib.datasets`, or anything with its `epoch(index)`, `tf` and `len()`."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.count = len(dataset)
        known = getattr(dataset, "labels", None)
        self.labels = None if known is None else np.asarray(known)
        self.steps = getattr(dataset, "batches_per_epoch", None) or math.ceil(self.count / dataset.batch)

    def epoch(self, index: int, class_weight: dict[int, float] | None) -> dict[str, Any]:
        """Give the stream of this epoch."""
        return {"x": self.dataset.epoch(index), "class_weight": class_weight}

    def validation(self) -> Any:
        """Give the stream of every validation."""
        return self.dataset.tf

    def settings(self) -> dict[str, Any]:
        """Batch, order, random changes and their seed, and the form of the pictures."""
        names = ("batch", "shuffle", "augment", "seed", "size", "drop_remainder")
        values = {name: getattr(self.dataset, name, None) for name in names}
        values["augment"] = None if values["augment"] is None else str(values["augment"])
        values["data_seed"] = values.pop("seed")
        return values

    @cached_property
    def _fingerprint(self) -> str:
        return stream_fingerprint(self.dataset)

    def describe(self) -> dict[str, Any]:
        """Count, fingerprint and the pictures that could not be read so far."""
        skipped = [[str(path), str(reason)] for path, reason in getattr(self.dataset, "skipped", [])]
        return {"examples": self.count, "fingerprint": self._fingerprint, "skipped": skipped}


def as_source(data: Any, batch: int, shuffle: bool, seed: int, what: str) -> ArraySource | StreamSource:
    """Wrap what the caller gave: (inputs, labels), a `Features` or an `ImageDataset`."""
    if hasattr(data, "epoch") and hasattr(data, "tf"):
        return StreamSource(data)
    if hasattr(data, "features") and hasattr(data, "labels"):
        source = ArraySource(data.features, data.labels, batch, shuffle, seed, what)
        source.skipped = list(data.skipped)
        return source
    if isinstance(data, tuple | list) and len(data) == 2:
        return ArraySource(data[0], data[1], batch, shuffle, seed, what)
    raise TrainingError(
        f"{what} data is a {type(data).__name__}: give (inputs, labels) arrays, Features or an ImageDataset"
    )


def array_fingerprint(*arrays: np.ndarray) -> str:
    """SHA-256 of shapes, types and content, as hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        digest.update(str(array.tolist()).encode() if array.dtype.hasobject else array.view(np.uint8).data)
    return digest.hexdigest()


def stream_fingerprint(dataset: Any) -> str:
    """SHA-256 of what decides the examples of an `ImageDataset`: its own, or that of its ids and labels."""
    own = getattr(dataset, "fingerprint", None)
    if own is not None:
        return str(own)
    arrays = [np.asarray(getattr(dataset, name)) for name in ("image_ids", "labels") if hasattr(dataset, name)]
    return array_fingerprint(*arrays)
