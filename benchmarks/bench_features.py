"""How much faster a head trains on cached features than in a classifier whose frozen backbone runs in every epoch.

Run: python benchmarks/bench_features.py

Both train the same head from the same start on the same drawn pictures in the same order, one after the other in one
run, so they must come to the same result. The time for features counts in full: computing and storing them, loading,
and every epoch of the head. Time is the processor's, with TensorFlow held to one thread, as other programs disturb it
less than the clock. Both trainings are resumed once, so each pays for one more tracing. Ten epochs of the end-to-end
training are run; its time for fifty is theirs and forty times the mean of the last eight, which all do the same work.
"""

import os
import tempfile
import time
from pathlib import Path

os.environ["TF_NUM_INTRAOP_THREADS"] = "1"  # before TensorFlow starts

import numpy as np
from _results import save_result

from mpii_course.sample import render_classification
from mpii_lib.models import build_classifier
from mpii_lib.training import extract_features, fit, fit_head

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
    settings = {"batch": BATCH, "optimizer": "adam", "learning_rate": 0.003, "progress": False}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        started = time.process_time()
        model = classifier()
        features = [extract_features(model, part, folder / "cache", batch=BATCH) for part in (train, held_out)]
        computed = time.process_time() - started
        fast = {}
        for epochs in AT_LEAST:
            cached = fit_head(model, *features, epochs=epochs, folder=folder / "cached", **settings)
            fast[epochs] = time.process_time() - started
        started = time.process_time()
        fit(classifier(), train, held_out, epochs=2, folder=folder / "whole", **settings)
        two = time.process_time() - started
        whole = fit(classifier(), train, held_out, epochs=10, folder=folder / "whole", **settings)
        ten = time.process_time() - started
        slow = {10: ten, 50: ten + 40 * (ten - two) / 8}
    ratios = {count: slow[count] / fast[count] for count in AT_LEAST}
    names = ("val_loss", "val_accuracy")
    ends = {name: [float(run.history[name].iloc[9]) for run in (cached, whole)] for name in names}
    apart = {name: abs(a - b) / max(abs(b), 1e-9) for name, (a, b) in ends.items()}
    result = {
        "what": f"{BACKBONE}, {TRAIN} + {VALIDATION} pictures of {SIZE} x {SIZE}, batch {BATCH}",
        "processor_seconds": {
            "features": round(computed, 2),
            "cached": {str(count): round(value, 2) for count, value in fast.items()},
            "end to end (50 projected from 10)": {str(count): round(value, 2) for count, value in slow.items()},
        },
        "ratio": {str(count): round(value, 2) for count, value in ratios.items()},
        "at_least": {str(count): value for count, value in AT_LEAST.items()},
        "epoch_10_cached_and_end_to_end": ends,
        "relative_difference": apart,
        "same_result": max(apart.values()) <= TOLERANCE,
    }
    print(result["what"])
    print(f"{'epochs':>6}{'end to end':>13}{'cached':>10}{'ratio':>8}   target")
    for count, least in AT_LEAST.items():
        verdict = "met" if ratios[count] >= least else "MISSED"
        print(f"{count:>6}{slow[count]:>11.1f} s{fast[count]:>8.1f} s{ratios[count]:>8.1f}   >= {least:g}: {verdict}")
    print(f"same result within {TOLERANCE:.0%}: {result['same_result']} {ends}")
    save_result("features", result, "tensorflow", "keras", "numpy")
    return result


if __name__ == "__main__":
    main()
