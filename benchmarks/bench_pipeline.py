"""Speed and memory of `ImageDataset`, beside the original report's way: all images in one list and array.

Run: python benchmarks/bench_pipeline.py [--few 1000] [--many 25000] [--list 250 1000]

Each measurement runs in a process of its own over 1280 x 720 JPEG files, scaled to 224 x 224, in batches of 32. Sixty
different files are written, and each of the many names in the folder is a hard link to one of them: the dataset has
25,000 paths to keep, to shuffle and to open, and the disk 15 MB. The list is measured with fewer images, as it would
need 15 GB for all.

Memory is the peak of the process' resident memory: `total_mb` as the system gives it (TensorFlow, Keras and Python take
most of it), `mb` what it rose by after these were loaded. An epoch includes building the dataset. `per_second` is by
the clock, which other programs disturb; `cpu_ms` is the processor's time an image, all threads.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import save_result

FILES, SIZE, BATCH_SIZE = 60, (224, 224), 32
GROWTH = 1.1  # of the resident memory, from few to many


def main(few: int, many: int, lists: tuple[int, int]) -> dict:
    """Measure all, write the JSON, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), max(many, *lists))
        runs = {
            "list, few": child("list", lists[0], folder),
            "list, many": child("list", lists[1], folder),
            "stream, few": child("stream", few, folder),
            "stream, many": child("stream", many, folder),
            "stream, augmented": child("augmented", few, folder),
        }
    plain, changed, listed = runs["stream, few"], runs["stream, augmented"], runs["list, many"]
    ratios = {
        "speed, stream : list": plain["per_second"] / listed["per_second"],
        "speed, augmented : plain": changed["per_second"] / plain["per_second"],
        "processor time, stream : list": plain["cpu_ms"] / listed["cpu_ms"],
        "processor time, augmented : plain": changed["cpu_ms"] / plain["cpu_ms"],
        "memory above the libraries, list : stream": listed["mb"] / plain["mb"],
        "growth of memory, list": listed["total_mb"] / runs["list, few"]["total_mb"],
        "growth of memory, stream": runs["stream, many"]["total_mb"] / plain["total_mb"],
        "growth of memory above the libraries, stream": runs["stream, many"]["mb"] / plain["mb"],
    }
    flat = ratios["growth of memory, stream"] <= GROWTH
    result = {
        "what": f"1280 x 720 as {SIZE[0]} x {SIZE[1]}, one epoch in batches of {BATCH_SIZE}; {few} and {many} images "
        f"streamed, {lists[0]} and {lists[1]} in a list",
        "runs": runs,
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "limits": {"growth of memory, stream": GROWTH},
        "met": flat,
    }
    print(result["what"])
    for name, run in runs.items():
        rate, memory = f"{run['per_second']:>6.0f}/s, {run['cpu_ms']:.1f} ms each", f"memory + {run['mb']:.0f} MB"
        print(f"{name:<20} {run['images']:>6} images {rate}, {memory} to {run['total_mb']:.0f} MB")
    for name, ratio in ratios.items():
        print(f"{name:<46} {ratio:.2f}")
    print(f"resident memory grows at most {GROWTH:g} times: {'met' if flat else 'MISSED'}")
    save_result("pipeline", result, "tensorflow", "numpy", "pillow")
    return result


def write_images(folder: Path, count: int) -> None:
    """Files with about the detail of a photograph (some 250 KB each), and `count` names that link to them."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (90, 160, 3), dtype=np.uint8)).resize((1280, 720))
        noisy = np.asarray(coarse, np.int16) + rng.normal(0, 4, (720, 1280, 1)).astype(np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"file-{number}.jpg", quality=88)
    for number in range(count):
        os.link(folder / f"file-{number % FILES}.jpg", folder / f"{number}.jpg")


def child(mode: str, count: int, folder: str) -> dict:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--measure", mode, str(count), folder]
    reply = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    )
    return json.loads(reply.stdout.splitlines()[-1])


def measure(mode: str, count: int, folder: Path) -> dict:
    """Run one epoch and say how long it took and how far memory rose."""
    import resource

    import pandas as pd

    from mpii_lib._keras import keras
    from mpii_lib.annotations import Annotations
    from mpii_lib.datasets import Augmentation, ImageDataset
    from mpii_lib.skeletons import MPII

    names = [f"{number}.jpg" for number in range(count)]
    images = pd.DataFrame({"file_name": names, "split": "train", "category": [f"class {n % 10}" for n in range(count)]})
    people = pd.DataFrame({"image_id": np.zeros(0, np.int64)})
    ann = Annotations(images, people, np.zeros((0, 16, 2), np.float32), np.zeros((0, 16), np.int8), MPII, folder)

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)

    before, start, processor, seen = peak(), time.perf_counter(), time.process_time(), 0
    if mode == "list":
        listed = [keras.utils.img_to_array(keras.utils.load_img(folder / name, target_size=SIZE)) for name in names]
        array = np.array(listed)
        for first in range(0, count, BATCH_SIZE):
            seen += len(array[first : first + BATCH_SIZE])
    else:
        augment = Augmentation(rotation=20, zoom=0.1, shear=5, flip=True) if mode == "augmented" else None
        options = {"size": SIZE, "batch_size": BATCH_SIZE, "shuffle": True, "augment": augment}
        data = ImageDataset(ann, ann.images.index, **options)
        for index in range(len(data)):
            seen += len(data[index][1])
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    assert seen == count
    after = peak()
    figures = {
        "per_second": count / seconds,
        "cpu_ms": 1000 * processor / count,
        "mb": after - before,
        "total_mb": after,
    }
    return {"images": count, **{name: round(value, 2) for name, value in figures.items()}}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--few", type=int, default=1000)
        parser.add_argument("--many", type=int, default=25_000)
        parser.add_argument("--list", type=int, nargs=2, default=(250, 1000))
        options = parser.parse_args()
        main(options.few, options.many, tuple(options.list))
