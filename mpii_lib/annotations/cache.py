"""A Parquet copy beside an annotation file, so that the second reading takes a tenth of a second.

The copy's name ends in `.cache-v1.parquet`, and inside it carries a key: the SHA-256 of every byte of the annotation
file, with the name and version of the reader. A changed file, however small the change and whatever its date, is
read again. Hashing the 13 MB of the official MPII file takes about 15 ms.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mpii_lib.annotations import store
from mpii_lib.annotations.table import Annotations
from mpii_lib.errors import AnnotationError, MpiiError


def cache_path(source: Path) -> Path:
    """Where the copy of `source` lies."""
    return source.with_name(f"{source.name}.cache-v{store.FORMAT}.parquet")


def cached(
    source: Path, parse: Callable[[bytes], Annotations], reader: str, folder: Path, use_cache: bool, advice: str
) -> Annotations:
    """The annotations in `source`, from the copy beside it where that is possible.

    Parameters
    ----------
    source
        The annotation file.
    parse
        Makes annotations from the file's bytes; its error goes through, with `source` before it.
    reader
        Name, version and options of the reader; part of the key.
    folder
        Where the images lie, for the result.
    use_cache
        False neither reads nor writes a copy. A copy that is damaged is made again; a folder that cannot be
        written, or is marked read-only, gets none.
    advice
        What to do, for errors that do not say it.

    Raises
    ------
    AnnotationError
        When `source` cannot be read.
    """
    try:
        if not (source.is_file() or source.is_dir() or not source.exists()):  # a pipe would be waited for
            raise OSError(None, "no regular file")
        data = source.read_bytes()
    except (OSError, ValueError) as error:  # ValueError for a path that no file can have
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise AnnotationError(f"{source}: cannot be read ({reason}); check that it exists and may be read") from error

    key, path = f"{reader}:{hashlib.sha256(data).hexdigest()}", cache_path(source)
    if use_cache:
        with suppress(MpiiError):
            content, fingerprint = store.read(path, key)
            annotations = Annotations(**content | {"folder": folder})
            if annotations.fingerprint == fingerprint:  # Parquet itself does not see each bit that has turned
                return annotations
    try:
        annotations = parse(data)
    except MpiiError as error:
        what = str(error).removesuffix("; mend it")
        raise AnnotationError(f"{source}: {what}" + (f"; {advice}" if "; " not in what else "")) from error
    annotations.__dict__.update(folder=folder)  # nobody else has it yet: no need to make and check another one
    # root passes every permission check, so the folder's own mark counts as well: a read-only folder stays as it is
    if use_cache and path.parent.stat().st_mode & stat.S_IWUSR and os.access(path.parent, os.W_OK):
        with suppress(AnnotationError):  # a copy is a convenience: a full disk or a lost race is no reason to fail
            store.write(path, annotations, key)
    return annotations
