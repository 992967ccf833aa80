"""PCKh after each epoch of a training."""

from __future__ import annotations

from typing import Any

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import TrainingError
from mpii_lib.pose import PoseDataset, pckh, predict_poses


class PCKhCallback(keras.callbacks.Callback):
    """Adds `val_pckh` to the logs of each epoch: PCKh at 0.5, total, without flip test.

    It has to stand before callbacks that read the logs (`run_callbacks(..., extra=[PCKhCallback(val)])`).

    Parameters
    ----------
    validation
        Its crops are scored, in the pixels of the full images. They need head boxes, as MPII has them.

    Raises
    ------
    TrainingError
        None of the persons has a head size.
    """

    @checked
    def __init__(self, validation: PoseDataset) -> None:
        super().__init__()
        self.crops, self.batch_size = validation.crops, validation.batch_size
        if not (self.crops.head_size > 0).any():
            raise TrainingError("PCKhCallback: none of the persons has a head box, so there is no PCKh; leave it out")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Predict the poses and score them."""
        if logs is not None:
            poses = predict_poses(self.model, self.crops, batch_size=self.batch_size)
            logs["val_pckh"] = pckh(
                poses.image_joints, self.crops.image_joints, self.crops.head_size, skeleton=self.crops.skeleton
            ).total
