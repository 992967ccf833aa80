"""Classifiers: preprocessing, backbone and head as one Keras model that takes images as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError
from mpii_lib.models.backbones import SMALL_WIDTH, build_backbone, check_build, get_backbone
from mpii_lib.models.freezing import Freeze, freeze_backbone, frozen_layers
from mpii_lib.models.weights import check_source, load_backbone_weights

Head = Literal["flatten", "flatten-dense", "flatten-dropout", "pooled"]
# Mean colour of ImageNet in BGR order, as the networks that came from Caffe were trained with.
CAFFE_MEAN = (103.939, 116.779, 123.68)


@checked
def build_classifier(
    backbone: str,
    classes: int,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    weights: str | os.PathLike[str] | None = "imagenet",
    head: Head = "flatten",
    freeze: Freeze = "all",
    multilabel: bool = False,
    *,
    width: float = 1.0,
    seed: int | None = None,
) -> keras.Model:
    """Build an image classifier on one of the five backbones: an ordinary Keras model, not yet compiled.

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
        MPII_WEIGHTS_DIR), "sample" (shipped; 1/8 of the filters), None or "none" (random) or a file, see
        `weights.load_backbone_weights`.
    head
        "flatten": Flatten, Dense. "flatten-dense": Flatten, Dense(256, relu), Dropout(0.5), Dense, as in the report.
        "flatten-dropout": Flatten, Dropout(0.5), Dense, the report's head for InceptionResNetV2.
        "pooled": GlobalAveragePooling2D, Dense; far fewer weights.
    freeze
        Which backbone layers stay as they are: "all", "none", -10 (all but the last 10) or ("last", 10); see
        `freezing.frozen_layers`. BatchNormalization that came with weights stays frozen, see `freeze_backbone`.
    multilabel
        False: softmax, one class an image. True: sigmoid, each class for itself.
    width
        Share of the backbone's filters. 1/8 with `weights=None` is the random twin of `weights="sample"`, whose width
        is 1/8 whatever this says.
    seed
        Seeds random weights (He normal in convolutions) and dropout; None follows `keras.utils.set_random_seed`.

    Returns
    -------
    keras.Model
        Images (B, H, W, 3), uint8 or float, RGB in 0..255, to probabilities (B, classes) float32. Its layers are
        "preprocessing", "backbone" (itself a model), "features" (the head's input, (B, D) float32), the head,
        "predictions". `model.provenance` is a dict with backbone, weights, width, head and multilabel, for run records.

    Raises
    ------
    ModelError
        For an unknown backbone, head, freeze notation or weights, an image below the minimum size, ImageNet weights
        that cannot be had, or a file that does not fit.
    """
    entry = get_backbone(backbone)
    shape = check_build(entry, input_shape, width, seed)
    if not 2 - multilabel <= classes <= 10**6:
        raise ModelError(f"classes {classes}: give {2 - multilabel} to a million")
    weights = None if weights == "none" else weights
    check_source(weights)
    width = _width_for(weights, width)
    frozen_layers(entry.layers, freeze)  # a wrong notation is reported before the network is built

    base = build_backbone(entry, shape, width, seed)
    if weights is not None:
        load_backbone_weights(base, entry, weights)
    freeze_backbone(base, freeze, train_batch_norm=weights is None)

    images = keras.Input(shape, name="images")
    outputs = _head(base(_preprocess(images, entry.preprocessing)), head, int(classes), multilabel, seed)
    model = keras.Model(images, outputs, name=entry.name)
    source = "none" if weights is None else Path(weights).name
    model.provenance = {
        "backbone": entry.name,
        "weights": source,
        "width": width,
        "head": head,
        "multilabel": multilabel,
    }
    return model


def _width_for(weights: str | os.PathLike[str] | None, width: float) -> float:
    if weights == "sample":
        if width not in (1, SMALL_WIDTH):
            raise ModelError(f'width {width:g}: weights="sample" are made for width 1/8; leave width out')
        return SMALL_WIDTH
    if weights == "imagenet" and width != 1:
        raise ModelError(f'width {width:g}: ImageNet weights are of full width; use weights="sample" or None')
    return width


def _preprocess(images: Any, mode: str) -> Any:
    """RGB in 0..255 to what the backbone was trained on; float32, so that half precision starts in the backbone."""
    scale, offset = (1 / 127.5, -1.0) if mode == "tf" else (1.0, [-mean for mean in CAFFE_MEAN])
    flow = images if mode == "tf" else keras.ops.flip(images, axis=-1)
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")(flow)


def _head(maps: Any, head: Head, classes: int, multilabel: bool, seed: int | None) -> Any:
    layers, glorot = keras.layers, keras.initializers.GlorotUniform
    pooling = layers.GlobalAveragePooling2D if head == "pooled" else layers.Flatten
    # Features and probabilities are float32 under mixed precision too: features are kept in files, and a softmax in
    # half precision loses the rare classes.
    flow = pooling(dtype="float32", name="features")(maps)
    if head == "flatten-dense":
        flow = layers.Dense(256, activation="relu", kernel_initializer=glorot(seed), name="hidden")(flow)
    if head in ("flatten-dense", "flatten-dropout"):
        flow = layers.Dropout(0.5, seed=seed, name="dropout")(flow)
    activation = "sigmoid" if multilabel else "softmax"
    last = layers.Dense(classes, activation, kernel_initializer=glorot(seed), dtype="float32", name="predictions")
    return last(flow)
