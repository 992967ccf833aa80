"""Which part of an image a classifier uses: Grad-CAM from inside the network, occlusion from outside."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mpii_lib._keras import keras
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError, one_line
from mpii_lib.explain.gradients import gradient

ops = keras.ops


@checked
def split_classifier(model: keras.Model, layer: str | None = None) -> tuple[keras.Model, keras.Model]:
    """Cut a classifier of `build_classifier` in two at a layer of its backbone.

    Parameters
    ----------
    model
        The classifier.
    layer
        A layer of the backbone whose output has height and width and through which everything flows (not one branch
        of several). Default: the last one that is no pooling layer.

    Returns
    -------
    below, above
        Images (B, H, W, 3) to the layer's maps (B, h, w, K), and maps to scores (B, classes) before softmax or sigmoid.
        They share the layers of the classifier, except the last: its weights are copied into one without activation.

    Raises
    ------
    ModelError
        When the layer is unknown, has no spatial map, or lies in a branch, or the model is none of `build_classifier`.
    """
    backbone, preprocessing, features, last = (
        _layer_of(model, name) for name in ("backbone", "preprocessing", "features", "predictions")
    )
    chosen = _spatial_layer(backbone, layer)
    lower, upper = backbone, keras.layers.Identity()
    try:
        if chosen.output is not backbone.output:
            lower = keras.Model(backbone.input, chosen.output)
            upper = keras.Model(chosen.output, backbone.output)
    except ValueError:
        raise ModelError(
            f"layer {chosen.name!r} of {model.name} lies in one branch of several; choose a layer through which "
            f"everything flows, such as {_spatial_layer(backbone, None).name!r}"
        ) from None
    below = keras.Model(model.input, lower(preprocessing.output), name="below")
    head = keras.Model(features.input, last.input)
    # Of what comes out of a softmax or sigmoid the gradient vanishes where the network is sure.
    scores = keras.layers.Dense(last.units, dtype="float32", name="scores")
    maps = keras.Input(chosen.output.shape[1:], name=chosen.name)
    above = keras.Model(maps, scores(head(upper(maps))), name="above")
    scores.set_weights(last.get_weights())
    return below, above


def _layer_of(model: keras.Model, name: str) -> Any:
    for layer in model.layers:
        if layer.name == name:
            return layer
    names = ", ".join(layer.name for layer in model.layers[-5:])
    raise ModelError(f"{model.name} has no layer {name!r}; its last layers are {names or 'none'}; see build_classifier")


def _spatial_layer(backbone: keras.Model, name: str | None) -> Any:
    if name is None:
        pooling = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
        return next(layer for layer in reversed(backbone.layers) if not isinstance(layer, pooling))
    layer = _layer_of(backbone, name)
    if len(layer.output.shape) != 4 or isinstance(layer, keras.layers.InputLayer):
        raise ModelError(f"layer {name!r} has no spatial map to weigh; choose a convolution or what follows it")
    return layer


@checked
def grad_cam(
    model: keras.Model,
    images: ArrayLike,
    class_index: int | ArrayLike | None = None,
    layer: str | None = None,
    *,
    batch_size: int = 32,
) -> np.ndarray:
    """Grad-CAM: the maps of a layer, each weighted by how much the class's score rises with it on average.

    With maps A_k (h x w) and the score y of the class before softmax or sigmoid, the weight of map k is the mean of
    dy/dA_k over its cells, and the result is ReLU(sum_k weight_k A_k), enlarged to the image (bilinear) and divided
    by its maximum. Where every weighted sum is negative, the result is 0 everywhere.

    Parameters
    ----------
    model
        A classifier of `build_classifier`: any backbone, head and width, softmax or multi-label.
    images
        (N, H, W, 3) RGB 0..255, of the model's input size.
    class_index
        Which class's score to explain: one for all images or (N,). Default: each image's most probable class.
    layer
        Name of the backbone's layer, see `split_classifier`. Default: its last layer that is no pooling.
    batch_size
        Images at once.

    Returns
    -------
    float32 (N, H, W), 0..1.

    Raises
    ------
    ModelError
        For a wrong layer, class, or shape of images, a model that `build_classifier` did not make, and on a Keras
        backend without gradients here.

    Source: Selvaraju and others (2017), "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV, section 3.
    """
    below, above = split_classifier(model, layer)
    pixels = _checked_images(below, images, batch_size)
    columns = _checked_classes(above.output.shape[-1], class_index, len(pixels))
    result = np.zeros(pixels.shape[:3], dtype=np.float32)
    for start in range(0, len(pixels), batch_size):
        rows = slice(start, start + batch_size)
        maps = below(pixels[rows], training=False)
        wanted = columns[rows] if columns is not None else ops.argmax(above(maps, training=False), axis=-1)
        chosen = ops.one_hot(wanted, above.output.shape[-1])

        def score(flow: Any, chosen: Any = chosen) -> Any:
            return ops.sum(above(flow, training=False) * chosen, axis=1)

        slope = gradient(score, maps)
        weights = slope.mean(axis=(1, 2), keepdims=True)
        cam = np.maximum((weights * ops.convert_to_numpy(ops.cast(maps, "float32"))).sum(axis=-1, keepdims=True), 0)
        large = ops.image.resize(cam, pixels.shape[1:3], interpolation="bilinear", data_format="channels_last")
        result[rows] = ops.convert_to_numpy(large)[..., 0]
    top = result.max(axis=(1, 2), keepdims=True)
    return np.divide(result, top, out=np.zeros_like(result), where=top > 0)


@checked
def occlusion_map(
    model: keras.Model,
    images: ArrayLike,
    class_index: int | ArrayLike | None = None,
    patch: int = 16,
    stride: int = 8,
    *,
    batch_size: int = 64,
) -> np.ndarray:
    """Cover a square of the image, see how far the probability of the class falls; then the next square.

    Parameters
    ----------
    model
        A classifier of `build_classifier`, or any Keras model of images to (N, classes) probabilities.
    images
        (N, H, W, 3) RGB 0..255, of the model's input size.
    class_index
        As in `grad_cam`.
    patch, stride
        Side of the square, which has the image's mean colour, and the step from one to the next, in pixels. The last
        one stands at the border, so that every pixel is covered at least once.
    batch_size
        Covered images at once.

    Returns
    -------
    float32 (N, H, W): for each pixel the mean of p(image) - p(covered) over the squares that cover it. Negative where
    covering makes the class more probable.

    Raises
    ------
    ModelError
        For a wrong class, shape of images, patch or stride, and a model that gives no probabilities for images.

    Source: Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", ECCV, section 4.2.
    """
    pixels = _checked_images(model, images, batch_size)
    columns = _checked_classes(_probabilities(model, pixels[:1]).shape[1], class_index, len(pixels))
    height, width = pixels.shape[1:3]
    if stride < 1 or not 1 <= patch <= min(height, width) or stride > patch:
        most = min(height, width)
        raise ModelError(f"patch {patch}, stride {stride}: pixels stay uncovered; give stride <= patch <= {most}")
    starts = [sorted({*range(0, side - patch + 1, stride), side - patch}) for side in (height, width)]
    squares = [np.s_[top : top + patch, left : left + patch] for top, left in product(*starts)]
    result = np.empty(pixels.shape[:3], dtype=np.float32)
    for number, image in enumerate(pixels):
        before = _probabilities(model, image[None])[0]
        column = before.argmax() if columns is None else columns[number]
        total, count = np.zeros((height, width)), np.zeros((height, width))
        for start in range(0, len(squares), batch_size):
            chosen = squares[start : start + batch_size]
            covered = np.repeat(image[None], len(chosen), axis=0)
            for copy, square in zip(covered, chosen, strict=True):
                copy[square] = image.mean(axis=(0, 1))
            drops = before[column] - _probabilities(model, covered)[:, column]
            for drop, square in zip(drops, chosen, strict=True):
                total[square] += drop
                count[square] += 1
        result[number] = total / count
    return result


def _probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities by a plain call: `predict` would compile the model anew for each size of batch."""
    try:
        found = ops.convert_to_numpy(model(images, training=False))
        _, _ = found.shape
    except Exception as error:  # of whatever kind a model raises
        raise ModelError(f"{model.name}: no (N, classes) for images {images.shape} ({one_line(error)})") from None
    return found


