"""Which images a model sees: downloads, splits, labels, and the dataset that reads images from disk.

Names are looked up on first use, so that `import mpii_lib.datasets` stays light: TensorFlow is loaded with the dataset.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mpii_lib.errors import DatasetError

_HOME = {
    "Augmentation": "augmentation",
    "ImageDataset": "image_dataset",
    "clean_name": "labels",
    "image_labels": "labels",
    "label_names": "labels",
    "Shards": "shards",
    "open_shards": "shards",
    "write_shards": "shard_writer",
    "class_weights": "splits",
    "split_images": "splits",
    "fetch_coco": "download",
    "fetch_mpii": "download",
}

__all__ = ["DatasetError", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
