"""Classifiers: preprocessing, backbone and head in one model that takes pictures as they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError
from mpii_lib.models.backbones import SMALL_WIDTH, build_backbone, check_input_shape, get_backbone
from mpii_lib.models.freezing import Freeze, freeze_backbone, frozen_layers
from mpii_lib.models.weights import check_source, load_backbone_weights

Head = Literal["flatten", "flatten-dense", "flatten-dropout", "pooled"]
HEADS: tuple[Head, ...] = ("flatten", "flatten-dense", "flatten-dropout", "pooled")
# Mean colour of ImageNet in BGR order, as the networks that came from Caffe were trained with.
CAFFE_MEAN = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable("mpii_lib")
class BackbonePreprocessing(keras.layers.Layer):
    """Turn RGB in 0..255 into what a backbone was trained on: "tf" is -1..1, "caffe" is BGR minus the mean colour.

    Input and output (B, H, W, 3); always computed in float32, so that half precision starts in the backbone.
    """

    def __init__(self, mode: str, **kwargs: Any) -> None:
        super().__init__(trainable=False, **{"dtype": "float32", **kwargs})
        self.mode = mode

    def call(self, inputs: Any) -> Any:
        """Preprocess one batch."""
        if self.mode == "tf":
            return inputs / 127.5 - 1.0
        return keras.ops.flip(inputs, axis=-1) - keras.ops.convert_to_tensor(CAFFE_MEAN, dtype=inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        config = super().get_config()
        config.pop("trainable", None)
        return {**config, "mode": self.mode}


def build_classifier(
    backbone: str,
    classes: int,
    input_shape: Sequence[int] = (224, 224, 3),
    weights: str | os.PathLike[str] | None = "imagenet",
    head: Head = "flatten",
    freeze: Freeze = "all",
    multilabel: bool = False,
    *,
    width: float = 1.0,
    seed: int | None = None,
) -> keras.Model:
    """Build a picture classifier on one of the five backbones, not yet compiled.

    Parameters
    ----------
    backbone
        A name of `BACKBONES`, in any case.
    classes
        Number of classes.
    input_shape
        (height, width, 3) in pixels, at least the backbone's minimum size.
    weights
        Where the backbone's weights come from: "imagenet" (downloaded once, or read from the folder in
        MPII_WEIGHTS_DIR), "sample" (shipped; 1/8 of the filters), None (random) or a file, see
        `weights.load_backbone_weights`.
    head
        "flatten": Flatten, Dense. "flatten-dense": Flatten, Dense(256, relu), Dropout(0.5), Dense, as in the report.
        "flatten-dropout": Flatten, Dropout(0.5), Dense, the report's head for InceptionResNetV2.
        "pooled": GlobalAveragePooling2D, Dense; far fewer weights.
    freeze
        Which backbone layers stay as they are: "all", "none", -10 (all but the last 10) or ("last", 10); see
        `freezing.frozen_layers`. BatchNormalization never moves.
    multilabel
        False: softmax, one class a picture. True: sigmoid, every class for itself.
    width
        Share of the backbone's filters. 1/8 with `weights=None` is the random twin of `weights="sample"`.
    seed
        Seeds random weights (He normal in convolutions) and dropout; None follows `keras.utils.set_random_seed`.

    Returns
    -------
    keras.Model
        Pictures (B, H, W, 3), uint8 or float, RGB in 0..255, to probabilities (B, classes) float32. Its layers are
        "preprocessing", "backbone" (itself a model), "features" (the head's input, (B, D)), the head, "predictions".
        `model.provenance` is a dict of the choices above, for run records.

    Raises
    ------
    ModelError
        For an unknown backbone, head, freeze notation or weights, a picture below the minimum size, ImageNet weights
        that cannot be had, or a file that does not fit.
    """
    entry = get_backbone(backbone)
    shape = check_input_shape(entry, input_shape)
    _check_head(head, classes, multilabel)
    check_source(weights)
    width = _width_for(weights, width)
    frozen_layers(entry.layers, freeze)  # a wrong notation is said before the network is built

    base = build_backbone(entry, shape, width, seed)
    if weights is not None:
        load_backbone_weights(base, entry, weights)
    freeze_backbone(base, freeze)

    pictures = keras.Input(shape, name="pictures")
    maps = base(BackbonePreprocessing(entry.preprocessing, name="preprocessing")(pictures))
    outputs = _head(maps, head, int(classes), multilabel, seed)
    model = keras.Model(pictures, outputs, name=entry.name if width == 1 else f"{entry.name}-width-{width:g}")
    source = None if weights is None else Path(weights).name
    choices = {"width": width, "head": head, "freeze": freeze, "multilabel": multilabel}
    model.provenance = {"backbone": entry.name, "weights": source, **choices}
    return model


def weights_and_width(name: str) -> tuple[str | None, float]:
    """Turn a notebook's parameter WEIGHTS into what `build_classifier` takes as `weights` and `width`.

    "sample" and "none" (random weights) mean the small networks of 1/8 of the filters, so that the two can be compared;
    "imagenet" or the path of a file the full ones.
    """
    return (None if name == "none" else name), (SMALL_WIDTH if name in ("sample", "none") else 1.0)


def _check_head(head: str, classes: Any, multilabel: bool) -> None:
    if head not in HEADS:
        raise ModelError(f"head {head!r} is unknown; known are: {', '.join(HEADS)}")
    least = 1 if multilabel else 2
    if isinstance(classes, bool) or not isinstance(classes, int | np.integer) or classes < least:
        raise ModelError(f"classes {classes!r}: give a whole number from {least} on")


def _width_for(weights: str | os.PathLike[str] | None, width: float) -> float:
    if weights == "sample":
        if width not in (1, SMALL_WIDTH):
            raise ModelError(f'width {width:g}: weights="sample" are made for width 1/8; leave width out')
        return SMALL_WIDTH
    if weights == "imagenet" and width != 1:
        raise ModelError(f'width {width:g}: ImageNet weights are of full width; use weights="sample" or None')
    return width


def _head(maps: Any, head: Head, classes: int, multilabel: bool, seed: int | None) -> Any:
    layers = keras.layers
    features = layers.GlobalAveragePooling2D(name="features") if head == "pooled" else layers.Flatten(name="features")
    flow = features(maps)
    if head == "flatten-dense":
        flow = layers.Dense(256, activation="relu", kernel_initializer=_glorot(seed), name="hidden")(flow)
    if head in ("flatten-dense", "flatten-dropout"):
        flow = layers.Dropout(0.5, seed=seed, name="dropout")(flow)
    activation = "sigmoid" if multilabel else "softmax"
    # Probabilities stay in float32 under mixed precision: a softmax in half precision loses the rare classes.
    last = layers.Dense(
        classes, activation=activation, kernel_initializer=_glorot(seed), dtype="float32", name="predictions"
    )
    return last(flow)


def _glorot(seed: int | None) -> Any:
    return keras.initializers.GlorotUniform(seed=seed)


def backbone_of(model: keras.Model) -> keras.Model:
    """Return the backbone inside a classifier; ModelError when there is none."""
    return _layer(model, "backbone")


def set_freeze(model: keras.Model, freeze: Freeze) -> None:
    """Change which backbone layers of a classifier learn, as `build_classifier` did; compile it again afterwards.

    The run record of a training that follows says the new `freeze`.
    """
    freeze_backbone(backbone_of(model), freeze)
    model.provenance = {**getattr(model, "provenance", {}), "freeze": freeze}


def feature_model(model: keras.Model) -> keras.Model:
    """Return the part of a classifier from its pictures to the input of its head, sharing the weights.

    Pictures (B, H, W, 3) in 0..255 to features (B, D): the frozen part that `extract_features` computes only once.
    """
    features = _layer(model, "features").output
    return keras.Model(model.input, features, name=f"{model.name}-features")


def head_model(model: keras.Model) -> keras.Model:
    """Return the part of a classifier behind its features, (B, D) to (B, classes), sharing the weights.

    Training it on cached features trains the head of the classifier itself.
    """
    names = [layer.name for layer in model.layers]
    start = names.index(_layer(model, "features").name)
    features = keras.Input(model.layers[start].output.shape[1:], name="cached_features")
    flow = features
    for layer in model.layers[start + 1 :]:
        flow = layer(flow)
    return keras.Model(features, flow, name=f"{model.name}-head")


def describe(model: keras.Model) -> pd.DataFrame:
    """Count the layers and weights of a classifier and those that learn.

    Returns
    -------
    pandas.DataFrame
        Rows "backbone", "head" and "total"; columns `layers`, `frozen_layers` (layers that hold weights but do not
        learn), `parameters`, `trainable_parameters`.
    """
    base = backbone_of(model)
    inside = list(base.layers)
    outside = [layer for layer in model.layers if layer is not base]
    rows = {part: _counts(layers) for part, layers in {"backbone": inside, "head": outside}.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.loc["total"] = table.sum()
    table.index.name = model.name
    return table.astype(int)


def freeze_table(model: keras.Model, freezes: Sequence[Freeze]) -> pd.DataFrame:
    """Compare what several freeze notations would leave free in the backbone of a classifier; nothing is changed.

    Returns
    -------
    pandas.DataFrame
        One row a notation; columns `frozen_layers` and `trainable_parameters` of the backbone, counted as in
        `describe`, and `free`, the first and the last layer that would learn.
    """
    layers = backbone_of(model).layers
    rows = {}
    for freeze in freezes:
        frozen = frozen_layers(len(layers), freeze)
        counts = [
            (layer.name, count)
            for position, layer in enumerate(layers)
            if position not in frozen
            and not isinstance(layer, keras.layers.BatchNormalization)
            and (count := layer.count_params())
        ]
        free = f"{counts[0][0]} to {counts[-1][0]}" if counts else "none"
        holding = sum(1 for layer in layers if layer.weights)
        rows[repr(freeze)] = (holding - len(counts), sum(count for _, count in counts), free)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["frozen_layers", "trainable_parameters", "free"])


def _counts(layers: list[keras.layers.Layer]) -> dict[str, int]:
    frozen = [layer for layer in layers if layer.weights and not layer.trainable_weights]
    return {
        "layers": len(layers),
        "frozen_layers": len(frozen),
        "parameters": sum(layer.count_params() for layer in layers),
        "trainable_parameters": sum(int(np.prod(w.shape)) for layer in layers for w in layer.trainable_weights),
    }


def _layer(model: keras.Model, name: str) -> Any:
    for layer in model.layers:
        if layer.name == name:
            return layer
    raise ModelError(f'model {model.name!r} has no layer "{name}"; give a model made by build_classifier')
