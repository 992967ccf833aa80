"""`ClassifierTrainer`: what a grid calls to train one setting of a picture classifier, the cheapest right way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mpii_lib._keras import keras
from mpii_lib.datasets import Augmentation, ImageDataset, class_weights, classification_dataset
from mpii_lib.errors import TrainingError
from mpii_lib.models import build_classifier, weights_and_width
from mpii_lib.training.features import Features, extract_features, network_fingerprint
from mpii_lib.training.frozen_front import HEAD, REST, frozen_front
from mpii_lib.training.grid import PlannedRun
from mpii_lib.training.loop import TrainingRun, fit

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

# What the report names, and its usual values: Xception, one Dense layer behind Flatten, everything frozen.
KNOBS: dict[str, Any] = {
    "backbone": "Xception",
    "head": "flatten",
    "freeze": "all",
    "epochs": 30,
    "batch": 30,
    "optimizer": "adam",
    "learning_rate": None,
    "shuffle": True,
    "augment": "none",
}
CHANGES = Augmentation(rotation=10, zoom=0.1, shear=5, flip=True)
Cut = tuple[keras.Model, keras.Model] | None
AUGMENT = ("none", "alone", "appended")


class ClassifierTrainer:
    """Trains one run of a grid of picture classifiers; give it to `run_grid`.

    Where the front of the backbone is frozen and the pictures are the same in every epoch, what the front makes of
    them is computed once, and only the rest is trained on it; every other setting trains on the pictures. Both have
    the same result, up to rounding.

    Parameters
    ----------
    annotations
        Where the pictures and their labels are.
    part
        Who trains and who validates: image_id -> "train"/"val"/"test" as `split_images` gives it, or a function of the
        run's seed that gives it. With a function each repeat has a split of its own, and the spread of the repeats
        then holds what another choice of validation videos would change. "test" is never used here.
    size
        (height, width) of the pictures in pixels.
    weights
        "sample", "imagenet", "none" or a file, as `models.weights_and_width` reads it.
    target, classes
        As for `classification_dataset`; one class a picture.
    balance
        Whether rare classes weigh more in the loss (`class_weights` of the training part).
    changes
        Random changes of the settings with `augment` "alone" (each picture changed, none as it is) or "appended" (each
        picture as it is and changed: twice as many steps an epoch).
    redraw
        Draw the changes anew in each epoch; False draws them once and keeps them, the same for all seeds, which lets
        frozen fronts run only once.
    cache
        Folder that keeps features for the next process; None keeps them in memory only.
    memory_gib
        Features that would take more are not kept: the setting trains on the pictures.

    Notes
    -----
    A setting may name, with the values of `KNOBS` where it does not: `backbone`, `head`, `freeze` ("all", "none",
    -7, ("last", 7)), `epochs`, `batch`, `optimizer`, `learning_rate`, `shuffle`, `augment`, and `early_stopping`,
    `mixed_precision` and `jit_compile` of `fit`. The seed of a run decides its initial head, the order and the random
    changes; with `weights="none"` the backbone's random weights too.
    """

    def __init__(
        self,
        annotations: Annotations,
        part: pd.Series | Callable[[int], pd.Series],
        *,
        size: tuple[int, int] = (96, 96),
        weights: str = "sample",
        target: Any = "category",
        classes: Sequence[str] | None = None,
        balance: bool = True,
        changes: Augmentation = CHANGES,
        redraw: bool = True,
        cache: str | Path | None = None,
        memory_gib: float = 4.0,
    ) -> None:
        self.annotations, self.part, self.size, self.weights = annotations, part, size, weights
        self.target, self.classes, self.balance, self.changes, self.redraw = target, classes, balance, changes, redraw
        self.cache, self.memory_gib = cache, memory_gib
        self._kept: dict[str, Features] = {}
        self._models: dict[tuple, tuple[keras.Model, Cut, list[np.ndarray]]] = {}

    def __call__(self, run: PlannedRun) -> TrainingRun:
        """Train one run; TrainingError names a knob that does not exist or has no such value."""
        knobs = read_knobs(run.setting)
        part = self.part(run.seed) if callable(self.part) else self.part
        train, val = (self._dataset(part.index[part == name], knobs["batch"]) for name in ("train", "val"))
        model, cut = self._model(knobs, len(train.classes), run.seed)
        names = ("epochs", "optimizer", "learning_rate", "early_stopping", "mixed_precision", "jit_compile")
        arguments = {name: knobs[name] for name in names if name in knobs}
        arguments |= {"seed": run.seed, "folder": run.folder, "parameters": run.parameters, "progress": False}
        arguments["class_weight"] = class_weights(train.labels) if self.balance else None
        alike = knobs["augment"] == "none" or not self.redraw  # in every epoch
        if cut is not None and alike and self._fits(cut[0], len(part)):
            front, rest = cut
            rest.provenance = {
                **model.provenance,
                "trained_part": REST if knobs["freeze"] != "all" else HEAD,
            }
            seen = self._features(front, part.index)
            changed = self._features(front, part.index, self.changes) if knobs["augment"] != "none" else seen
            rows = changed.take(train.image_ids)
            if knobs["augment"] == "appended":
                rows = _joined(seen.take(train.image_ids), rows)
            arguments |= {"batch": knobs["batch"], "shuffle": knobs["shuffle"]}
            return fit(rest, rows, seen.take(val.image_ids), **arguments)
        changes = None if knobs["augment"] == "none" else replace(self.changes, append=knobs["augment"] == "appended")
        chance = {"shuffle": knobs["shuffle"], "augment": changes, "seed": run.seed}
        return fit(model, self._dataset(train.image_ids, knobs["batch"], **chance), val, **arguments)

    def with_part(self, part: pd.Series | Callable[[int], pd.Series]) -> ClassifierTrainer:
        """Give the same trainer for another split; features and networks that exist are shared."""
        other = copy(self)
        other.part = part
        return other

    def _dataset(self, image_ids: Any, batch: int, **chance: Any) -> ImageDataset:
        names = {"classes": self.classes, "size": self.size, "batch": batch}
        return classification_dataset(self.annotations, image_ids, self.target, **names, **chance)

    def _model(self, knobs: dict[str, Any], classes: int, seed: int) -> tuple[keras.Model, Cut]:
        """Build the classifier of a setting and cut it, or take the one of an earlier run back to its beginning.

        Building a deep network anew for each repeat takes longer than training its head.
        """
        key = (classes, *(knobs[name] for name in ("backbone", "head", "freeze", "mixed_precision")))
        if self.weights == "none" or key not in self._models:  # random backbones are the seed's
            weights, width = weights_and_width(self.weights)
            own = (knobs["backbone"], classes, (*self.size, 3), weights, knobs["head"], knobs["freeze"])
            model = build_classifier(*own, width=width, seed=seed)
            self._models[key] = model, frozen_front(model), model.get_weights()
            return self._models[key][:2]
        model, cut, first = self._models[key]
        model.set_weights(first)
        for layer in model.layers:
            if hasattr(layer, "kernel"):  # of the head, drawn as `build_classifier` draws it
                layer.kernel.assign(keras.initializers.GlorotUniform(seed=seed)(layer.kernel.shape))
        return model, cut

    def _fits(self, front: keras.Model, pictures: int) -> bool:
        return 2 * 4 * pictures * math.prod(front.output.shape[1:]) < self.memory_gib * 2**30  # plain and changed ones

    def _features(self, front: keras.Model, image_ids: pd.Index, changes: Augmentation | None = None) -> Features:
        """Features of all pictures that some part may hold, so that a split of its own costs a repeat nothing."""
        data = self._dataset(image_ids, 32, augment=changes)
        key = f"{network_fingerprint(front)} {data.fingerprint}"
        if key not in self._kept:
            made = extract_features(front, data, self.cache, progress=False)
            held = sum(other.features.nbytes for other in self._kept.values())
            if held + made.features.nbytes > self.memory_gib * 2**30:
                self._kept.clear()
            self._kept[key] = made
        return self._kept[key]


def read_knobs(setting: Mapping[str, Any]) -> dict[str, Any]:
    """Fill a setting up with the usual values of `KNOBS`; TrainingError for a name or a way to augment it lacks."""
    known = {**KNOBS, "early_stopping": None, "mixed_precision": False, "jit_compile": False}
    unknown = [name for name in setting if name not in known]
    if unknown:
        raise TrainingError(f"setting {dict(setting)}: knob {unknown[0]!r} is unknown; use {', '.join(known)}")
    knobs = {**known, **setting}
    if knobs["augment"] not in AUGMENT:
        raise TrainingError(
            f"setting {dict(setting)}: augment is {knobs['augment']!r}; use one of {', '.join(AUGMENT)}"
        )
    if isinstance(knobs["freeze"], list):  # as JSON and papermill give ("last", 7)
        knobs["freeze"] = tuple(knobs["freeze"])
    return knobs


def _joined(first: Features, second: Features) -> Features:
    """Rows of both, each picture twice."""
    return replace(
        first,
        features=np.concatenate([first.features, second.features]),
        labels=np.concatenate([first.labels, second.labels]),
        image_ids=np.concatenate([first.image_ids, second.image_ids]),
    )
