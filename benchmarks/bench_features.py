"""How much faster a head trains on cached features than in a classifier whose frozen backbone runs in every epoch.

Run: python benchmarks/bench_features.py

Both train the same head from the same start on the same drawn pictures in the same order, one after the other in one
run, so they must come to the same result. The time for features counts in full: computing and storing them, loading,
and every epoch of the head. Of the end-to-end training ten epochs are run; its time for fifty is theirs and forty times
the mean of its epochs 2 to 10, which all do the same work.
"""

import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mpii_lib.datasets import render_classification
from mpii_lib.models import build_classifier
from mpii_lib.training import TrainingRun, extract_features, fit, fit_head

ROOT = Path(__file__).resolve().parents[1]
BACKBONE, SIZE, TRAIN, VALIDATION, BATCH = "VGG16", 48, 256, 64, 32
AT_LEAST = {10: 5.0, 50: 20.0}
TOLERANCE = 0.02  # of the accuracy and of the loss, relative


def classifier():
    """The network of the comparison: all filters, random weights (they cost what trained ones cost), pooled head."""
    return build_classifier(BACKBONE, 20, (SIZE, SIZE, 3), weights=None, head="pooled", seed=0)


def main() -> dict:
    """Measure, print the table, and write benchmarks/results/features.json."""
    pictures, labels, _, _ = render_classification(TRAIN + VALIDATION, SIZE, seed=0)
    pictures, labels = pictures.astype(np.float32), labels.astype(np.int32)
    train, held_out = (pictures[:TRAIN], labels[:TRAIN]), (pictures[TRAIN:], labels[TRAIN:])
    settings = {"batch": BATCH, "optimizer": "adam", "learning_rate": 0.0001, "progress": False}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        started = time.perf_counter()
        model = classifier()
        features = [extract_features(model, part, folder / "cache", batch=BATCH) for part in (train, held_out)]
        computed = time.perf_counter() - started
        cached = fit_head(model, features[0], features[1], epochs=50, folder=folder / "cached", **settings)
        fast = times(cached, started)
        started = time.perf_counter()
        whole = fit(classifier(), train, held_out, epochs=10, folder=folder / "whole", **settings)
        slow = times(whole, started)
    ratios = {count: slow[count] / fast[count] for count in AT_LEAST}
    names = ("val_loss", "val_accuracy")
    ends = {name: [float(run.history[name].iloc[9]) for run in (cached, whole)] for name in names}
    apart = {name: abs(a - b) / max(abs(b), 1e-9) for name, (a, b) in ends.items()}
    result = {
        "benchmark": "features",
        "what": f"{BACKBONE}, {TRAIN} + {VALIDATION} pictures of {SIZE} x {SIZE}, batch {BATCH}",
        "seconds": {
            "features": round(computed, 2),
            "cached": {str(count): round(value, 2) for count, value in fast.items()},
            "end to end (50 projected from 10)": {str(count): round(value, 2) for count, value in slow.items()},
        },
        "ratio": {str(count): round(value, 2) for count, value in ratios.items()},
        "at_least": {str(count): value for count, value in AT_LEAST.items()},
        "epoch_10_cached_and_end_to_end": ends,
        "relative_difference": apart,
        "same_result": max(apart.values()) <= TOLERANCE,
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy")},
    }
    print(result["what"])
    print(f"{'epochs':>6}{'end to end':>13}{'cached':>10}{'ratio':>8}   target")
    for count, least in AT_LEAST.items():
        verdict = "met" if ratios[count] >= least else "MISSED"
        print(f"{count:>6}{slow[count]:>11.1f} s{fast[count]:>8.1f} s{ratios[count]:>8.1f}   >= {least:g}: {verdict}")
    print(f"same result within {TOLERANCE:.0%}: {result['same_result']} {ends}")
    path = ROOT / "benchmarks" / "results" / "features.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def times(run: TrainingRun, started: float) -> dict[int, float]:
    """Seconds since `started` after each number of epochs in question, set-up and tracing included."""
    total, each = time.perf_counter() - started, run.history["seconds"]
    missing = {count: count - len(each) for count in AT_LEAST}
    return {
        count: total + missing[count] * float(each.iloc[1:].mean())
        if missing[count] > 0
        else total - float(each.iloc[count:].sum())
        for count in AT_LEAST
    }


if __name__ == "__main__":
    main()
