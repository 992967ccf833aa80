"""Run records: JSON that any reader takes, tables from many of them, and nothing lost on the way."""

import json
import math
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mpii_lib.errors import MpiiError, TrainingError
from mpii_lib.training import add_scores, read_predictions, read_record, read_records, run_folder, write_record
from mpii_lib.training.records import peak_memory_mib


def a_record(**changes):
    history = {"epoch": [1, 2, 3], "loss": [1.0, 0.5, 0.4], "val_accuracy": [0.4, 0.7, 0.6], "seconds": [1, 1, 1]}
    return {
        "status": "complete",
        "hyperparameters": {"backbone": "VGG16", "seed": 5, "epochs": 3},
        "training": {"optimizer": "adam", "seed": 0, "epochs": 3, "batch_size": 32},
        "model": {"weights": "sample"},
        "history": history,
        "best": {"epoch": 2, "monitor": "val_accuracy", "value": 0.7},
        "kept_epoch": 2,
        "seconds": 3.0,
        "peak_memory_mib": 900.0,
    } | changes


def test_reading_records_needs_no_keras():
    code = "import sys, mpii_lib.training as t; t.read_records('.'); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def strictly(path):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)


PLAIN = [
    (np.float32(0.5), 0.5),
    (np.longdouble(0.5), 0.5),
    (np.int64(3), 3),
    (np.bool_(1), True),
    (np.array([1, 2]), [1, 2]),
    (pd.Series([1.5]), [1.5]),
    ({3, 1}, [1, 3]),
    (("last", 7), ["last", 7]),
    (math.nan, None),
    ([np.float64(math.inf), pd.NA, pd.NaT, -math.inf], [None] * 4),
    (Path("a/b"), "a/b"),
    (date(2020, 1, 2), "2020-01-02"),
    ({1: {"a": np.uint8(2)}}, {"1": {"a": 2}}),
    ("\udcff.png", "\\udcff.png"),  # the name of a file that is no UTF-8
    ({"\udcff": Path("\udcff")}, {"\\udcff": "\\udcff"}),
    (2**70, 2**70),
]


