"""Which layers of a backbone learn: the report's freeze notation in both of its readings."""

from __future__ import annotations

from typing import Literal

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError

Freeze = Literal["all", "none"] | int | tuple[Literal["last"], int]


@checked
def frozen_layers(count: int, freeze: Freeze) -> range:
    """Return the positions of the frozen layers in a backbone of `count` layers.

    The report writes "[-7]" and explains it as "the last seven layers untrainable", while the code it describes,
    `for layer in model.layers[:-7]: layer.trainable = False`, freezes all the others. Both readings have a name here:

    ============== ===========================================================
    freeze         frozen layers
    ============== ===========================================================
    "all"          every layer
    "none"         no layer
    -7             `layers[:-7]`: all but the last seven: the usual way, as the last layers are the ones to adapt
    7              `layers[:7]`: the first seven
    ("last", 7)    `layers[-7:]`: the last seven (the report's sentence taken at its word)
    ============== ===========================================================

    The input layer and layers without weights count, as they do in `model.layers`.

    Raises
    ------
    ModelError
        Unless 0 < n <= `count`.
    """
    if freeze == "all":
        return range(count)
    if freeze == "none":
        return range(0)
    last, number = (True, int(freeze[1])) if isinstance(freeze, tuple | list) else (False, int(freeze))
    if not 0 < (number if last else abs(number)) <= count:
        raise ModelError(f"freeze {freeze!r}: the backbone has {count} layers, so the number must be 1 to {count}")
    return range(count - number, count) if last else range(count)[:number]


@checked
def freeze_backbone(backbone: keras.Model, freeze: Freeze, *, train_batch_norm: bool = False) -> None:
    """Set which layers of a backbone learn; compile the model again afterwards.

    Parameters
    ----------
    backbone
        `model.get_layer("backbone")` of a classifier.
    freeze
        See `frozen_layers`. "all" is `backbone.trainable = False`, so that `backbone.trainable = True` frees all of it
        again. After any other notation `backbone.trainable` is True already and setting it does nothing: use
        `freeze_backbone(backbone, "none")`.
    train_batch_norm
        False: BatchNormalization keeps the statistics that came with the weights, whatever `freeze` says; a small
        training set would pull them away. Calling the backbone with `training=False` is not enough for that (Keras 3.10
        to 3.15 let the `training=True` of `fit` win), so each of these layers becomes untrainable. True: they are
        treated like other layers, as random weights need it.

    Raises
    ------
    ModelError
        For a notation that `frozen_layers` refuses.
    """
    frozen = frozen_layers(len(backbone.layers), freeze)
    backbone.trainable = freeze != "all"
    if freeze == "all":
        return
    for position, layer in enumerate(backbone.layers):
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = position not in frozen and (train_batch_norm or not normalizes)
