"""How long reading the MPII annotations takes, beside the bare `scipy.io.loadmat`.

Run: python benchmarks/bench_annotations.py

The file is written by the benchmark itself in the full official shape: 24,987 images (18,079 train), 28,883 persons
with joints, and two without in each test image. The real file is measured as well where MPII_SHARED_DATA (default
../shared/data) has it. All figures of a table come from one run. loadmat's is the best of its options, without the time
in which its result is thrown away. loadmat and the reader use one core, so their time is the processor's, which other
programs disturb less; the cache's is the clock's.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import save_result
from scipy.io import loadmat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "annotations"))

import mpii_writer as writer  # noqa: E402

from mpii_lib.annotations import read_mpii  # noqa: E402
from mpii_lib.annotations.cache import cache_path  # noqa: E402

IMAGES, TRAIN, WITH_JOINTS, REPEATS = 24_987, 18_079, 28_883, 3
LIMITS = {"read": ("ratio", 1.6), "cache": ("seconds", 0.3)}
OPTIONS: list[dict[str, bool]] = [
    {},
    {"squeeze_me": True},
    {"chars_as_strings": False},
    {"chars_as_strings": False, "squeeze_me": True},
    {"struct_as_record": False, "squeeze_me": True},
]


def write_official_shape(path: Path) -> Path:
    """A file as large as the official one, with random joints and the official mixture of types."""
    rng = np.random.default_rng(0)
    people = np.bincount(rng.integers(0, TRAIN, WITH_JOINTS), minlength=TRAIN)
    images = []
    for number in range(IMAGES):
        if number < TRAIN:
            rows = [_person(rng) for _ in range(people[number])]
            label = {"category": f"category {number % 20}", "activity": f"activity {number % 396}"}
            label["act_id"] = np.int16(number % 622)
            film = {"frame_sec": np.uint16(number % 300), "video": np.uint16(number // 10 + 1), "train": 1}
            alone = {"single_person": np.uint8([1])} if rows else {}
            images.append(writer.image(f"{number:09d}.jpg", rows, **label, **film, **alone))
        else:
            rows = [{"scale": rng.uniform(1, 9), "objpos": writer.objpos(np.uint16(600), np.uint16(300))}] * 2
            images.append(writer.image(f"{number:09d}.jpg", rows, single_person=np.uint8([1, 2])))
    return writer.write(path, images)


def _person(rng: np.random.Generator) -> dict:
    joints = rng.permutation(16)[: rng.integers(5, 17) if rng.random() < 0.35 else 16]
    where = rng.integers(256, 1280, (len(joints), 2)).astype(np.uint16)
    points = []
    for joint, (x, y) in zip(joints, where, strict=True):
        neck_or_head = joint in (8, 9)
        visible = writer.EMPTY if neck_or_head else "1" if rng.random() < 0.1 else np.uint8(rng.random() < 0.8)
        points.append((np.uint8(joint), x + 0.25 if neck_or_head else x, y + 0.5 if neck_or_head else y, visible))
    fields = writer.POINT_FIELDS if rng.random() < 0.9 else ("id", "x", "y", "is_visible")
    box = dict(zip(("x1", "y1", "x2", "y2"), np.uint16([600, 100, 660, 180]), strict=True))
    extra = {"scale": rng.uniform(1, 9), "objpos": writer.objpos(np.uint16(600), np.uint16(300))}
    return box | {"annopoints": writer.annopoints(points, fields)} | extra


def _seconds(work, clock=time.process_time) -> float:
    start = clock()
    result = work()
    seconds = clock() - start
    del result
    return seconds


def measure(path: Path) -> dict:
    """Best of REPEATS, the three in turns, so that what else the machine does falls on all alike."""
    bare: dict[str, float] = {}
    for options in OPTIONS:
        name = ", ".join(f"{key}={value}" for key, value in options.items()) or "default options"
        bare[name] = _seconds(lambda options=options: loadmat(path, **options))
    best = min(bare, key=lambda name: bare[name])
    options = OPTIONS[list(bare).index(best)]
    read, cache, loads = [], [], [bare[best]]
    for _ in range(REPEATS):
        loads.append(_seconds(lambda: loadmat(path, **options)))
        read.append(_seconds(lambda: read_mpii(path, cache=False)))
    annotations = read_mpii(path)
    assert cache_path(path).is_file()
    for _ in range(REPEATS):
        cache.append(_seconds(lambda: read_mpii(path), time.perf_counter))
    base = min(loads)
    rows = {"loadmat": base, "read": min(read), "cache": min(cache)}
    return {
        "images": len(annotations.images),
        "people_with_joints": int(annotations.with_joints.sum()),
        "loadmat_options": best,
        "seconds": {name: round(value, 3) for name, value in rows.items()},
        "ratio": {name: round(value / base, 3) for name, value in rows.items()},
    }


def main() -> dict:
    """Measure, print the table, and write benchmarks/results/annotations.json."""
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        print("writing a file of the official shape (a minute or two) ...", flush=True)
        files["official shape"] = measure(write_official_shape(Path(folder) / "mpii_human_pose_v1_u12_1.mat"))
        shared = Path(os.environ.get("MPII_SHARED_DATA", ROOT / "../shared/data"))
        real = shared / "mpii" / "mpii_human_pose_v1_u12_1.mat"
        if real.is_file():
            copy = Path(folder) / "real.mat"  # a copy, since the cache is written beside the file
            copy.write_bytes(real.read_bytes())
            files["real file"] = measure(copy)
    result = {
        "files": files,
        "limits": {name: {"of": of, "at_most": limit} for name, (of, limit) in LIMITS.items()},
    }
    print(f"{'file':<16}{'what':<10}{'seconds':>9}{'ratio to loadmat':>18}   target")
    for name, row in files.items():
        for what, seconds in row["seconds"].items():
            of, limit = LIMITS.get(what, ("", 0.0))
            note = f"{of} <= {limit}: {'met' if row[of][what] <= limit else 'MISSED'}" if of else row["loadmat_options"]
            print(f"{name:<16}{what:<10}{seconds:>9.3f}{row['ratio'][what]:>18.3f}   {note}")
    save_result("annotations", result, "numpy", "pandas", "scipy", "pyarrow")
    return result


if __name__ == "__main__":
    main()
