"""The Parquet copy beside an annotation file: used when it fits, made again when it does not, never in the way."""

import os

import mpii_writer as w
import pytest

from mpii_lib.annotations import AnnotationError, read_coco, read_mpii
from mpii_lib.annotations import mpii as reader
from mpii_lib.annotations.cache import cache_path


@pytest.fixture
def source(tmp_path):
    return write(tmp_path, "sports")


def write(folder, category):
    people = [{"annopoints": w.annopoints([(3, 7.0, 8.0, "0")])}]
    return w.write(folder / "a.mat", [w.image("a.jpg", people, train=1, category=category), w.image("b.jpg")])


@pytest.fixture
def no_parsing(monkeypatch):
    def fail(*_):
        raise AssertionError("the file was parsed again")

    return lambda: monkeypatch.setattr(reader, "_parse", fail)


def test_the_second_reading_takes_the_copy_and_gives_the_same(source, no_parsing):
    first = read_mpii(source)
    no_parsing()
    second = read_mpii(source)
    assert second.fingerprint == first.fingerprint
    assert second.folder == first.folder == source.parent / "images"
    assert sorted(file.name for file in source.parent.iterdir()) == ["a.mat", cache_path(source).name]
    assert cache_path(source).name.endswith(".cache-v1.parquet")


def test_the_copy_moves_with_its_file(source, tmp_path_factory, no_parsing):
    read_mpii(source)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for file in (source, cache_path(source)):
        file.rename(elsewhere / file.name)
    no_parsing()
    assert read_mpii(elsewhere / "a.mat").folder == elsewhere / "images"


def test_another_content_is_read_again_even_with_the_same_size_and_date(source):
    read_mpii(source)
    before = source.stat()
    write(source.parent, "sprots")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_mpii(source).images.loc[0, "category"] == "sprots"
    assert read_mpii(source).images.loc[0, "category"] == "sprots"


def test_another_version_of_the_reader_reads_again(source, monkeypatch):
    read_mpii(source)
    copy = cache_path(source).read_bytes()
    monkeypatch.setattr(reader, "_READER", "mpii-next")
    read_mpii(source)
    assert cache_path(source).read_bytes() != copy


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"nonsense", lambda b: b[:-9], lambda b: b[: len(b) // 2]])
def test_a_damaged_copy_is_ignored_and_made_again(source, damage, no_parsing):
    first = read_mpii(source)
    cache_path(source).write_bytes(damage(cache_path(source).read_bytes()))
    assert read_mpii(source).fingerprint == first.fingerprint
    no_parsing()
    assert read_mpii(source).fingerprint == first.fingerprint


def test_cache_false_neither_reads_nor_writes_one(source):
    read_mpii(source, cache=False)
    assert not cache_path(source).exists()
    cache_path(source).write_bytes(b"nonsense")
    read_mpii(source, cache=False)
    assert cache_path(source).read_bytes() == b"nonsense"


def test_a_folder_that_is_marked_read_only_gets_no_copy_even_from_root(source):
    source.parent.chmod(0o555)
    try:
        assert len(read_mpii(source).images) == 2
        assert [file.name for file in source.parent.iterdir()] == ["a.mat"]
    finally:
        source.parent.chmod(0o755)


def test_a_copy_that_cannot_be_written_is_no_failure_and_leaves_nothing_behind(source, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert len(read_mpii(source).images) == 2
    assert [file.name for file in source.parent.iterdir()] == ["a.mat"]


def test_a_file_that_became_bad_is_an_error_and_not_the_old_copy(source):
    read_mpii(source)
    source.write_bytes(source.read_bytes()[:-30])
    with pytest.raises(AnnotationError, match="cut off"):
        read_mpii(source)


def test_a_copy_of_coco_belongs_to_its_split(tmp_path):
    path = tmp_path / "people.json"
    path.write_text('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}')
    assert read_coco(path, split="train").images["split"].tolist() == ["train"]
    assert read_coco(path, split="val").images["split"].tolist() == ["val"]
    assert cache_path(path).is_file()
