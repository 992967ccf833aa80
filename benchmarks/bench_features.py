"""How much faster a head trains on cached features than in a classifier whose frozen backbone runs in every epoch.

Run: python benchmarks/bench_features.py

Both train the same head from the same start on the same drawn images in the same order, one after the other in one
run, so they must come to the same result. The time for features counts in full: reading the image files, computing and
storing the features, and every epoch of the head. The end-to-end training has its images in memory. Time is the
processor's, with TensorFlow held to one thread, as other programs disturb it less than the clock. Both trainings are
taken up once more after some epochs, so each pays for one more tracing. Ten epochs of the end-to-end training are run;
its time for fifty is theirs and forty times the mean of the last eight, which all do the same work.

The last line sets `cached_features` on a network that has already predicted beside its bare `predict`.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

os.environ["TF_NUM_INTRAOP_THREADS"] = "1"  # before TensorFlow starts

from _results import save_result

from mpii_course.sample import make_sample
from mpii_lib._keras import keras
from mpii_lib.datasets import ImageDataset
from mpii_lib.models import build_classifier
from mpii_lib.training import cached_features

BACKBONE, SIZE, TRAIN, VALIDATION, BATCH_SIZE = "VGG16", 48, 256, 64, 32
AT_LEAST = {10: 5.0, 50: 20.0}
AT_MOST = 1.2  # cached_features beside predict
TOLERANCE = 0.02  # of the accuracy and of the loss, relative


def classifier():
    """The network of the comparison: all filters, random weights (they cost what trained ones cost), pooled head."""
    return build_classifier(BACKBONE, 20, (SIZE, SIZE, 3), weights=None, head="pooled", freeze="all", seed=0)


def fit(model, train, held_out, epochs, first=0):
    """Train from epoch `first` on; gives the result of the last epoch. Both ways of training go through here."""
    if not first:
        model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    options = {"batch_size": BATCH_SIZE, "shuffle": False, "verbose": 0}
    history = model.fit(*train, validation_data=held_out, initial_epoch=first, epochs=epochs, **options).history
    return {name: history[name][-1] for name in ("val_loss", "val_accuracy")}


def cached(datasets, folder):
    """Train the head on features: seconds for the features and after each number of epochs, and the result."""
    started = time.process_time()
    model = classifier()
    inner = model.get_layer("features").output
    extractor, head = keras.Model(model.input, inner), keras.Model(inner, model.output)
    features = [cached_features(extractor, dataset, folder)[:2] for dataset in datasets]
    seconds = {"features": time.process_time() - started}
    result = fit(head, *features, 10)
    seconds[10] = time.process_time() - started
    fit(head, *features, 50, 10)
    seconds[50] = time.process_time() - started
    return seconds, result, extractor


def end_to_end(datasets):
    """Train the whole classifier with its frozen backbone: seconds after each number of epochs, and the result."""
    arrays = [dataset.load()[:2] for dataset in datasets]
    started = time.process_time()
    model = classifier()
    fit(model, *arrays, 2)
    two = time.process_time() - started
    result = fit(model, *arrays, 10, 2)
    ten = time.process_time() - started
    return {10: ten, 50: ten + 40 * (ten - two) / 8}, result


def beside_predict(extractor, dataset, folder):
    """Seconds of `cached_features`, which has nothing cached, over those of `predict`, both on a used network."""
    seconds = []
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        started = time.process_time()
        extractor.predict(dataset, verbose=0)
        between = time.process_time()
        cached_features(extractor, dataset, folder)
        seconds.append((time.process_time() - between, between - started))
    return min(a for a, _ in seconds) / min(b for _, b in seconds)


def main() -> dict:
    """Measure, print the table, and write benchmarks/results/features.json."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ann = make_sample(folder / "sample", 500, seed=0, size=(2 * SIZE, 2 * SIZE))
        ids = ann.images.index[ann.images["category"].notna()]
        splits = ids[:TRAIN], ids[TRAIN : TRAIN + VALIDATION]
        datasets = [ImageDataset(ann, split, size=(SIZE, SIZE), batch_size=BATCH_SIZE) for split in splits]
        fast, fast_result, extractor = cached(datasets, folder / "features")
        slow, slow_result = end_to_end(datasets)
        overhead = beside_predict(extractor, datasets[0], folder / "again")
    ratios = {epochs: slow[epochs] / fast[epochs] for epochs in AT_LEAST}
    ends = {name: [fast_result[name], slow_result[name]] for name in slow_result}
    apart = {name: abs(a - b) / max(abs(b), 1e-9) for name, (a, b) in ends.items()}
    result = {
        "what": f"{BACKBONE}, {TRAIN} + {VALIDATION} images of {SIZE} x {SIZE}, batches of {BATCH_SIZE}",
        "processor_seconds": {
            "cached": {str(epochs): round(value, 2) for epochs, value in fast.items()},
            "end to end (50 projected from 10)": {str(epochs): round(value, 2) for epochs, value in slow.items()},
        },
        "ratio": {str(epochs): round(value, 2) for epochs, value in ratios.items()},
        "at_least": {str(epochs): value for epochs, value in AT_LEAST.items()},
        "epoch_10_cached_and_end_to_end": ends,
        "same_result": max(apart.values()) <= TOLERANCE,
        "cached_features_beside_predict": round(overhead, 2),
        "at_most": AT_MOST,
    }
    print(result["what"])
    print(f"{'epochs':>6}{'end to end':>13}{'cached':>10}{'ratio':>8}   target")
    for epochs, least in AT_LEAST.items():
        verdict = "met" if ratios[epochs] >= least else "MISSED"
        print(
            f"{epochs:>6}{slow[epochs]:>11.1f} s{fast[epochs]:>8.1f} s{ratios[epochs]:>8.1f}   >= {least:g}: {verdict}"
        )
    print(f"same result within {TOLERANCE:.0%}: {result['same_result']} {ends}")
    verdict = "met" if overhead <= AT_MOST else "MISSED"
    print(f"cached_features takes {overhead:.2f} times as long as predict   <= {AT_MOST:g}: {verdict}")
    save_result("features", result, "tensorflow", "keras", "numpy")
    return result


if __name__ == "__main__":
    main()
