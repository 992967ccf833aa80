"""Run records: JSON that any reader takes, tables from many of them, and nothing lost on the way."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from mpii_lib.errors import TrainingError
from mpii_lib.training import add_scores, read_predictions, read_record, read_records, write_record


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


def test_a_record_is_json_without_nan(tmp_path):
    values = {"a": np.float32(0.5), "b": math.nan, "c": np.array([1, 2]), "d": tmp_path, "e": {3, 1}, "f": np.bool_(1)}
    path = write_record(tmp_path / "new" / "run", {"history": {}, "hyperparameters": values | {"g": [math.inf, None]}})

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    read = json.loads(path.read_text(), parse_constant=refuse)["hyperparameters"]
    assert read == {"a": 0.5, "b": None, "c": [1, 2], "d": str(tmp_path), "e": [1, 3], "f": True, "g": [None, None]}
    assert [item.name for item in path.parent.iterdir()] == ["run.json"]


def test_a_failed_writing_leaves_the_old_record(tmp_path):
    write_record(tmp_path, a_record())
    before = (tmp_path / "run.json").read_text()
    with pytest.raises(RecursionError):
        loop = {}
        loop["self"] = loop
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


def test_unreadable_records_are_left_out_and_listed(tmp_path):
    write_record(tmp_path / "good", a_record())
    for name, text in (
        ("torn", '{"status": "comp'),
        ("list", "[1, 2]"),
        ("bare", "{}"),
        ("odd", '{"history": {"a": 1}}'),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
    (tmp_path / "bytes").mkdir()
    (tmp_path / "bytes" / "run.json").write_bytes(b"\xff\xfe\x00")
    table = read_records(tmp_path)
    assert table["run"].tolist() == ["good"]
    skipped = table.attrs["skipped"]
    assert len(skipped) == 5 and all(reason and "\n" not in reason for _, reason in skipped)


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
        write_record(tmp_path / "file", {})
