"""Features of a frozen backbone: predicted once, and kept on disk, so that a head is trained in seconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.datasets import ImageDataset
from mpii_lib.errors import TrainingError
from mpii_lib.files import cache_folder, make_folder, replacing


class Features(NamedTuple):
    """A row for each image: what the network found in it, its label and its id."""

    features: np.ndarray  # float32 (N, ...), the network's output
    labels: np.ndarray  # int32 (N,), or float32 (N, C) multi-hot
    image_ids: np.ndarray  # int64 (N,)


@checked
def cached_features(feature_extractor: keras.Model, dataset: ImageDataset, folder: str | Path = "") -> Features:
    """Give `feature_extractor.predict(dataset)`, from a file if it has been computed before.

    Parameters
    ----------
    feature_extractor
        Any Keras model; of a classifier of `build_classifier` it is
        `keras.Model(model.input, model.get_layer("features").output)`.
    dataset
        The images, which are read in order, whether the dataset shuffles or not. Random changes are those of its
        present epoch, in every training on these features the same.
    folder
        Where the files are kept, one for each network (layers and weights) and data (files, their sizes, labels,
        arguments of the dataset); "" for `features` in the user's cache folder. A broken file is made again.

    Returns
    -------
    Features
        Images that cannot be read have no row. The features need N x D x 4 bytes of memory: a flattened Xception at
        224 x 224 pixels has D = 100,352, 0.4 MB an image; a pooled one D = 2,048.

    Raises
    ------
    TrainingError
        The dataset leaves out or repeats images (`drop_remainder`, `append`), or the folder cannot be written.
    """
    if dataset.drop_remainder or (dataset.augment is not None and dataset.augment.append):
        raise TrainingError("cached_features: the dataset drops or repeats images; leave out drop_remainder/append")
    ids = hashlib.sha256(dataset.image_ids.tobytes()).hexdigest()
    key = f"{_network_fingerprint(feature_extractor)} {dataset.fingerprint} {ids} {dataset.epoch}"
    key = hashlib.sha256(key.encode()).hexdigest()
    path = (Path(folder).expanduser() if str(folder) else cache_folder() / "features") / f"features-{key[:24]}.npz"
    stored = _read(path)
    if stored is not None:
        return stored
    features = feature_extractor.predict(dataset.in_order(), verbose=0)
    result = Features(np.asarray(features, np.float32), dataset.labels, dataset.image_ids)
    make_folder(path.parent, TrainingError)
    with replacing(path, TrainingError, result.features.nbytes) as temporary, temporary.open("wb") as file:
        np.savez(file, **result._asdict())
    return result


def _network_fingerprint(model: keras.Model) -> str:
    """SHA-256 of a model's layers, their settings (preprocessing among them) and weights; names do not count."""
    digest = hashlib.sha256()
    for layer in _leaves(model):
        config = {name: value for name, value in layer.get_config().items() if name not in ("name", "trainable")}
        digest.update(json.dumps([type(layer).__name__, config], sort_keys=True, default=str).encode())
    for weights in model.get_weights():
        digest.update(str(weights.shape).encode() + np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def _leaves(layer: Any) -> list[Any]:
    """Return the layers of a model that hold no layers themselves, in order."""
    inner = getattr(layer, "layers", None)
    return [leaf for item in inner for leaf in _leaves(item)] if inner else [layer]


def _read(path: Path) -> Features | None:
    """Read a cached file; None when it is not there or not whole (the archive has a checksum for each part)."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Features(*(stored[name] for name in Features._fields))
    except Exception:  # a broken archive raises BadZipFile, ValueError, EOFError, KeyError, zlib.error ...
        return None
