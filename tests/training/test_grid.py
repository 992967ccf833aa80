"""A grid of runs: nothing is trained twice, a kill loses one epoch, a failure one run, and the spread decides."""

import json
import os
import signal
import subprocess
import sys
import textwrap

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mpii_lib.training import (
    TrainingError,
    combine,
    compare_settings,
    read_grid,
    read_record,
    read_records,
    run_grid,
    spread_table,
    vary,
    weights_note,
    write_record,
)

BASE = {"batch": 30, "optimizer": "adam"}


def write_run(run, value, status="complete", weights="sample"):
    """Write the record that a training with this validation accuracy would leave."""
    history = {"epoch": [1], "val_accuracy": [value], "seconds": [0.1]}
    record = {"status": status, "parameters": run.parameters, "model": {"weights": weights, "backbone": "Xception"}}
    write_record(run.folder, {**record, "history": history, "kept_epoch": 1, "seconds": 0.1})


def runs_table(values, weights="sample"):
    """Make a table of finished runs: setting -> one value for each seed."""
    rows = [
        {
            "batch": batch,
            "seed": seed,
            "status": "complete",
            "weights": weights,
            "val_accuracy": value,
        }
        for batch, column in values.items()
        for seed, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_vary_changes_one_thing_at_a_time_and_combine_makes_the_product():
    assert vary(BASE, batch=[30, 100], optimizer=["sgd"]) == [
        BASE,
        {"batch": 100, "optimizer": "adam"},
        {"batch": 30, "optimizer": "sgd"},
    ]
    assert len(combine(BASE, batch=[30, 100], optimizer=["sgd", "adam", "nesterov"])) == 6
    with pytest.raises(TrainingError, match="'epochs' is not in the base"):
        vary(BASE, epochs=[10])


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    trained = []

    def train(run):
        trained.append((run.setting["batch"], run.seed))
        write_run(run, 0.5 + run.seed / 100)

    settings = vary(BASE, batch=[100])
    options = {"name": "grid", "runs": tmp_path, "about": {"data": "toy"}}
    table = run_grid(train, settings, seeds=(0, 1), **options)
    assert trained == [(30, 0), (100, 0), (30, 1), (100, 1)]  # a whole repeat before the next one
    assert table[["batch", "seed"]].to_numpy().tolist() == [[30, 0], [30, 1], [100, 0], [100, 1]]
    assert table.val_accuracy.tolist() == [0.5, 0.51, 0.5, 0.51]
    pd.testing.assert_frame_equal(run_grid(train, settings, seeds=(0, 1), **options), table)
    assert len(trained) == 4
    run_grid(train, settings, seeds=(0, 1, 2), **options)  # one repeat more trains that repeat alone
    assert trained[4:] == [(30, 2), (100, 2)]
    assert read_grid(settings, seeds=(0, 7), **options).status.tolist() == ["complete", "missing"] * 2
    assert read_grid(settings, name="grid", runs=tmp_path, about={"data": "other"}).status.unique() == ["missing"]


def test_a_failing_setting_is_recorded_and_tried_again_and_the_others_go_on(tmp_path):
    def train(run, broken=True):
        if broken and run.setting["optimizer"] == "sgd":
            raise MemoryError("no memory for 100 pictures")
        write_run(run, 0.5)

    settings = vary(BASE, optimizer=["sgd", "nesterov"])
    table = run_grid(train, settings, name="grid", runs=tmp_path, seeds=[0])
    assert table.status.tolist() == ["complete", "failed", "complete"]
    assert table.error.tolist() == ["", "MemoryError: no memory for 100 pictures", ""]
    assert read_record(table.folder[1])["parameters"]["optimizer"] == "sgd"
    assert len(read_records(tmp_path)) == 3
    spread = spread_table(table, "optimizer")
    assert spread.loc["sgd", ["repeats", "not finished", "weights"]].tolist() == [0, 1, "no run"]
    again = run_grid(lambda run: train(run, broken=False), settings, name="grid", runs=tmp_path, seeds=[0])
    assert again.status.tolist() == ["complete"] * 3 and again.error.tolist() == [""] * 3


def test_an_interrupt_ends_the_grid(tmp_path):
    def train(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_grid(train, [BASE], name="grid", runs=tmp_path)


def test_an_unreadable_record_is_trained_again(tmp_path):
    options = {"name": "grid", "runs": tmp_path, "seeds": [0]}
    folder = run_grid(lambda run: write_run(run, 0.5), [BASE], **options).folder[0]
    (tmp_path / os.path.basename(folder) / "run.json").write_text("{")
    assert read_grid([BASE], **options).status.tolist() == ["unreadable"]
    assert run_grid(lambda run: write_run(run, 0.6), [BASE], **options).val_accuracy.tolist() == [0.6]


@pytest.mark.parametrize(("settings", "seeds"), [([], [0]), ([BASE], []), ([BASE, dict(BASE)], [0]), ([BASE], [1, 1])])
def test_a_grid_of_nothing_or_of_the_same_twice_is_refused(tmp_path, settings, seeds):
    with pytest.raises(TrainingError, match="grid 'grid': "):
        run_grid(lambda run: None, settings, name="grid", runs=tmp_path, seeds=seeds)


SCRIPT = """
    import json, os, signal, sys
    import numpy as np
    from mpii_lib._keras import keras
    from mpii_lib.training import fit, run_grid, vary

    runs, kill = sys.argv[1], sys.argv[2] == "kill"
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    inputs = rng.normal(size=(60, 4)).astype("float32") + labels[:, None]
    calls = []

    class Killer(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    def train(run):
        calls.append(run.setting["batch"])
        keras.utils.set_random_seed(run.seed)
        layers = [keras.Input((4,)), keras.layers.Dropout(0.3), keras.layers.Dense(3, "softmax")]
        model = keras.Sequential(layers)
        if kill and len(calls) == 2:  # the second of three runs dies in its third epoch
            own = model.fit
            model.fit = lambda **given: own(**{**given, "callbacks": [*given["callbacks"], Killer()]})
        settings = {"batch": run.setting["batch"], "seed": run.seed, "parameters": run.parameters}
        fit(model, (inputs, labels), (inputs, labels), epochs=4, folder=run.folder, **settings)

    table = run_grid(train, vary({"batch": 20}, batch=[30, 60]), name="grid", runs=runs, seeds=[0])
    print(json.dumps({"calls": calls, "loss": table.val_loss.tolist(), "status": table.status.tolist()}))
"""


def test_a_kill_in_the_second_run_of_three_changes_no_result(tmp_path):
    def go(folder, kill):
        command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / folder), kill]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})

    assert go("broken", "kill").returncode == -signal.SIGKILL
    statuses = sorted(json.loads(path.read_text())["status"] for path in tmp_path.glob("broken/*/run.json"))
    assert statuses == ["complete", "running"]
    taken_up = json.loads(go("broken", "").stdout.splitlines()[-1])
    unbroken = json.loads(go("whole", "").stdout.splitlines()[-1])
    assert taken_up["calls"] == [30, 60] and unbroken["calls"] == [20, 30, 60]
    assert taken_up["status"] == ["complete"] * 3
    np.testing.assert_allclose(taken_up["loss"], unbroken["loss"], rtol=1e-6)


