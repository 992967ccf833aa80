"""Files and folders, as every package needs them: written whole or not at all, by one process at a time."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mpii_lib.errors import MpiiError

PARTIAL = ".partial-"  # how the names of unfinished files begin


def cache_folder() -> Path:
    """Give the user's cache folder, which the environment variable MPII_CACHE_DIR moves."""
    import pooch  # half a second to import, which a caller with a folder of its own need not wait

    return Path(os.environ.get("MPII_CACHE_DIR") or pooch.os_cache("mpii-notebooks")).expanduser()


@contextmanager
def replacing(path: Path, error: type[MpiiError]) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place at the end; after an exception nothing has changed.

    `error` is raised when the file cannot be written.
    """
    try:
        # The ending stays (Keras insists on .weights.h5); the process id keeps two writers apart.
        temporary = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise error(f"{path}: cannot be written ({problem.strerror or problem}); choose another folder") from None


def make_folder(folder: Path, error: type[MpiiError]) -> None:
    """Make a folder, parents too, and see that files can be written there; `error` is raised when not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise error(f"{folder}: cannot be written to ({problem.strerror}); choose another folder") from None


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock among processes while the block runs; the system lets go of it when a process dies.

    On a file system without locks the block runs all the same: what it guards is moved into place whole anyway.
    """
    with open(path, "a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.2)
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError:
                pass
        yield