def test_a_record_is_strict_json_whatever_it_was_given(tmp_path):
    given = {f"value{number}": value for number, (value, _) in enumerate(PLAIN)}
    path = write_record(tmp_path / "new" / "run", {"history": {}, "hyperparameters": given})
    assert list(strictly(path)["hyperparameters"].values()) == [wanted for _, wanted in PLAIN]
    assert [item.name for item in path.parent.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "value",
    [object(), 1j, b"bytes", len, [1, {"deep": TrainingError}], 10**5000],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_hold_is_named(tmp_path, value):
    for write in (
        lambda: write_record(tmp_path, {"history": {}, "hyperparameters": {"odd one": value}}),
        lambda: run_folder(tmp_path, "grid", {"odd one": value}),
    ):
        with pytest.raises(TrainingError, match="odd one|4300 digits") as caught:
            write()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert not list(tmp_path.iterdir())


def test_a_failed_writing_leaves_the_old_record(tmp_path):
    write_record(tmp_path, a_record())
    before = (tmp_path / "run.json").read_text()
    loop = {}
    loop["self"] = loop
    with pytest.raises(TrainingError, match="recursion"):
        write_record(tmp_path, loop)
    assert (tmp_path / "run.json").read_text() == before


def test_records_become_one_table_with_the_values_of_the_kept_epoch(tmp_path):
    write_record(tmp_path / "b" / "two", a_record(kept_epoch=3))
    write_record(tmp_path / "a", a_record())
    add_scores(tmp_path / "a", "test", {"accuracy": 0.65})
    table = read_records(tmp_path).set_index("run")
    assert list(table.index) == ["a", "b/two"]
    assert table["val_accuracy"].tolist() == [0.7, 0.6] and table["loss"].tolist() == [0.5, 0.4]
    assert table.loc["a", "test.accuracy"] == 0.65 and math.isnan(table.loc["b/two", "test.accuracy"])
    row = table.loc["a"]
    assert (row["backbone"], row["weights"], row["seed"], row["hyperparameters.seed"]) == ("VGG16", "sample", 0, 5)
    assert (row["epochs"], row["epochs_run"], row["best_epoch"]) == (3, 3, 2) and "hyperparameters.epochs" not in table
    listed = read_records([tmp_path / "b", tmp_path / "a"])
    assert listed["run"].tolist() == ["two", "a"]


def test_a_hyperparameter_named_run_hides_no_run(tmp_path):
    write_record(tmp_path / "first", a_record(hyperparameters={"run": 3, "folder": "x", "status": "bad"}))
    row = read_records(tmp_path).iloc[0]
    assert (row["run"], row["folder"]) == ("first", str(tmp_path / "first"))
    assert (row["status"], row["hyperparameters.status"]) == ("complete", "bad")


DAMAGED = {
    '{"status": "comp': "not a run record",
    "[1, 2]": "field history is None",
    "{}": "field history is None",
    "[" * 100_000: "recursion",
    '{"history": {"a": 1}}': "field history.a is 1",
    '{"history": {"a": null}}': "field history.a is None",
    '{"history": {"a": ["x"]}}': "field history.a is 'x'",
    '{"history": {"a": [true]}}': "field history.a is True",
    '{"history": {"a": [1], "b": [1, 2]}}': "field history.a",
    '{"history": {}, "status": 3}': "field status is 3",
    '{"history": {}, "error": []}': r"field error is \[\]",
    '{"history": {}, "model": "VGG16"}': "field model is 'VGG16'",
    '{"history": {}, "training": null}': "field training is None",
    '{"history": {}, "hyperparameters": [1]}': r"field hyperparameters is \[1\]",
    '{"history": {}, "kept_epoch": 1.5}': "field kept_epoch is 1.5",
    '{"history": {}, "kept_epoch": ' + "9" * 5000 + "}": "field kept_epoch is inf",
    '{"history": {}, "best": {"epoch": "two"}}': r"field best is \{'epoch': 'two'\}",
    '{"history": {}, "scores": {"test": 0.5}}': "field scores.test is 0.5",
    '{"history": {}, "scores": {"test": {"accuracy": [1]}}}': "field scores.test.accuracy is",
    '{"history": {}, "seconds": "long"}': "field seconds is 'long'",
    '{"history": {}, "peak_memory_mib": {}}': r"field peak_memory_mib is \{\}",
    b"\xff\xfe\x00": "not a run record",
    '{"history": {}, "status": "\\ud800"}': "not a run record .*surrogates not allowed",
    '{"history": {}, "status": "' + "x" * 5000 + '"': "not a run record",
}


def test_a_damaged_record_is_named_with_its_field(tmp_path):
    write_record(tmp_path / "good", a_record())
    for number, (text, words) in enumerate(DAMAGED.items()):
        folder = tmp_path / f"bad{number:02}"
        folder.mkdir()
        (folder / "run.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(TrainingError, match=words) as caught:
            read_record(folder)
        assert str(caught.value).startswith(str(folder / "run.json"))
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / "run.json")
    table = read_records(tmp_path)
    assert table["run"].tolist() == ["good"] and len(table.attrs["skipped"]) == len(DAMAGED) + 1


def test_numbers_without_bound_and_losses_that_are_none_are_read(tmp_path):
    history = {"epoch": [1, 2], "loss": [0.5, math.nan], "val_loss": [10**30, 0.25]}
    write_record(tmp_path, a_record(history=history, hyperparameters={"seed": 10**400}, error="loss is not a number"))
    row = read_records(tmp_path).iloc[0]
    assert math.isnan(row["loss"]) and row["val_loss"] == 0.25 and row["error"] == "loss is not a number"
    assert read_record(tmp_path)["history"] == {"epoch": [1, 2], "loss": [0.5, None], "val_loss": [1e30, 0.25]}


VALUES = [None, True, 0, -1, 2**70, 10**400, 1e308, "text", "\ud800", [], [[]], {}, {"": {}}, [None, "a"], "x" * 3000]


def damage(record, chance):
    """Change a record here and there: a value, a name, a length; then perhaps a few bytes of the text."""
    places = [(record, key) for key in record]
    for _ in range(chance.randint(1, 4)):
        holder, key = chance.choice(places)
        while isinstance(holder[key], dict | list) and len(holder[key]) and chance.random() < 0.7:
            holder = holder[key]
            key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if chance.random() < 0.3:
            del holder[key]
        elif isinstance(holder, dict) and chance.random() < 0.3:
            holder[chance.choice(["run", "folder", "epoch", "", "\n", "loss", "status"])] = holder.pop(key)
        else:
            holder[key] = chance.choice(VALUES)
        places = [(record, key) for key in record] or [(record.setdefault("history", {}) and record, "history")]
    data = bytearray(json.dumps(record).encode())
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data[: chance.randint(1, len(data))] if chance.random() < 0.05 else data)


