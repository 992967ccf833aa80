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
        Where the pictures lie, for the result.
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
        return Annotations._from_parts(store.read(path, key), folder)
    except AnnotationError:
        annotations = parse(data)
    if _writable(path.parent):
        try:
            store.write(
                path,
                store.Parts(
                    annotations.images, annotations.people, annotations.joints, annotations.visibility,
                    annotations.skeleton, extra={"key": key},
                ),
            )  # fmt: skip
        except AnnotationError:
            pass  # a copy is a convenience: a full disk or a lost race is no reason to fail
    return replace(annotations, folder=folder)


def _writable(folder: Path) -> bool:
    # root passes every permission check, so the folder's own mark is asked as well: a read-only folder stays as it is
    return bool(folder.stat().st_mode & stat.S_IWUSR) and os.access(folder, os.W_OK)
