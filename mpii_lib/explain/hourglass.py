"""The bottleneck of an hourglass: what it holds for a picture, and the heatmaps when something else is put there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError

ops = keras.ops


def latent_model(hourglass: keras.Model, stack: int = 1, place: str = "bottleneck") -> keras.Model:
    """Return the part of a network of `build_hourglass` from its pictures to the bottleneck of one stack, or elsewhere.

    Parameters
    ----------
    hourglass
        The network; the weights are shared.
    stack
        Which hourglass, counted from 1.
    place
        Which layer of it: "bottleneck" (the innermost residual), "skip1" (the branch past level 1), "up2" (all that
        comes from level 2 and below), ...: the layer's name without ``"stack1_"``.

    Returns
    -------
    keras.Model
        Pictures (B, S, S, 3) in 0..255 to the output of that layer, (B, s, s, C).

    Raises
    ------
    ModelError
        When the network has no such stack or place.
    """
    inner = _output_of(hourglass, stack, place)
    return keras.Model(hourglass.input, inner, name=f"{hourglass.name}-latent{stack}")


def latent_decoder(hourglass: keras.Model, stack: int = 1, place: str = "bottleneck") -> keras.Model:
    """Return a network that takes a picture and, beside it, what shall stand in the bottleneck of one stack.

    Everything around that place, above all the branches past the bottleneck, is computed from the picture; so are the
    stacks before it. The stacks behind it follow from both. With the picture's own bottleneck the heatmaps are those of
    the network itself.

    Parameters
    ----------
    hourglass, stack, place
        As in `latent_model`.

    Returns
    -------
    keras.Model
        [pictures (B, S, S, 3) in 0..255, latent (B, s, s, C)] to a list of heatmaps (B, h, h, K), of this stack and all
        that follow. They are logits where the network's are: `run_decoder` makes probabilities of them.
    """
    inner = _output_of(hourglass, stack, place)
    after = list(hourglass.outputs)[stack - 1 :]
    decoder = keras.Model([hourglass.input, inner], after, name=f"{hourglass.name}-decoder{stack}")
    decoder.provenance = dict(getattr(hourglass, "provenance", {}))
    return decoder


def latent_features(model: keras.Model, pictures: ArrayLike, *, batch: int = 64) -> np.ndarray:
    """Bottleneck of each picture, float32 (N, s, s, C), from the network of `latent_model`."""
    images = _checked(model.input, pictures, "pictures")
    parts = [
        ops.convert_to_numpy(model(images[at : at + batch], training=False)) for at in range(0, len(images), batch)
    ]
    return np.concatenate(parts).astype(np.float32)


def run_decoder(decoder: keras.Model, pictures: ArrayLike, latents: ArrayLike, *, batch: int = 64) -> np.ndarray:
    """Heatmaps of the last stack for pictures with something else in the bottleneck.

    Parameters
    ----------
    decoder
        From `latent_decoder`.
    pictures
        (N, S, S, 3) in 0..255, or one (1, S, S, 3) for all latents.
    latents
        (N, s, s, C), or one (1, s, s, C) for all pictures; also flattened, (N, s * s * C).
    batch
        Pictures at once.

    Returns
    -------
    float32 (N, h, h, K). Where the network's maps are logits, a softmax over the cells has made probabilities of them,
    as `predict_heatmaps` does. `decode_heatmaps` reads the joints.

    Raises
    ------
    ModelError
        When the shapes do not fit.
    """
    seen, held = decoder.inputs
    images = _checked(seen, pictures, "pictures")
    values = np.asarray(latents, dtype=np.float32)
    if values.ndim == 2 and values.shape[1] == np.prod(held.shape[1:]):
        values = values.reshape(-1, *held.shape[1:])
    values = _checked(held, values, "latents")
    count = max(len(images), len(values))
    if len(images) not in (1, count) or len(values) not in (1, count):
        raise ModelError(
            f"run_decoder: {len(images)} pictures and {len(values)} latents; give as many, or one of one kind"
        )
    images = np.broadcast_to(images, (count, *images.shape[1:]))
    values = np.broadcast_to(values, (count, *values.shape[1:]))
    parts = []
    for start in range(0, count, batch):
        rows = slice(start, start + batch)
        outputs: Any = decoder([images[rows], values[rows]], training=False)
        last = outputs[-1] if isinstance(outputs, list | tuple) else outputs
        parts.append(ops.convert_to_numpy(last).astype(np.float32))
    maps = np.concatenate(parts)
    if getattr(decoder, "provenance", {}).get("maps") == "logits":
        maps = softmax(maps, axis=(1, 2))
    return maps


def _output_of(hourglass: keras.Model, stack: int, place: str) -> Any:
    outputs = {layer.name: layer.output for layer in hourglass.layers}
    if f"stack{stack}_{place}" in outputs:
        return outputs[f"stack{stack}_{place}"]
    stacks = sum(name.endswith("_bottleneck") for name in outputs)
    reason = f"it has {stacks}, counted from 1" if stacks else "give a network of build_hourglass"
    if f"stack{stack}_bottleneck" in outputs:
        raise ModelError(f'{hourglass.name} has no place {place!r}; there are "bottleneck", "skip1", "up1" and so on')
    raise ModelError(f"{hourglass.name} has no stack {stack!r}: {reason}")


def _checked(wanted: Any, values: ArrayLike, what: str) -> np.ndarray:
    array, shape = np.asarray(values, dtype=np.float32), tuple(wanted.shape[1:])
    if array.ndim != 4 or array.shape[1:] != shape or not len(array):
        raise ModelError(f"{what} of shape {array.shape}: the network takes (N, {', '.join(map(str, shape))})")
    return array
