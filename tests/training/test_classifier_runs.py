"""The trainer of grids: frozen fronts run once and change nothing, and every knob of the report does something."""

import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest

from mpii_course.sample import make_sample
from mpii_lib._keras import keras
from mpii_lib.datasets import split_images
from mpii_lib.training import ClassifierTrainer, TrainingError, extract_features, fit, run_grid, vary
from mpii_lib.training.classifier_runs import read_knobs
from mpii_lib.training.frozen_front import REST, frozen_front

SIZE = 12


def make_classifier(learning=("late",), seed=0):
    """Build a classifier whose backbone has two sums: one in its front, one that reaches around the layer "late"."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    maps = keras.Input((SIZE, SIZE, 3))
    early = layers.Conv2D(4, 3, padding="same", activation="relu", name="early")(maps)
    flow = layers.Add(name="sum")([early, layers.Conv2D(4, 1, name="middle")(early)])
    late = layers.Conv2D(4, 3, padding="same", activation="relu", name="late")(flow)
    backbone = keras.Model(maps, layers.Add(name="end")([flow, late]), name="backbone")
    for layer in backbone.layers:
        layer.trainable = layer.name in learning
    pictures = keras.Input((SIZE, SIZE, 3))
    prepared = layers.Rescaling(1 / 255, name="preprocessing")(pictures)
    rows = layers.Flatten(name="features")(backbone(prepared))
    return keras.Model(pictures, layers.Dense(3, "softmax", name="predictions")(rows))


@pytest.mark.parametrize(
    ("learning", "end"), [(("late",), "sum"), ((), "features"), (("middle",), "early"), (("late", "middle"), "early")]
)
def test_the_front_ends_where_everything_passes_and_nothing_before_it_learns(learning, end):
    model = make_classifier(learning)
    front, rest = frozen_front(model)
    wanted = model if end == "features" else model.get_layer("backbone")
    assert tuple(front.output.shape) == tuple(wanted.get_layer(end).output.shape)
    pictures = np.random.default_rng(0).uniform(0, 255, (5, SIZE, SIZE, 3)).astype("float32")
    rows = extract_features(front, (pictures, np.zeros(5, "int32")))
    np.testing.assert_allclose(rest(rows.features), model(pictures), atol=1e-5)
    assert len(rest.trainable_variables) == len(model.trainable_variables)


def test_there_is_no_front_where_the_first_layer_learns():
    assert frozen_front(make_classifier(("early",))) is None


def test_training_behind_the_front_trains_the_model_as_training_all_of_it_does(tmp_path):
    rng = np.random.default_rng(1)
    pictures, labels = rng.uniform(0, 255, (40, SIZE, SIZE, 3)).astype("float32"), rng.integers(0, 3, 40)
    whole, cut = make_classifier(), make_classifier()
    front, rest = frozen_front(cut)
    rest.provenance = {"trained_part": REST}
    rows = extract_features(front, (pictures, labels))
    first = fit(whole, (pictures, labels), epochs=3, batch=10, folder=tmp_path / "whole")
    second = fit(rest, rows, epochs=3, batch=10, folder=tmp_path / "rest")
    np.testing.assert_allclose(second.history.loss, first.history.loss, rtol=1e-4)
    np.testing.assert_allclose(cut(pictures[:5]), whole(pictures[:5]), atol=1e-4)
    np.testing.assert_allclose(second.load(make_classifier(seed=7))(pictures[:5]).shape, (5, 3))
    reloaded = second.load(make_classifier())
    np.testing.assert_allclose(reloaded(pictures[:5]), whole(pictures[:5]), atol=1e-4)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return make_sample(tmp_path_factory.mktemp("sample"), images=60, seed=0)


def test_a_grid_of_the_reports_knobs_gives_a_row_each_and_cached_fronts_change_nothing(sample, tmp_path):
    base = {"backbone": "VGG16", "freeze": "all", "epochs": 1, "batch": 16, "shuffle": False, "augment": "none"}
    settings = vary(base, freeze=[-2], augment=["alone", "appended"], shuffle=[True], epochs=[0])
    part = split_images(sample, seed=0)
    trainer = ClassifierTrainer(sample, part, size=(32, 32), redraw=False)
    table = run_grid(trainer, settings, name="grid", runs=tmp_path, seeds=[0])
    assert table.status.tolist() == ["complete"] * 5 + ["failed"] and "epochs is 0" in table.error.iloc[-1]
    assert table.weights.tolist()[:5] == ["sample"] * 5
    assert table.trained_part.notna().tolist() == [True] * 5 + [False]
    assert table.val_loss[:5].nunique() == 5  # every knob changes something
    no_memory = ClassifierTrainer(sample, part, size=(32, 32), memory_gib=0)
    slow = run_grid(no_memory, settings[1:2], name="slow", runs=tmp_path, seeds=[0])
    assert "trained_part" not in slow
    np.testing.assert_allclose(slow.val_loss.iloc[0], table.val_loss[1], rtol=1e-3)


def test_each_repeat_may_have_a_split_of_its_own(sample, tmp_path):
    seen = []

    def part(seed):
        seen.append(seed)
        return split_images(sample, seed=seed)

    setting = {"backbone": "VGG16", "epochs": 1}
    trainer = ClassifierTrainer(sample, part, size=(32, 32), cache=tmp_path / "features")
    table = run_grid(trainer, [setting], name="grid", runs=tmp_path, seeds=[0, 1])
    assert seen == [0, 1] and table.val_loss.nunique() == 2
    assert len(list((tmp_path / "features").glob("*.npz"))) == 1  # computed once for all splits


@pytest.mark.parametrize("head", ["flatten", "flatten-dense"])
def test_a_model_taken_again_is_as_a_new_one(sample, head):
    knobs = read_knobs({"backbone": "VGG16", "head": head, "freeze": -2})
    trainer = ClassifierTrainer(sample, split_images(sample, seed=0), size=(32, 32))
    first = trainer._model(knobs, 3, 0)[0]
    for variable in first.trainable_variables:
        variable.assign(variable + 1.0)  # trained
    again = trainer._model(knobs, 3, 1)[0]
    new = ClassifierTrainer(sample, trainer.part, size=(32, 32))._model(knobs, 3, 1)[0]
    assert again is first
    for mine, other in zip(again.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_knob_that_does_not_exist_is_named():
    with pytest.raises(TrainingError, match="knob 'momentum' is unknown"):
        read_knobs({"momentum": 0.9})
    with pytest.raises(TrainingError, match="augment is 'twice'"):
        read_knobs({"augment": "twice"})
    assert read_knobs({"freeze": ["last", 7]})["freeze"] == ("last", 7)
