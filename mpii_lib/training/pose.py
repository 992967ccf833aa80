"""`fit_pose`: `fit` for networks that find joints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.pose import PersonCrops, PoseAugmentation, PoseBatches, pckh, predict_poses
from mpii_lib.training.loop import TrainingRun, fit
from mpii_lib.training.pose_losses import maps_of, pose_loss

POSE_LEARNING_RATE = 2.5e-4  # of RMSProp, Newell et al. (2016)


def fit_pose(
    model: keras.Model,
    train: PersonCrops | PoseBatches,
    validation: PersonCrops | PoseBatches | None = None,
    *,
    epochs: int,
    folder: str | Path,
    loss: str | keras.losses.Loss = "cross_entropy",
    optimizer: str | keras.optimizers.Optimizer = "rmsprop",
    learning_rate: float | None = None,
    augment: PoseAugmentation | None = None,
    batch: int = 16,
    seed: int = 0,
    **settings: Any,
) -> TrainingRun:
    """Train a network of `build_hourglass` on persons' crops, every stack on the same heatmaps.

    It is `fit` with the data, loss and score of poses; it goes on after a kill in the same way.

    Parameters
    ----------
    model
        Its outputs are (B, h, h, K), one or a list. It is compiled here, and its `provenance` says afterwards what its
        maps mean (`predict_poses` asks for it).
    train, validation
        Crops, of which batches are made, or batches of your own. From validation crops with head sizes each epoch also
        has the column `val_pckh`: PCKh at 0.5, total.
    epochs, folder, seed, settings
        As for `fit`. `monitor="val_pckh"` keeps the weights of the best score.
    loss
        "mse" as in the thesis, "weighted_mse", "cross_entropy", or a loss of `pose_losses`.
    optimizer, learning_rate
        As for `fit`; RMSProp with 2.5e-4 by default, as in the paper.
    augment, batch
        For crops only: random changes (None leaves the crops as they are) and crops a batch.

    Returns
    -------
    TrainingRun
        History, record and folder.

    Raises
    ------
    TrainingError
        The crops have another number of joints than the network has heatmaps; and as `fit`.
    """
    objective = pose_loss(loss) if isinstance(loss, str) else loss
    if optimizer == "rmsprop" and learning_rate is None:
        learning_rate = POSE_LEARNING_RATE
    batches = _batches(model, train, batch, True, augment, seed)
    checked = None if validation is None else _batches(model, validation, batch, False, None, seed)

    def score(network: keras.Model) -> Mapping[str, float]:
        if checked is None or not (checked.crops.head_size > 0).any():
            return {}
        crops = checked.crops
        found = predict_poses(network, crops, batch=batch)
        return {"val_pckh": pckh(found.image_joints, crops.image_joints, crops.head_size).total}

    model.provenance = {**getattr(model, "provenance", {}), "maps": maps_of(objective)}
    return fit(
        model,
        batches,
        checked,
        epochs=epochs,
        folder=folder,
        loss=objective,
        metrics=[],
        optimizer=optimizer,
        learning_rate=learning_rate,
        seed=seed,
        each_epoch=score,
        **settings,
    )


def _batches(
    model: keras.Model,
    data: PersonCrops | PoseBatches,
    batch: int,
    training: bool,
    augment: PoseAugmentation | None,
    seed: int,
) -> PoseBatches:
    outputs = model.outputs
    size, joints = int(outputs[0].shape[1]), int(outputs[0].shape[-1])
    crops = data.crops if isinstance(data, PoseBatches) else data
    if len(crops.skeleton) != joints:
        raise TrainingError(
            f"the crops have {len(crops.skeleton)} joints ({crops.skeleton.name}), the network {joints} heatmaps: "
            f"build it with joints={len(crops.skeleton)}"
        )
    if isinstance(data, PoseBatches):
        if (data.map_size, data.outputs, data.size) != (size, len(outputs), int(model.input_shape[1])):
            raise TrainingError(
                f"the batches are for {data.outputs} outputs of {data.map_size} x {data.map_size} from pictures of "
                f"{data.size} pixels; the network has {len(outputs)} of {size} x {size} from {model.input_shape[1]}"
            )
        return data
    width = int(model.input_shape[1])
    return PoseBatches(crops, size, len(outputs), size=width, batch=batch, shuffle=training, augment=augment, seed=seed)
