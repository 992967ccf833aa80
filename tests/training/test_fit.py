"""What a training promises: the same result however often it is broken off, and clear words when it cannot go on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest
import tensorflow as tf

from mpii_lib._keras import keras
from mpii_lib.training import TrainingError, fit, read_record, write_record
from mpii_lib.training import compiling as compiling_module

CLASSES, WIDTH = 3, 12


def make_data(count=160, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, count).astype("int32")
    centres = np.random.default_rng(99).normal(size=(CLASSES, WIDTH))
    return (centres[labels] + generator.normal(size=(count, WIDTH))).astype("float32"), labels


def make_model(seed=3, units=8):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),  # its generator is not part of any weight file
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )


class Stream:
    """Looks like an ImageDataset: an own order for each epoch, and an accident in the middle of one."""

    batch = 20
    skipped = [("images/broken.jpg", "not a picture")]

    def __init__(self, accident=None, in_epoch=2):
        self.inputs, self.labels = make_data()
        self.image_ids = np.arange(len(self.labels))
        self.accident, self.in_epoch = accident, in_epoch

    def __len__(self):
        return len(self.labels)

    def epoch(self, index):
        order = np.random.default_rng([5, index]).permutation(len(self))
        stream = tf.data.Dataset.from_tensor_slices((self.inputs[order], self.labels[order])).batch(self.batch)
        if self.accident and index == self.in_epoch:
            numbers = tf.data.Dataset.range(8)
            stream = tf.data.Dataset.zip(stream, numbers).map(self._meet_accident)
        return stream

    def _meet_accident(self, pair, number):
        def look(number):
            if number == 4:
                self.accident()
            return number

        number = tf.numpy_function(look, [number], tf.int64)
        with tf.control_dependencies([number]):
            return tf.identity(pair[0]), tf.identity(pair[1])

    @property
    def tf(self):
        return self.epoch(0)


def train(folder, accident=None, epochs=4, **settings):
    """The run that the tests break off; also called in a process of its own."""
    model = make_model()
    settings = {"optimizer": "adam", "learning_rate": 0.01, "early_stopping": 10, "seed": 7} | settings
    return model, fit(model, Stream(accident), make_data(60, 1), epochs=epochs, folder=folder, **settings)


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def kill_this_process():
    os.kill(os.getpid(), signal.SIGKILL)


def assert_same(first, second):
    for left, right in zip(first[0].get_weights(), second[0].get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-7)
    columns = [name for name in first[1].history.columns if name != "seconds"]
    np.testing.assert_allclose(first[1].history[columns], second[1].history[columns], rtol=1e-6)
    assert first[1].best_epoch == second[1].best_epoch


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


def test_training_learns_and_writes_what_is_needed(whole):
    model, run = whole
    assert list(run.history["epoch"]) == [1, 2, 3, 4]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(run.history.columns)
    assert run.history["val_loss"].iloc[-1] < run.history["val_loss"].iloc[0]
    assert sorted(path.name for path in run.folder.iterdir()) == ["best.weights.h5", "last.weights.h5", "run.json"]
    record = read_record(run.folder)
    assert record["status"] == "complete" and record["settings"]["learning_rate"] == 0.01
    assert record["data"]["train"]["skipped"] == [["images/broken.jpg", "not a picture"]]
    assert record["peak_memory_mib"] > 50 and record["seconds"] > 0
    assert "4 epochs" in run._repr_html_() and "best" in run._repr_html_()


def test_a_run_killed_in_mid_epoch_goes_on_to_the_same_result(whole, tmp_path):
    code = f"import test_fit; test_fit.train({str(tmp_path)!r}, test_fit.kill_this_process)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len(read_record(tmp_path)["history"]["epoch"]) == 2
    assert_same(whole, train(tmp_path))
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize("kept", ["behind", "none"])
def test_a_record_that_a_kill_left_behind_its_checkpoint_is_caught_up(tmp_path, kept):
    settings = {"epochs": 6, "folder": tmp_path, "early_stopping": 1, "learning_rate": 0.05}
    inputs, labels = make_data(60, 1)
    wrong = inputs, (labels + 1) % CLASSES
    run = fit(make_model(), make_data(), wrong, **settings)
    assert run.record["status"] == "stopped early"
    whole = read_record(tmp_path)
    (tmp_path / "run.json").unlink()
    if kept == "behind":  # killed after the last checkpoint, before the record was written
        history = {name: values[:-1] for name, values in whole["history"].items()}
        write_record(tmp_path, whole | {"status": "running", "history": history})
    fit(make_model(), make_data(), wrong, **settings)
    now = read_record(tmp_path)
    assert now["status"] == "stopped early" and now["history"] == whole["history"]


@pytest.mark.parametrize("in_epoch", [0, 3])
def test_an_interrupted_run_goes_on_even_with_the_half_trained_model(whole, tmp_path, in_epoch):
    model = make_model()
    settings = {"epochs": 4, "folder": tmp_path, "learning_rate": 0.01, "early_stopping": 10, "seed": 7}
    with pytest.raises(KeyboardInterrupt):
        fit(model, Stream(press_ctrl_c, in_epoch), make_data(60, 1), **settings)
    assert read_record(tmp_path)["status"] == "interrupted"
    assert_same(whole, (model, fit(model, Stream(), make_data(60, 1), **settings)))


def test_more_epochs_train_on_and_a_complete_run_is_only_loaded(whole, tmp_path):
    train(tmp_path, epochs=2)
    assert_same(whole, train(tmp_path, epochs=4))
    weights = (tmp_path / "last.weights.h5").read_bytes()
    assert_same(whole, train(tmp_path, epochs=4))
    assert (tmp_path / "last.weights.h5").read_bytes() == weights
    with pytest.raises(TrainingError, match="4 epochs already, 3 are asked for"):
        train(tmp_path, epochs=3)


@pytest.mark.parametrize("optimizer", ["nesterov", "rmsprop", keras.optimizers.Adam(0.003, beta_1=0.8)])
def test_every_optimizer_resumes_with_its_state(tmp_path, optimizer):
    data = make_data()
    runs = []
    for name, stops in (("whole", [3]), ("broken", [1, 3])):
        for epochs in stops:
            model = make_model()
            run = fit(model, data, data, epochs=epochs, folder=tmp_path / name, optimizer=optimizer)
        runs.append((model, run))
    assert_same(*runs)


def test_another_seed_gives_another_order_and_other_noise(whole, tmp_path):
    other = train(tmp_path, seed=8)
    assert not np.allclose(whole[1].history["loss"], other[1].history["loss"])


def test_a_folder_with_another_run_is_refused_by_name(whole):
    folder = whole[1].folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TrainingError, match=r"learning_rate 0.01 there and 0.02 here.*another folder"):
        train(folder, learning_rate=0.02)
    with pytest.raises(TrainingError, match="model layers"):
        fit(make_model(units=9), Stream(), make_data(60, 1), epochs=4, folder=folder, learning_rate=0.01,
            early_stopping=10, seed=7)  # fmt: skip
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_early_stopping_keeps_the_best_weights_and_stays_stopped(tmp_path):
    inputs, labels = make_data(40)
    wrong = (labels + 1) % CLASSES  # the better it learns, the worse it validates
    settings = {"epochs": 30, "folder": tmp_path, "early_stopping": 2, "learning_rate": 0.05}
    model = make_model()
    run = fit(model, (inputs, labels), (inputs, wrong), **settings)
    assert run.record["status"] == "stopped early"
    assert len(run.history) == run.best_epoch + 2 < 30
    best = run.history.set_index("epoch").loc[run.best_epoch]
    assert model.evaluate(inputs, wrong, verbose=0)[0] == pytest.approx(best["val_loss"], rel=1e-4)
    again = fit(make_model(), (inputs, labels), (inputs, wrong), **(settings | {"epochs": 60}))
    assert len(again.history) == len(run.history)
    last = run.load(make_model(), "last")
    assert not np.allclose(last.get_weights()[0], model.get_weights()[0])


def test_a_rising_monitor_is_better_when_it_rises(tmp_path):
    data = make_data()
    run = fit(make_model(), data, data, epochs=4, folder=tmp_path, monitor="val_accuracy", learning_rate=0.01)
    assert run.record["best"]["value"] == run.history["val_accuracy"].max()


def test_a_loss_that_is_no_number_stops_and_says_what_to_do(tmp_path):
    inputs, labels = make_data()
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(CLASSES), keras.layers.Softmax()])
    loss = keras.losses.MeanSquaredError()
    targets = np.eye(CLASSES, dtype="float32")[labels] * 1e30
    with pytest.raises(TrainingError, match=r"not a number in epoch 1.*learning rate below 1e\+?30"):
        fit(model, (inputs, targets), epochs=2, folder=tmp_path, optimizer="sgd", learning_rate=1e30, loss=loss)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["status"] == "failed" and record["settings"]["loss"] == "mean_squared_error"


def test_class_weights_move_the_predictions(tmp_path):
    inputs, labels = make_data(count=90)
    data = (inputs * 0.1, labels)
    counts = []
    for name, weights in (("plain", None), ("weighted", {2: 30.0})):
        model = make_model()
        fit(model, data, epochs=6, folder=tmp_path / name, class_weight=weights, learning_rate=0.02)
        counts.append(int((model.predict(data[0], verbose=0).argmax(1) == 2).sum()))
    assert counts[1] > counts[0] + 20


def test_a_sigmoid_output_trains_with_binary_cross_entropy(tmp_path):
    inputs, labels = make_data()
    many = np.eye(CLASSES, dtype="float32")[labels]
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(CLASSES, activation="sigmoid")])
    run = fit(model, (inputs, many), epochs=3, folder=tmp_path, learning_rate=0.05)
    assert run.record["settings"]["loss"] == "binary_crossentropy"
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0]
    with pytest.raises(TrainingError, match="0 and 1 as"):
        fit(model, (inputs, labels), epochs=3, folder=tmp_path / "other")
    with pytest.raises(TrainingError, match="class_weight"):
        fit(model, (inputs, many), epochs=3, folder=tmp_path / "other", class_weight={0: 2.0})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": "adamm"}, "optimizer 'adamm' is unknown: use one of sgd"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"early_stopping": 0}, "early_stopping is 0"),
        ({"monitor": "val_loss"}, "needs validation data"),
        ({"monitor": "sharpness"}, "monitor 'sharpness' is not in the history: use one of .*loss"),
        ({"class_weight": {5: 1.0}}, "class 5 has no meaning"),
        ({"train": (np.zeros((4, WIDTH), "float32"), np.array([0, 1, 2, 3]))}, "labels run from 0 to 3"),
        ({"train": (np.zeros((4, WIDTH), "float32"), np.array([0, 1]))}, "4 inputs and 2 labels"),
        ({"train": (np.full((2, WIDTH), np.nan), np.array([0, 1]))}, "example 0 has NaN"),
        ({"train": "images"}, "training data is a str"),
    ],
)
def test_settings_without_sense_are_refused_in_one_line(tmp_path, change, words):
    arguments = {"train": make_data(), "epochs": 1, "folder": tmp_path} | change
    with pytest.raises(TrainingError, match=words) as caught:
        fit(make_model(), **arguments)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="file.*cannot be written"):
        fit(make_model(), make_data(), epochs=1, folder=tmp_path / "file")


def test_a_broken_checkpoint_is_named_and_kept(tmp_path):
    (tmp_path / "last.weights.h5").write_bytes(b"no HDF5")
    with pytest.raises(TrainingError, match="is no checkpoint of fit.*move it away"):
        fit(make_model(), make_data(), epochs=1, folder=tmp_path)
    assert (tmp_path / "last.weights.h5").read_bytes() == b"no HDF5"


def test_mixed_precision_and_compilation_stay_off_on_a_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling_module, "has_accelerator", lambda: False)
    run = fit(make_model(), make_data(), epochs=1, folder=tmp_path, mixed_precision=True, jit_compile=True)
    assert not run.record["settings"]["mixed_precision"] and not run.record["settings"]["jit_compile"]


def test_mixed_precision_trains_and_resumes_where_there_is_an_accelerator(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling_module, "has_accelerator", lambda: True)
    for epochs in (1, 3):
        model = make_model()
        run = fit(model, make_data(), epochs=epochs, folder=tmp_path, mixed_precision=True, learning_rate=0.01)
    assert model.layers[0].compute_dtype == "float16" and model.layers[-1].compute_dtype == "float32"
    assert model.layers[0].kernel.dtype == "float32"
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0]


def several_labels(count=160):
    """Draw inputs whose first three numbers decide three labels, each for itself."""
    inputs = np.random.default_rng(1).normal(size=(count, WIDTH)).astype("float32")
    return inputs, (inputs[:, :3] > 0).astype("float32")


def multilabel_model():
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(CLASSES, activation="sigmoid")])


def test_several_labels_are_learned_each_for_itself(tmp_path):
    inputs, hot = several_labels()
    model = multilabel_model()
    run = fit(model, (inputs, hot), (inputs, hot), epochs=25, folder=tmp_path, learning_rate=0.1)
    given = model.predict(inputs, verbose=0) >= 0.5
    assert (given == (hot > 0)).mean() > 0.97 and (given.sum(axis=1) == 3).any() and (given.sum(axis=1) == 0).any()
    assert run.record["settings"]["loss"] == "binary_crossentropy"
    # not the position of the largest entry, which Keras would compare
    assert run.history["val_accuracy"].iloc[-1] == pytest.approx((given == (hot > 0)).mean(), abs=1e-6)


def test_labels_of_the_wrong_kind_are_refused_for_arrays_and_for_streams(tmp_path):
    inputs, hot = several_labels()

    class Hot(Stream):
        def __init__(self, labels):
            super().__init__()
            self.inputs, self.labels = inputs, labels

    for data in ((inputs, hot), Hot(hot)):
        with pytest.raises(TrainingError, match="multilabel=True"):
            fit(make_model(), data, epochs=1, folder=tmp_path / "softmax")
    for wrong in (hot.argmax(axis=1), hot[:, :2], hot * 2):
        for data in ((inputs, wrong), Hot(wrong)):
            with pytest.raises(TrainingError, match="0 and 1 as"):
                fit(multilabel_model(), data, epochs=1, folder=tmp_path / "sigmoid")
    with pytest.raises(TrainingError, match="no one class to be weighed by"):
        fit(multilabel_model(), (inputs, hot), epochs=1, folder=tmp_path / "weights", class_weight={0: 2.0})


def test_a_stream_whose_end_is_not_known_trains_as_the_same_arrays_do(tmp_path):
    inputs, labels = make_data(50)

    class Endless(Stream):  # 16 do not divide 50, and a filter does not tell its length
        batch = 16

        def __len__(self):
            return 50

        def epoch(self, index):
            stream = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(self.batch)
            return stream.filter(lambda *examples: True)

    def last_loss(data, folder, **settings):
        model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(CLASSES, "softmax")])
        model.set_weights([np.full(weight.shape, 0.1, "float32") for weight in model.get_weights()])
        fit(model, data, epochs=4, learning_rate=0.05, folder=tmp_path / folder, **settings)
        return int(model.optimizer.iterations), model.get_weights()[0]

    streamed, in_memory = last_loss(Endless(), "stream"), last_loss((inputs, labels), "arrays", batch=16, shuffle=False)
    assert streamed[0] == in_memory[0] == 16
    np.testing.assert_allclose(streamed[1], in_memory[1], atol=1e-5)
