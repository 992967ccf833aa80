"""Heatmaps of whole batches in NumPy beside the thesis' recipe in SciPy, one map after the other.

Run: python benchmarks/bench_heatmaps.py [batches]

Both draw 17 maps of 64 x 64 for an input of 256 x 256. The recipe is the thesis' (section 2.2.3) as it stands: an array
of zeros, a one at the joint, `scipy.ndimage.gaussian_filter`, `cv2.resize`. `encode_heatmaps(method="thesis")` gives
the same maps to 1e-6. Each rate is the best of several rounds, by the clock, in one process.
"""

import sys
import time

import cv2
import numpy as np
from _results import save_result
from scipy.ndimage import gaussian_filter

from mpii_lib.pose import decode_heatmaps, encode_heatmaps

BATCH, JOINTS, ROUNDS = 64, 17, 5


def recipe(joints: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    """One person's maps (64, 64, 17), as the thesis describes them."""
    maps = []
    for (x, y), seen in zip(joints, visibility, strict=True):
        image = np.zeros((256, 256), np.float32)
        image[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))] = 1
        maps.append(cv2.resize(gaussian_filter(image, 0.5 if seen == 2 else 1.0), (64, 64)))
    return np.stack(maps, axis=-1)


def rate(work, persons: int) -> float:
    """Persons per second, the best round."""
    work()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return persons / min(seconds)


def main(batches: int = 10) -> dict:
    """Measure all, write the JSON, print the table."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(0, 255, (batches, BATCH, JOINTS, 2)).astype(np.float32)
    visibility = rng.integers(1, 3, (batches, BATCH, JOINTS))
    few = 12  # persons for the slow recipe
    persons = batches * BATCH
    same = np.abs(
        np.stack([recipe(joints[0, i], visibility[0, i]) for i in range(few)])
        - encode_heatmaps(joints[0, :few], visibility[0, :few], method="thesis")
    ).max()
    if same > 1e-6:
        raise SystemExit(f"the two recipes differ by {same}: nothing to compare")
    runs = {
        "thesis, SciPy, one by one": rate(lambda: [recipe(joints[0, i], visibility[0, i]) for i in range(few)], few)
    }
    for method in ("thesis", "gaussian", "unbiased"):
        runs[f"{method}, NumPy, batches of {BATCH}"] = rate(
            lambda method=method: [
                encode_heatmaps(a, b, method=method) for a, b in zip(joints, visibility, strict=True)
            ],
            persons,
        )
    maps = encode_heatmaps(joints[0], visibility[0], method="unbiased")
    for decoder in ("argmax", "quarter", "dark"):
        runs[f"decode, {decoder}"] = rate(lambda decoder=decoder: decode_heatmaps(maps, method=decoder), BATCH)
    given = np.ascontiguousarray(maps)  # in the order in which networks give them
    runs["decode, dark, smoothed by 2 cells"] = rate(lambda: decode_heatmaps(given, method="dark", smooth=2.0), BATCH)
    slow = runs["thesis, SciPy, one by one"]
    result = {
        "what": f"{JOINTS} heatmaps of 64 x 64 a person; persons per second",
        "runs": runs,
        "ratios": {name: value / slow for name, value in runs.items() if "NumPy" in name},
    }
    save_result("heatmaps", result, "numpy", "scipy", "opencv-python-headless")
    for name, value in runs.items():
        ratio = result["ratios"].get(name)
        print(f"{name:<34} {value:>9,.0f} persons/s" + (f"  {ratio:,.0f} times the recipe" if ratio else ""))
    return result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
