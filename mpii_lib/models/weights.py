"""Weights of a backbone: ImageNet's from the net or a folder, the sample's from the package, others from a file."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError, one_line
from mpii_lib.files import replacing
from mpii_lib.models.backbones import Backbone, get_backbone

WEIGHTS_DIR = "MPII_WEIGHTS_DIR"
SUFFIXES = (".npz", ".h5", ".keras")
_METADATA = "metadata"


def check_source(weights: str | os.PathLike[str] | None) -> None:
    """Raise ModelError unless `weights` is None, "imagenet", "sample" or an existing file of a known kind.

    It is cheap, so that a wrong name is reported before a network is built.
    """
    if weights is None or weights in ("imagenet", "sample"):
        return
    path = Path(weights)
    if not os.path.isfile(path):  # False, not an error, for what can be no file's name
        raise ModelError(f'weights {str(weights)!r}: no such file; give "imagenet", "sample", None or a file')
    if path.suffix not in SUFFIXES:
        raise ModelError(f"{path}: weights come as .npz, .h5, .weights.h5 or .keras, not as {path.suffix or 'this'!r}")


def load_backbone_weights(model: keras.Model, backbone: Backbone, weights: str | os.PathLike[str]) -> None:
    """Fill a backbone made by `build_backbone` with weights.

    Parameters
    ----------
    model
        The backbone; "imagenet" needs full width, "sample" 1/8.
    backbone
        Its entry in `BACKBONES`.
    weights
        "imagenet": from the folder in MPII_WEIGHTS_DIR when that is set, else through Keras' own cache and download;
        the MD5 is checked both times. "sample": shipped with the package, made on drawn images of 96 x 96 pixels
        and at their best near that size. A path: the weights of the backbone alone
        (.npz of `save_backbone_weights`, .h5, .weights.h5) or a whole saved model with a backbone in it (.keras).

    Raises
    ------
    ModelError
        No network, a missing or damaged file, or weights that do not fit this network.
    """
    if weights == "imagenet":
        path = imagenet_file(backbone)
    elif weights == "sample":
        path = sample_file(backbone)
    else:
        path = Path(weights)
    with loading(path, backbone.name):
        if path.suffix == ".npz":
            assign_npz(model, path)
        elif path.suffix == ".keras":
            saved = keras.saving.load_model(path, compile=False)
            inner = [layer for layer in saved.layers if layer.name == "backbone"]
            model.set_weights((inner[0] if inner else saved).get_weights())
        else:
            model.load_weights(path)


@contextmanager
def loading(path: Path, name: str) -> Iterator[None]:
    """Turn into a ModelError what Keras and HDF5 raise, a dozen kinds, for a damaged or foreign file of weights."""
    with warnings.catch_warnings():
        # Keras walks each layer twice; where the second way holds nothing it warns, though all weights are loaded.
        warnings.filterwarnings("ignore", message="Skipping nested container at '_operations_by_depth")
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"{path}: cannot be loaded into {name} ({reason}); is it the right file?") from None


def imagenet_file(backbone: Backbone) -> Path:
    """Return the checked ImageNet weights file of a backbone, fetched when it is not there; ModelError without it."""
    folder = os.environ.get(WEIGHTS_DIR)
    if folder:
        path = Path(folder) / backbone.weight_file
        if not path.is_file():
            raise ModelError(
                f"{path}: not there, though {WEIGHTS_DIR} names its folder; fetch it from {backbone.weight_url}, "
                f'unset {WEIGHTS_DIR}, or use weights="sample"'
            )
        found = _md5(path)
        if found != backbone.weight_md5:
            raise ModelError(
                f"{path}: MD5 is {found}, not {backbone.weight_md5}; the file is damaged or another one: "
                f"fetch it again from {backbone.weight_url}"
            )
        return path
    try:
        return Path(
            keras.utils.get_file(
                backbone.weight_file, backbone.weight_url, cache_subdir="models", file_hash=backbone.weight_md5
            )
        )
    except Exception as error:  # get_file raises a plain Exception when it cannot fetch
        reason = str(error).strip().split(" -- ")[-1] or type(error).__name__
        raise ModelError(
            f"ImageNet weights of {backbone.name}: cannot fetch {backbone.weight_url} ({reason}); put that file into a "
            f'folder and set {WEIGHTS_DIR} to the folder, or use weights="sample"'
        ) from None


@checked
def sample_file(backbone: str | Backbone) -> Path:
    """Return the file of the sample weights that the package ships for a backbone; ModelError when it is missing."""
    entry = backbone if isinstance(backbone, Backbone) else get_backbone(backbone)
    path = sample_folder() / f"{entry.name.lower()}.npz"
    if not path.is_file():
        raise ModelError(f"{path}: the sample weights of {entry.name} are missing; install the package again")
    return path


def sample_folder() -> Path:
    """Return the folder of the sample weights that the package ships."""
    return Path(str(resources.files("mpii_lib.models"))) / "sample_weights"


@checked
def sample_metadata(backbone: str | Backbone) -> dict[str, Any]:
    """Return how the sample weights of a backbone were made: images, seeds, epochs, seconds, scores."""
    return read_npz(sample_file(backbone))[1]


@checked
def save_backbone_weights(model: keras.Model, path: str | os.PathLike[str], metadata: dict[str, Any]) -> None:
    """Write the weights of a backbone, in the order of its layers, and a JSON of metadata to a compressed .npz.

    Kernels are kept in half precision, which halves the file and moves features by a thousandth; biases and the
    statistics of batch normalization stay in float32.
    """
    arrays: dict[str, np.ndarray] = {}
    for number, variable in enumerate(model.weights):
        value = np.asarray(keras.ops.convert_to_numpy(variable))
        # The layer's name is for readers of the file: loading goes by order and shape, since Keras numbers its names.
        name = "_".join(variable.path.split("/")[-2:])
        arrays[f"{number:04d}_{name}"] = value.astype(np.float16 if value.ndim > 1 else np.float32)
    try:
        arrays[_METADATA] = np.frombuffer(json.dumps(metadata, allow_nan=False).encode(), dtype=np.uint8)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"metadata of {path}: {one_line(error)}; give what JSON can hold") from None
    with replacing(Path(path), ModelError) as temporary, temporary.open("wb") as file:
        # NumPy before 2.2 would take allow_pickle=False for one of the arrays.
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_npz(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Read the arrays, in their order, and the metadata of a file by `save_backbone_weights`; nothing is unpickled."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            names = sorted(name for name in file.files if name != _METADATA)
            metadata = json.loads(file[_METADATA].tobytes()) if _METADATA in file.files else {}
            return [file[name] for name in names], metadata
    except Exception as error:  # a broken archive raises BadZipFile, ValueError, EOFError, TypeError, zlib.error ...
        # NumPy takes what is no archive for a pickle, and would advise to trust it.
        reason = "it is no .npz archive" if "pickle" in str(error) else str(error).strip() or type(error).__name__
        raise ModelError(f"{path}: is no file of backbone weights ({reason}); fetch or make it again") from None


def assign_npz(model: keras.Model, path: Path) -> dict[str, Any]:
    """Fill a network with the arrays of a file by `save_backbone_weights`, and return its metadata; use `loading`."""
    values, metadata = read_npz(path)
    model.set_weights(values)
    return metadata


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
