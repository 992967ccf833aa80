"""Writing shards: decode and resize in parallel, a file at a time, so that a kill costs one file at most."""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpii_lib.arguments import checked
from mpii_lib.datasets.image_files import check_images, check_size, read_image
from mpii_lib.datasets.labels import known_ids
from mpii_lib.datasets.shards import (
    FORMAT,
    INDEX,
    SHARD_NAME,
    Shard,
    Shards,
    Source,
    damage,
    open_shards,
    progress_bar,
    read_index,
    sha256_of,
)
from mpii_lib.errors import DatasetError
from mpii_lib.files import PARTIAL, exclusive, file_bytes, make_folder, replacing, want_room

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

_LOCK = ".lock"
_AHEAD = 16  # images that may be decoded before their turn to be written


@checked
def write_shards(
    annotations: Annotations,
    folder: str | Path,
    image_ids: Iterable[int] | None = None,
    *,
    size: tuple[int, int] = (256, 256),
    megabytes: int = 256,
    workers: int | None = None,
    progress: bool = False,
) -> Shards:
    """Read every image once, as `ImageDataset` does, and keep it at one size in a few large files.

    A shard is moved into place when it is whole, so a broken-off run goes on with the first one that is missing. Run
    again, it keeps the shards whose image files have neither changed nor moved, and makes the others.

    Parameters
    ----------
    annotations
        The annotations; images lie in `annotations.folder`.
    folder
        Where to write; new, empty, or with shards of the same size.
    image_ids
        Which images. Default: all.
    size
        (height, width) in pixels, whatever an image's proportions. Training can use this size or a smaller one.
    megabytes
        A shard holds at most so many (of 2**20 bytes), and at least one image.
    workers
        Threads that decode; as many as there are cores by default.
    progress
        Show a bar.

    Returns
    -------
    Shards
        With `.unreadable`: images that could not be read, with the reason.

    Raises
    ------
    DatasetError
        The folder holds something else or cannot be written, there is no room, or none of the images can be read.
    """
    folder = Path(os.path.expanduser(folder))
    if megabytes < 1 or (workers is not None and workers < 1):
        raise DatasetError(f"write_shards: megabytes={megabytes}, workers={workers}: give at least 1 of each")
    shape, known = check_size(size, "write_shards"), annotations.images.index
    ids = known_ids(known if image_ids is None else image_ids, known).tolist()
    if not ids or len(set(ids)) < len(ids):
        raise DatasetError(f"write_shards: {len(ids)} image_ids, {len(set(ids))} different ones; give each image once")
    paths = [annotations.image_path(image) for image in ids]
    check_images(paths, "write_shards")
    names = annotations.images["file_name"].loc[ids].astype(str)
    sources = [_source(image, name, path) for image, name, path in zip(ids, names, paths, strict=True)]
    rows = max(1, megabytes * 2**20 // (shape[0] * shape[1] * 3))
    chunks = [sources[start : start + rows] for start in range(0, len(sources), rows)]
    planned = {f"images-{number:05d}.npy": chunk for number, chunk in enumerate(chunks)}
    _refuse_other_content(folder)
    make_folder(folder, DatasetError)
    with exclusive(folder / _LOCK):
        _Writer(folder, shape, planned, dict(zip(ids, paths, strict=True))).write(workers, progress)
    return open_shards(folder)


@dataclass
class _Writer:
    """A folder, the images that each of its shards is to hold, where they lie, and the shards that are done."""

    folder: Path
    size: tuple[int, int]
    planned: dict[str, list[Source]]  # by file name, as `done`
    paths: dict[int, Path]
    done: dict[str, Shard] = field(default_factory=dict)

    def write(self, workers: int | None, progress: bool) -> None:
        """Make the shards that are missing, and write the index after each, so that a kill costs one at most."""
        self._keep()
        images = sum(len(sources) for name, sources in self.planned.items() if name not in self.done)
        want_room(self.folder, images * math.prod(self.size) * 3, DatasetError)
        self._write_index()  # before a file changes: what is there counts as unfinished now
        bar = progress_bar(len(self.paths), progress, "writing shards", " images")
        with bar, ThreadPoolExecutor(workers or os.cpu_count() or 2) as pool:
            try:
                for name, sources in self.planned.items():
                    if name in self.done:
                        bar.update(len(sources))
                        continue
                    self.done[name] = self._write_shard(name, sources, pool, bar)
                    self._write_index()
            except BaseException:  # Ctrl-C, most of all: the pool would decode the rest before it lets go
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        for path in self.folder.glob("images-*.npy"):  # of an earlier run with more images
            if path.name not in self.planned:
                path.unlink()

    def _keep(self) -> None:
        """Take over the shards of an earlier run that hold what is planned; DatasetError for another size."""
        try:
            index, _ = read_index(self.folder)
        except DatasetError:  # none, or a broken one: every shard is made again
            return
        if index.size != self.size:
            raise DatasetError(f"{self.folder}: holds shards of another size, {index.size}; choose another folder")
        for shard in index.shards:
            found = [source._replace(unreadable="") for source in shard.sources]
            if found == self.planned.get(shard.file) and not damage(self.folder, shard, self.size):
                self.done[shard.file] = shard

    def _write_shard(self, name: str, sources: list[Source], pool: ThreadPoolExecutor, bar: Any) -> Shard:
        """Decode the images of one shard in parallel, and write them in their order as they come."""
        shape = (len(sources), *self.size, 3)
        written = []
        with replacing(self.folder / name, DatasetError) as temporary, temporary.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            offset = file.tell()
            tasks = (pool.submit(read_image, self.paths[source.image_id], self.size) for source in sources)
            waiting = deque(islice(tasks, _AHEAD))  # so many images are in memory, not a whole shard
            for source in sources:
                try:
                    file.write(waiting.popleft().result().data)
                    written.append(source)
                except DatasetError as error:
                    file.write(bytes(math.prod(shape[1:])))
                    written.append(source._replace(unreadable=str(error)))
                waiting.extend(islice(tasks, 1))
                bar.update()
            file.flush()
            digest = sha256_of(temporary)
        return Shard(name, offset, digest, written)

    def _write_index(self) -> None:
        shards = [self.done[name] for name in sorted(self.done)]
        fingerprint = Shards(self.folder, self.size, shards).fingerprint
        complete = len(shards) == len(self.planned)
        head = {"format": FORMAT, "size": self.size, "complete": complete, "fingerprint": fingerprint}
        lines = ",\n  ".join(json.dumps(shard._asdict()) for shard in shards)
        with replacing(self.folder / INDEX, DatasetError) as temporary:
            temporary.write_text(json.dumps(head)[:-1] + f',\n "shards": [\n  {lines}\n]}}\n', encoding="utf-8")


def _source(image_id: int, name: str, path: Path) -> Source:
    length = file_bytes(path)
    return Source(image_id, name, length, path.stat().st_mtime_ns if length >= 0 else -1)


def _refuse_other_content(folder: Path) -> None:
    """A folder with anything but shards may be the images' own; nothing is written among them."""
    try:
        names = sorted(path.name for path in folder.iterdir()) if os.path.exists(folder) else []
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror or error}); choose another folder") from None
    for name in names:
        if name not in (INDEX, _LOCK) and not name.startswith(PARTIAL) and not SHARD_NAME.fullmatch(name):
            raise DatasetError(f"{folder}: holds {name}, which is no shard; choose a new or empty folder")
