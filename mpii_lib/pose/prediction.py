"""From a trained network and crops to joints: in crop pixels, in the full image, and how sure the network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.special import softmax

from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError
from mpii_lib.pose.crops import apply_matrix, crop_image, resize_matrix
from mpii_lib.pose.flip import flip_heatmaps
from mpii_lib.pose.heatmaps import Decoder, decode_heatmaps
from mpii_lib.pose.person_images import PersonCrops
from mpii_lib.skeletons import MPII

if TYPE_CHECKING:
    import keras

Batch = Annotated[int, 1, 100_000]
_AT_ONCE = 256  # crops whose heatmaps are in memory


@dataclass(frozen=True)
class PredictedPoses:
    """What `predict_poses` found.

    Attributes
    ----------
    joints
        float64 (N, K, 2) x and y in pixels of the crops.
    image_joints
        float64 (N, K, 2) in pixels of the images that the crops come from; for plain arrays the same as `joints`.
    scores
        float32 (N, K). From logits: the probability, from 0 to 1, that the joint is in the best cell or one of its
        eight neighbours. From heatmaps: the height of the highest cell.
    """

    joints: NDArray[np.float64]
    image_joints: NDArray[np.float64]
    scores: NDArray[np.float32]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) mean score of a person's joints."""
        return self.scores.mean(axis=1, dtype=float)


@checked
def predict_poses(
    model: keras.Model,
    crops: PersonCrops | ArrayLike,
    flip_test: bool = False,
    decode: Decoder = "quarter",
    *,
    stack: int = -1,
    from_logits: bool = True,
    batch_size: Batch = 32,
) -> PredictedPoses:
    """Find the joints of persons.

    Parameters
    ----------
    model
        A network of `build_hourglass`, or any Keras model with one output, or a list of them, (B, h, w, K).
    crops
        From `person_crops`, or square images uint8 (N, S, S, 3); brought to the size of the network's input.
    flip_test
        Average with the heatmaps of the mirrored crops, brought back: twice the time, a little better.
    decode
        As in `decode_heatmaps`.
    stack
        Which output: -1 the last, 0 the first.
    from_logits
        The outputs are logits of a softmax over the cells, as after a training with `SpatialCrossEntropy`, and become
        probabilities. False: they are heatmaps, as after a training with `HeatmapMSE`.
    batch_size
        Crops at once.

    Returns
    -------
    PredictedPoses
        Joints of every person, whether they are in the crop or not, and scores.

    Raises
    ------
    ModelError
        There are no crops, they are no square images of bytes, or the network has no such output.
    """
    people = crops if isinstance(crops, PersonCrops) else None
    images = np.asarray(crops) if people is None else people.images
    order = (MPII if people is None else people.skeleton).flip_order
    size = input_side(model)
    if images.ndim != 4 or not len(images):
        raise ModelError(f"predict_poses: crops have shape {images.shape}; give at least one, (N, S, S, 3)")
    found: list[tuple[NDArray[Any], NDArray[Any]]] = []
    for start in range(0, len(images), _AT_ONCE):
        some = images[start : start + _AT_ONCE]
        options: dict[str, Any] = {"stack": stack, "from_logits": from_logits, "batch_size": batch_size}
        heatmaps: NDArray[Any] = predict_heatmaps(model, some, **options)
        if flip_test:
            mirrored = predict_heatmaps(model, some[:, :, ::-1], **options)
            heatmaps = (heatmaps + flip_heatmaps(mirrored, order)) / 2
        places, heights = decode_heatmaps(heatmaps, (size, size), decode)
        found.append((places, _mass(heatmaps) if from_logits else heights))
    joints = apply_matrix(resize_matrix(size, images.shape[1]), np.concatenate([pair[0] for pair in found]))
    scores = np.concatenate([pair[1] for pair in found])
    return PredictedPoses(joints, joints if people is None else people.to_image(joints), scores)


@checked
def predict_heatmaps(
    model: keras.Model, images: ArrayLike, *, stack: int = -1, from_logits: bool = True, batch_size: Batch = 32
) -> NDArray[np.float32]:
    """Predict the heatmaps (N, h, w, K) of one stack; parameters as in `predict_poses`.

    From logits they are probabilities, which sum to 1 over the cells.
    """
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (array.shape[1], array.shape[1], 3):
        raise ModelError(f"predict_poses: crops are {array.dtype} {array.shape}; give square images uint8 (N, S, S, 3)")
    size = input_side(model)
    if array.shape[1] != size:
        matrix = resize_matrix(array.shape[1], size)
        array = np.stack([crop_image(image, matrix, size) for image in array])
    outputs = model.predict(array, batch_size=min(batch_size, _AT_ONCE), verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    if not -len(outputs) <= stack < len(outputs) or np.ndim(outputs[stack]) != 4:
        shapes = [np.shape(output) for output in outputs]
        raise ModelError(f"predict_poses: stack {stack}: {model.name} has outputs {shapes}; heatmaps are (B, h, w, K)")
    heatmaps = softmax(outputs[stack], axis=(1, 2)) if from_logits else outputs[stack]
    return np.asarray(heatmaps, np.float32)


def input_side(model: keras.Model) -> int:
    """Height and width of the images that a network takes; ModelError when it takes none."""
    try:
        return int(model.input_shape[1])
    except (AttributeError, TypeError, IndexError):
        raise ModelError(f"{type(model).__name__} takes no square images; give a network as build_hourglass") from None


def _mass(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """(N, K) probability of the best cell and its eight neighbours."""
    around = 9 * ndimage.uniform_filter(probabilities, (1, 3, 3, 1), mode="constant")
    flat = around.reshape(len(around), -1, around.shape[-1])
    best = probabilities.reshape(flat.shape).argmax(axis=1)
    return np.take_along_axis(flat, best[:, None, :], axis=1)[:, 0].astype(np.float32)
