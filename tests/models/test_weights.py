"""Weights from the net, from a folder, from files: what is checked and what is said."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.models import BACKBONES, SMALL_WIDTH, ModelError, build_backbone, build_classifier, save_backbone_weights
from mpii_lib.models.weights import imagenet_file, load_backbone_weights, read_npz

VGG16 = BACKBONES["VGG16"]


@pytest.fixture(scope="module")
def small() -> keras.Model:
    return build_backbone("VGG16", (32, 32, 3), SMALL_WIDTH, seed=5)


def classifier(weights: object, **options: object) -> keras.Model:
    return build_classifier("VGG16", 3, (32, 32, 3), weights, "pooled", **{"width": SMALL_WIDTH, "seed": 9, **options})


def same(one: keras.Model, two: keras.Model, tolerance: float = 0) -> bool:
    pairs = zip(one.get_weights(), two.get_weights(), strict=True)
    return all(np.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in pairs)


def one_line(caught: pytest.ExceptionInfo[ModelError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_imagenet_without_a_network_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise Exception("URL fetch failure on https://x: None -- [Errno -2] Name or service not known")

    monkeypatch.delenv("MPII_WEIGHTS_DIR", raising=False)
    monkeypatch.setattr(keras.utils, "get_file", unreachable)
    with pytest.raises(ModelError) as caught:
        build_classifier("VGG16", 3, (32, 32, 3))
    message = one_line(caught)
    for part in ("VGG16", VGG16.weight_url, "Name or service not known", "MPII_WEIGHTS_DIR", 'weights="sample"'):
        assert part in message


def test_imagenet_goes_through_the_cache_of_keras_with_the_known_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = {}

    def fetched(name: str, url: str, **options: object) -> str:
        asked.update(options, name=name, url=url)
        return str(tmp_path / name)

    monkeypatch.delenv("MPII_WEIGHTS_DIR", raising=False)
    monkeypatch.setattr(keras.utils, "get_file", fetched)
    assert imagenet_file(VGG16) == tmp_path / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert asked["file_hash"] == "6d6bbae143d832006294945121d1f1fc"
    assert asked["cache_subdir"] == "models"
    assert asked["url"].endswith("keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")


@pytest.mark.parametrize(
    ("name", "stem", "folder", "md5"),
    [
        ("Xception", "xception", "xception", "b0042744bf5b25fce3cb969f33bebb97"),
        ("ResNet50", "resnet50", "resnet", "4d473c1dd8becc155b73f8504c6f6626"),
        ("VGG19", "vgg19", "vgg19", "253f8cb515780f3b799900260a226db6"),
        ("InceptionResNetV2", "inception_resnet_v2", "inception_resnet_v2", "d19885ff4a710c122648d3b5c3b684e4"),
    ],
)
def test_the_other_weight_files_are_the_recorded_ones(name: str, stem: str, folder: str, md5: str) -> None:
    backbone = BACKBONES[name]
    assert backbone.weight_url.endswith(f"/{folder}/{stem}_weights_tf_dim_ordering_tf_kernels_notop.h5")
    assert backbone.weight_md5 == md5


def test_a_weights_folder_without_the_file_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPII_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        build_classifier("VGG16", 3, (32, 32, 3))
    assert str(tmp_path / VGG16.weight_file) in one_line(caught)
    assert VGG16.weight_url in one_line(caught)


def test_a_weights_file_with_another_md5_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPII_WEIGHTS_DIR", str(tmp_path))
    (tmp_path / VGG16.weight_file).write_bytes(b"not these")
    with pytest.raises(ModelError, match="MD5 is .*, not 6d6bbae143d832006294945121d1f1fc"):
        build_classifier("VGG16", 3, (32, 32, 3))
    assert (tmp_path / VGG16.weight_file).read_bytes() == b"not these"


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_weights_file_with_the_right_md5_is_loaded_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: keras.Model
) -> None:
    monkeypatch.setenv("MPII_WEIGHTS_DIR", str(tmp_path))
    file = tmp_path / VGG16.weight_file
    small.save(file)
    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    other = build_backbone("VGG16", (32, 32, 3), SMALL_WIDTH, seed=6)
    load_backbone_weights(other, dataclasses.replace(VGG16, weight_md5=md5), "imagenet")
    assert same(small, other)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("name", ["backbone.weights.h5", "backbone.h5", "backbone.keras", "backbone.npz"])
def test_a_file_of_backbone_weights_is_loaded(name: str, tmp_path: Path, small: keras.Model) -> None:
    path = tmp_path / name
    if name.endswith(".npz"):
        save_backbone_weights(small, path, {})
    elif name.endswith(".weights.h5"):
        small.save_weights(path)
    else:
        small.save(path)
    tolerance = 1e-3 if name.endswith(".npz") else 0  # kernels are kept in half precision
    assert same(small, classifier(path).get_layer("backbone"), tolerance)
    assert same(small, classifier(str(path)).get_layer("backbone"), tolerance)


def test_the_backbone_of_a_saved_classifier_is_loaded(tmp_path: Path) -> None:
    trained = classifier(None, seed=1)
    trained.save(tmp_path / "trained.keras")
    assert same(trained.get_layer("backbone"), classifier(tmp_path / "trained.keras").get_layer("backbone"))


def test_npz_keeps_metadata_and_is_not_pickled(tmp_path: Path, small: keras.Model) -> None:
    save_backbone_weights(small, tmp_path / "w.npz", {"epochs": 3, "note": "é"})
    arrays, metadata = read_npz(tmp_path / "w.npz")
    assert metadata == {"epochs": 3, "note": "é"}
    assert [array.dtype for array in arrays[:2]] == [np.float16, np.float32]
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"]


def test_weights_of_another_width_or_backbone_are_refused(tmp_path: Path, small: keras.Model) -> None:
    save_backbone_weights(small, tmp_path / "w.npz", {})
    shapes = r"w.npz: cannot be loaded into VGG16 .*\(3, 3, 3, 16\).*\(3, 3, 3, 8\)"
    with pytest.raises(ModelError, match=shapes):
        classifier(tmp_path / "w.npz", width=0.25)
    with pytest.raises(ModelError, match="w.npz: cannot be loaded into VGG19 .* length 26, .* expecting 32"):
        build_classifier("VGG19", 3, (32, 32, 3), tmp_path / "w.npz", width=SMALL_WIDTH)


@pytest.mark.parametrize("name", ["w.npz", "w.h5", "w.weights.h5", "w.keras"])
def test_a_damaged_file_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 nothing of use")
    with pytest.raises(ModelError) as caught:
        classifier(tmp_path / name)
    assert str(tmp_path / name) in one_line(caught)


def test_a_missing_file_and_an_unknown_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone.npz': no such file"):
        classifier(tmp_path / "gone.npz")
    (tmp_path / "w.txt").write_text("1")
    with pytest.raises(ModelError, match=r"w.txt: weights come as"):
        classifier(tmp_path / "w.txt")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\3\4 cut off"])
def test_what_is_no_archive_is_said_without_advice_to_trust_it(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"w.npz: is no file of backbone weights .*; fetch or make it") as error:
        read_npz(tmp_path / "w.npz")
    assert "pickle" not in str(error.value) and "\n" not in str(error.value)
