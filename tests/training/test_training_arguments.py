"""Each argument of each public function of `mpii_lib.training` with what does not fit: one line says why."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_callbacks import SIZE, datasets, write_images
from wrong_arguments import assert_clear

import mpii_lib.training as training
from mpii_lib._keras import keras
from mpii_lib.errors import MpiiError


@pytest.fixture(autouse=True)
def in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path / "cache"))
    training.write_record(tmp_path / "run", {"history": {"epoch": [1], "loss": [0.5]}})
    training.add_scores(tmp_path / "run", "test", {}, labels=[0, 1])


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("write_record", {"folder": "new", "record": {"history": {}}}),
        ("read_record", {"folder": "run"}),
        ("read_records", {"folders": "run"}),
        ("read_predictions", {"folder": "run", "name": "test"}),
        (
            "add_scores",
            {"folder": "run", "name": "b", "scores": {"a": 1.0}, "labels": [0, 1], "probabilities": np.eye(2)}
            | {"classes": ["a", "b"], "image_ids": [3, 4]},
        ),
        ("run_folder", {"runs": "runs", "name": "grid", "hyperparameters": {"a": 1}}),
        ("attempt", {"train": lambda folder: None, "folder": "run"}),
        ("HeatmapMSE", {"peak_weight": 1.0, "height": 2.0, "name": "loss"}),
        ("SpatialCrossEntropy", {"name": "loss"}),
        ("EpochSeeds", {"dataset": None, "seed": 0}),
        ("run_callbacks", {"folder": "new", "data": None, "hyperparameters": {"a": 1}, "patience": 3, "seed": 0}
         | {"monitor": "val_loss", "mode": "auto", "extra": []}),
        ("PCKhCallback", {"validation": SimpleNamespace(crops=SimpleNamespace(head_size=np.ones(1)), batch_size=2)}),
    ],
)  # fmt: skip
def test_wrong_kinds_of_arguments_are_one_line(name, valid):
    assert_clear(getattr(training, name), valid)


def test_wrong_kinds_of_arguments_of_cached_features_are_one_line(tmp_path):
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.GlobalAveragePooling2D()])
    images = tmp_path / "images"
    images.mkdir()
    data = datasets(write_images(images))[1]
    assert_clear(
        training.cached_features, {"feature_extractor": model, "dataset": data, "folder": "f"}, skip=["folder"]
    )


@pytest.mark.parametrize("options", [{"patience": 0}, {"seed": -1}, {"seed": 2**32}])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(MpiiError, match=f"{next(iter(options))} {next(iter(options.values()))}"):
        training.run_callbacks("new", **options)