def test_the_spread_is_the_sample_standard_deviation_of_finished_runs():
    table = runs_table({30: [0.4, 0.5, 0.6], 100: [0.7, 0.7, 0.9]})
    table.loc[5, "status"] = "interrupted"
    spread = spread_table(table, "batch")
    assert spread.repeats.tolist() == [3, 2] and spread["not finished"].tolist() == [0, 1]
    np.testing.assert_allclose(spread["val_accuracy"], [0.5, 0.7])
    np.testing.assert_allclose(spread["val_accuracy std"], [0.1, 0], atol=1e-12)
    assert np.isnan(spread_table(table[:1], ["batch"])["val_accuracy std"].iloc[0])
    assert spread_table(table, ["batch", "seed"]).index.names == ["batch", "seed"]
    with pytest.raises(TrainingError, match="no column 'optimizer'"):
        spread_table(table, "optimizer")


def test_differences_are_paired_by_seed_with_students_interval():
    # the seed moves both settings a lot, the setting moves every seed a little
    table = runs_table({30: [0.40, 0.60, 0.50, 0.70], 100: [0.45, 0.64, 0.56, 0.75]})
    row = compare_settings(table, {"batch": 30}).loc["batch 100"]
    reference = stats.ttest_rel([0.45, 0.64, 0.56, 0.75], [0.40, 0.60, 0.50, 0.70]).confidence_interval(0.95)
    np.testing.assert_allclose([row.low, row.high], reference)
    assert row.verdict == "higher" and row.repeats == 4 and row.difference == pytest.approx(0.05)
    shuffled = compare_settings(table.sample(frac=1, random_state=0), {"batch": 30})
    assert shuffled.loc["batch 100", "low"] == pytest.approx(row.low)
    assert compare_settings(table, {"batch": 100}).loc["batch 30", "verdict"] == "lower"


def test_few_repeats_and_differences_within_the_spread_decide_nothing():
    table = runs_table({30: [0.4, 0.6, 0.5], 100: [0.6, 0.5, 0.6], 50: [0.9, 0.9, np.nan], 10: [0.5, 0.7, 0.6]})
    verdicts = compare_settings(table, {"batch": 30}).verdict
    assert verdicts.to_dict() == {
        "batch 100": "within the spread",
        "batch 50": "too few repeats",
        "batch 10": "no spread seen",
    }
    with pytest.raises(TrainingError, match="no finished run is of the baseline"):
        compare_settings(table, {"batch": 31})
    with pytest.raises(TrainingError, match="level is 95"):
        compare_settings(table, {"batch": 30}, level=95)


def test_tables_that_mix_weights_say_so(tmp_path):
    same = runs_table({30: [0.5, 0.6, 0.7]})
    other = runs_table({100: [0.7, 0.8, 0.8]}, weights="imagenet")
    mixed = pd.concat([same, other], ignore_index=True)
    assert weights_note(same) == "Weights of all 3 runs: sample."
    assert weights_note(mixed).startswith("This table mixes weights: sample (3 runs), imagenet (3 runs).")
    assert "not said (3 runs)" in weights_note(mixed.assign(weights=["sample"] * 3 + [None] * 3))
    assert spread_table(mixed.assign(all="x"), "all").weights.tolist() == ["sample + imagenet"]
    assert compare_settings(mixed, {"batch": 30}).weights.tolist() == ["sample + imagenet"]
    assert "weights" in read_records(tmp_path).columns
    write_record(tmp_path / "told", {"history": {}, "parameters": {"weights": "imagenet"}})
    write_record(tmp_path / "silent", {"history": {}})
    assert read_records(tmp_path).set_index("run").weights.fillna("-").to_dict() == {"told": "imagenet", "silent": "-"}
