"""What a partly frozen network computes again and again: cut it there, so that its constant part runs only once."""

from __future__ import annotations

import math
from typing import Any

from mpii_lib._keras import keras
from mpii_lib.models import backbone_of, feature_model, head_model

# What a run record says of a training on cached features (`trained_part`).
HEAD = "head on cached features"
REST = "what stands behind the frozen front, on cached features"


def frozen_front(model: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """Cut a classifier behind the last place through which everything goes and before which nothing learns.

    Parameters
    ----------
    model
        From `build_classifier`, with any freezing.

    Returns
    -------
    tuple of keras.Model, or None
        `front`, from pictures (B, H, W, 3) to maps, which `extract_features` computes once for each picture and
        flattens; and `rest`, from these rows (B, D) to the model's output. Both share the model's layers: training
        `rest` trains the model. With all of the backbone frozen they are `feature_model` and `head_model`. None when
        the first layers learn already.
    """
    backbone = backbone_of(model)
    position = _cut(backbone.layers)
    if position is None:
        return None
    if position == len(backbone.layers) - 1:
        return feature_model(model), head_model(model)
    maps = backbone.layers[position].output
    prepared = model.get_layer("preprocessing").output
    front = keras.Model(model.input, keras.Model(backbone.input, maps)(prepared), name=f"{model.name}-front")
    shape = maps.shape[1:]
    rows = keras.Input((math.prod(shape),), name="cached_features")
    flow = keras.layers.Reshape(shape)(rows)
    flow = keras.Model(maps, backbone.output, name="backbone")(flow)
    names = [layer.name for layer in model.layers]
    for layer in model.layers[names.index("backbone") + 1 :]:
        flow = layer(flow)
    return front, keras.Model(rows, flow, name=f"{model.name}-rest")


def _cut(layers: list[Any]) -> int | None:
    """Find the last layer in front of all that learn, of which alone the layers behind it take anything."""
    place = {id(layer): number for number, layer in enumerate(layers)}
    learning = [number for number, layer in enumerate(layers) if layer.trainable_weights]
    last = learning[0] - 1 if learning else len(layers) - 1
    reach = len(layers)  # the first layer that any of those behind the cut takes from
    found = None
    for number in range(len(layers) - 1, 0, -1):
        if number <= last and reach >= number:
            found = number
            break
        sources = [place[id(tensor._keras_history.operation)] for tensor in keras.tree.flatten(layers[number].input)]
        reach = min(reach, *sources)
    return found
