"""Pictures decoded and resized once, and kept as plain bytes, so that no epoch decodes a JPEG again.

A folder of shards holds `pictures-00000.npy` and so on, each uint8 (rows, height, width, 3) as `np.load` opens it, and
`shards.json`, which tells for each shard its SHA-256, its pictures in the order of the rows (image_id, file name, bytes
and time of the file that was read), and those that could not be read, which have no row.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mpii_lib.errors import DatasetError

INDEX = "shards.json"
FORMAT = 1
HEADER = 128  # bytes in front of the pictures of a file
AGAIN = "run `mpii shards` again"


class Source(NamedTuple):
    """A picture file as it was found; a missing one has -1 bytes."""

    image_id: int
    name: str
    bytes: int
    time: int  # of its last change, in nanoseconds


@dataclass(frozen=True)
class Shard:
    """One file of pictures: what it was made from, and which of that is not in it."""

    file: str
    sha256: str
    sources: list[Source]
    unreadable: dict[int, str]  # image_id -> reason

    @property
    def rows(self) -> list[int]:
        """The image_ids in the order of the rows."""
        return [source.image_id for source in self.sources if source.image_id not in self.unreadable]


class Shards:
    """A folder of pictures of one size, whole and ready to be read. Made by `write_shards` and `open_shards`.

    Attributes
    ----------
    folder
        Where the files lie.
    size
        (height, width) of the pictures in pixels.
    names
        image_id -> file name, of every picture that was asked for.
    source_bytes
        image_id -> length of the file that the picture was read from; -1 where there was none.
    unreadable
        image_id -> reason, of the pictures that could not be read; `read` has none of them.
    fingerprint
        SHA-256 of the size, and of name and length of each picture file.
    """

    def __init__(self, folder: Path, size: tuple[int, int], shards: Sequence[Shard]) -> None:
        self.folder, self.size = folder, size
        self.shards = list(shards)
        sources = [source for shard in shards for source in shard.sources]
        self.names = {source.image_id: source.name for source in sources}
        self.source_bytes = {source.image_id: source.bytes for source in sources}
        self.unreadable = {image: why for shard in shards for image, why in shard.unreadable.items()}
        self.fingerprint = fingerprint_of(size, sources)
        self._places = {
            image: (number, row) for number, shard in enumerate(shards) for row, image in enumerate(shard.rows)
        }

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        height, width = self.size
        bad = f"; {len(self.unreadable)} pictures could not be read (see .unreadable)" if self.unreadable else ""
        size = f"{height} x {width} pixels, {len(self) * height * width * 3 / 1e6:,.0f} MB"
        return f"Shards: {len(self)} pictures of {size} in {len(self.shards)} files{bad}"

    def read(self, image_ids: Iterable[int]) -> np.ndarray:
        """Read pictures in the order given: uint8 (B, height, width, 3), RGB.

        Files are read and not mapped into memory: a map would count as the process' own memory as it is walked over.

        Raises
        ------
        DatasetError
            A picture is not in these shards, or a file has been cut since it was opened.
        """
        ids = [int(image) for image in image_ids]
        unknown = [image for image in ids if image not in self._places]
        if unknown:
            raise DatasetError(f"{self.folder}: has no picture of image {unknown[0]}; see .names and .unreadable")
        pictures = np.empty((len(ids), *self.size, 3), np.uint8)
        length = pictures[:1].nbytes
        wanted = sorted((*self._places[image], at) for at, image in enumerate(ids))
        for number, group in groupby(wanted, key=lambda place: place[0]):
            path = self.folder / self.shards[number].file
            with path.open("rb", buffering=0) as file:
                for _, row, at in group:
                    file.seek(HEADER + row * length)
                    if file.readinto(memoryview(pictures[at]).cast("B")) != length:
                        raise DatasetError(f"{path}: ends too early; {AGAIN}")
        return pictures

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


def open_shards(folder: str | Path) -> Shards:
    """Open a folder of shards, and see that its index is sound and each file has the right length and form.

    Bytes that changed inside a file are found by `Shards.check` (`mpii shards --check`), which reads all of them.

    Raises
    ------
    DatasetError
        The folder holds no shards, they are not complete, or a file is missing, cut or another; the message names it.
    """
    folder = Path(folder).expanduser()
    shards = read_index(folder)
    if shards is None:
        raise DatasetError(f"{folder / INDEX}: there is no such file; make the shards with `mpii shards PATH {folder}`")
    index, complete = shards
    if not complete:
        raise DatasetError(f"{folder}: is not finished, writing was broken off; {AGAIN}, it goes on where it stopped")
    for shard in index.shards:
        reason = damage(folder, shard, index.size)
        if reason:
            raise DatasetError(f"{folder / shard.file}: {reason}; {AGAIN}")
    return index


def header(rows: int, size: tuple[int, int]) -> bytes:
    """The start of a .npy file, of one length whatever the number of rows."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": (rows, *size, 3)})
    head = buffer.getvalue().rstrip()
    # Padded here: how far NumPy pads has changed before. Bytes 8 and 9 are the length of what follows them.
    return head[:8] + (HEADER - 10).to_bytes(2, "little") + head[10:].ljust(HEADER - 11) + b"\n"


def damage(folder: Path, shard: Shard, size: tuple[int, int]) -> str:
    """What is wrong with a file as far as its length and first bytes tell; "" when nothing is."""
    try:
        with (folder / shard.file).open("rb") as file:
            start, length = file.read(HEADER), file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    wanted = HEADER + len(shard.rows) * size[0] * size[1] * 3
    if length != wanted:
        return f"has {length:,} bytes instead of {wanted:,}"
    return "" if start == header(len(shard.rows), size) else "is another file than the index says"


def read_index(folder: Path) -> tuple[Shards, bool] | None:
    """The index of a folder and whether it is complete; None when there is none, DatasetError when it is broken."""
    path = folder / INDEX
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        shards = [
            Shard(
                str(shard["file"]),
                str(shard["sha256"]),
                [
                    Source(int(image), str(name), int(length), int(time))
                    for image, name, length, time in shard["images"]
                ],
                {int(image): str(reason) for image, reason in shard["unreadable"].items()},
            )
            for shard in stored["shards"]
        ]
        height, width = (int(side) for side in stored["size"])
        index = Shards(folder, (height, width), shards)
        if stored["format"] != FORMAT or stored["fingerprint"] != index.fingerprint:
            raise ValueError("its fingerprint is another")
        if any(Path(shard.file).name != shard.file for shard in shards):
            raise ValueError("a shard lies outside the folder")
        return index, bool(stored["complete"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: is no index of shards, or is broken ({error}); delete it and {AGAIN}") from None


def fingerprint_of(size: tuple[int, int], sources: Iterable[Source]) -> str:
    """SHA-256 of the size, and of id, name and length of each picture file."""
    digest = hashlib.sha256(repr(tuple(size)).encode())
    for source in sources:
        digest.update(f"{source.image_id}\0{source.name}\0{source.bytes}\n".encode())
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def progress_bar(total: int, shown: bool, what: str = "writing shards", unit: str = " pictures") -> Any:
    """A tqdm bar where a person looks on; nothing remains of it."""
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, unit=unit, leave=False, disable=None if shown else True)
