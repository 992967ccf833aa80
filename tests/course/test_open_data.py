"""One call opens whichever data the notebook's parameters name, and says what to do when it is not there."""

import os
import threading
import time
from pathlib import Path

import pytest
from wrong_arguments import assert_clear

import mpii_lib.annotations
from mpii_course import open_data, sample, setup
from mpii_lib.errors import DatasetError, MpiiError


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """A renderer that takes a while, writes one file, and remembers what it was asked; a reader that gives the path."""
    calls = []

    def make_sample(folder, images, seed, test_videos, progress):
        calls.append((folder.name, images, seed, test_videos))
        time.sleep(0.1)
        folder.mkdir()
        (folder / "sample.json").touch()

    monkeypatch.setattr(sample, "make_sample", make_sample, raising=False)
    monkeypatch.setattr(sample, "VERSION", 3, raising=False)
    monkeypatch.setattr(mpii_lib.annotations, "read_mpii", lambda path: path)
    monkeypatch.setattr(mpii_lib.annotations, "read_coco", lambda path, split: (path, split))
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path / "cache"))
    return calls


def test_the_sample_is_drawn_once_and_then_read(drawn, tmp_path):
    first = open_data("sample", images=12, seed=5)
    assert first == open_data(images=12, seed=5) and first.parent == tmp_path / "cache"
    assert open_data(images=12, seed=6) != first and open_data(images=13, seed=5) != first
    assert open_data(images=12, seed=5, test_videos=7).name == first.name + "-7-test-videos"
    assert [call[1:] for call in drawn] == [(12, 5, 0), (12, 6, 0), (13, 5, 0), (12, 5, 7)]


def test_another_version_of_the_renderer_draws_anew(drawn, monkeypatch):
    first = open_data(images=12)
    monkeypatch.setattr(sample, "VERSION", 4)
    assert open_data(images=12) != first and len(drawn) == 2


def test_the_sample_can_lie_in_a_folder_of_ones_own(drawn, tmp_path):
    assert open_data("sample", tmp_path / "mine", images=12) == tmp_path / "mine"
    assert open_data("sample", str(tmp_path / "mine")) == tmp_path / "mine"
    assert len(drawn) == 1


def test_a_folder_with_something_else_is_not_taken_for_a_sample(tmp_path):
    (tmp_path / "mpii_human_pose_v1_u12_1.mat").touch()
    with pytest.raises(DatasetError, match="mpii_human_pose_v1_u12_1.mat, which is no sample"):
        open_data("sample", tmp_path)


def test_several_who_ask_at_once_get_one_sample(drawn):
    results = []
    threads = [threading.Thread(target=lambda: results.append(open_data(images=12))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1 and len(results) == 4 and len(drawn) == 1


def test_a_cache_that_cannot_be_written_is_named(drawn, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match="sample cannot be written there.*MPII_CACHE_DIR"):
        open_data()


def test_real_data_is_read_from_its_folder(drawn, tmp_path):
    (tmp_path / "mpii" / "v1").mkdir(parents=True)
    (tmp_path / "mpii" / "v1" / "mpii_human_pose_v1_u12_1.mat").touch()
    assert open_data("mpii", tmp_path / "mpii") == tmp_path / "mpii", "one level down is found too"
    (tmp_path / "coco" / "annotations").mkdir(parents=True)
    (tmp_path / "coco" / "annotations" / "person_keypoints_val2017.json").touch()
    assert open_data("coco", tmp_path / "coco", split="val") == (tmp_path / "coco", "val")
    with pytest.raises(DatasetError, match="person_keypoints_train2017.json.*mpii fetch coco"):
        open_data("coco", tmp_path / "coco")


@pytest.mark.parametrize(
    ("data", "folder", "message"),
    [
        ("imagenet", "", "data is 'imagenet'; give one of 'sample', 'mpii', 'coco'"),
        ("mpii", "", "DATA_DIR is empty; run `mpii fetch mpii FOLDER`"),
        ("coco", "", "DATA_DIR is empty; run `mpii fetch coco FOLDER`"),
        ("mpii", "nowhere", "nowhere: there is no such folder; run `mpii fetch mpii FOLDER`"),
        ("mpii", ".", "holds no mpii_human_pose_v1_u12_1.mat; run `mpii fetch mpii FOLDER`"),
    ],
)
def test_data_that_is_not_there_is_told_with_the_command_that_gets_it(tmp_path, monkeypatch, data, folder, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MpiiError, match=message):
        open_data(data, folder)


@pytest.mark.parametrize(("data", "call"), [("sample", "is_file"), ("mpii", "iterdir"), ("coco", "is_file")])
def test_a_folder_that_may_not_be_read_is_one_line(tmp_path, monkeypatch, data, call):
    """The calls that raise where the permissions are 000 (the tests may run as root, whom none stop)."""

    def refused(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, call, refused)
    with pytest.raises(
        DatasetError, match=f"^{tmp_path}.*: cannot be used .Permission denied.; check the path"
    ) as error:
        open_data(data, tmp_path, images=12)
    assert "\n" not in str(error.value)


def test_wrong_arguments_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    valid = {"data": "sample", "folder": "", "images": 12, "seed": 0, "test_videos": 0, "split": "train"}
    assert_clear(open_data, valid | {"progress": None}, skip=["images", "test_videos"])
    for wrong in (None, "12", -1, 0, 1.5, True, [12]):
        for name in ("images", "test_videos"):
            if (name, wrong) != ("test_videos", 0):
                with pytest.raises(MpiiError):
                    open_data(**valid | {name: wrong})
    assert_clear(setup, {"seed": 0, "keras": False}, skip=["keras"])


def test_the_real_sample_comes_back_the_same_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path))
    first = open_data("sample", images=40, seed=1)
    stamp = {path: os.stat(path).st_mtime_ns for path in first.folder.iterdir()}
    second = open_data("sample", images=40, seed=1)
    assert second.fingerprint == first.fingerprint and len(first.images) >= 40
    assert {path: os.stat(path).st_mtime_ns for path in second.folder.iterdir()} == stamp
    twin = open_data("coco", first.folder.parent, split="train")
    assert twin.skeleton.name != first.skeleton.name and len(twin.people)


@pytest.mark.parametrize("damage", ["cut off", "no annotations", "no mark"])
def test_a_damaged_sample_is_named_with_how_to_draw_it_again(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path))
    folder = open_data("sample", images=12).folder.parent
    file = folder / ("sample.json" if damage == "no mark" else "mpii_human_pose_v1_u12_1.mat")
    if damage == "cut off":
        file.write_bytes(file.read_bytes()[:500])
    else:
        file.unlink()
    before = sorted(folder.rglob("*"))
    with pytest.raises(DatasetError, match="delete the folder .*sample-v.*, and the next call draws it again") as error:
        open_data("sample", images=12)
    assert "fetch" not in str(error.value) and "\n" not in str(error.value)
    assert sorted(folder.rglob("*")) == before
