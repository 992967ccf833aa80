"""Files are written whole or not at all: on a full disk, after a kill, and under a name that no file can have."""

import errno
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from mpii_lib import files
from mpii_lib.errors import DatasetError, MpiiError
from mpii_lib.files import exclusive, file_bytes, make_folder, replacing, want_room


def test_what_was_there_stays_until_the_new_file_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path, DatasetError) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]
    with replacing(path, DatasetError) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_room_is_asked_for_before_the_writing_begins(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(DatasetError, match=r"1\.15EB are needed and .*B are free; make room or choose another folder"):
        with replacing(path, DatasetError, size=2**60):
            raise AssertionError("begun all the same")
    assert path.read_bytes() == b"old"
    want_room(tmp_path, 1, DatasetError)


def test_a_disk_that_fills_up_while_writing_is_one_line(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(DatasetError, match=r"a.bin: cannot be written \(No space left on device\)"):
        with replacing(path, DatasetError) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.bin"]


KILLED = """
    import os, signal
    from pathlib import Path
    from mpii_lib.errors import DatasetError
    from mpii_lib.files import replacing
    with replacing(Path(os.environ["HERE"]) / "a.bin", DatasetError) as temporary:
        temporary.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_next_writer_sweeps_what_a_killed_one_left_and_nothing_else(tmp_path):
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED)], env={**os.environ, "HERE": str(tmp_path)})
    (left,) = os.listdir(tmp_path)
    assert killed.returncode == -signal.SIGKILL and left.startswith(files.PARTIAL)
    gone = left.split("-")[2]
    keep = [left.replace(f"-{gone}-", f"-{os.getppid()}-"), ".partial-00000000-" + gone + "-of-another-machine"]
    for name in [*keep, left.replace(f"-{gone}-", "-no-number-"), "mine.txt"]:
        (tmp_path / name).touch()
    with replacing(tmp_path / "b.bin", DatasetError) as temporary:
        temporary.write_bytes(b"whole")
    there = {"b.bin", "mine.txt", left.replace(f"-{gone}-", "-no-number-"), *keep}
    assert set(os.listdir(tmp_path)) == there, "running, another machine's, and no writer's"


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, "gone/a"])
def test_a_name_that_cannot_be_is_one_line(tmp_path, name):
    for write in (
        lambda path: replacing(path, DatasetError).__enter__(),
        lambda path: make_folder(path, DatasetError),
        lambda path: exclusive(path).__enter__(),
    ):
        if name == "gone/a":
            (tmp_path / "gone").touch()
        with pytest.raises(MpiiError, match="cannot be written") as caught:
            write(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert file_bytes(tmp_path / name) == -1


def test_only_a_file_has_a_length(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    assert [file_bytes(tmp_path / "a"), file_bytes(tmp_path)] == [3, -1]
