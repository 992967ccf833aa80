"""A network of heatmaps is trained by Keras: a PoseDataset, masked losses, PCKh after each epoch, and a restart."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.errors import TrainingError
from mpii_lib.models import build_hourglass
from mpii_lib.pose import PoseAugmentation, PoseDataset, pckh, person_crops, predict_poses
from mpii_lib.skeletons import MPII
from mpii_lib.training import HeatmapMSE, PCKhCallback, SpatialCrossEntropy, read_record, run_callbacks

NETWORK = {"stacks": 2, "channels": 8, "depth": 2, "input_size": 32, "output_stride": 2}


def drawn_people(folder):
    """Twelve noisy images of one person each."""
    rng = np.random.default_rng(0)
    images = pd.DataFrame({"file_name": [f"{n}.png" for n in range(12)]}, index=range(12))
    joints = rng.uniform(8, 56, (12, 16, 2)).astype(np.float32)
    for number in range(12):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)).save(folder / f"{number}.png")
    people = pd.DataFrame({"image_id": range(12), "scale": 0.25, "center_x": 32.0, "center_y": 32.0}, index=range(12))
    people["head_x1"], people["head_y1"], people["head_x2"], people["head_y2"] = 0.0, 0.0, 20.0, 20.0
    return Annotations(images, people, joints, np.full((12, 16), 2, np.int8), MPII, folder)


@pytest.fixture
def crops(tmp_path):
    return person_crops(drawn_people(tmp_path), size=32, crop="thesis")


def datasets(crops, stacks=2):
    train = PoseDataset(crops[:8], 16, stacks, batch_size=4, shuffle=True, augment=PoseAugmentation())
    return train, PoseDataset(crops[8:], 16, stacks, batch_size=4)


def train_some(crops, folder, epochs, seed=0, stacks=2):
    import keras

    model = build_hourglass(**NETWORK | {"stacks": stacks}, seed=seed)
    model.compile(optimizer=keras.optimizers.RMSprop(2.5e-4), loss=SpatialCrossEntropy())
    train, val = datasets(crops, stacks)
    callbacks = run_callbacks(folder, train, extra=[PCKhCallback(val)], monitor="val_pckh")
    history = model.fit(train, validation_data=val, epochs=epochs, callbacks=callbacks, verbose=0)
    return model, history


def test_a_training_that_was_broken_off_goes_on_to_the_same_result(crops, tmp_path):
    whole, history = train_some(crops, tmp_path / "a", 2)
    train_some(crops, tmp_path / "b", 1)
    model, again = train_some(crops, tmp_path / "b", 2, seed=1)
    names = {"loss", "stack1_heatmaps_loss", "stack2_heatmaps_loss", "val_loss", "val_pckh"}
    assert names <= set(history.history) and len(history.history["loss"]) == 2
    for name in names:
        np.testing.assert_allclose(again.history[name], history.history[name], rtol=1e-4, err_msg=name)
    for one, other in zip(whole.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    record = read_record(tmp_path / "b")
    assert record["training"]["loss"] == "spatial_cross_entropy" and record["training"]["optimizer"] == "rmsprop"
    assert record["training"]["learning_rate"] == 2.5e-4 and record["training"]["batch_size"] == 4
    assert record["model"]["backbone"] == "hourglass" and record["best"]["monitor"] == "val_pckh"


def test_val_pckh_is_the_score_of_the_validation_crops_and_evaluate_is_val_loss(crops, tmp_path):
    model, history = train_some(crops, tmp_path / "a", 1)
    _, val = datasets(crops)
    poses = predict_poses(model, val.crops)
    score = pckh(poses.image_joints, val.crops.image_joints, val.crops.head_size)
    assert history.history["val_pckh"][-1] == pytest.approx(score.total)
    assert model.evaluate(val, verbose=0)[0] == pytest.approx(history.history["val_loss"][-1], rel=1e-5)


def test_a_network_of_one_stack_is_trained_too(crops):
    model = build_hourglass(**{**NETWORK, "stacks": 1}, seed=0)
    model.compile(optimizer="adam", loss=HeatmapMSE())
    train, val = datasets(crops, stacks=1)
    losses = model.fit(train, validation_data=val, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_network_with_another_number_of_joints_is_refused(crops):
    model = build_hourglass(**NETWORK, joints=17)
    model.compile(optimizer="adam", loss=SpatialCrossEntropy())
    with pytest.raises(TrainingError, match="joints="):
        model.fit(datasets(crops)[0], verbose=0)


def test_without_head_boxes_there_is_no_pckh(crops):
    crops.head_size[:] = np.nan
    with pytest.raises(TrainingError, match="head box"):
        PCKhCallback(datasets(crops)[1])


ON_JAX = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from test_pose_training import drawn_people, train_some
from mpii_lib.pose import person_crops
folder = pathlib.Path(sys.argv[2])
_, history = train_some(person_crops(drawn_people(folder), size=32, crop="thesis"), folder / "run", 2, stacks=1)
print(json.dumps(history.history))
"""


def test_it_is_trained_on_jax_as_well(tmp_path):
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, os.path.dirname(__file__), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    history = json.loads(done.stdout.splitlines()[-1])
    assert len(history["val_pckh"]) == 2 and np.isfinite(history["loss"] + history["val_loss"]).all()
