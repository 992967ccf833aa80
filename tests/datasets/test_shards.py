"""The same batches from shards as from the image files, after kills, changes and damage too."""

import json
import os
import shutil

import numpy as np
import pytest
from annotations_of_files import make_annotations
from PIL import Image

from mpii_lib import files
from mpii_lib.datasets import Augmentation, ImageDataset, open_shards, shard_writer, write_shards
from mpii_lib.errors import DatasetError, MpiiError

SIZE = (256, 320)  # four images in a shard of 1 MB
NAMES = [f"{number}.jpg" for number in range(11)]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Eleven images, of which the third is broken and the eighth is missing."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for name in NAMES:
        coarse = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8))
        coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / name)
    (folder / "2.jpg").write_text("no image")
    (folder / "7.jpg").unlink()
    return folder


@pytest.fixture
def ann(images, tmp_path):
    return make_annotations(shutil.copytree(images, tmp_path / "images"), NAMES, ["a", "b", "c"] * 3 + ["a", None])


@pytest.fixture
def folder(ann, tmp_path):
    write_shards(ann, tmp_path / "shards", size=SIZE, megabytes=1)
    return tmp_path / "shards"


def epoch(data, number=0):
    """All batches of an epoch: images, labels, and how many each batch has."""
    data.epoch = number
    images, labels = zip(*[data[index] for index in range(len(data))], strict=True)
    return np.concatenate(images), np.concatenate(labels), [len(batch) for batch in labels]


@pytest.mark.parametrize(
    "options",
    [{}, {"shuffle": True, "seed": 3}, {"drop_remainder": True}, {"target": ("category",)},
     {"augment": Augmentation(rotation=20, flip=True, append=True), "shuffle": True}],
)  # fmt: skip
def test_batches_from_shards_are_those_from_the_files(ann, folder, options):
    options = {"size": SIZE, "batch_size": 3, **options}
    decoded = ImageDataset(ann, ann.images.index, **options)
    stored = ImageDataset(ann, ann.images.index, shards=folder, **options)
    for number in (0, 2):
        for one, other in zip(epoch(decoded, number), epoch(stored, number), strict=True):
            assert np.array_equal(one, other)
    assert stored.skipped == decoded.skipped and len(stored.skipped) == 2
    assert stored.fingerprint == decoded.fingerprint and len(stored) == len(decoded)


def test_a_smaller_size_is_scaled_from_the_shards_and_is_other_data(ann, folder):
    small = ImageDataset(ann, ann.images.index, size=(64, 80), shards=open_shards(folder))
    direct = ImageDataset(ann, ann.images.index, size=(64, 80))
    (one, *_), (other, *_) = epoch(small), epoch(direct)
    assert one.shape == (8, 64, 80, 3) and np.abs(one - other).mean() < 4
    assert small.fingerprint != direct.fingerprint
    with pytest.raises(DatasetError, match=r"its images of \(256, 320\) are smaller than \(257, 320\); make larger"):
        ImageDataset(ann, ann.images.index, size=(257, 320), shards=folder)


def test_images_come_from_the_shards_and_not_from_their_files(ann, folder):
    before, *_ = epoch(ImageDataset(ann, ann.images.index, size=SIZE, shards=folder))
    shutil.rmtree(ann.folder)
    after, *_ = epoch(ImageDataset(ann, ann.images.index, size=SIZE, shards=folder))
    assert np.array_equal(before, after) and len(after) == 8


def test_the_files_are_plain_arrays_of_bounded_size(ann, folder):
    files = sorted(folder.glob("*.npy"))
    assert [len(np.load(path)) for path in files] == [4, 4, 3] and all(path.stat().st_size < 2**20 for path in files)
    shards = open_shards(folder)
    assert len(shards) == 9 and set(shards.unreadable) == {102, 107}
    assert not np.load(files[0])[2].any()  # the row of an image that could not be read
    assert "9 images" in repr(shards) and "2 images could not be read" in repr(shards)
    assert np.array_equal(shards.read([110, 100]), np.stack([np.load(files[2])[2], np.load(files[0])[0]]))
    with pytest.raises(DatasetError, match=r"image 102 is not in it"):
        shards.read([100, 102])


