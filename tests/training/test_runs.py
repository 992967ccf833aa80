"""A grid is a loop: each setting has its folder, what is finished is kept, failures are written down."""

import pytest
from sklearn.model_selection import ParameterGrid

from mpii_lib.errors import TrainingError
from mpii_lib.training import attempt, read_record, read_records, run_folder, write_record


def test_a_folder_stands_for_its_hyperparameters(tmp_path, monkeypatch):
    one = run_folder(tmp_path, "grid", {"a": 1, "b": ("last", 7)})
    assert one.parent == tmp_path and one.name.startswith("grid-")
    assert one == run_folder(tmp_path, "grid", {"b": ["last", 7], "a": 1})
    assert one != run_folder(tmp_path, "grid", {"a": 2, "b": ("last", 7)})
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path / "cache"))
    assert run_folder("", "grid", {}).parent == tmp_path / "cache" / "runs"


def test_a_grid_trains_what_is_missing_and_records_what_fails(tmp_path):
    grid = list(ParameterGrid({"learning_rate": [0.1, 0.2], "seed": [0, 1]}))
    folders = [run_folder(tmp_path, "grid", setting) for setting in grid]
    trained, broken = [], {"now": True}

    def train_one(folder, learning_rate, seed):
        trained.append((learning_rate, seed))
        if broken["now"] and (learning_rate, seed) == (0.2, 0):
            raise MemoryError("too large")
        history = {"epoch": [1], "val_accuracy": [learning_rate + seed]}
        hyperparameters = {"learning_rate": learning_rate, "seed": seed}
        write_record(folder, {"status": "complete", "hyperparameters": hyperparameters, "history": history})

    for folder, setting in zip(folders, grid, strict=True):
        attempt(train_one, folder, **setting)
    table = read_records(folders)
    assert table["status"].tolist() == ["complete", "complete", "failed", "complete"] and len(trained) == 4
    assert table["error"].tolist()[2] == "MemoryError: too large" and table["learning_rate"].tolist()[2] == 0.2
    assert table["folder"].tolist() == [str(folder) for folder in folders]

    broken["now"] = False
    for folder, setting in zip(folders, grid, strict=True):
        attempt(train_one, folder, **setting)
    assert trained[4:] == [(0.2, 0)] and set(read_records(folders)["status"]) == {"complete"}


def test_a_record_that_a_copy_broke_is_trained_again_and_an_interrupt_goes_through(tmp_path):
    (tmp_path / "run.json").write_text('{"sta')

    def interrupted(folder):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted, tmp_path)
    attempt(lambda folder: write_record(folder, {"status": "complete", "history": {}}), tmp_path)
    assert read_record(tmp_path)["status"] == "complete"


def test_the_reason_stands_in_the_record_that_the_training_left(tmp_path):
    def fails_late(folder):
        write_record(folder, {"status": "running", "history": {"epoch": [1], "loss": [2.0]}})
        raise TrainingError("loss is not a number")

    attempt(fails_late, tmp_path)
    record = read_record(tmp_path)
    assert record["status"] == "failed" and record["history"]["loss"] == [2.0]
    assert record["error"] == "TrainingError: loss is not a number"
