"""Features of a frozen backbone: computed once, kept on disk, and used to train a head in seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.files import make_folder, replacing
from mpii_lib.models import feature_model, head_model
from mpii_lib.training.compiling import has_accelerator, jit_setting, leaves
from mpii_lib.training.data import array_fingerprint, stream_fingerprint
from mpii_lib.training.frozen_front import HEAD
from mpii_lib.training.loop import TrainingRun, fit
from mpii_lib.training.progress import progress_line

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Features:
    """What a network sees in pictures, as one row a picture.

    Attributes
    ----------
    features
        float32 (N, D).
    labels
        int32 (N,), or (N, C) multi-hot.
    image_ids
        int64 (N,); the position for arrays.
    skipped
        (path, reason) of the pictures that could not be read; they have no row.
    network
        SHA-256 of the layers and weights that made the features.
    from_cache
        Whether they were read from disk.
    """

    features: np.ndarray
    labels: np.ndarray
    image_ids: np.ndarray
    skipped: list[tuple[str, str]]
    network: str
    from_cache: bool = False

    def __len__(self) -> int:
        return len(self.features)

    def take(self, image_ids: Iterable[int]) -> Features:
        """Give the rows of some pictures, in the order asked for; those without a row are left out."""
        place = {image: row for row, image in enumerate(self.image_ids.tolist())}
        rows = [place[image] for image in np.asarray(list(image_ids)).tolist() if image in place]
        return replace(self, features=self.features[rows], labels=self.labels[rows], image_ids=self.image_ids[rows])

    def __repr__(self) -> str:
        origin = "from the cache" if self.from_cache else "computed"
        skipped = f", {len(self.skipped)} pictures skipped" if self.skipped else ""
        return f"Features: {len(self)} pictures x {self.features.shape[1]} numbers, {origin}{skipped}"


def extract_features(
    model: keras.Model, dataset: Any, cache: str | Path | None = None, *, batch: int = 32, progress: bool = True
) -> Features:
    """Compute the features of each picture once, or read them from the cache.

    Parameters
    ----------
    model
        A classifier of `build_classifier`, of which the part in front of its head is used, or any Keras model, of
        which the output is taken and flattened.
    dataset
        An `ImageDataset`, or arrays (pictures (N, H, W, 3), labels). Random changes of a dataset are those of its
        epoch 0, in each training on these features the same.
    cache
        A folder for the features, one file a combination of network (layers, weights, preprocessing) and data (files,
        their sizes, labels, picture size, changes). A broken file is made again.
    batch
        Pictures at once, for arrays.
    progress
        Show one updating line where a person looks on.

    Returns
    -------
    Features
        In the order of the dataset's `image_ids`, whether it shuffles or not. They need N x D x 4 bytes of memory:
        a flattened Xception at 224 x 224 pixels has D = 100,352, 0.4 MB a picture; a pooled one D = 2,048.

    Raises
    ------
    TrainingError
        When no picture can be read, or the cache cannot be written.
    """
    network = _feature_network(model)
    hashed = network_fingerprint(network)
    path = None
    if cache is not None:
        key = hashlib.sha256(f"{hashed} {_data_key(dataset)}".encode()).hexdigest()
        path = Path(cache) / f"features-{key[:24]}.npz"
        stored = _read(path, hashed)
        if stored is not None:
            return stored
        make_folder(path.parent, TrainingError)
    result = _compute(network, dataset, batch, progress, hashed)
    if path is not None:
        with replacing(path, TrainingError) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                features=result.features,
                labels=result.labels,
                image_ids=result.image_ids,
                skipped=np.array(json.dumps(result.skipped)),
                network=np.array(hashed),
            )
    return result


def fit_head(model: keras.Model, train: Features, validation: Features | None = None, **settings: Any) -> TrainingRun:
    """Train the head of a classifier on features; afterwards the whole classifier predicts with it.

    Parameters
    ----------
    model
        The classifier of `build_classifier` whose features these are. Its layers behind the features are trained in
        place; the backbone is not used and does not move.
    train, validation
        From `extract_features`.
    settings
        As for `fit`: epochs, folder, optimizer, early_stopping and so on.

    Returns
    -------
    TrainingRun
        Its checkpoints hold the head; `run.load(model)` takes the classifier all the same.

    Raises
    ------
    TrainingError
        When the features come from another network, and as `fit`.
    """
    hashed = network_fingerprint(_feature_network(model))
    for what, features in (("training", train), ("validation", validation)):
        if features is not None and features.network != hashed:
            raise TrainingError(f"{what} features were made by another network: extract them with this model")
    head = head_model(model)
    head.provenance = {**getattr(model, "provenance", {}), "trained_part": HEAD}
    return fit(head, train, validation, **settings)


def network_fingerprint(model: keras.Model) -> str:
    """SHA-256 of a model's layers, their settings (preprocessing among them) and weights; names do not count."""
    settings = []
    for layer in leaves(model):
        config = {name: value for name, value in layer.get_config().items() if name not in ("name", "trainable")}
        settings.append([type(layer).__name__, config])
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256((text + array_fingerprint(*model.get_weights())).encode()).hexdigest()


