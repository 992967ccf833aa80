"""What a training promises: the same result however often it is broken off, and clear words when it cannot go on."""

import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib._keras import keras
from mpii_lib.annotations import Annotations
from mpii_lib.datasets import Augmentation, ImageDataset
from mpii_lib.skeletons import MPII
from mpii_lib.training import TrainingError, read_record, run_callbacks

SIZE, IMAGES = 16, 36


class Killed(BaseException):
    """Ends a training where a kill would, in this process; what is on disk is the same."""


def write_images(folder):
    """Draw images whose class is a colour."""
    generator = np.random.default_rng(0)
    for number in range(IMAGES):
        pixels = generator.integers(0, 120, (SIZE, SIZE, 3))
        pixels[..., number % 3] += 120
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{number:02}.png")
    (folder / "05.png").write_bytes(b"not an image")
    return folder


def datasets(folder, **options):
    names = [f"{number:02}.png" for number in range(IMAGES)]
    images = pd.DataFrame(
        {"file_name": names, "split": "train", "category": ["red", "green", "blue"] * 12, "activity": None},
        index=pd.RangeIndex(IMAGES, name="image_id"),
    )
    people = pd.DataFrame({"image_id": np.zeros(0, np.int64)}, index=pd.RangeIndex(0, name="person_id"))
    nobody = np.zeros((0, 16, 2), np.float32), np.zeros((0, 16), np.int8)
    annotations = Annotations(images, people, *nobody, MPII, folder)
    options = {"size": (SIZE, SIZE), "batch_size": 5} | options
    augment = Augmentation(rotation=20, flip=True)
    train = ImageDataset(annotations, range(26), shuffle=True, augment=augment, seed=4, **options)
    return train, ImageDataset(annotations, range(26, IMAGES), **options)


def make_model(units=8, optimizer=None):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(units, 3, strides=2, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.4),  # its generator is not part of any weight file
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


@functools.cache
def used_model():
    """Build a model that has been traced, and give its variables and what they were before any training."""
    model = make_model()
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    return model, variables, [variable.numpy() for variable in variables]


def as_new():
    """Give the used model with the weights of a new one: tracing it again would take most of a test's time."""
    model, variables, values = used_model()
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return model


class Accident(keras.callbacks.Callback):
    """Does something after a number of training batches, counted over all epochs of this process."""

    def __init__(self, batches, action):
        super().__init__()
        self.left, self.action = batches, action

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.action()


def kill_this_process():
    os.kill(os.getpid(), signal.SIGKILL)


def raise_killed():
    raise Killed


def train(images, folder, epochs=4, model=None, accident=(), **options):
    """The run that the tests break off; also called in a process of its own."""
    model = model or as_new()
    training, validation = datasets(images)
    options = {"patience": 10, "seed": 7, "hyperparameters": {"backbone": "small"}} | options
    callbacks = run_callbacks(folder, training, extra=accident, **options)
    history = model.fit(training, validation_data=validation, epochs=epochs, callbacks=callbacks, verbose=0)
    return model, history.history


