"""Pictures from disk, a real backbone at 1/8 of its width, and training, together."""

import os

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np
import pytest
from PIL import Image

from mpii_lib.datasets import Augmentation, ImageDataset
from mpii_lib.models import build_classifier
from mpii_lib.training import extract_features, fit, fit_head, read_record

SIZE = (32, 32)
BROKEN = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number in range(30):
        pixels = generator.integers(0, 120, (*SIZE, 3))
        pixels[..., number % 3] += 120
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{number:02}.jpg")
    (folder / f"{BROKEN:02}.jpg").write_bytes(b"not a picture")
    return folder


def dataset(folder, shuffle=True, augment=None, numbers=range(30)):
    numbers = np.array(numbers)
    return ImageDataset(
        [folder / f"{number:02}.jpg" for number in numbers],
        (numbers % 3).astype("int32"),
        numbers.astype("int64"),
        ["blue", "green", "red"],
        size=SIZE,
        batch=8,
        shuffle=shuffle,
        augment=augment,
        seed=0,
        drop_remainder=False,
        excluded=0,
    )


def classifier(head="pooled"):
    return build_classifier("VGG16", 3, (*SIZE, 3), weights=None, width=1 / 8, head=head, seed=0)


def test_a_stream_with_changes_and_a_broken_picture_resumes_to_the_same_result(folder, tmp_path):
    augment = Augmentation(rotation=20, flip=True)
    runs = []
    for name, stops in (("whole", [3]), ("broken off", [1, 3])):
        for epochs in stops:
            model = classifier("flatten-dense")  # it has a Dropout
            data = dataset(folder, augment=augment), dataset(folder, shuffle=False, numbers=range(20, 30))
            runs.append((model, fit(model, *data, epochs=epochs, folder=tmp_path / name, optimizer="nesterov")))
    (whole, first), _, (resumed, second) = runs
    np.testing.assert_allclose(first.history["loss"], second.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(first.history["val_loss"], second.history["val_loss"], rtol=1e-5)
    for left, right in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)
    record = read_record(tmp_path / "whole")
    assert [reason for _, reason in record["data"]["train"]["skipped"]] == ["not a picture"]
    assert "rotation=20" in record["settings"]["augment"]
    known = {name: record["model"][name] for name in ("backbone", "weights", "head", "freeze")}
    assert known == {"backbone": "VGG16", "weights": "none", "head": "flatten-dense", "freeze": "all"}


def test_features_train_the_head_of_the_classifier(folder, tmp_path):
    model = classifier()
    found = extract_features(model, dataset(folder), tmp_path / "cache")
    assert extract_features(model, dataset(folder), tmp_path / "cache").from_cache
    assert found.features.shape == (29, 64) and BROKEN not in found.image_ids
    run = fit_head(model, found, found, epochs=25, folder=tmp_path / "run", batch=8, learning_rate=0.1)
    assert run.history["val_accuracy"].iloc[-1] > 0.9
    pictures, labels, _ = next(dataset(folder).batches())
    assert (model.predict(pictures, verbose=0).argmax(1) == labels).mean() > 0.7
    assert [reason for _, reason in read_record(run.folder)["data"]["train"]["skipped"]] == ["not a picture"]
    again = run.load(classifier(), "last")
    np.testing.assert_allclose(again.predict(pictures, verbose=0), model.predict(pictures, verbose=0), atol=1e-6)


def test_pictures_with_several_labels_train_a_multilabel_head_from_files_and_from_features(folder, tmp_path):
    numbers = np.arange(30)
    data = dataset(folder)
    data.labels = np.stack([numbers % 3 == 0, numbers % 3 == 1, numbers % 3 < 2], axis=1).astype("float32")
    model = build_classifier("VGG16", 3, (*SIZE, 3), weights=None, width=1 / 8, head="pooled", multilabel=True, seed=0)
    streamed = fit(model, data, epochs=1, folder=tmp_path / "stream")
    assert streamed.record["settings"]["loss"] == "binary_crossentropy"
    assert len(streamed.record["data"]["train"]["skipped"]) == 1
    features = extract_features(model, data)
    assert features.labels.shape == (29, 3) and features.labels.dtype == np.float32
    assert (features.labels == data.labels[features.image_ids]).all()
    run = fit_head(model, features, epochs=30, folder=tmp_path / "head", learning_rate=0.1)
    assert run.history["loss"].iloc[-1] < run.history["loss"].iloc[0]
