"""Images decoded and resized once, and kept as plain bytes, so that no epoch decodes a JPEG again.

A folder of shards holds `images-00000.npy` and so on, each uint8 (rows, height, width, 3) as `np.load` opens it, and
`shards.json`, which lists for each shard its SHA-256 and its images in the order of the rows: image_id, file name,
bytes and time of the file that was read, and the reason for those that could not be read, whose rows are black.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError, one_line

INDEX = "shards.json"
FORMAT = 2
SHARD_NAME = re.compile(r"images-\d{5,}\.npy")
AGAIN = "run `mpii shards` again"


class Source(NamedTuple):
    """An image file as it was found; a missing one has -1 bytes. `unreadable` is the reason, "" where it was read."""

    image_id: int
    name: str
    bytes: int
    time: int  # of its last change, in nanoseconds
    unreadable: str = ""


class Shard(NamedTuple):
    """One file of images: its name, where its rows begin, and what they were made from."""

    file: str
    offset: int
    sha256: str
    sources: list[Source]


class Shards:
    """A folder of images of one size, whole and ready to be read. Made by `write_shards` and `open_shards`.

    Attributes
    ----------
    folder
        Where the files lie.
    size
        (height, width) of the images in pixels.
    names
        image_id -> file name, of every image, the unreadable ones too.
    source_bytes
        image_id -> length of the file that the image was read from; -1 where there was none.
    unreadable
        image_id -> reason, of the images that could not be read; `read` has none of them.
    fingerprint
        SHA-256 of the size, and of id, name and length of each image file.
    """

    def __init__(self, folder: Path, size: tuple[int, int], shards: list[Shard]) -> None:
        self.folder, self.size, self.shards = folder, size, shards
        sources = [source for shard in shards for source in shard.sources]
        self.names = {source.image_id: source.name for source in sources}
        self.source_bytes = {source.image_id: source.bytes for source in sources}
        self.unreadable = {source.image_id: source.unreadable for source in sources if source.unreadable}
        content = json.dumps([size, [source[:3] for source in sources]])
        self.fingerprint = hashlib.sha256(content.encode()).hexdigest()
        self._places = {
            source.image_id: (number, row)
            for number, shard in enumerate(shards)
            for row, source in enumerate(shard.sources)
            if not source.unreadable
        }

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        height, width = self.size
        bad = f"; {len(self.unreadable)} images could not be read (see .unreadable)" if self.unreadable else ""
        size = f"{height} x {width} pixels, {len(self) * height * width * 3 / 1e6:,.0f} MB"
        return f"Shards: {len(self)} images of {size} in {len(self.shards)} files{bad}"

    def read(self, image_ids: Iterable[int]) -> np.ndarray:
        """Read images in the order given: uint8 (B, height, width, 3), RGB.

        Files are read and not mapped into memory: a map would count as the process' own memory as it is walked over.

        Raises
        ------
        DatasetError
            An image is not in these shards, or a file has been cut since it was opened.
        """
        ids = [int(image) for image in image_ids]
        unknown = [image for image in ids if image not in self._places]
        if unknown:
            raise DatasetError(f"{self.folder}: image {unknown[0]} is not in it; see .names and .unreadable")
        images = np.empty((len(ids), *self.size, 3), np.uint8)
        wanted = sorted((*self._places[image], at) for at, image in enumerate(ids))
        for number, group in groupby(wanted, key=lambda place: place[0]):
            path = self.folder / self.shards[number].file
            try:
                with path.open("rb", buffering=0) as file:
                    for _, row, at in group:
                        file.seek(self.shards[number].offset + row * images[at].nbytes)
                        if file.readinto(memoryview(images[at]).cast("B")) != images[at].nbytes:
                            raise DatasetError(f"{path}: ends too early; {AGAIN}")
            except OSError as error:
                raise DatasetError(f"{path}: cannot be read any more ({error.strerror}); {AGAIN}") from None
        return images

    def check(self, progress: bool = False) -> list[str]:
        """Compare the SHA-256 of each file; give one line for each that is damaged, and none when all are whole."""
        found = []
        with progress_bar(len(self.shards), progress, "checking shards", " files") as bar:
            for shard in self.shards:
                path = self.folder / shard.file
                if sha256_of(path) != shard.sha256:
                    found.append(f"{path}: its bytes have changed since it was written; delete it and {AGAIN}")
                bar.update()
        return found


@checked
def open_shards(folder: str | Path) -> Shards:
    """Open a folder of shards, and see that its index is sound and each file has the right length.

    Bytes that changed inside a file are found by `Shards.check` (`mpii shards --check`), which reads all of them.

    Raises
    ------
    DatasetError
        The folder holds no shards, they are not complete, or a file is missing or cut; the message names it.
    """
    folder = Path(os.path.expanduser(folder))
    index, complete = read_index(folder)
    if not complete:
        raise DatasetError(f"{folder}: is not finished, writing was broken off; {AGAIN}, it goes on where it stopped")
    for shard in index.shards:
        reason = damage(folder, shard, index.size)
        if reason:
            raise DatasetError(f"{folder / shard.file}: {reason}; {AGAIN}")
    return index


def damage(folder: Path, shard: Shard, size: tuple[int, int]) -> str:
    """What is wrong with a file as far as its length shows; "" when nothing is."""
    try:
        length = (folder / shard.file).stat().st_size
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror or error})"
    wanted = shard.offset + len(shard.sources) * size[0] * size[1] * 3
    return "" if length == wanted else f"has {length:,} bytes instead of {wanted:,}"


def read_index(folder: Path) -> tuple[Shards, bool]:
    """The index of a folder and whether it is complete; DatasetError when there is none, or it is broken."""
    path = folder / INDEX
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        shards = [
            Shard(**shard | {"sources": [Source(*source) for source in shard["sources"]]}) for shard in stored["shards"]
        ]
        height, width = stored["size"]
        index = Shards(folder, (height, width), shards)
        if stored["format"] != FORMAT or stored["fingerprint"] != index.fingerprint:
            raise ValueError("its fingerprint is another")
        if any(not SHARD_NAME.fullmatch(shard.file) or type(shard.offset) is not int for shard in shards):
            raise ValueError("a shard has the name of another file, or begins nowhere")
        return index, bool(stored["complete"])
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(f"{path}: there is no such file; make the shards with `mpii shards PATH {folder}`") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = one_line(error)
        raise DatasetError(f"{path}: is no index of shards, or is broken ({reason}); delete it and {AGAIN}") from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def progress_bar(total: int, shown: bool, text: str, unit: str) -> Any:
    """A tqdm bar where a person looks on; nothing remains of it."""
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=text, unit=unit, leave=False, disable=None if shown else True)
