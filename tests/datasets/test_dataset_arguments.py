"""Each argument of the public functions, given something of the wrong kind, works or is named on one line."""

import inspect
from pathlib import Path

import pytest
from annotations_of_files import make_annotations
from PIL import Image
from wrong_arguments import assert_clear

from mpii_lib import datasets
from mpii_lib.datasets import download


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("images")
    for number in range(4):
        Image.new("RGB", (12, 10), (number, 0, 0)).save(here / f"{number}.png")
    return here


@pytest.fixture
def ann(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # "" and "nonsense" are folders too
    return make_annotations(folder, [f"{n}.png" for n in range(4)], ["a", "b"] * 2, ["x", "y, z"] * 2)


@pytest.mark.parametrize("name", ["label_names", "image_labels", "split_images"])
def test_functions_of_annotations(ann, name):
    valid = {
        "label_names": {"target": "category"},
        "image_labels": {"image_ids": [100]},
        "split_images": {"by": "image"},
    }[name]
    first = "ann" if name == "split_images" else "annotations"
    assert_clear(getattr(datasets, name), {first: ann, **valid})


def test_names_and_weights():
    assert_clear(datasets.class_weights, {"labels": ["a", "b, c"]})
    assert_clear(datasets.clean_name, {"name": " a  b "})
    assert_clear(datasets.Augmentation, {})


def test_image_dataset(ann):
    from mpii_lib.datasets import ImageDataset

    def first_batch(**given):
        return ImageDataset(**given)[0]

    first_batch.__signature__ = inspect.signature(ImageDataset)
    assert_clear(first_batch, {"annotations": ann, "image_ids": [100, 101], "size": (8, 8)})


def test_shards(ann, tmp_path):
    valid = {"annotations": ann, "folder": tmp_path / "shards", "image_ids": [100, 101], "size": (8, 8)}
    assert_clear(datasets.write_shards, valid)
    assert_clear(datasets.open_shards, {"folder": tmp_path / "shards"})


@pytest.mark.parametrize("name", ["fetch_mpii", "fetch_coco"])
def test_downloads(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "_install", lambda archive, folder, work, progress: None)
    assert_clear(getattr(datasets, name), {"folder": tmp_path / "data"})


def test_every_public_function_is_tried():
    classes = {"DatasetError", "Shards"}  # an error; made by write_shards and open_shards
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(name in source for name in set(datasets.__all__) - classes)
