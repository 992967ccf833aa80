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
from dataclasses import replace
from pathlib import Path

from mpii_lib.annotations import store
from mpii_lib.annotations.table import Annotations
from mpii_lib.errors import AnnotationError


def cache_path(source: Path) -> Path:
    """Where the copy of `source` lies."""
    return source.with_name(f"{source.name}.cache-v{store.FORMAT}.parquet")


def cached(
    source: Path, parse: Callable[[bytes], Annotations], reader: str, folder: Path, use_cache: bool
) -> Annotations:
    """The annotations in `source`, from the copy beside it where that is possible.

    Parameters
    ----------
    source
        The annotation file.
    parse
        Makes annotations from the file's bytes; its AnnotationError goes through.
    reader
        Name, version and options of the reader; part of the key.
    folder
        Where the images lie, for the result.
    use_cache
        False neither reads nor writes a copy. A copy that is damaged is made again; a folder that cannot be
        written, or is marked read-only, gets none.

    Raises
    ------
    AnnotationError
        When `source` cannot be read.
    """
    try:
        data = source.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AnnotationError(f"{source}: cannot be read ({reason}); check that it exists and may be read") from error
    if not use_cache:
        return replace(parse(data), folder=folder)
    key = f"{reader}:{hashlib.sha256(data).hexdigest()}"
    path = cache_path(source)
    try:
        return Annotations(**store.read(path, key) | {"folder": folder})
    except AnnotationError:
        annotations = parse(data)
    # root passes every permission check, so the folder's own mark counts as well: a read-only folder stays as it is
    if path.parent.stat().st_mode & stat.S_IWUSR and os.access(path.parent, os.W_OK):
        with suppress(AnnotationError):  # a copy is a convenience: a full disk or a lost race is no reason to fail
            store.write(path, annotations, key)
    return replace(annotations, folder=folder)