def test_no_record_brings_another_error_than_the_librarys(tmp_path):
    """MPII_FUZZ=5000 tries as many."""
    outcomes = {"read": 0, "refused": 0}
    for seed in range(int(os.environ.get("MPII_FUZZ", 300))):
        data = damage(json.loads(json.dumps(a_record(scores={"test": {"accuracy": 0.5}}))), random.Random(seed))
        (tmp_path / "run.json").write_bytes(data)
        try:
            read_record(tmp_path)
            outcomes["read"] += 1
        except TrainingError as error:
            assert "\n" not in str(error) and len(str(error)) < 400 and "run.json" in str(error), (seed, error)
            outcomes["refused"] += 1
        table = read_records(tmp_path)  # must not fail on what read_record lets through
        assert len(table) + len(table.attrs["skipped"]) == 1, seed
    print(outcomes)
    assert min(outcomes.values()) > 0.2 * sum(outcomes.values()), outcomes


def test_a_folder_without_records_gives_an_empty_table(tmp_path):
    assert len(read_records(tmp_path)) == 0 and "run" in read_records(tmp_path).columns


def test_scores_and_predictions_stay_with_the_run(tmp_path):
    write_record(tmp_path, a_record())
    arrays = {
        "labels": np.array([0, 1]),
        "probabilities": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "image_ids": np.array([7, 9]),
    }
    add_scores(tmp_path, "test", {"accuracy": 1.0, "top_5": math.nan}, classes=["dancing", "walking"], **arrays)
    add_scores(tmp_path, "validation", {"accuracy": 0.5})
    scores = read_record(tmp_path)["scores"]
    assert scores == {"test": {"accuracy": 1.0, "top_5": None}, "validation": {"accuracy": 0.5}}
    stored = read_predictions(tmp_path, "test")
    assert stored["classes"].tolist() == ["dancing", "walking"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(stored[name], array)


def test_what_is_missing_or_broken_is_said_in_one_line(tmp_path):
    with pytest.raises(TrainingError, match="no run record here"):
        add_scores(tmp_path, "test", {})
    write_record(tmp_path, a_record())
    with pytest.raises(TrainingError, match="no predictions stored"):
        read_predictions(tmp_path)
    for broken, words in ((b"PK broken", "cannot be read"), (b"nonsense", "it is no .npz archive.; delete it")):
        (tmp_path / "predictions-test.npz").write_bytes(broken)
        with pytest.raises(TrainingError, match=words):
            read_predictions(tmp_path)
    with pytest.raises(TrainingError, match="plain word"):
        add_scores(tmp_path, "../test", {})
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        write_record(tmp_path / "file", {"history": {}})
    with pytest.raises(TrainingError, match="scores: accuracy is 1j; give a number"):
        add_scores(tmp_path, "test", {"accuracy": 1j})
    assert read_record(tmp_path).get("scores") is None


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": [0, 1], "probabilities": np.eye(3)},
        {"labels": [[0], [1, 2]]},
        {"probabilities": [0.5, 0.5]},
        {"probabilities": np.eye(2), "classes": ["a", "b", "c"]},
        {"labels": [0, 1], "image_ids": [1.5, 2.5]},
        {"labels": np.array([None, object()])},
        {"weights": np.zeros(3)},
    ],
)
def test_predictions_that_do_not_belong_together_are_refused(tmp_path, arrays):
    write_record(tmp_path, a_record())
    if "weights" not in arrays:
        with pytest.raises(MpiiError, match="predictions-test.npz|add_scores"):
            add_scores(tmp_path, "test", {}, **arrays)
        assert not (tmp_path / "predictions-test.npz").exists()
    if isinstance(next(iter(arrays.values())), np.ndarray):
        np.savez(tmp_path / "predictions-test.npz", **arrays)
        with pytest.raises(TrainingError, match="predictions-test.npz"):
            read_predictions(tmp_path)


def test_no_damaged_predictions_bring_another_error_than_the_librarys(tmp_path):
    """MPII_FUZZ=5000 tries as many."""
    write_record(tmp_path, a_record())
    add_scores(tmp_path, "test", {}, labels=[0, 1], probabilities=np.eye(2), classes=["a", "b"], image_ids=[3, 4])
    path = tmp_path / "predictions-test.npz"
    whole, chance, refused = path.read_bytes(), random.Random(0), 0
    for number in range(int(os.environ.get("MPII_FUZZ", 300))):
        data = bytearray(whole[: chance.randint(0, len(whole))] if number % 9 == 0 else whole)
        for _ in range(chance.randint(1, 6) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            read_predictions(tmp_path)
        except TrainingError as error:
            assert "\n" not in str(error) and len(str(error)) < 400 and path.name in str(error), (number, error)
            refused += 1
    assert refused > 100


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="elsewhere the system tells no better")
def test_the_peak_memory_is_that_of_the_process_and_not_of_the_one_that_started_it():
    ballast = np.ones(75_000_000)
    assert peak_memory_mib() > ballast.nbytes / 2**20
    code = "from mpii_lib.training.records import peak_memory_mib as peak; print(peak())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 10 < float(child.stdout) < 400
