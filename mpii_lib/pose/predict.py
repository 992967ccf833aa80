"""From a trained network and crops to joints: in crop pixels, in picture pixels, and how sure the network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.special import softmax

from mpii_lib.errors import ModelError
from mpii_lib.pose.batches import resize_matrix
from mpii_lib.pose.crops import crop_picture
from mpii_lib.pose.flip import flip_heatmaps
from mpii_lib.pose.heatmaps import Decoder, decode_heatmaps
from mpii_lib.pose.persons import PersonCrops
from mpii_lib.skeletons import MPII

_AT_ONCE = 256  # crops whose heatmaps are in memory


@dataclass(frozen=True)
class PredictedPoses:
    """What `predict_poses` found.

    Attributes
    ----------
    joints
        float64 (N, K, 2) x and y in pixels of the crops.
    image_joints
        float64 (N, K, 2) in pixels of the pictures that the crops come from; for plain arrays the same as `joints`.
    scores
        float32 (N, K). For maps that are logits: the probability, from 0 to 1, that the joint is in the best cell or
        one of its eight neighbours. For heatmaps: the height of the top.
    """

    joints: NDArray[np.float64]
    image_joints: NDArray[np.float64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) mean score of a person's joints."""
        return self.scores.mean(axis=1, dtype=float)


def predict_poses(
    model: Any,
    crops: PersonCrops | ArrayLike,
    flip_test: bool = False,
    decode: Decoder = "quarter",
    *,
    stack: int = -1,
    maps: str | None = None,
    batch: int = 32,
) -> PredictedPoses:
    """Find the joints of persons.

    Parameters
    ----------
    model
        A network of `build_hourglass`, or any Keras model with one output, or a list of them, (B, h, w, K).
    crops
        From `person_crops`, or square pictures uint8 (N, S, S, 3); brought to the size of the network's input.
    flip_test
        Average with the heatmaps of the mirrored crops, brought back: twice the time, a little better.
    decode
        As in `decode_heatmaps`.
    stack
        Which output: -1 the last, 0 the first.
    maps
        "logits": a softmax over the cells comes first. "heatmaps": as they are. None: what the network's
        `provenance` says, else as they are.
    batch
        Crops at once in the network.

    Returns
    -------
    PredictedPoses
        In the order of the crops.

    Raises
    ------
    ModelError
        The crops do not fit the network.
    """
    pictures = crops.pictures if isinstance(crops, PersonCrops) else np.asarray(crops)
    order = (crops.skeleton if isinstance(crops, PersonCrops) else MPII).flip_order
    size = int(model.input_shape[1])
    found: list[tuple[NDArray[Any], NDArray[Any]]] = []
    predicted: NDArray[Any]
    for start in range(0, len(pictures), _AT_ONCE):
        part = pictures[start : start + _AT_ONCE]
        predicted = predict_heatmaps(model, part, stack=stack, maps=maps, batch=batch)
        if flip_test:
            mirrored = predict_heatmaps(model, part[:, :, ::-1], stack=stack, maps=maps, batch=batch)
            predicted = (predicted + flip_heatmaps(mirrored, order)) / 2
        joints, scores = decode_heatmaps(predicted, (size, size), decode)
        if _are_logits(model, maps):
            scores = _mass(predicted)
        found.append((joints, scores))
    if not found:
        raise ModelError("predict_poses: there are no crops; give at least one")
    joints = np.concatenate([pair[0] for pair in found])
    joints = (joints + 0.5) * (pictures.shape[1] / size) - 0.5
    image_joints = crops.to_image(joints) if isinstance(crops, PersonCrops) else joints
    return PredictedPoses(joints, image_joints, np.concatenate([pair[1] for pair in found]))


def predict_heatmaps(
    model: Any, pictures: ArrayLike, *, stack: int = -1, maps: str | None = None, batch: int = 32
) -> NDArray[np.float32]:
    """Predict the heatmaps (N, h, w, K) of one stack; parameters as in `predict_poses`.

    Maps that are logits come back as probabilities that sum to 1 over the cells.
    """
    array = np.asarray(pictures)
    if array.ndim != 4 or array.shape[1] != array.shape[2] or array.shape[3] != 3:
        raise ModelError(f"predict_poses: crops have shape {array.shape}; give square pictures (N, S, S, 3)")
    size = int(model.input_shape[1])
    if array.shape[1] != size:
        matrix = resize_matrix(array.shape[1], size)
        array = np.stack([crop_picture(np.asarray(picture, np.uint8), matrix, size) for picture in array])
    outputs = _run(model, array, batch)
    if not -len(outputs) <= stack < len(outputs):
        raise ModelError(f"predict_poses: stack {stack}: {model.name} has {len(outputs)}")
    predicted = outputs[stack]
    if _are_logits(model, maps):
        predicted = softmax(predicted, axis=(1, 2))
    return np.asarray(predicted, np.float32)


def _run(model: Any, pictures: NDArray[Any], batch: int) -> list[NDArray[np.float32]]:
    from mpii_lib._keras import keras

    if not model.compiled and keras.backend.backend() == "tensorflow":
        model.jit_compile = False  # Keras would choose XLA, which takes minutes to compile an hourglass on a CPU
    outputs = model.predict(pictures, batch_size=batch, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def _are_logits(model: Any, maps: str | None) -> bool:
    if maps not in (None, "logits", "heatmaps"):
        raise ModelError(f'predict_poses: maps={maps!r} is unknown; use "logits", "heatmaps" or None')
    return (maps or getattr(model, "provenance", {}).get("maps")) == "logits"


def _mass(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """(N, K) probability of the best cell and its eight neighbours."""
    around = 9 * ndimage.uniform_filter(probabilities, (1, 3, 3, 1), mode="constant")
    flat = around.reshape(len(around), -1, around.shape[-1])
    best = probabilities.reshape(flat.shape).argmax(axis=1)
    return np.take_along_axis(flat, best[:, None, :], axis=1)[:, 0].astype(np.float32)