def assert_same(first, second):
    assert first[0] is not second[0]
    for left, right in zip(first[0].get_weights(), second[0].get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert first[1] == second[1]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return *train(images, folder, model=make_model()), folder


def test_a_run_learns_and_leaves_its_weights_and_its_record(whole):
    _, history, folder = whole
    assert history["val_loss"][-1] < history["val_loss"][0] and len(history["loss"]) == 4
    assert {path.name for path in folder.iterdir()} == {"best.weights.h5", "backup", "run.json"}
    record = read_record(folder)
    assert record["status"] == "complete" and record["training"]["learning_rate"] == 0.01
    assert record["training"]["batch_size"] == 5 and record["hyperparameters"] == {"backbone": "small"}
    assert [Path(path).name for path, _ in record["skipped"]] == ["05.png"]
    assert record["peak_memory_mib"] > 50 and record["seconds"] > 0 and record["history"]["epoch"] == [1, 2, 3, 4]


def test_a_run_killed_in_mid_epoch_goes_on_to_the_same_result(images, whole, tmp_path):
    code = (
        f"import test_callbacks as t; t.train(t.Path({str(images)!r}), {str(tmp_path)!r}, "
        f"accident=[t.Accident(16, t.kill_this_process)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert_same(whole, train(images, tmp_path, model=make_model()))


def break_writing(monkeypatch, name, at):
    """Let the `at`-th writing of a file of this name stop in its middle."""
    written = []
    original, opened = keras.Model.save_weights, keras.src.utils.file_utils.File

    def save(model, filepath, **options):
        original(model, filepath, **options)
        written.append(Path(filepath).name)
        if written.count(name) == at and written[-1] == name:
            data = Path(filepath).read_bytes()
            Path(filepath).write_bytes(data[: len(data) // 2])
            raise Killed

    def open_file(path, mode="r"):
        if "w" in mode:
            written.append(Path(path).name)
            if written.count(name) == at and written[-1] == name:
                Path(path).write_text('{"epo')
                raise Killed
        return opened(path, mode)

    monkeypatch.setattr(keras.Model, "save_weights", save)
    monkeypatch.setattr(keras.src.utils.file_utils, "File", open_file)


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, at) for name in ("latest.weights.h5", "best.weights.h5") for at in (1, 3)]
    + [("training_metadata.json", 3)],
)
def test_a_run_killed_while_it_writes_goes_on_to_the_same_result(images, whole, tmp_path, monkeypatch, name, at):
    with monkeypatch.context() as patch:
        break_writing(patch, name, at)
        with pytest.raises(Killed):
            train(images, tmp_path)
    assert_same(whole, train(images, tmp_path))
    kept, best = (keras.models.clone_model(make_model()) for _ in range(2))  # not compiled: no optimizer to fill
    kept.load_weights(tmp_path / "best.weights.h5")
    best.load_weights(whole[2] / "best.weights.h5")
    for left, right in zip(kept.get_weights(), best.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_kill_between_the_weights_and_their_number_changes_nothing(images, whole, tmp_path, monkeypatch):
    opened, written = keras.src.utils.file_utils.File, []

    def open_file(path, mode="r"):
        if "w" in mode:
            written.append(path)
            if len(written) == 2:
                raise Killed
        return opened(path, mode)

    with monkeypatch.context() as patch:
        patch.setattr(keras.src.utils.file_utils, "File", open_file)
        with pytest.raises(Killed):
            train(images, tmp_path)
    assert_same(whole, train(images, tmp_path))


def test_a_run_killed_at_random_moments_again_and_again_ends_the_same(images, whole, tmp_path):
    moments = random.Random(5)
    for _ in range(3):
        try:
            train(images, tmp_path, accident=[Accident(moments.randint(1, 12), raise_killed)])
        except Killed:
            pass
    assert_same(whole, train(images, tmp_path))


def test_more_epochs_train_on_and_a_finished_run_trains_nothing(images, whole, tmp_path):
    train(images, tmp_path, epochs=2)
    assert_same(whole, train(images, tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    steps = Accident(1, lambda: pytest.fail("a finished run was trained"))
    assert_same(whole, train(images, tmp_path, accident=[steps]))
    del before["run.json"], before["training_metadata.json"]
    assert before.items() <= {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}.items()
    with pytest.raises(TrainingError, match="4 epochs already, 3 are wanted"):
        train(images, tmp_path, epochs=3)


def test_scores_stay_when_a_finished_run_is_opened_again(images, tmp_path):
    from mpii_lib.training import add_scores

    train(images, tmp_path, epochs=1)
    add_scores(tmp_path, "test", {"accuracy": 0.5})
    seconds = read_record(tmp_path)["seconds"]
    train(images, tmp_path, epochs=1)
    assert (
        read_record(tmp_path)["scores"] == {"test": {"accuracy": 0.5}} and read_record(tmp_path)["seconds"] == seconds
    )


def test_the_next_training_of_the_same_model_begins_at_its_first_epoch(images, tmp_path):
    model, _ = train(images, tmp_path / "head", epochs=3)
    _, history = train(images, tmp_path / "head", epochs=3, model=model)
    _, history = train(images, tmp_path / "fine-tuning", epochs=2, model=model)
    assert len(history["loss"]) == 2
    inputs, labels, _ = datasets(images)[0].load()
    assert len(model.fit(inputs, labels, epochs=1, verbose=0).history["loss"]) == 1


def test_arrays_are_shuffled_the_same_after_a_restart(images, tmp_path):
    inputs, labels, _ = datasets(images)[0].load()
    runs = []
    for name, stops in (("whole", [3]), ("broken", [1, 3])):
        for epochs in stops:
            model = make_model(optimizer=keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True))
            callbacks = run_callbacks(tmp_path / name, monitor="loss")
            history = model.fit(inputs, labels, batch_size=4, epochs=epochs, callbacks=callbacks, verbose=0)
        runs.append((model, history.history))
    assert_same(*runs)
    assert read_record(tmp_path / "whole")["training"]["optimizer"] == "nesterov"


def test_a_jax_run_goes_on_to_the_same_result(images, tmp_path):
    pytest.importorskip("jax")
    code = (
        "import numpy as np, test_callbacks as t; images = t.Path({!r}); a, b = t.Path({!r}), t.Path({!r}); "
        "whole = t.train(images, a, 2, t.make_model()); t.train(images, b, 1); "
        "t.assert_same(whole, t.train(images, b, 2)); "
        "assert t.keras.backend.backend() == 'jax'"
    ).format(str(images), str(tmp_path / "a"), str(tmp_path / "b"))
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, env=environment, text=True
    )
    assert done.returncode == 0, done.stderr


def test_another_seed_gives_another_order_and_other_noise(images, whole, tmp_path):
    assert not np.allclose(whole[1]["loss"], train(images, tmp_path, seed=8)[1]["loss"])


def test_a_folder_with_another_run_is_refused_by_name(images, whole):
    folder = whole[2]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    other_rate = make_model(optimizer=keras.optimizers.Adam(0.02))
    with pytest.raises(TrainingError, match=r"learning_rate 0.01 there and 0.02 here.*another folder"):
        train(images, folder, model=other_rate)
    with pytest.raises(TrainingError, match="model layers"):
        train(images, folder, model=make_model(units=9))
    with pytest.raises(TrainingError, match="hyperparameters backbone small there and large here"):
        train(images, folder, hyperparameters={"backbone": "large"})
    training, validation = datasets(images, batch_size=7)
    with pytest.raises(TrainingError, match="batch_size 5 there and 7 here"):
        make_model().fit(
            training, validation_data=validation, epochs=4, verbose=0,
            callbacks=run_callbacks(folder, training, patience=10, seed=7, hyperparameters={"backbone": "small"}),
        )  # fmt: skip
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_head_on_other_features_is_another_run(images, tmp_path):
    inputs, labels, _ = datasets(images)[0].load()

    def head(features):
        model = keras.Sequential([keras.Input(features.shape[1:]), keras.layers.Flatten(), keras.layers.Dense(3)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        callbacks = run_callbacks(tmp_path, (features, labels), monitor="loss")
        return model.fit(features, labels, epochs=2, callbacks=callbacks, verbose=0)

    assert head(inputs / 255).history == head(inputs / 255).history
    with pytest.raises(TrainingError, match="training data .* there and .* here"):
        head(inputs / 254)


def test_early_stopping_keeps_the_best_weights_and_stays_stopped_after_a_restart(images, tmp_path):
    inputs, labels, _ = datasets(images)[0].load()
    wrong = (labels + 1) % 3  # the better it learns, the worse it validates

    def stopped(folder, epochs):
        model = make_model(optimizer=keras.optimizers.Adam(0.03))
        history = model.fit(
            inputs, labels, validation_data=(inputs, wrong), batch_size=4, epochs=epochs, verbose=0,
            callbacks=run_callbacks(folder, patience=2),
        )  # fmt: skip
        return model, history.history

    first = stopped(tmp_path / "a", 30)
    record = read_record(tmp_path / "a")
    best = record["best"]["epoch"]
    assert record["status"] == "stopped early" and len(first[1]["loss"]) == best + 2 < 30
    losses = first[0].evaluate(inputs, wrong, verbose=0)
    assert losses[0] == pytest.approx(first[1]["val_loss"][best - 1], rel=1e-4)
    assert_same(first, stopped(tmp_path / "a", 60))
    stopped(tmp_path / "b", best + 1)  # broken off after one epoch without an improvement
    assert_same(first, stopped(tmp_path / "b", 30))


def test_a_rising_monitor_is_better_when_it_rises(images, tmp_path):
    _, history = train(images, tmp_path, epochs=2, monitor="val_accuracy")
    assert read_record(tmp_path)["best"]["value"] == max(history["val_accuracy"])
    with pytest.raises(TrainingError, match="monitor 'val_pckh' is not in the history: use one of .*val_loss"):
        train(images, tmp_path / "b", monitor="val_pckh", mode="max")


class Extra(keras.callbacks.Callback):
    """Adds a column to the history."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


def line(folder, epochs=1, validation=True, extra=(), **options):
    """A training of three weights, on eight rows."""
    inputs = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    labels = inputs @ [1, 2]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.02), "mse", metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")])
    callbacks = run_callbacks(folder, (inputs, labels), extra=extra, **options)
    data = {"validation_data": (inputs, labels)} if validation else {}
    return model.fit(inputs, labels, epochs=epochs, verbose=0, callbacks=callbacks, **data).history


@pytest.mark.parametrize("monitor", ["val_mae", "val_rmse", "val_mse", "val_kl_divergence", "distance", "error", "auc"])
def test_whether_another_monitor_gets_better_by_falling_has_to_be_said(tmp_path, monitor):
    with pytest.raises(TrainingError, match=rf'monitor .{monitor}.: say mode="min" or mode="max"'):
        run_callbacks(tmp_path, monitor=monitor)
    if monitor in ("val_mae", "distance"):
        distance = Extra("distance", [3.0, 2.0, 2.5, 1.0])
        history = line(tmp_path, 4, monitor=monitor, mode="min", patience=2, extra=[distance])
        record = read_record(tmp_path)
        assert record["status"] == "complete" and record["best"]["epoch"] == 4
        assert record["best"]["value"] == min(history[monitor]) == history[monitor][-1]


def test_a_score_that_is_no_number_comes_back_as_it_was(tmp_path):
    scores = Extra("auc", [np.nan, 0.5, np.inf])
    whole = line(tmp_path / "a", 3, extra=[scores])
    line(tmp_path / "b", 2, extra=[scores])
    again = line(tmp_path / "b", 3, extra=[scores])
    assert np.isnan(again["auc"][0]) and again["auc"][1:] == [0.5, np.inf] and again["loss"] == whole["loss"]
    assert np.isnan(line(tmp_path / "b", 3, extra=[scores])["auc"][0])
    assert read_record(tmp_path / "b")["history"]["auc"] == [None, 0.5, None]


def test_hyperparameters_of_numpy_and_paths_are_those_of_the_record(tmp_path):
    given = {"seed": np.int64(3), "rate": np.float32(0.5), "sizes": np.array([1, 2]), 1: tmp_path, "name": "\udcff"}
    first = line(tmp_path, hyperparameters=given)
    assert line(tmp_path, hyperparameters=given) == first
    plain = {"seed": 3, "rate": 0.5, "sizes": [1, 2], "1": str(tmp_path), "name": "\\udcff"}
    assert read_record(tmp_path)["hyperparameters"] == plain
    with pytest.raises(TrainingError, match="hyperparameters: optimizer is <.*; give numbers, text"):
        run_callbacks(tmp_path / "new", hyperparameters={"optimizer": keras.optimizers.SGD()})
    with pytest.raises(TrainingError, match="hyperparameters seed 3 there and 4 here"):
        line(tmp_path, hyperparameters=given | {"seed": 4})
    with pytest.raises(TrainingError, match="another folder") as caught:
        line(tmp_path, hyperparameters={"x" * 5000: list(range(5000)), **given})
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_without_a_batch_are_named(tmp_path):
    import tensorflow as tf

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    empty = tf.data.Dataset.from_tensor_slices((np.zeros((4, 2)), np.zeros(4))).batch(2).take(0)
    with pytest.raises(TrainingError, match="training data gave no batch"):
        model.fit(empty, epochs=1, verbose=0, shuffle=False, callbacks=run_callbacks(tmp_path / "a", monitor="loss"))
    with pytest.raises(TrainingError, match="monitor 'val_loss' is not in the history: .*loss, .*validation_data"):
        line(tmp_path / "b", validation=False)


def test_a_disk_without_room_for_an_epoch_keeps_what_is_there_and_the_run_goes_on_later(
    images, whole, tmp_path, monkeypatch
):
    train(images, tmp_path, epochs=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.h5*")}
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage(tmp_path)
        patch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
        with pytest.raises(TrainingError, match=f"{tmp_path}: .* are needed and 1.00kB are free; make room"):
            train(images, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.h5*")} == before
    assert_same(whole, train(images, tmp_path))


def test_a_loss_that_is_no_number_stops_and_says_what_to_do(images, tmp_path):
    inputs, labels, _ = datasets(images)[0].load()
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e30), "mse")
    with pytest.raises(TrainingError, match=r"not a number in epoch .*learning rate below 1e\+?30"):
        model.fit(inputs, labels, epochs=2, verbose=0, callbacks=run_callbacks(tmp_path, monitor="loss"))
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["status"] == "failed" and "not a number" in record["error"]


def test_scaled_losses_of_half_precision_resume_too(images, tmp_path):
    def half(epochs):
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))
        return train(images, tmp_path, epochs=epochs, model=make_model(optimizer=optimizer))

    half(1)
    assert len(half(3)[1]["loss"]) == 3


def test_braces_in_the_name_of_a_folder_stay_what_they_are(images, tmp_path):
    train(images, tmp_path / "{run}", epochs=1)
    assert (tmp_path / "{run}" / "best.weights.h5").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="file.*cannot be written"):
        run_callbacks(tmp_path / "file")