def _checked_images(model: keras.Model, images: ArrayLike, batch_size: int) -> np.ndarray:
    pixels, inputs = np.asarray(images, dtype=np.float32), getattr(model, "inputs", None)
    wanted = tuple(inputs[0].shape[1:]) if inputs else (None, None, None)  # a model that was never called takes any
    if pixels.ndim != 4 or any(want not in (None, got) for want, got in zip(wanted, pixels.shape[1:], strict=False)):
        raise ModelError(f"images of shape {pixels.shape}: the model takes (N, {', '.join(map(str, wanted))})")
    if batch_size < 1:
        raise ModelError(f"batch_size {batch_size}: give at least 1")
    return pixels


def _checked_classes(classes: int, class_index: int | ArrayLike | None, count: int) -> np.ndarray | None:
    if class_index is None:
        return None
    given = np.asarray(class_index)
    if given.dtype.kind not in "iu" or given.shape not in ((), (count,)):
        found = f"class_index of {given.dtype} {given.shape}"
        raise ModelError(f"{found}: give a whole number, or one for each of the {count} images")
    if given.size and not (0 <= given.min() and given.max() < classes):
        raise ModelError(f"class_index {given.min()} to {given.max()}: the model has {classes} classes, counted from 0")
    return np.broadcast_to(given, (count,)).astype(np.int32)
