"""How much faster an epoch reads from shards than from 1280 x 720 JPEGs, with the same images.

Run: python benchmarks/bench_shards.py [--images 600] [--size 256]

The images are drawn by `make_sample(size=(1280, 720))` in a temporary folder and written once as shards. Then whole
epochs of `ImageDataset` are read by turns from the JPEGs and from the shards, in shuffled batches of 32, without a
network behind them; the best of three counts for each, after one of each that does not count. All files are
in the system's cache, for both: a slow disk would be kinder to the smaller files, whichever these are. The third row
scales the shards' images down to 7/8. Clock and processor time are both given; the limit is for the clock.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from _results import save_result

from mpii_course.sample import make_sample
from mpii_lib.datasets import ImageDataset, write_shards

BATCH_SIZE, REPEATS, AT_LEAST = 32, 3, 8.0


def main(images: int, size: int) -> dict:
    """Measure, print the table, and write benchmarks/results/shards.json."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ann = make_sample(folder / "sample", images, seed=0, size=(1280, 720))
        labelled = ann.images.index[ann.images["category"].notna()]
        started = time.perf_counter()
        shards = write_shards(ann, folder / "shards", labelled, size=(size, size))
        written = time.perf_counter() - started
        options = {"batch_size": BATCH_SIZE, "shuffle": True, "seed": 0}
        less = 7 * size // 8
        ways = {
            "decoded": ImageDataset(ann, labelled, size=(size, size), **options),
            "shards": ImageDataset(ann, labelled, size=(size, size), shards=shards, **options),
            f"shards, scaled to {less}": ImageDataset(ann, labelled, size=(less, less), shards=shards, **options),
        }
        one, other = (ways[way][0][0] for way in ("decoded", "shards"))
        same = bool(np.array_equal(one, other))
        best = measure(ways)
        sizes = {
            "jpeg_mb": sum(ann.image_path(image).stat().st_size for image in labelled) / 1e6,
            "shards_mb": sum(path.stat().st_size for path in (folder / "shards").glob("*.npy")) / 1e6,
        }
    base = best["decoded"]
    ratios = {way: {kind: base[kind] / row[kind] for kind in base} for way, row in best.items()}
    pays = written / max(base["clock"] - best["shards"]["clock"], 1e-9)
    result = {
        "what": f"{len(labelled)} images of 1280 x 720 as {size} x {size}, shuffled batches of {BATCH_SIZE}",
        "same_images": same,
        "seconds_an_epoch": {way: {kind: round(value, 4) for kind, value in row.items()} for way, row in best.items()},
        "images_a_second": {way: round(len(labelled) / row["clock"]) for way, row in best.items()},
        "ratio": {way: {kind: round(value, 2) for kind, value in row.items()} for way, row in ratios.items()},
        "at_least": AT_LEAST,
        "writing_seconds": round(written, 2),
        "pays_after_epochs": round(pays, 1),
        **{name: round(value, 1) for name, value in sizes.items()},
    }
    print(result["what"])
    for way, row in ratios.items():
        rate = f"{result['images_a_second'][way]:>7,} images/s"
        print(f"{way:<24} {rate}   ratio by the clock {row['clock']:>5.1f}, by processor time {row['processor']:>5.1f}")
    print(f"the same images: {same}; written once in {written:.1f} s, which pays after {pays:.1f} epochs")
    print(f"on disk: JPEGs {sizes['jpeg_mb']:.0f} MB, shards {sizes['shards_mb']:.0f} MB")
    met = same and ratios["shards"]["clock"] >= AT_LEAST
    print(f"at least {AT_LEAST:g} times faster, with the same images: {'met' if met else 'MISSED'}")
    save_result("shards", result, "tensorflow", "numpy", "pillow")
    return result


def measure(ways: dict) -> dict:
    """Seconds of an epoch by the clock and by the processor, the best of some, all ways by turns."""
    best = {way: {"clock": np.inf, "processor": np.inf} for way in ways}
    for repeat in range(REPEATS + 1):
        for way, data in ways.items():
            clock, processor, seen = time.perf_counter(), time.process_time(), 0
            data.epoch = repeat
            for index in range(len(data)):
                seen += len(data[index][1])
            spent = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
            assert seen == len(data.labels)
            if repeat:
                best[way] = {kind: min(best[way][kind], spent[kind]) for kind in spent}
    return best


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--size", type=int, default=256)
    main(**vars(parser.parse_args()))
