"""Speed and memory of the streaming pipeline, beside the original report's way: all pictures in one list and array.

Run: python benchmarks/bench_pipeline.py

Each measurement runs in a process of its own over the same 1280 x 720 JPEG files, scaled to 224 x 224, in batches of
32. Memory is what the peak resident memory grows by after TensorFlow is loaded. An epoch includes building the stream.
`per_second` is by the clock, which other programs disturb; `cpu_ms` is the processor's time a picture, all threads.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "pipeline.json"
FILES, FEW, MANY, SIZE, BATCH = 60, 250, 1000, (224, 224), 32


def main() -> dict:
    """Measure all, write the JSON, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder))
        runs = {
            "list, few": child("list", FEW, folder),
            "list, many": child("list", MANY, folder),
            "stream, few": child("stream", FEW, folder),
            "stream, many": child("stream", MANY, folder),
            "stream, augmented": child("augmented", MANY, folder),
        }
    result = {
        "what": f"{FEW} and {MANY} pictures of 1280 x 720, as {SIZE[0]} x {SIZE[1]}, one epoch in batches of {BATCH}",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "tensorflow": version("tensorflow")},
        "runs": runs,
        "ratios": {
            "speed, stream : list": runs["stream, many"]["per_second"] / runs["list, many"]["per_second"],
            "speed, augmented : plain": runs["stream, augmented"]["per_second"] / runs["stream, many"]["per_second"],
            "processor time, stream : list": runs["stream, many"]["cpu_ms"] / runs["list, many"]["cpu_ms"],
            "processor time, augmented : plain": runs["stream, augmented"]["cpu_ms"] / runs["stream, many"]["cpu_ms"],
            "memory, list : stream": runs["list, many"]["mb"] / runs["stream, many"]["mb"],
            "growth of memory, list": runs["list, many"]["mb"] / runs["list, few"]["mb"],
            "growth of memory, stream": runs["stream, many"]["total_mb"] / runs["stream, few"]["total_mb"],
        },
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for name, run in runs.items():
        rate, memory = f"{run['per_second']:>6.0f}/s, {run['cpu_ms']:.1f} ms each", f"memory + {run['mb']:.0f} MB"
        print(f"{name:<20} {run['pictures']:>5} pictures {rate}, {memory}")
    for name, ratio in result["ratios"].items():
        print(f"{name:<34} {ratio:.2f}")
    return result


def write_pictures(folder: Path) -> None:
    """Files with about the detail of a photograph (some 250 KB each)."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (90, 160, 3), dtype=np.uint8)).resize((1280, 720))
        noisy = np.asarray(coarse, np.int16) + rng.normal(0, 4, (720, 1280, 1)).astype(np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.jpg", quality=88)


def child(mode: str, count: int, folder: str) -> dict:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, mode, str(count), folder]
    reply = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    )
    return json.loads(reply.stdout.splitlines()[-1])


def measure(mode: str, count: int, folder: Path) -> dict:
    """Run one epoch and say how long it took and how far memory rose."""
    import resource

    import pandas as pd

    from mpii_lib.annotations import Annotations
    from mpii_lib.datasets import Augmentation, classification_dataset
    from mpii_lib.environment import load_keras
    from mpii_lib.skeletons import MPII

    keras = load_keras()
    names = [f"{number % FILES}.jpg" for number in range(count)]
    images = pd.DataFrame({"file_name": names, "split": "train", "category": [f"class {n % 10}" for n in range(count)]})
    people = pd.DataFrame({"image_id": np.zeros(0, np.int64)})
    ann = Annotations(images, people, np.zeros((0, 16, 2), np.float32), np.zeros((0, 16), np.int8), MPII, folder)

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)

    before, start, processor, seen = peak(), time.perf_counter(), time.process_time(), 0
    if mode == "list":
        pictures = [keras.utils.img_to_array(keras.utils.load_img(folder / name, target_size=SIZE)) for name in names]
        array = np.array(pictures)
        for first in range(0, count, BATCH):
            seen += len(array[first : first + BATCH])
    else:
        augment = Augmentation(rotation=20, zoom=0.1, shear=5, flip=True) if mode == "augmented" else None
        data = classification_dataset(ann, ann.images.index, size=SIZE, batch=BATCH, shuffle=True, augment=augment)
        for _, labels in data.tf:
            seen += len(labels)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    assert seen == count
    after = peak()
    figures = {
        "per_second": count / seconds,
        "cpu_ms": 1000 * processor / count,
        "mb": after - before,
        "total_mb": after,
    }
    return {"pictures": count, **{name: round(value, 2) for name, value in figures.items()}}


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        main()
