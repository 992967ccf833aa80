"""Writing shards: decode and resize in parallel, a file at a time, so that a kill costs one file at most."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpii_lib.datasets.image_files import check_images, read_image
from mpii_lib.datasets.shards import (
    FORMAT,
    INDEX,
    Shard,
    Shards,
    Source,
    damage,
    fingerprint_of,
    header,
    open_shards,
    progress_bar,
    read_index,
    sha256_of,
)
from mpii_lib.errors import DatasetError
from mpii_lib.files import PARTIAL, exclusive, make_folder, replacing

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

_LOCK = ".lock"
_OURS = re.compile(r"pictures-\d{5,}\.npy")
_AHEAD = 16  # pictures that may be decoded before their turn to be written


def write_shards(
    ann: Annotations,
    folder: str | Path,
    image_ids: Iterable[int] | None = None,
    *,
    size: tuple[int, int] = (256, 256),
    megabytes: int = 256,
    workers: int | None = None,
    progress: bool = False,
) -> Shards:
    """Read every picture once, as `classification_dataset` does, and keep it at one size in a few large files.

    A shard is moved into place when it is whole, so a broken-off run goes on with the first one that is missing. Run
    again, it keeps the shards whose picture files have neither changed nor moved, and makes the others.

    Parameters
    ----------
    ann
        The annotations; pictures lie in `ann.folder`.
    folder
        Where to write; new, empty, or with shards of the same size.
    image_ids
        Which pictures. Default: all of `ann`.
    size
        (height, width) in pixels, whatever a picture's proportions. Training can use this size or a smaller one.
    megabytes
        A shard holds at most so many (of 2**20 bytes), and at least one picture.
    workers
        Threads that decode; as many as there are cores by default.
    progress
        Show a bar.

    Returns
    -------
    Shards
        With `.unreadable`: pictures that could not be read are left out, and listed there with the reason.

    Raises
    ------
    DatasetError
        The folder holds something else or cannot be written, there is no room, or none of the pictures can be read.
    """
    folder = Path(folder).expanduser()
    if np.shape(size) != (2,) or min(size) < 1 or megabytes < 1 or (workers is not None and workers < 1):
        raise DatasetError(
            f"write_shards: size={size}, megabytes={megabytes}, workers={workers} cannot be used; "
            "size is (height, width), and each number at least 1"
        )
    shape = (int(size[0]), int(size[1]))
    ids = [int(image) for image in (ann.images.index if image_ids is None else image_ids)]
    if not ids or len(set(ids)) < len(ids):
        raise DatasetError(f"write_shards: {len(ids)} image_ids, {len(set(ids))} different ones; give each image once")
    paths = [Path(ann.image_path(image)) for image in ids]
    check_images(paths, "write_shards")
    sources = [
        _source(image, str(ann.images.at[image, "file_name"]), path) for image, path in zip(ids, paths, strict=True)
    ]
    _refuse_other_content(folder)
    make_folder(folder, DatasetError)
    with exclusive(folder / _LOCK):
        for leftover in folder.glob(f"{PARTIAL}*"):  # of a run that was killed
            leftover.unlink(missing_ok=True)
        _write(folder, shape, sources, dict(zip(ids, paths, strict=True)), megabytes, workers, progress)
    return open_shards(folder)


def _write(
    folder: Path,
    size: tuple[int, int],
    sources: list[Source],
    paths: dict[int, Path],
    megabytes: int,
    workers: int | None,
    progress: bool,
) -> None:
    """Make the shards that are missing, and write the index after each, so that a kill costs one shard at most."""
    pictures = max(1, megabytes * 2**20 // (size[0] * size[1] * 3))
    planned = [sources[start : start + pictures] for start in range(0, len(sources), pictures)]
    done = _kept(folder, size, planned)
    _want_room(folder, size, [source for number, chunk in enumerate(planned) if number not in done for source in chunk])

    def keep_index() -> None:
        _write_index(folder, size, [done[number] for number in sorted(done)], len(done) == len(planned))

    keep_index()  # before a file changes: from here on what is there counts as unfinished
    with ThreadPoolExecutor(workers or os.cpu_count() or 2) as pool, progress_bar(len(sources), progress) as bar:
        try:
            for number, chunk in enumerate(planned):
                if number in done:
                    bar.update(len(chunk))
                    continue
                done[number] = _write_shard(folder / f"pictures-{number:05d}.npy", chunk, paths, size, pool, bar)
                keep_index()
        except BaseException:  # Ctrl-C, most of all: the pool would decode the rest before it lets go
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    names = {shard.file for shard in done.values()}
    for path in folder.iterdir():  # of an earlier run with more pictures
        if _OURS.fullmatch(path.name) and path.name not in names:
            path.unlink()


def _write_shard(
    path: Path,
    sources: list[Source],
    paths: dict[int, Path],
    size: tuple[int, int],
    pool: ThreadPoolExecutor,
    bar: Any,
) -> Shard:
    """Decode the pictures of one shard in parallel, and write them in their order as they come."""
    unreadable: dict[int, str] = {}
    with replacing(path, DatasetError) as temporary, temporary.open("wb") as file:
        file.write(header(len(sources), size))
        tasks: Iterator[Future[np.ndarray]] = (pool.submit(read_image, paths[s.image_id], size) for s in sources)
        waiting = deque(islice(tasks, _AHEAD))  # so many pictures are in memory, not a whole shard
        for source in sources:
            try:
                file.write(waiting.popleft().result().data)
            except DatasetError as error:
                unreadable[source.image_id] = str(error)
            waiting.extend(islice(tasks, 1))
            bar.update()
        file.seek(0)
        file.write(header(len(sources) - len(unreadable), size))
        file.flush()
        digest = sha256_of(temporary)
    return Shard(path.name, digest, sources, unreadable)


def _kept(folder: Path, size: tuple[int, int], planned: list[list[Source]]) -> dict[int, Shard]:
    """The shards of an earlier run that hold what is planned, by number; DatasetError for those of another size."""
    try:
        found = read_index(folder)
    except DatasetError:  # a broken index: every shard is made again
        return {}
    if found is None:
        return {}
    if found[0].size != size:
        height, width = found[0].size
        raise DatasetError(f"{folder}: holds shards of {height} x {width} pixels; choose another folder for this size")
    by_name = {shard.file: shard for shard in found[0].shards}
    kept = {number: by_name.get(f"pictures-{number:05d}.npy") for number in range(len(planned))}
    return {
        number: shard
        for number, shard in kept.items()
        if shard is not None and shard.sources == planned[number] and not damage(folder, shard, size)
    }


def _write_index(folder: Path, size: tuple[int, int], shards: list[Shard], complete: bool) -> None:
    sources = [source for shard in shards for source in shard.sources]
    lines = ",\n  ".join(
        json.dumps(
            {
                "file": shard.file,
                "sha256": shard.sha256,
                "unreadable": shard.unreadable,
                "images": [list(source) for source in shard.sources],
            }
        )
        for shard in shards
    )
    head = {"format": FORMAT, "size": size, "complete": complete, "fingerprint": fingerprint_of(size, sources)}
    with replacing(folder / INDEX, DatasetError) as temporary:
        temporary.write_text(json.dumps(head)[:-1] + f',\n "shards": [\n  {lines}\n]}}\n', encoding="utf-8")


def _source(image_id: int, name: str, path: Path) -> Source:
    try:
        state = path.stat()
    except OSError:
        return Source(image_id, name, -1, -1)
    return Source(image_id, name, state.st_size, state.st_mtime_ns)


def _refuse_other_content(folder: Path) -> None:
    """A folder with anything but shards may be the pictures' own; nothing is written among them."""
    try:
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror or error}); choose another folder") from None
    own = (INDEX, _LOCK)
    other = [n for n in names if n not in own and not n.startswith(PARTIAL) and not _OURS.fullmatch(n)]
    if other:
        raise DatasetError(f"{folder}: holds {other[0]}, which is no shard; choose a new or empty folder")


def _want_room(folder: Path, size: tuple[int, int], sources: list[Source]) -> None:
    """Say before an hour of work that the disk is too small for it."""
    needed = sum(source.bytes >= 0 for source in sources) * size[0] * size[1] * 3
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{folder}: the shards need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; "
            "make room, choose another folder, or a smaller size"
        )
