"""Persons as square crops: joints lie where the image has them, the way back is exact, bad files are left out."""

import json
import os
import shutil
import subprocess
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest
from wrong_arguments import WRONG, assert_clear

from mpii_lib.annotations import Annotations
from mpii_lib.errors import DatasetError, MpiiError
from mpii_lib.pose import PersonCrops, join_crops, pckh, person_crops
from mpii_lib.skeletons import MPII


@pytest.mark.parametrize("crop", ["mpii", "thesis"])
def test_joints_lie_on_their_spots_and_lead_back_to_the_image(people, crop):
    crops = person_crops(people, size=100, crop=crop)
    assert crops.images.shape == (3, 100, 100, 3) and crops.images.dtype == np.uint8
    inside = ((crops.joints > 2) & (crops.joints < 97)).all(axis=2)
    assert inside.sum() > 30
    for person, joint in zip(*np.nonzero(inside), strict=True):
        x, y = crops.joints[person, joint].round().astype(int)
        assert crops.images[person, y, x].min() > 200
    back = crops.image_joints[0]
    assert np.abs(back - people.joints[0]).max() < 0.01


def test_a_joint_without_annotation_is_nan_and_a_broken_image_is_listed(people):
    crops = person_crops(people, size=32)
    assert crops.person_ids.tolist() == [1, 2, 3] and crops.image_ids.tolist() == [10, 11, 11]
    assert np.isnan(crops.joints[1, 3]).all() and np.isfinite(crops.joints[0]).all()
    assert [path.rsplit("/")[-1] for path, _ in crops.skipped] == ["2.png"]
    assert "1 images could not be read" in repr(crops)


def test_pckh_is_the_same_in_crop_and_image(people):
    crops = person_crops(people, size=40, crop="thesis")
    assert crops.head_size.tolist() == [30.0] * 3
    moved = crops.joints + np.linspace(0, 12, 16)[None, :, None]
    there = pckh(moved, crops.joints, crops.head_size_crop).total
    assert there == pckh(crops.to_image(moved), crops.image_joints, crops.head_size).total and 0.1 < there < 0.9


def test_the_cache_is_written_once_and_noticed_when_the_images_change(people, draw_dots, tmp_path):
    cache = tmp_path / "cache"
    first = person_crops(people, size=24, cache=cache)
    again = person_crops(people, size=24, cache=cache)
    assert isinstance(again.images, np.memmap) and again.skipped == first.skipped
    plain = person_crops(people, size=24)
    np.testing.assert_array_equal(again.images, plain.images)
    np.testing.assert_array_equal(again.joints, plain.joints)
    assert len(list(cache.glob("*.npy"))) == 1
    draw_dots(tmp_path / "2.png")
    assert len(person_crops(people, size=24, cache=cache)) == 4


def test_a_broken_cache_is_made_again(people, tmp_path):
    person_crops(people, size=24, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"broken")
    assert len(person_crops(people, size=24, cache=tmp_path / "cache")) == 3


def test_facts_of_other_persons_are_not_believed(people, tmp_path):
    first = person_crops(people, size=24, cache=tmp_path / "cache")
    (facts,) = (tmp_path / "cache").glob("*.json")
    for ids in ([1, 2], [1, 2, 99], ["a", "b", "c"], 3):
        facts.write_text(json.dumps(json.loads(facts.read_text()) | {"person_ids": ids}))
        again = person_crops(people, size=24, cache=tmp_path / "cache")
        assert again.person_ids.tolist() == [1, 2, 3] and again.fingerprint == first.fingerprint
    facts.write_text("[" * 100_000)
    assert len(person_crops(people, size=24, cache=tmp_path / "cache")) == 3


def assert_full(people, cache, words):
    """A cache of some 3 MB cannot be written; what was there stays, and nothing half is left."""
    person_crops(people, size=8, cache=cache)
    before = {path.name: path.read_bytes() for path in cache.iterdir()}
    with pytest.raises(DatasetError, match=words) as caught:
        person_crops(people, size=512, cache=cache)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == before


def test_a_disk_that_is_too_small_is_named_before_and_while_crops_are_written(people, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        assert_full(people, tmp_path / "cache", r"crops-.*npy: cannot be written \(File too large\)")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    assert_full(people, tmp_path / "cache", "3.15MB are needed and 100kB are free; make room or choose another folder")


@pytest.mark.parametrize("asked", [True, False])
def test_on_a_full_disk_the_process_goes_on(people, tmp_path, monkeypatch, asked):
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts a small disk")
    (tmp_path / "small").mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path / "small"], capture_output=True
    ).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        if not asked:  # room that another process takes meanwhile
            monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**40))
        words = "are needed and .* are free" if asked else r"cannot be written \(No space left on device\)"
        assert_full(people, tmp_path / "small" / "cache", words)
    finally:
        subprocess.run(["umount", tmp_path / "small"], check=True)


def test_crops_are_joined_and_taken_apart(people):
    crops = person_crops(people, size=24)
    again = join_crops(crops[:1], crops[np.array([False, True, True])])
    np.testing.assert_array_equal(again.images, crops.images)
    np.testing.assert_array_equal(again.joints, crops.joints)
    assert again.fingerprint == crops.fingerprint != crops[:2].fingerprint
    with pytest.raises(DatasetError, match="2 kinds"):
        join_crops(crops, person_crops(people, size=25))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"crop": "round"}, "round"),
        ({"size": 0}, "size=.*from 1 to 8192"),
        ({"size": 2**40}, "size=.*from 1 to 8192"),
        ({"person_ids": []}, "there are no person_ids"),
        ({"person_ids": [1, 99]}, "1 person_ids are not in the annotations, the first is 99; leave them out"),
        ({"person_ids": [True, True]}, "give a list, each of it a whole number"),
        ({"person_ids": np.array([True, True])}, "give a list, each of it a whole number"),
        ({"person_ids": (each for each in [1, 2.5])}, "1 person_ids are not in the annotations, the first is 2.5"),
        ({"person_ids": [4]}, "none of the 1 images can be read"),
    ],
)
def test_what_cannot_be_cropped_is_said(people, arguments, words):
    with pytest.raises(MpiiError, match=words):
        person_crops(people, **arguments)


def test_a_person_without_scale_needs_the_other_crop(people):
    table = people.people.assign(scale=np.nan)
    coco_like = Annotations(people.images, table, people.joints, people.visibility, MPII, people.folder)
    with pytest.raises(DatasetError, match='use crop="thesis"'):
        person_crops(coco_like)
    assert len(person_crops(coco_like, crop="thesis")) == 3


def test_arguments_of_the_wrong_kind_are_one_line(people, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # "" and "nonsense" are folders too
    crops = person_crops(people, size=8)
    assert_clear(person_crops, {"annotations": people, "size": 8})
    assert_clear(PersonCrops, {each.name: getattr(crops, each.name) for each in fields(crops)})
    for wrong in WRONG:
        with pytest.raises(MpiiError):
            join_crops(crops, wrong)
