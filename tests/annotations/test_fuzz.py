"""Damaged and odd annotation files: each reads as valid or is the library's own error, in 10 s and 2 GB.

A few hundred files here; MPII_FUZZ=10000 makes 10,000 .mat files (half of them compressed) and 5,000 COCO files:
MPII_FUZZ=10000 pytest -s tests/annotations/test_fuzz.py
"""

import io
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import mpii_writer as w
import numpy as np
import pytest
from scipy.io import savemat
from test_read_coco import coco_image, coco_person

from mpii_lib.skeletons import COCO

COUNT = int(os.environ.get("MPII_FUZZ", "200"))
BATCH = 250
ODD_WORDS = (0, 1, 2, 3, 5, 6, 9, 14, 15, 17, 0x00040005, 0x0001_0009, 2**31 - 1, 2**31, 2**32 - 1, 2**20)
ODD_VALUES = (
    None, True, False, "", "x", "1", "\ud800", "\0", "/etc/passwd", "..", "a/" * 3000, "x" * 300, [], {}, [[]], {},
    0, -1, 2, 3, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**400, -(2**70), 1e5, -1e5, 1e39, 1e300,
    float("nan"), float("inf"), -float("inf"), [1] * 51, ["1"] * 51, [float("nan")] * 51, [None] * 4, [True] * 4,
    [0, 0, -5, -5], [1e39] * 4,
)  # fmt: skip


def plain_mat() -> bytes:
    people = [{"annopoints": w.annopoints([(j, np.uint16(j + 5), 7.5, "01"[j % 2]) for j in range(16)]), "scale": 2.5}]
    people[0] |= {"objpos": w.objpos(np.int16(3), np.uint8(7)), "x1": np.uint8(1), "y1": 2.0, "x2": 9.0, "y2": 8.0}
    label = {"train": 1, "category": "sports", "activity": "skiing, downhill", "act_id": np.int16(3)}
    film = {"video": np.uint16(7), "frame_sec": np.uint8(9), "single_person": [1]}
    images = [w.image(f"{n}.jpg", people, **label, **film) for n in range(4)] + [w.image("test.jpg")]
    file = io.BytesIO()
    savemat(file, {"RELEASE": w.release(images)})
    return file.getvalue()


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` with bytes flipped, cut, left out, doubled, or four of them another number."""
    at = int(rng.integers(len(data)))
    match rng.integers(6):
        case 0:
            changed = bytearray(data)
            for place in rng.integers(len(data), size=rng.integers(1, 9)):
                changed[place] ^= int(rng.integers(1, 256))
            return bytes(changed)
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[at + int(rng.choice([1, 4, 8, 56])) :]
        case 3:
            at -= at % 8
            return data[: at + 56] + data[at:]
        case _:  # most of the format is numbers of four bytes
            at -= at % 4
            word = int(rng.choice(ODD_WORDS)) if rng.random() < 0.7 else int(rng.integers(2**32))
            return data[:at] + word.to_bytes(4, "little") + data[at + 4 :]


def compressed(plain: bytes) -> bytes:
    body = zlib.compress(plain[128:])
    return plain[:128] + (15).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body


def mat_file(number: int, rng: np.random.Generator, plain: bytes = plain_mat()) -> bytes:
    match number % 4:
        case 0:
            return damaged(compressed(plain), rng)
        case 1:
            return compressed(plain[:128] + damaged(plain[128:], rng))  # its checksum is right
        case 2:
            return damaged(plain, rng)
        case _:
            return plain[:128] + damaged(damaged(plain[128:], rng), rng)


def coco_file(number: int, rng: np.random.Generator) -> bytes:
    category = {"id": 1, "name": "person", "keypoints": list(COCO.joints)}
    people = [coco_person(n, 1 + n % 2, [5, 6, 2] * 17) for n in range(3)]
    content = {"images": [coco_image(1), coco_image(2)], "annotations": people, "categories": [category, {"id": 2}]}
    if number % 5 == 0:
        return damaged(json.dumps(content).encode(), rng)
    for _ in range(rng.integers(1, 3)):
        place = content
        while True:  # down to a random depth
            key = list(place)[rng.integers(len(place))] if isinstance(place, dict) else int(rng.integers(len(place)))
            if not isinstance(place[key], dict | list) or not place[key] or rng.random() < 0.15:
                break
            place = place[key]
        match rng.integers(6):
            case 0:
                del place[key]
            case 1 if isinstance(place, list):
                place.append(place[key])
            case _:
                place[key] = ODD_VALUES[rng.integers(len(ODD_VALUES))]
        if not all(isinstance(value, list) and value for value in content.values()) or not content:
            break
    return json.dumps(content).encode()


def outcomes(files: list[Path]) -> list[str]:
    """What became of each file; a worker that dies is one, and the next goes on behind it."""
    found: list[str] = []
    while len(found) < len(files):
        todo = "".join(f"{file}\n" for file in files[len(found) :])
        worker = [sys.executable, str(Path(__file__).with_name("fuzz_worker.py"))]
        done = subprocess.run(worker, input=todo, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        if done.returncode:
            assert lines, done.stderr
            lines[-1] += f"ended the process ({done.returncode})"
        found += [line.partition(": ")[2] for line in lines]
    return found


@pytest.mark.parametrize(("make", "suffix", "count"), [(mat_file, "mat", COUNT), (coco_file, "json", COUNT // 2)])
def test_a_damaged_file_reads_as_valid_or_is_one_clear_error(tmp_path, make, suffix, count):
    total: Counter[str] = Counter()
    for start in range(0, count, BATCH):
        files = []
        for number in range(start, min(start + BATCH, count)):
            files.append(tmp_path / f"{number}.{suffix}")
            files[-1].write_bytes(make(number, np.random.default_rng(number)))
        results = outcomes(files)
        wrong = [f"{f}: {result}" for f, result in zip(files, results, strict=True) if result not in ("valid", "error")]
        assert not wrong, "\n".join(wrong[:20])
        total.update(results)
        for file in tmp_path.iterdir():
            file.unlink()
    print(f"{count} {suffix} files: {dict(total)}")
    assert total["valid"] and total["error"]
