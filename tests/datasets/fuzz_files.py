"""Damaged images and archives, read one after another: `python fuzz_files.py images|archives FOLDER FIRST COUNT`.

Prints as JSON how many were read and how many refused, the seconds of the slowest, and the memory in MB. Each number
gives one file, so FIRST 77 and COUNT 1 repeat number 77. It runs in a process of its own, because the end of the
interpreter is an outcome too.
"""

import gzip
import io
import json
import random
import re
import shutil
import struct
import sys
import tarfile
import time
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from mpii_lib.datasets.download import unpack
from mpii_lib.datasets.image_files import read_image
from mpii_lib.errors import DatasetError
from mpii_lib.training.records import peak_memory_mib


def whole_images():
    """Files of each kind that is read: bytes."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 4), dtype=np.uint8)
    smooth = Image.fromarray(pixels).resize((96, 72), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = [
        ("JPEG", "RGB", {"exif": exif}), ("JPEG", "RGB", {"progressive": True}), ("JPEG", "CMYK", {}),
        ("JPEG", "L", {}), ("PNG", "RGB", {"exif": exif}), ("PNG", "RGBA", {}), ("PNG", "LA", {}), ("PNG", "1", {}),
        ("PNG", "P", {"transparency": bytes(range(256))}), ("GIF", "P", {"transparency": 3}), ("BMP", "RGB", {}),
    ]  # fmt: skip
    for kind, mode, options in kinds:
        buffer = io.BytesIO()
        smooth.convert(mode).save(buffer, kind, **options)
        yield buffer.getvalue()


def whole_archives():
    """A zip and tar files of each packing with the same members: bytes."""
    members = {"images/1.jpg": bytes(range(256)) * 9, "images/2.jpg": b"two" * 50, "images/sub/": b"", "read me": b""}
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", packing) as file:
            for name, content in members.items():
                file.writestr(name, content)
        yield buffer.getvalue()
    for packing in ("", "gz", "bz2", "xz"):
        for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode=f"w:{packing}", format=kind) as file:
                for name, content in {**members, "long/" * 30 + "é": b"x"}.items():
                    info = tarfile.TarInfo(name.rstrip("/"))
                    info.type, info.size = (tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE), len(content)
                    file.addfile(info, io.BytesIO(content))
            yield buffer.getvalue()


def damaged(data, chance):
    """Change some bytes, cut, repeat or insert some; what is packed by gzip may be damaged inside."""
    if data[:2] == b"\x1f\x8b" and chance.random() < 0.7:
        return gzip.compress(damaged(gzip.decompress(data), chance))
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        # The headers stand at the beginning, and a zip's once more at its end.
        at = min(len(data) - 1, int(len(data) * chance.choice([chance.random(), chance.random() ** 4])))
        at = len(data) - 1 - at if chance.random() < 0.3 else at
        kind, length = chance.random(), chance.choice([1, 1, 2, 4, 8])
        if kind < 0.5:
            data[at : at + length] = chance.choice([chance.randbytes(length), b"\xff" * length, bytes(length)])
        elif kind < 0.7:
            data[at] ^= 1 << chance.randrange(8)
        elif kind < 0.8:
            start = chance.randrange(len(data))
            data[at:at] = data[start : start + chance.randrange(200)]
        elif kind < 0.9:
            del data[at : at + chance.randrange(1, 40)]
        if len(data) < 9:
            break
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    return sealed(bytes(data)) if chance.random() < 0.7 else bytes(data)


def sealed(data):
    """Make the check sums of PNG chunks and tar headers right again, so that the damage is not seen at the door."""
    if data[:4] == b"\x89PNG":
        at, out = 8, data[:8]
        while at + 12 <= len(data):
            length = min(struct.unpack(">I", data[at : at + 4])[0], len(data) - at - 12)
            body = data[at + 4 : at + 8 + length]
            out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
            at += 12 + length
        return out
    if b"ustar" in data[257:263]:
        out = bytearray(data)
        for at in (match.start() - 257 for match in re.finditer(b"ustar", data)):
            if 0 <= at <= len(out) - 512:
                out[at + 148 : at + 156] = b"%06o\0 " % (sum(out[at : at + 148]) + sum(out[at + 156 : at + 512]) + 256)
        return bytes(out)
    return data


def try_image(path):
    """Read it in the three ways that the library does."""
    for options in ({}, {"size": (16, 16)}, {"upright": True}):
        image = read_image(path, **options)
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size


def try_archive(path):
    """Unpack it, and see that nothing is written beside the folder."""
    before = set(path.parent.iterdir())
    folder = path.parent / "unpacked" / path.stem
    try:
        unpack(path, folder)
    finally:
        assert set(path.parent.iterdir()) - {folder.parent} == before - {folder.parent}
        assert list(folder.parent.iterdir()) == [folder]
        shutil.rmtree(folder)


def main(what, folder, first, count):
    """Try so many files."""
    warnings.simplefilter("ignore")
    whole = list(whole_images() if what == "images" else whole_archives())
    attempt = try_image if what == "images" else try_archive
    outcomes, slowest = {"read": 0, "refused": 0}, 0.0
    for number in range(first, first + count):
        chance = random.Random(number)
        data = chance.choice(whole)
        path = Path(folder) / f"{number}.bin"
        path.write_bytes(damaged(data, chance))
        start = time.perf_counter()
        try:
            attempt(path)
            outcomes["read"] += 1
        except DatasetError as error:
            assert "\n" not in str(error) and len(str(error)) < 400, (number, error)
            outcomes["refused"] += 1
        slowest = max(slowest, time.perf_counter() - start)
        path.unlink()  # the one that ends the process stays
    memory = int(peak_memory_mib() or 0)
    print(json.dumps(outcomes | {"seconds": round(slowest, 2), "MB": memory}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
