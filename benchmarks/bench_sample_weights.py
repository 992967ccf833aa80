"""What the sample weights are worth: a frozen backbone with them against the same one with random weights.

Run: python benchmarks/bench_sample_weights.py [--images 1200] [--size 96] [--backbones VGG16 ...]

The pictures are those of `make_sample(images, seed=0)`; no video of theirs was seen in pretraining. Features of the
frozen backbone, as 256 principal components, are classified by a logistic regression in five folds by video: one fold
is held out, one chooses the regularisation, and each picture is held out once. The head's input is "flatten" (as in
the report) or "pooled". Random weights are drawn as He proposes, with seed 0.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings

import numpy as np
from _results import save_result

COMMAND = "python benchmarks/bench_sample_weights.py"
STRENGTHS = (1e-3, 1e-2)
COMPONENTS = 256  # features are brought down to so many principal components, or a fit takes minutes


def main(images: int = 1200, size: int = 96, backbones: list[str] | None = None, folder: str | None = None) -> dict:
    """Measure, write the JSON, print the table."""
    from mpii_lib.models import BACKBONES, sample_metadata

    pictures, labels, folds = sample_pictures(images, size, folder)
    majority = float(np.bincount(labels).max() / len(labels))
    rows = []
    for name in backbones or BACKBONES:
        row = {"backbone": name, **measure(name, pictures, labels, folds)}
        row["pretraining_seconds"] = sample_metadata(name)["seconds"]
        rows.append(row)
        print(table_row(row), flush=True)
    result = {
        "what": f"category accuracy on held-out videos, frozen backbones at 1/8 width, {len(labels)} pictures of "
        f"{size} x {size}, {labels.max() + 1} categories, five folds",
        "command": COMMAND,
        "majority": majority,
        "rows": rows,
    }
    if backbones is None:
        save_result("sample_weights", result, "tensorflow")
    print(f"{result['what']}; always the largest category: {majority:.3f}\n")
    print(f"| {'backbone':<18} | random | sample | gain | pooled: random | sample | gain |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(table_row(row))
    return result


def sample_pictures(images: int, size: int, folder: str | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures (N, size, size, 3) uint8, category numbers (N,) and fold numbers (N,) of the labelled sample."""
    from mpii_course.sample import make_sample
    from mpii_lib.datasets import classification_dataset, fold_images

    with tempfile.TemporaryDirectory() as temporary:
        ann = make_sample(folder or temporary, images=images, seed=0)
        folds = fold_images(ann, 5, by="video", seed=0)
        data = classification_dataset(ann, folds.index, size=(size, size))
        parts = list(data.batches())
    pictures = np.concatenate([part[0] for part in parts]).astype(np.uint8)
    labels, image_ids = (np.concatenate([part[index] for part in parts]) for index in (1, 2))
    return pictures, np.unique(labels, return_inverse=True)[1], folds.loc[image_ids].to_numpy()


def measure(name: str, pictures: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> dict:
    """Accuracy with random and with sample weights, for both kinds of features."""
    row: dict = {}
    start = time.perf_counter()
    for weights in ("random", "sample"):
        maps = feature_maps(name, pictures, weights)
        for head, features in (("flatten", maps.reshape(len(maps), -1)), ("pooled", maps.mean(axis=(1, 2)))):
            row.setdefault(head, {})[weights] = held_out_accuracy(features, labels, folds)
    for scores in (row["flatten"], row["pooled"]):
        scores["gain"] = scores["sample"] - scores["random"]
    row["seconds"] = round(time.perf_counter() - start, 1)
    return row


def feature_maps(name: str, pictures: np.ndarray, weights: str) -> np.ndarray:
    """What the frozen backbone makes of the pictures, (N, h, w, C)."""
    from mpii_lib._keras import keras
    from mpii_lib.models import SMALL_WIDTH, backbone_of, build_classifier

    source = "sample" if weights == "sample" else None
    model = build_classifier(name, 2, pictures.shape[1:], source, "pooled", width=SMALL_WIDTH, seed=0)
    maps = keras.Model(model.input, backbone_of(model)(model.get_layer("preprocessing").output))
    maps.compile(jit_compile=False)  # XLA costs more than it gains on a CPU
    return maps.predict(pictures, batch_size=64, verbose=0)


def held_out_accuracy(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    """Accuracy over all held-out folds; the next fold chooses the regularisation and then joins the training."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    right = 0
    count = int(folds.max()) + 1
    for fold in range(count):
        test, choose = folds == fold, folds == (fold + 1) % count
        columns = StandardScaler().fit(features[~test]).transform(features)
        components = min(COMPONENTS, columns.shape[1])
        columns = PCA(components, random_state=0).fit(columns[~test]).transform(columns)

        def fitted(strength: float, rows: np.ndarray, columns: np.ndarray = columns) -> LogisticRegression:
            with warnings.catch_warnings(), threadpool_limits(1):  # small matrices: more threads only get in the way
                warnings.simplefilter("ignore", ConvergenceWarning)
                return LogisticRegression(C=strength, max_iter=300).fit(columns[rows], labels[rows])

        scores = [fitted(c, ~test & ~choose).score(columns[choose], labels[choose]) for c in STRENGTHS]
        best = fitted(STRENGTHS[int(np.argmax(scores))], ~test)
        right += int((best.predict(columns[test]) == labels[test]).sum())
    return right / len(labels)


def table_row(row: dict) -> str:
    """One line of the Markdown table."""
    numbers = [row[head][key] for head in ("flatten", "pooled") for key in ("random", "sample", "gain")]
    return f"| {row['backbone']:<18} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--backbones", nargs="+")
    parser.add_argument("--folder", help="keep the sample here")
    main(**vars(parser.parse_args()))