def test_a_folder_of_unreadable_images_only_is_refused(ann, tmp_path):
    with pytest.raises(DatasetError, match="write_shards: the first 1 image files cannot be read"):
        write_shards(ann, tmp_path / "none", [102, 107], size=SIZE)
    write_shards(ann, tmp_path / "some", [100, 102], size=SIZE)
    only = ann.where(images=[102])
    with pytest.raises(DatasetError, match="none of the 1 images could be read"):
        ImageDataset(only, [102], size=SIZE, shards=tmp_path / "some")


def interrupted(monkeypatch, after):
    """Let the reading of images be broken off after so many; gives the list of those that were read."""
    read = []

    def reading(path, size, original=shard_writer.read_image):
        if len(read) == after:
            raise KeyboardInterrupt
        read.append(path.name)
        return original(path, size)

    monkeypatch.setattr(shard_writer, "read_image", reading)
    return read


def test_a_broken_off_run_keeps_whole_shards_and_makes_the_rest(ann, folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    with monkeypatch.context() as patch:
        interrupted(patch, 6)
        with pytest.raises(KeyboardInterrupt):
            write_shards(ann, other, size=SIZE, megabytes=1, workers=1)
    with pytest.raises(DatasetError, match=f"{other}: is not finished.*run `mpii shards` again"):
        open_shards(other)
    assert [path.name for path in other.glob("*.npy")] == ["images-00000.npy"]
    (other / f"{files._HOST}{2**22 + 1}-images-00001.npy").write_bytes(b"left behind by a kill")

    read = interrupted(monkeypatch, -1)
    write_shards(ann, other, size=SIZE, megabytes=1)
    assert sorted(read) == sorted(NAMES[4:])
    assert {path.name: path.read_bytes() for path in other.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_written_again_only_what_changed_is_read(ann, folder, monkeypatch):
    read = interrupted(monkeypatch, -1)
    write_shards(ann, folder, size=SIZE, megabytes=1)
    assert read == []
    shutil.copy(ann.folder / "0.jpg", ann.folder / "7.jpg")  # the missing one arrives
    mended = write_shards(ann, folder, size=SIZE, megabytes=1)
    assert sorted(read) == ["4.jpg", "5.jpg", "6.jpg", "7.jpg"] and set(mended.unreadable) == {102}
    first, eighth = mended.read([100, 107])
    assert np.array_equal(first, eighth)
    write_shards(ann, folder, range(100, 104), size=SIZE, megabytes=1)
    assert [path.name for path in folder.glob("*.npy")] == ["images-00000.npy"]


def test_while_a_shard_is_made_again_the_folder_counts_as_unfinished(ann, folder, monkeypatch):
    shutil.copy(ann.folder / "0.jpg", ann.folder / "7.jpg")
    interrupted(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        write_shards(ann, folder, size=SIZE, megabytes=1)
    with pytest.raises(DatasetError, match="is not finished"):
        open_shards(folder)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("images-00001.npy", lambda path: path.unlink(), "is missing"),
        ("images-00001.npy", cut, "has 983,167 bytes instead of 983,168"),
        ("shards.json", cut, None),  # a newline
        ("shards.json", lambda path: path.write_text(path.read_text()[:-9]), "is broken"),
        ("shards.json", lambda path: path.write_text(path.read_text().replace("5.jpg", "6.jpg")), "fingerprint"),
        ("shards.json", lambda path: path.write_text("[]"), "is no index"),
        ("shards.json", lambda path: path.write_bytes(b"\xff\xfe"), "is no index"),
        ("shards.json", lambda path: path.unlink(), "there is no such file.*mpii shards"),
    ],
)
def test_damage_is_named_and_mended_by_writing_again(ann, folder, name, harm, message):
    harm(folder / name)
    if message is not None:
        with pytest.raises(DatasetError, match=f"{folder / name}: .*{message}") as caught:
            open_shards(folder)
        assert "mpii shards" in str(caught.value) and "\n" not in str(caught.value)
    assert len(write_shards(ann, folder, size=SIZE, megabytes=1)) == 9


def test_changed_bytes_are_found_by_the_check(folder):
    path = folder / "images-00001.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    shards = open_shards(folder)
    (line,) = shards.check()
    assert line.startswith(f"{path}: its bytes have changed") and "delete it and run `mpii shards` again" in line


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("file", "../images/0.jpg", "another file"),
        ("file", "\ud800", "another file"),
        ("file", 3, "is broken"),
        ("offset", 128.0, "begins nowhere"),
        ("sources", [[]], "is broken"),
    ],
)
def test_an_index_cannot_lead_to_another_file(folder, field, value, message):
    index = json.loads((folder / "shards.json").read_text())
    index["shards"][0][field] = value
    (folder / "shards.json").write_text(json.dumps(index))
    with pytest.raises(DatasetError, match=message):
        open_shards(folder)


