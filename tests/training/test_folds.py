"""K-fold: folds that keep groups whole, and scores with mean and spread."""

import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from mpii_lib._keras import keras
from mpii_lib.training import TrainingError, kfold


def near_duplicates(groups=30, frames=4):
    """Make videos whose frames are almost the same, with labels that have nothing to do with their content."""
    generator = np.random.default_rng(0)
    video = np.repeat(np.arange(groups), frames)
    content = generator.normal(size=(groups, 5))[video]
    labels = np.repeat(generator.permutation(np.arange(groups) % 2), frames)
    return content + 0.01 * generator.normal(size=content.shape), labels, video


def test_folds_without_groups_show_the_leak_and_with_groups_do_not():
    inputs, labels, video = near_duplicates()
    leaking = kfold(lambda: KNeighborsClassifier(1), inputs, labels)
    honest = kfold(lambda: KNeighborsClassifier(1), inputs, labels, groups=video)
    assert leaking.loc["mean", "accuracy"] > 0.95
    assert honest.loc["mean", "accuracy"] < 0.7


def test_scores_come_with_mean_and_sample_standard_deviation():
    inputs, labels, video = near_duplicates()
    table = kfold(lambda: KNeighborsClassifier(3), inputs, labels, groups=video, folds=3)
    assert list(table.index) == ["1", "2", "3", "mean", "std"]
    folds = table.loc[["1", "2", "3"]]
    assert folds["held_out"].sum() == len(labels) and (folds["train"] + folds["held_out"] == len(labels)).all()
    assert table.loc["mean", "accuracy"] == pytest.approx(np.mean(folds["accuracy"]))
    assert table.loc["std", "macro_f1"] == pytest.approx(np.std(folds["macro_f1"], ddof=1))


def test_a_network_is_made_anew_for_each_fold_and_its_runs_are_kept(tmp_path):
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    inputs = (2 * labels[:, None] - 1 + 0.2 * generator.normal(size=(60, 3))).astype("float32")
    made = []

    def make_model():
        keras.utils.set_random_seed(0)
        made.append(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")]))
        return made[-1]

    table = kfold(make_model, inputs, labels, folds=2, folder=tmp_path, epochs=6, batch=8, learning_rate=0.1)
    assert len(made) == 2 and table.loc["mean", "accuracy"] > 0.9
    assert (tmp_path / "fold-2" / "run.json").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folds": 1}, "folds is 1"),
        ({"labels": np.zeros(3, int)}, "one label"),
        ({"groups": np.arange(120) % 2}, "give 2 to 2"),
        ({"labels": np.arange(120)}, "no class has 5 examples"),
    ],
)
def test_impossible_folds_are_refused(change, words):
    inputs, labels, _ = near_duplicates()
    arguments = {"features": inputs, "labels": labels} | change
    with pytest.raises(TrainingError, match=words):
        kfold(lambda: KNeighborsClassifier(1), **arguments)