def _feature_network(model: keras.Model) -> keras.Model:
    names = {layer.name for layer in model.layers}
    network = feature_model(model) if {"backbone", "features"} <= names else keras.Model(model.inputs, model.outputs)
    network.jit_compile = jit_setting(has_accelerator())
    return network


def _data_key(dataset: Any) -> str:
    if not hasattr(dataset, "batches"):
        return array_fingerprint(*(np.asarray(part) for part in dataset))
    augment = getattr(dataset, "augment", None)
    changes = "" if augment is None else f"{augment!r} seed {dataset.seed}"
    return f"{stream_fingerprint(dataset)} {array_fingerprint(np.asarray(dataset.image_ids))} {changes}"


def _batches(dataset: Any, batch: int) -> Iterator[Batch]:
    if hasattr(dataset, "batches"):
        if getattr(dataset, "drop_remainder", False):
            raise TrainingError("the dataset leaves out its last batch: build it with drop_remainder=False")
        yield from dataset.batches()
        return
    if not isinstance(dataset, tuple | list) or len(dataset) != 2 or len(dataset[0]) != len(dataset[1]):
        raise TrainingError(
            f"dataset is a {type(dataset).__name__}: give an ImageDataset or (pictures, labels), as many of both"
        )
    pictures, labels = (np.asarray(part) for part in dataset)
    for start in range(0, len(pictures), batch):
        rows = slice(start, start + batch)
        yield pictures[rows], labels[rows], np.arange(len(pictures))[rows]


def _compute(network: keras.Model, dataset: Any, batch: int, progress: bool, hashed: str) -> Features:
    streamed = hasattr(dataset, "batches")
    size = dataset.batch if streamed else batch
    total = max(1, len(dataset) if streamed else len(dataset[0]))
    parts: list[Batch] = []
    done = 0
    with progress_line(progress) as show:
        for pictures, labels, ids in _batches(dataset, batch):
            count = len(pictures)
            if count < size:  # one shape of batch only: a second one would trace the network again
                pictures = np.concatenate([pictures, np.repeat(pictures[:1], size - count, axis=0)])
            features = np.asarray(network.predict_on_batch(pictures), dtype=np.float32)[:count]
            parts.append((features.reshape(count, -1), labels, ids))
            done += count
            show(f"features {done}/{total}", done / total)
    if not parts:
        raise TrainingError(f"none of the {total} pictures could be read: see the dataset's .skipped for the reasons")
    features, labels, ids = (np.concatenate(column) for column in zip(*parts, strict=True))
    if streamed:
        place = {image: position for position, image in enumerate(np.asarray(dataset.image_ids).tolist())}
        order = np.argsort([place[image] for image in ids.tolist()], kind="stable")
        features, labels, ids = features[order], labels[order], ids[order]
    skipped = [(str(path), str(reason)) for path, reason in getattr(dataset, "skipped", [])]
    return Features(features, labels, ids.astype(np.int64), skipped, hashed)


def _read(path: Path, hashed: str) -> Features | None:
    """Read a cached file; None when it is not there or not whole (the archive has a checksum for each part)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["network"]) != hashed:
                return None
            skipped = [(where, why) for where, why in json.loads(str(stored["skipped"]))]
            arrays = [stored[name] for name in ("features", "labels", "image_ids")]
    except Exception:  # a broken archive raises BadZipFile, ValueError, EOFError, KeyError, zlib.error ...
        return None
    return Features(arrays[0], arrays[1], arrays[2], skipped, hashed, from_cache=True)
