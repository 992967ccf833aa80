"""Each argument of each public function of `mpii_lib.models` with what does not fit: one line says why."""

from __future__ import annotations

import pytest
from wrong_arguments import assert_clear

import mpii_lib.models as models
from mpii_lib._keras import keras

BACKBONE = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
NETWORK = {"stacks": 1, "channels": 4, "depth": 1, "joints": 2, "input_size": 8, "output_stride": 2, "seed": 0}
CLASSIFIER = {"classes": 3, "input_shape": (32, 32, 3), "weights": None, "head": "pooled", "freeze": "all"}


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("get_backbone", {"name": "VGG16"}),
        ("sample_file", {"backbone": "VGG16"}),
        ("sample_metadata", {"backbone": "VGG16"}),
        ("frozen_layers", {"count": 19, "freeze": -7}),
        ("freeze_backbone", {"backbone": BACKBONE, "freeze": 1, "train_batch_norm": False}),
        ("save_backbone_weights", {"model": BACKBONE, "path": "w.npz", "metadata": {}}),
        ("build_hourglass", {**NETWORK, "weights": None}),
        ("build_backbone", {"backbone": "VGG16", "input_shape": (32, 32, 3), "width": 1 / 8, "seed": 0}),
        ("build_classifier", {"backbone": "VGG16", **CLASSIFIER, "multilabel": False, "width": 1 / 8, "seed": 0}),
    ],
)
def test_wrong_kinds_of_arguments_are_one_line(name, valid, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_clear(getattr(models, name), valid)
