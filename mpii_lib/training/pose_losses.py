"""Losses between predicted and true heatmaps: how a network is told where a joint is.

All give one number for each picture and joint, (B, K), so that `sample_weight` (B, K) leaves out joints that nobody
annotated: their gradient is zero.
"""

from __future__ import annotations

from typing import Any

from mpii_lib._keras import keras
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

    def __init__(
        self, peak_weight: float = 0.0, height: float = 1.0, name: str = "heatmap_mse", **settings: Any
    ) -> None:
        super().__init__(name=name, **settings)
        self.peak_weight, self.height = peak_weight, height

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the error of each joint: (B, h, w, K) twice to (B, K)."""
        wanted = ops.cast(y_true, y_pred.dtype)
        error = ops.square(y_pred - self.height * wanted)
        if self.peak_weight:
            error = error * (1 + self.peak_weight * wanted)
        return ops.mean(error, axis=(1, 2))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "peak_weight": self.peak_weight, "height": self.height}


@keras.saving.register_keras_serializable("mpii_lib")
class SpatialCrossEntropy(keras.losses.Loss):
    """Cross-entropy over the cells of a map, which asks in which cell the joint is.

    A softmax over all cells turns a predicted map into probabilities, which compete: to raise one cell is to lower all
    others, so the empty map is no resting place. The true map is divided by its sum. Where it is zero everywhere
    (nobody is there), all cells shall be equally probable.
    """

    def __init__(self, name: str = "spatial_cross_entropy", **settings: Any) -> None:
        super().__init__(name=name, **settings)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the cross-entropy of each joint: (B, h, w, K) twice to (B, K)."""
        wanted = ops.cast(y_true, y_pred.dtype)
        total = ops.sum(wanted, axis=(1, 2), keepdims=True)
        cells = y_pred.shape[1] * y_pred.shape[2]
        share = ops.where(total > 1e-6, wanted / ops.maximum(total, 1e-6), 1 / cells)
        log = y_pred - ops.logsumexp(y_pred, axis=(1, 2), keepdims=True)
        return -ops.sum(share * log, axis=(1, 2))


POSE_LOSSES = ("mse", "weighted_mse", "cross_entropy")


def pose_loss(name: str) -> keras.losses.Loss:
    """Make a loss by name: "mse" (as in the thesis), "weighted_mse" (60 and 10) or "cross_entropy"."""
    if name == "mse":
        return HeatmapMSE()
    if name == "weighted_mse":
        return HeatmapMSE(60.0, 10.0, name="weighted_heatmap_mse")
    if name == "cross_entropy":
        return SpatialCrossEntropy()
    raise TrainingError(f"pose loss {name!r} is unknown: use one of {', '.join(POSE_LOSSES)}")


def maps_of(loss: Any) -> str:
    """What a network's maps are after training with a loss: "heatmaps" as they are, or "logits" of a softmax."""
    return "logits" if isinstance(loss, SpatialCrossEntropy) else "heatmaps"
