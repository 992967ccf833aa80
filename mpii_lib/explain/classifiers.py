"""Which part of a picture a classifier uses: Grad-CAM from inside the network, occlusion from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError
from mpii_lib.explain.gradients import gradient
from mpii_lib.models import backbone_of

Fill = Literal["mean"] | float | Sequence[float]
ops = keras.ops


class SplitClassifier(NamedTuple):
    """A classifier cut at a layer: `above(below(pictures))` are its scores before softmax or sigmoid.

    Attributes
    ----------
    below
        Pictures (B, H, W, 3) to the layer's maps (B, h, w, K), as tensors.
    above
        Maps (B, h, w, K) to scores (B, classes).
    layer
        Name of the layer.
    """

    below: Callable[[Any], Any]
    above: Callable[[Any], Any]
    layer: str


def split_classifier(model: keras.Model, layer: str | None = None) -> SplitClassifier:
    """Cut a classifier of `build_classifier` in two at a layer of its backbone, sharing the weights.

    Parameters
    ----------
    model
        The classifier.
    layer
        A layer of the backbone whose output has height and width and through which everything flows (not one branch
        of several). Default: the last one that is no pooling layer.

    Raises
    ------
    ModelError
        When the layer is unknown, has no spatial map, or lies in a branch.
    """
    backbone = backbone_of(model)
    chosen = _layer(backbone, layer)
    if chosen.output is backbone.output:
        lower, upper = backbone, None
    else:
        try:
            lower = keras.Model(backbone.input, chosen.output)
            upper = keras.Model(chosen.output, backbone.output)
        except ValueError:
            raise ModelError(
                f"layer {chosen.name!r} of {model.name} lies in one branch of several; choose a layer through which "
                f"everything flows, such as {_layer(backbone, None).name!r}"
            ) from None
    after = model.layers.index(backbone) + 1
    *head, last = model.layers[after:]
    prepare = [one for one in model.layers[: after - 1] if not isinstance(one, keras.layers.InputLayer)]

    def below(pictures: Any) -> Any:
        flow = ops.convert_to_tensor(pictures, dtype="float32")
        for one in prepare:
            flow = one(flow)
        return lower(flow, training=False)

    def above(maps: Any) -> Any:
        flow = maps if upper is None else upper(maps, training=False)
        for one in head:
            flow = one(flow, training=False)
        # What goes into softmax or sigmoid: of their outputs, the gradient vanishes where the network is sure.
        return ops.matmul(ops.cast(flow, "float32"), last.kernel) + last.bias

    return SplitClassifier(below, above, chosen.name)


def _layer(backbone: keras.Model, name: str | None) -> Any:
    if name is None:
        pooling = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
        return next(one for one in reversed(backbone.layers) if not isinstance(one, pooling))
    for one in backbone.layers:
        if one.name == name:
            if len(one.output.shape) != 4 or isinstance(one, keras.layers.InputLayer):
                raise ModelError(f"layer {name!r} has no spatial map to weigh; choose a convolution or what follows it")
            return one
    raise ModelError(
        f"the backbone has no layer {name!r}; its layers stand in [l.name for l in backbone_of(model).layers], "
        f"the last is {backbone.layers[-1].name!r}"
    )


def grad_cam(
    model: keras.Model,
    pictures: ArrayLike,
    class_index: int | ArrayLike | None = None,
    layer: str | None = None,
    *,
    batch: int = 32,
) -> np.ndarray:
    """Grad-CAM: the maps of a layer, each weighted by how much the class's score rises with it on average.

    With maps A_k (h x w) and the score y of the class before softmax or sigmoid, the weight of map k is the mean of
    dy/dA_k over its cells, and the result is ReLU(sum_k weight_k A_k), enlarged to the picture (bilinear) and divided
    by its maximum. Where every weighted sum is negative, the result is 0 everywhere.

    Parameters
    ----------
    model
        A classifier of `build_classifier`: any backbone, head and width, softmax or multi-label.
    pictures
        (N, H, W, 3) RGB 0..255, of the model's input size.
    class_index
        Which class's score to explain: one for all pictures or (N,). Default: each picture's most probable class.
    layer
        Name of the backbone's layer, see `split_classifier`. Default: its last layer that is no pooling.
    batch
        Pictures at once.

    Returns
    -------
    float32 (N, H, W), 0..1.

    Raises
    ------
    ModelError
        For a wrong layer, class, or shape of pictures, and on a Keras backend without gradients here.

    Source: Selvaraju and others (2017), "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV, section 3.
    """
    images = _pictures(model, pictures)
    wanted = _classes(model, class_index, len(images))
    parts = split_classifier(model, layer)
    result = np.zeros(images.shape[:3], dtype=np.float32)
    for rows in _batches(len(images), batch):
        maps = parts.below(images[rows])
        columns = wanted[rows] if wanted is not None else ops.convert_to_numpy(parts.above(maps)).argmax(axis=1)
        chosen = ops.one_hot(ops.convert_to_tensor(columns), model.output.shape[-1])

        def score(flow: Any, chosen: Any = chosen) -> Any:
            return ops.sum(parts.above(flow) * chosen, axis=1)

        _, slope = gradient(score, maps)
        weights = slope.mean(axis=(1, 2), keepdims=True)
        cam = np.maximum((weights * ops.convert_to_numpy(ops.cast(maps, "float32"))).sum(axis=-1, keepdims=True), 0)
        large = ops.image.resize(cam, images.shape[1:3], interpolation="bilinear", data_format="channels_last")
        result[rows] = ops.convert_to_numpy(large)[..., 0]
    top = result.max(axis=(1, 2), keepdims=True)
    return np.divide(result, top, out=np.zeros_like(result), where=top > 0)


def occlusion_map(
    model: keras.Model,
    pictures: ArrayLike,
    class_index: int | ArrayLike | None = None,
    patch: int = 16,
    stride: int = 8,
    fill: Fill = "mean",
    *,
    batch: int = 64,
) -> np.ndarray:
    """Cover a square of the picture, see how far the probability of the class falls; then the next square.

    Parameters
    ----------
    model
        A classifier of `build_classifier`, or any Keras model of pictures to (N, classes) probabilities.
    pictures
        (N, H, W, 3) RGB 0..255, of the model's input size.
    class_index
        As in `grad_cam`.
    patch, stride
        Side of the square, and the step from one to the next, in pixels. The last one stands at the border, so that
        every pixel is covered at least once.
    fill
        What covers: "mean" (each picture's own mean colour), one number, or three (RGB), in 0..255.
    batch
        Covered pictures at once.

    Returns
    -------
    float32 (N, H, W): for each pixel the mean of p(picture) - p(covered) over the squares that cover it. Negative where
    covering makes the class more probable.

    Raises
    ------
    ModelError
        For a wrong class, shape of pictures, patch, stride or fill.

    Source: Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", ECCV, section 4.2.
    """
    images = _pictures(model, pictures)
    wanted = _classes(model, class_index, len(images))
    height, width = images.shape[1:3]
    if stride < 1 or not 1 <= patch <= min(height, width) or stride > patch:
        raise ModelError(
            f"patch {patch}, stride {stride}: pixels stay uncovered; give 1 <= stride <= patch <= {min(height, width)}"
        )
    corners = list(product(_starts(height, patch, stride), _starts(width, patch, stride)))
    result = np.empty(images.shape[:3], dtype=np.float32)
    for number, picture in enumerate(images):
        before = probabilities(model, picture[None])[0]
        column = int(before.argmax()) if wanted is None else int(wanted[number])
        colour = _colour(picture, fill)
        total, count = np.zeros((height, width)), np.zeros((height, width))
        for rows in _batches(len(corners), batch):
            covered = np.repeat(picture[None], len(corners[rows]), axis=0)
            for one, (top, left) in zip(covered, corners[rows], strict=True):
                one[top : top + patch, left : left + patch] = colour
            drops = before[column] - probabilities(model, covered)[:, column]
            for drop, (top, left) in zip(drops, corners[rows], strict=True):
                total[top : top + patch, left : left + patch] += drop
                count[top : top + patch, left : left + patch] += 1
        result[number] = total / count
    return result


def probabilities(model: keras.Model, pictures: ArrayLike, *, batch: int = 64) -> np.ndarray:
    """What the model says, (N, ...) to (N, classes), without compiling it: right for a few hundred pictures.

    `predict` would compile the model anew for each shape of batch.
    """
    images = np.asarray(pictures, dtype=np.float32)
    parts = [ops.convert_to_numpy(model(images[rows], training=False)) for rows in _batches(len(images), batch)]
    return np.concatenate(parts)


def _starts(length: int, patch: int, stride: int) -> list[int]:
    return sorted({*range(0, length - patch + 1, stride), length - patch})


def _batches(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _colour(picture: np.ndarray, fill: Fill) -> np.ndarray:
    if isinstance(fill, str) and fill == "mean":
        return picture.mean(axis=(0, 1))
    try:
        colour = np.broadcast_to(np.asarray(fill, dtype=np.float32), (3,))
    except ValueError:
        raise ModelError(f'fill {fill!r}: give "mean", one number or three (RGB), in 0..255') from None
    return colour


def _pictures(model: keras.Model, pictures: ArrayLike) -> np.ndarray:
    images = np.asarray(pictures, dtype=np.float32)
    wanted = tuple(model.input.shape[1:])
    if images.ndim != 4 or any(want not in (None, got) for want, got in zip(wanted, images.shape[1:], strict=True)):
        raise ModelError(f"pictures of shape {images.shape}: {model.name} takes (N, {', '.join(map(str, wanted))})")
    return images


def _classes(model: keras.Model, class_index: int | ArrayLike | None, count: int) -> np.ndarray | None:
    if class_index is None:
        return None
    given, classes = np.asarray(class_index), int(model.output.shape[-1])
    if given.dtype.kind not in "iu" or given.shape not in ((), (count,)):
        raise ModelError(f"class_index {class_index!r}: give one whole number, or one for each of the {count} pictures")
    if given.size and not (0 <= given.min() and given.max() < classes):
        raise ModelError(f"class_index {class_index!r}: {model.name} has {classes} classes, counted from 0")
    return np.broadcast_to(given, (count,)).astype(np.int32)
