"""Cached features: computed once, never stale, and a head trained on them is the head of the whole classifier."""

import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.training import TrainingError, extract_features, fit, fit_head, read_record
from mpii_lib.training import features as features_module

SIZE, CLASSES = 8, 3


def make_pictures(count=42, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, count).astype("int32")
    pictures = generator.uniform(0, 120, (count, SIZE, SIZE, 3)).astype("float32")
    pictures[np.arange(count), ..., labels] += 100  # the class is a colour
    return pictures, labels


def make_classifier(seed=0, offset=-1.0):
    """Build a classifier in the structure of `build_classifier`, with a backbone of one convolution."""
    keras.utils.set_random_seed(seed)
    maps = keras.Input((SIZE, SIZE, 3))
    backbone = keras.Model(maps, keras.layers.Conv2D(4, 3, activation="relu")(maps), name="backbone")
    backbone.trainable = False
    pictures = keras.Input((SIZE, SIZE, 3))
    flow = keras.layers.Rescaling(1 / 127.5, offset=offset, name="preprocessing")(pictures)
    flow = keras.layers.GlobalAveragePooling2D(name="features")(backbone(flow))
    flow = keras.layers.Dense(8, activation="relu", name="hidden")(flow)
    return keras.Model(pictures, keras.layers.Dense(CLASSES, "softmax", name="predictions")(flow))


class Stream:
    """An ImageDataset that shuffles and could not read one picture."""

    batch, shuffle, seed, augment, drop_remainder = 10, True, 0, None, False
    skipped = [("images/7.jpg", "not a picture")]

    def __init__(self):
        self.pictures, self.labels = make_pictures()
        self.image_ids = np.arange(100, 100 + len(self.labels))
        self.runs = 0

    def __len__(self):
        return len(self.labels)

    def batches(self, epoch=0):
        self.runs += 1
        order = np.random.default_rng(1).permutation(len(self))
        order = order[order != 7]
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            yield self.pictures[rows], self.labels[rows], self.image_ids[rows]


def test_features_are_what_the_head_gets_in_the_order_of_the_images():
    model, stream = make_classifier(), Stream()
    found = extract_features(model, stream)
    kept = np.delete(np.arange(len(stream)), 7)
    assert found.image_ids.tolist() == stream.image_ids[kept].tolist()
    assert found.labels.tolist() == stream.labels[kept].tolist() and found.skipped == Stream.skipped
    assert found.features.dtype == np.float32
    inside = keras.Model(model.input, model.get_layer("features").output)
    np.testing.assert_allclose(found.features, inside.predict(stream.pictures[kept], verbose=0), atol=1e-6)


def test_any_model_gives_its_flattened_output():
    model = make_classifier()
    pictures, labels = make_pictures(5)
    found = extract_features(model.get_layer("backbone"), (pictures, labels), batch=2)
    assert found.features.shape == (5, 6 * 6 * 4) and found.image_ids.tolist() == [0, 1, 2, 3, 4]


def test_the_cache_is_used_for_the_same_network_and_data_only(tmp_path):
    stream = Stream()
    first = extract_features(make_classifier(), stream, tmp_path)
    again = extract_features(make_classifier(), stream, tmp_path)
    assert (first.from_cache, again.from_cache, stream.runs) == (False, True, 1)
    np.testing.assert_array_equal(first.features, again.features)
    assert again.skipped == first.skipped and again.image_ids.tolist() == first.image_ids.tolist()
    for change in (
        lambda: extract_features(make_classifier(seed=1), stream, tmp_path),
        lambda: extract_features(make_classifier(offset=0.0), stream, tmp_path),
        lambda: (setattr(stream, "augment", "flip"), extract_features(make_classifier(), stream, tmp_path))[1],
        lambda: (setattr(stream, "labels", stream.labels[::-1]), extract_features(make_classifier(), stream, tmp_path))[
            1
        ],
    ):
        assert not change().from_cache
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * 99])
def test_a_broken_cache_is_made_again(tmp_path, damage):
    first = extract_features(make_classifier(), make_pictures(), tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    second = extract_features(make_classifier(), make_pictures(), tmp_path)
    assert not second.from_cache
    np.testing.assert_array_equal(first.features, second.features)
    assert extract_features(make_classifier(), make_pictures(), tmp_path).from_cache


def test_a_changed_byte_in_the_cache_is_noticed(tmp_path):
    extract_features(make_classifier(), make_pictures(), tmp_path)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[300] ^= 0xFF  # among the features
    path.write_bytes(data)
    assert not extract_features(make_classifier(), make_pictures(), tmp_path).from_cache


def test_a_head_trained_on_features_equals_training_the_whole_classifier(tmp_path):
    pictures, labels = make_pictures()
    settings = {"epochs": 5, "optimizer": "adam", "learning_rate": 0.02, "batch": 8}
    whole = make_classifier()
    slow = fit(whole, (pictures, labels), (pictures, labels), folder=tmp_path / "slow", **settings)
    model = make_classifier()
    before = [weight.copy() for weight in model.get_layer("backbone").get_weights()]
    features = extract_features(model, (pictures, labels))
    fast = fit_head(model, features, features, folder=tmp_path / "fast", **settings)
    np.testing.assert_allclose(fast.history["val_loss"], slow.history["val_loss"], rtol=1e-3)
    np.testing.assert_allclose(model.predict(pictures, verbose=0), whole.predict(pictures, verbose=0), atol=1e-3)
    for old, new in zip(before, model.get_layer("backbone").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    loaded = fast.load(make_classifier(), "last")
    np.testing.assert_allclose(loaded.predict(pictures, verbose=0), model.predict(pictures, verbose=0), atol=1e-6)
    assert read_record(tmp_path / "fast")["model"]["trained_part"] == "head on cached features"


def test_features_of_another_network_are_refused(tmp_path):
    features = extract_features(make_classifier(seed=1), make_pictures())
    with pytest.raises(TrainingError, match="training features were made by another network"):
        fit_head(make_classifier(seed=2), features, epochs=1, folder=tmp_path)


def test_data_that_cannot_give_features_is_refused(tmp_path):
    stream = Stream()
    stream.drop_remainder = True
    with pytest.raises(TrainingError, match="drop_remainder=False"):
        extract_features(make_classifier(), stream)
    with pytest.raises(TrainingError, match="give an ImageDataset"):
        extract_features(make_classifier(), make_pictures()[0])
    unreadable = Stream()
    unreadable.batches = lambda epoch=0: iter(())
    with pytest.raises(TrainingError, match="none of the 42 pictures could be read"):
        extract_features(make_classifier(), unreadable)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        extract_features(make_classifier(), make_pictures(), tmp_path / "file")


def test_xla_is_not_used_on_a_cpu(monkeypatch):
    monkeypatch.setattr(features_module, "has_accelerator", lambda: False)
    assert features_module._feature_network(make_classifier()).jit_compile is False
