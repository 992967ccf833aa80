"""Files and folders, as every package needs them: written whole or not at all, by one process at a time."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mpii_lib.errors import MpiiError, one_line

PARTIAL = ".partial-"  # how the names of unfinished files begin
_HOST = f"{PARTIAL}{zlib.crc32(platform.node().encode()):08x}-"  # process ids are those of one machine


def cache_folder() -> Path:
    """Give the user's cache folder, which the environment variable MPII_CACHE_DIR moves."""
    import pooch  # half a second to import, which a caller with a folder of its own need not wait

    return Path(os.environ.get("MPII_CACHE_DIR") or pooch.os_cache("mpii-notebooks")).expanduser()


@contextmanager
def replacing(path: Path, error: type[MpiiError], size: int = 0) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place at the end; after an exception nothing has changed.

    `size` is about how many bytes will be written: room for them is asked for first. What writers that were killed left
    in the folder is deleted. `error` is raised when the file cannot be written.

    Write with `open` and not into a memory map: on a full disk a map ends the process, a write is an error.
    """
    try:
        # The ending stays (Keras insists on .weights.h5); the process id keeps two writers apart.
        temporary = path.with_name(f"{_HOST}{os.getpid()}-{path.name}")
        temporary.unlink(missing_ok=True)
        _sweep(path.parent)
        want_room(path.parent, size, error)
    except (OSError, ValueError) as problem:  # ValueError: a name that no file can have
        raise error(unwritable(path, problem)) from None
    try:
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise error(unwritable(path, problem)) from None


def _sweep(folder: Path) -> None:
    """Delete the unfinished files of processes of this machine that are gone."""
    for leftover in folder.glob(f"{_HOST}*") if sys.platform != "win32" else ():  # where signal 0 would end a process
        with suppress(OSError, ValueError):  # it runs, as another user's perhaps; or the name is no writer's
            try:
                os.kill(int(leftover.name.removeprefix(_HOST).partition("-")[0]), 0)
            except (ProcessLookupError, OverflowError):
                leftover.unlink(missing_ok=True)


def want_room(folder: Path, size: int, error: type[MpiiError]) -> None:
    """Say before an hour of work that the disk is too small for its `size` bytes; `error` is raised."""
    from tqdm import tqdm

    free = shutil.disk_usage(folder).free
    if size > free:
        needed, there = (tqdm.format_sizeof(number, "B") for number in (size, free))
        raise error(f"{folder}: {needed} are needed and {there} are free; make room or choose another folder")


def unwritable(path: Path, problem: Exception, how: str = "written") -> str:
    """Say on one line that a file cannot be written, and why."""
    reason = getattr(problem, "strerror", None) or one_line(problem)
    return f"{path}: cannot be {how} ({reason}); choose another folder"


def make_folder(folder: Path, error: type[MpiiError]) -> None:
    """Make a folder, parents too, and see that files can be written there; `error` is raised when not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as problem:
        raise error(unwritable(folder, problem, "written to")) from None


def file_bytes(path: Path) -> int:
    """Length of a file; -1 where there is none, or something else, or it cannot be looked at."""
    return os.path.getsize(path) if os.path.isfile(path) else -1


@contextmanager
def exclusive(path: Path, busy: MpiiError | None = None) -> Iterator[None]:
    """Hold a lock among processes while the block runs; the system lets go of it when a process dies.

    Where another holds it, it is waited for, or `busy` is raised at once.
    On a file system without locks the block runs all the same: what it guards is moved into place whole anyway.
    MpiiError when the file cannot be written.
    """
    try:
        handle = open(path, "a+b")
    except (OSError, ValueError) as problem:
        raise MpiiError(unwritable(path, problem)) from None
    with handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    if busy:
                        raise busy from None
                    time.sleep(0.2)
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
            except OSError as problem:
                if busy and isinstance(problem, BlockingIOError):
                    raise busy from None
        yield
