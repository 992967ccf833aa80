"""Losses between predicted and true heatmaps: how a network learns where a joint is.

All give one number for each image and joint, (B, K), so that `sample_weight` (B, K) leaves out joints that nobody
annotated: their gradient is zero.
"""

from __future__ import annotations

from typing import Any

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import TrainingError

ops = keras.ops


@keras.saving.register_keras_serializable("mpii_lib")
class HeatmapMSE(keras.losses.Loss):
    """Mean squared error between heatmaps, plain or with more weight on the joint.

    Plain (`peak_weight=0`, `height=1`) it is the loss of Newell et al. (2016) and of the thesis. A heatmap is almost
    everywhere zero, so a map that is zero everywhere has a small error already, and a short training ends there.
    With weights, the error counts `1 + peak_weight * y` times as much where the true map has the value y.

    Parameters
    ----------
    peak_weight
        How much more an error counts at the top of the true map: 0 is plain, 60 is what a short training needs.
    height
        The true maps are multiplied by this: 10 makes the gradients of a fresh network large enough to follow.
    """

    @checked
    def __init__(
        self, peak_weight: float = 0.0, height: float = 1.0, name: str = "heatmap_mse", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.peak_weight, self.height = peak_weight, height

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the error of each joint: (B, h, w, K) twice to (B, K)."""
        y_true = _checked(y_true, y_pred)
        error = ops.square(y_pred - self.height * y_true)
        if self.peak_weight:
            error = error * (1 + self.peak_weight * y_true)
        return ops.mean(error, axis=(1, 2))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "peak_weight": self.peak_weight, "height": self.height}


@keras.saving.register_keras_serializable("mpii_lib")
class SpatialCrossEntropy(keras.losses.Loss):
    """Cross-entropy over the cells of a map, for the question in which cell the joint lies.

    The network's maps are logits. A softmax over all cells turns them into probabilities, which compete: to raise one
    cell is to lower all others, so the empty map is no resting place. The true map is divided by its sum. Where it is
    zero everywhere (nobody is there), the target is the same probability for all cells.
    """

    @checked
    def __init__(self, name: str = "spatial_cross_entropy", **options: Any) -> None:
        super().__init__(name=name, **options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the cross-entropy of each joint: (B, h, w, K) twice to (B, K)."""
        y_true = _checked(y_true, y_pred)
        total = ops.sum(y_true, axis=(1, 2), keepdims=True)
        cells = y_pred.shape[1] * y_pred.shape[2]
        target = ops.where(total > 1e-6, y_true / ops.maximum(total, 1e-6), 1 / cells)
        log_probabilities = y_pred - ops.logsumexp(y_pred, axis=(1, 2), keepdims=True)
        return -ops.sum(target * log_probabilities, axis=(1, 2))


def _checked(y_true: Any, y_pred: Any) -> Any:
    """True heatmaps in the type of the predicted ones; TrainingError where one is of another shape than the other."""
    true, predicted = tuple(y_true.shape[1:]), tuple(y_pred.shape[1:])
    if len(predicted) != 3 or true != predicted:
        raise TrainingError(
            f"the dataset has heatmaps {true} and the network gives {predicted} (height, width, joints); build the "
            "network with joints=len(crops.skeleton), and the dataset with heatmap_size=input_size // output_stride"
        )
    return ops.cast(y_true, y_pred.dtype)