def test_shards_that_are_taken_away_after_opening_are_named(ann, folder):
    shards = open_shards(folder)
    shutil.rmtree(folder)
    with pytest.raises(DatasetError, match=r"images-00000.npy: cannot be read any more \(No such file"):
        shards.read([100])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_pipes_and_folders_count_as_missing_in_shards_and_out_of_them(ann, tmp_path):
    for number, make in enumerate([os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)]):
        (ann.folder / NAMES[number]).unlink()
        make(ann.folder / NAMES[number])
    options = {"size": (32, 32), "batch_size": 3}
    decoded = ImageDataset(ann, ann.images.index, **options)
    write_shards(ann, tmp_path / "new", size=(32, 32))
    stored = ImageDataset(ann, ann.images.index, shards=tmp_path / "new", **options)
    for one, other in zip(epoch(decoded), epoch(stored), strict=True):
        assert np.array_equal(one, other)
    assert stored.skipped == decoded.skipped and [reason for _, reason in stored.skipped] == [
        "is a pipe or a device, not a file", "is a directory", "is a pipe or a device, not a file", "no such file"
    ]  # fmt: skip


def test_a_file_that_is_cut_after_opening_is_named(ann, folder):
    shards = open_shards(folder)
    cut(folder / "images-00000.npy")
    with pytest.raises(DatasetError, match="images-00000.npy: ends too early"):
        shards.read([103])


def test_shards_of_other_images_are_refused(ann, folder):
    renamed = make_annotations(ann.folder, NAMES[::-1], ["a"] * 11)
    with pytest.raises(DatasetError, match=r"image 100, 10.jpg, is in these shards as 0.jpg"):
        ImageDataset(renamed, renamed.images.index, size=SIZE, shards=folder)
    more = make_annotations(ann.folder, [*NAMES, "more.jpg"], ["a"] * 12)
    with pytest.raises(DatasetError, match=r"image 111, more.jpg, is in these shards not at all"):
        ImageDataset(more, more.images.index, size=SIZE, shards=folder)
    shutil.copy(ann.folder / "0.jpg", ann.folder / "1.jpg")
    with pytest.raises(DatasetError, match=r"1.jpg has changed since the shards were made"):
        ImageDataset(ann, ann.images.index, size=SIZE, shards=folder)


def test_a_folder_with_something_else_is_left_alone(ann, folder, tmp_path):
    with pytest.raises(DatasetError, match=r"images: holds 0.jpg, which is no shard"):
        write_shards(ann, ann.folder, size=SIZE)
    with pytest.raises(DatasetError, match=r"holds shards of another size, \(256, 320\); choose another folder"):
        write_shards(ann, folder, size=(64, 64))
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="file: cannot be"):
        write_shards(ann, tmp_path / "file", size=SIZE)
    with pytest.raises(DatasetError, match="there is no such file"):
        open_shards(tmp_path / "file")
    assert len(open_shards(folder)) == 9


@pytest.mark.parametrize("change", [{"size": 256}, {"size": (0, 5)}, {"megabytes": 0}, {"workers": 0}])
def test_numbers_that_make_no_sense_are_refused(ann, tmp_path, change):
    with pytest.raises(MpiiError, match=next(iter(change))):
        write_shards(ann, tmp_path / "new", **change)
    with pytest.raises(DatasetError, match="2 image_ids, 1 different"):
        write_shards(ann, tmp_path / "new", [100, 100])
    assert not (tmp_path / "new").exists()


def test_a_disk_that_is_too_small_is_named_before_and_during(ann, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10**6))
        with pytest.raises(DatasetError, match="2.70MB are needed and 1.00MB are free"):
            write_shards(ann, tmp_path / "full", size=SIZE)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit[1]))
    try:
        with pytest.raises(DatasetError, match=r"images-00000.npy: cannot be written \(File too large\)"):
            write_shards(ann, tmp_path / "full", size=SIZE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert not list((tmp_path / "full").glob("*.npy"))
    assert len(write_shards(ann, tmp_path / "full", size=SIZE)) == 9
