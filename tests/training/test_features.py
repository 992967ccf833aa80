"""Cached features: predicted once, never stale, and a head trained on them is the head of the whole classifier."""

import os
import time

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest
from test_callbacks import SIZE, datasets, write_images

from mpii_lib._keras import keras
from mpii_lib.datasets import Augmentation
from mpii_lib.models import build_classifier
from mpii_lib.training import TrainingError, cached_features


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images"))


def make_classifier(seed=0, offset=-1.0, predicted=None):
    """Build a classifier in the structure of `build_classifier`, with a backbone of one convolution."""
    keras.utils.set_random_seed(seed)
    maps = keras.Input((SIZE, SIZE, 3))
    backbone = keras.Model(maps, keras.layers.Conv2D(4, 3, activation="relu")(maps), name="backbone")
    backbone.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    flow = keras.layers.Rescaling(1 / 127.5, offset=offset, name="preprocessing")(inputs)
    flow = keras.layers.GlobalAveragePooling2D(name="features")(backbone(flow))
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="predictions")(flow))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def extractor(model, calls=None):
    network = keras.Model(model.input, model.get_layer("features").output)
    if calls is not None:
        predict = network.predict
        network.predict = lambda *data, **options: calls.append(1) or predict(*data, **options)
    return network


def test_features_are_the_prediction_in_the_order_of_the_images(images, tmp_path):
    model, (train, _) = make_classifier(), datasets(images)
    train.augment = None
    found = cached_features(extractor(model), train, tmp_path)
    assert 5 not in found.image_ids and found.image_ids.tolist() == [n for n in range(26) if n != 5]
    assert found.labels.tolist() == train.labels.tolist() and found.features.dtype == np.float32
    inputs, _, _ = train.load()
    np.testing.assert_allclose(found.features, extractor(model).predict(inputs, verbose=0), atol=1e-6)


def test_the_file_is_used_for_the_same_network_and_data_only(images, tmp_path):
    calls, val = [], datasets(images)[1]
    first = cached_features(extractor(make_classifier(), calls), val, tmp_path)
    again = cached_features(extractor(make_classifier(), calls), val, tmp_path)
    assert len(calls) == 1 and all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    cached_features(extractor(make_classifier(seed=1), calls), val, tmp_path)
    cached_features(extractor(make_classifier(offset=0.0), calls), val, tmp_path)
    for change in ({"augment": Augmentation(flip=True)}, {"_labels": val._labels[::-1].copy()}):
        other = datasets(images)[1]
        vars(other).update(change)
        cached_features(extractor(make_classifier(), calls), other, tmp_path)
    assert len(calls) == 5 and len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "one byte"])
def test_a_broken_file_is_made_again(images, tmp_path, damage):
    val, calls = datasets(images)[1], []
    first = cached_features(extractor(make_classifier(), calls), val, tmp_path)
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[300] ^= 0xFF  # among the features
    broken = {"cut": data[: len(data) // 2], "empty": b"", "foreign": b"x" * 99, "one byte": bytes(data)}
    path.write_bytes(broken[damage])
    second = cached_features(extractor(make_classifier(), calls), val, tmp_path)
    assert len(calls) == 2
    np.testing.assert_array_equal(first.features, second.features)


def test_a_head_trained_on_features_equals_training_the_whole_classifier(images, tmp_path):
    options = {"epochs": 5, "batch_size": 8, "shuffle": False, "verbose": 0}
    train, val = datasets(images)
    train.augment = None
    whole, model = make_classifier(), make_classifier()
    slow = whole.fit(*train.load()[:2], validation_data=val.load()[:2], **options)
    before = [weight.copy() for weight in model.get_layer("backbone").get_weights()]
    seen, checked = (cached_features(extractor(model), data, tmp_path) for data in (train, val))
    head = keras.Model(model.get_layer("features").output, model.output)
    head.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (checked.features, checked.labels)
    fast = head.fit(seen.features, seen.labels, validation_data=validation, **options)
    np.testing.assert_allclose(fast.history["val_loss"], slow.history["val_loss"], rtol=1e-3)
    inputs = val.load()[0]
    np.testing.assert_allclose(model.predict(inputs, verbose=0), whole.predict(inputs, verbose=0), atol=1e-3)
    for old, new in zip(before, model.get_layer("backbone").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_dataset_that_drops_or_repeats_images_is_refused(images, tmp_path):
    dropping = datasets(images, drop_remainder=True)[1]
    repeating = datasets(images)[1]
    repeating.augment = Augmentation(flip=True, append=True)
    for data in (dropping, repeating):
        with pytest.raises(TrainingError, match="drops or repeats images"):
            cached_features(extractor(make_classifier()), data, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot be written"):
        cached_features(extractor(make_classifier()), datasets(images)[1], tmp_path / "file")


def test_features_of_a_built_model_are_not_traced_again(images, tmp_path):
    """They cost what `predict` costs; three calls on the same feature extractor trace it once."""
    model = build_classifier("ResNet50", 3, (32, 32, 3), weights=None, width=1 / 8, seed=0)
    network = keras.Model(model.input, model.get_layer("features").output)
    seconds = []
    for name in ("a", "b", "c"):
        started = time.perf_counter()
        cached_features(network, datasets(images, size=(32, 32))[1], tmp_path / name)
        seconds.append(time.perf_counter() - started)
    assert max(seconds[1:]) < seconds[0] / 3
