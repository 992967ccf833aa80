"""What the sample weights are worth: a frozen backbone with them against the same one with random weights.

Run: python benchmarks/bench_sample_weights.py [--size 96] [--backbones VGG16 ...] [--folder FOLDER]

The images are those of `make_sample(1200, seed=0, test_videos=210)`; no video of theirs was seen in pretraining.
Features of the frozen backbone, as 256 principal components, are classified by a logistic regression in five folds by
video: one fold is held out, one chooses the regularization, and each labelled training image is held out once. The
head's input is "flatten" (as in the report) or "pooled". Random weights are drawn as He proposes, with three seeds. A
gain has a 95 % interval over videos. The labelled test part shows how wide such an interval is for an accuracy.

The weights were pretrained on what is in an image. How far these labels give the category away is measured as well: a
random forest gets the exact labels of 1,000 videos, in five folds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _results import save_result
from scipy.stats import t

COMMAND = "python benchmarks/bench_sample_weights.py"
STRENGTHS = (1e-3, 1e-2)
COMPONENTS = 256  # features are brought down to so many principal components, or a fit takes minutes
RANDOM_SEEDS = (0, 1, 2)
FOLDS, TEST_VIDEOS, GIVEAWAY_VIDEOS = 5, 210, 1000
GIVEAWAY = {
    "all": ["thing", "kinds", "scene", "people", "hat", "hair", "sleeves", "legs", "pattern", "facing", "pitch"],
    "things alone": ["thing", "kinds"],
    "without things": ["scene", "people", "hat", "hair", "sleeves", "legs", "pattern", "facing", "pitch"],
    "scene": ["scene"],
    "clothes": ["hat", "hair", "sleeves", "legs", "pattern"],
    "people and view": ["people", "facing", "pitch"],
}


class Images(NamedTuple):
    """Images (N, S, S, 3) of the sample, category, video, and the fold of each; -1 is the labelled test part."""

    images: np.ndarray
    labels: np.ndarray
    videos: np.ndarray
    folds: np.ndarray


def main(size: int = 96, backbones: list[str] | None = None, folder: str | None = None) -> dict:
    """Measure, write the JSON, print the tables."""
    from mpii_lib.models import BACKBONES, sample_metadata

    data = sample_images(size, folder)
    known = data.folds >= 0
    counts = np.bincount(data.labels[known])
    rows = []
    for name in backbones or BACKBONES:
        metadata = sample_metadata(name)
        row = {"backbone": name, **measure(name, data), "pretraining_seconds": metadata["seconds"]}
        row["held_out_accuracy_in_pretraining"] = metadata["held_out_accuracy"]
        rows.append(row)
        print(table_row(row), flush=True)
    result: dict[str, Any] = {
        "what": f"category accuracy on held-out videos, frozen backbones at 1/8 width, {counts.sum()} images of "
        f"{size} x {size}, {np.count_nonzero(counts)} categories, {len(np.unique(data.videos[known]))} videos, "
        f"{FOLDS} folds; test part of {len(np.unique(data.videos[~known]))} videos, {(~known).sum()} images",
        "command": COMMAND,
        "majority": float(counts.max() / counts.sum()),
        "category_from_exact_labels": giveaway(),
        "rows": rows,
    }
    if backbones is None:
        save_result("sample_weights", result, "tensorflow", "scikit-learn")
    print(f"{result['what']}; always the largest category: {result['majority']:.3f}\n")
    print("| backbone           | random | sample | gain (95 %) | pooled: random | sample | gain (95 %) | test part |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(table_row(row))
    print("\na random forest finds the category from the exact labels of the pretraining:")
    print(", ".join(f"{name} {accuracy:.2f}" for name, accuracy in result["category_from_exact_labels"].items()))
    return result


def sample_images(size: int, folder: str | None = None) -> Images:
    """Read the labelled images of the sample, and make folds by video."""
    from sklearn.model_selection import StratifiedGroupKFold

    from mpii_course.sample import make_sample
    from mpii_lib.datasets import ImageDataset

    with tempfile.TemporaryDirectory() as temporary:
        ann = make_sample(folder or temporary, images=1200, seed=0, test_videos=TEST_VIDEOS)
        labelled = ann.images[ann.images["category"].notna()]
        images, labels, image_ids = ImageDataset(ann, labelled.index, size=(size, size)).load()
    rows = labelled.loc[image_ids]
    train, videos = rows["split"].to_numpy() == "train", rows["video_id"].to_numpy(int)
    folds = np.full(len(rows), -1)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for fold, (_, held_out) in enumerate(splitter.split(labels[train], labels[train], videos[train])):
            folds[np.flatnonzero(train)[held_out]] = fold
    return Images(images, labels, videos, folds)


def measure(name: str, data: Images) -> dict:
    """Accuracy with random and with sample weights, for both kinds of features, and the interval of the test part."""
    from mpii_lib.evaluation.resampling import weighted_mean
    from mpii_lib.intervals import group_codes, standard_error

    def interval(values: np.ndarray, videos: np.ndarray) -> list[float]:
        codes = group_codes(videos, len(values))
        reach = t.ppf(0.975, codes.max()) * standard_error(weighted_mean(values), codes)
        return [float(values.mean() - reach), float(values.mean() + reach)]

    start = time.perf_counter()
    known = data.folds >= 0
    right: dict[str, dict[str, list[np.ndarray]]] = {
        head: {"random": [], "sample": []} for head in ("flatten", "pooled")
    }
    test = {}
    for weights, seed in [("sample", 0), *(("random", seed) for seed in RANDOM_SEEDS)]:
        maps = feature_maps(name, data.images, weights, seed)
        for head, features in (("flatten", maps.reshape(len(maps), -1)), ("pooled", maps.mean(axis=(1, 2)))):
            right[head][weights].append(held_out_right(features[known], data.labels[known], data.folds[known]))
            if weights == "sample":
                test[head] = right_in_test_part(features, data)
    row: dict = {}
    for head, arrays in right.items():
        random, sample = np.mean(arrays["random"], axis=0), arrays["sample"][0]
        accuracy = {"random": float(random.mean()), "sample": float(sample.mean())}
        row[head] = {**accuracy, "gain": accuracy["sample"] - accuracy["random"]}
        row[head]["gain_interval"] = interval(sample - random, data.videos[known])
        row[head]["test_part"] = float(test[head].mean())
        row[head]["test_part_interval"] = interval(test[head], data.videos[~known])
        row[head]["test_part_video_correlation"] = video_correlation(test[head], data.videos[~known])
    row["seconds"] = round(time.perf_counter() - start, 1)
    return row


def feature_maps(name: str, images: np.ndarray, weights: str, seed: int) -> np.ndarray:
    """What the frozen backbone makes of the images, (N, h, w, C)."""
    from mpii_lib._keras import keras
    from mpii_lib.models import SMALL_WIDTH, build_classifier

    source = "sample" if weights == "sample" else None
    model = build_classifier(name, 2, images.shape[1:], source, "pooled", width=SMALL_WIDTH, seed=seed)
    maps = keras.Model(model.input, model.get_layer("features").input)
    maps.compile(jit_compile=False)  # XLA costs more than it gains on a CPU
    return maps.predict(images, batch_size=64, verbose=0)


def classifier(features: np.ndarray, labels: np.ndarray, fit: np.ndarray, choose: np.ndarray) -> Any:
    """Fit principal components and a logistic regression; `choose` chooses the regularization, then joins the fit."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    both = fit | choose
    components = PCA(min(COMPONENTS, features.shape[1]), random_state=0)
    with warnings.catch_warnings(), threadpool_limits(1):  # small matrices: more threads only get in the way
        warnings.simplefilter("ignore", ConvergenceWarning)
        front = make_pipeline(StandardScaler(), components).fit(features[both])
        columns = front.transform(features)
        heads = [LogisticRegression(C=strength, max_iter=300) for strength in STRENGTHS]
        scores = [head.fit(columns[fit], labels[fit]).score(columns[choose], labels[choose]) for head in heads]
        best = heads[int(np.argmax(scores))].fit(columns[both], labels[both])
    return make_pipeline(front, best)


def held_out_right(features: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Whether each image is classified right while its fold is held out, (N,)."""
    right = np.zeros(len(labels))
    for fold in range(FOLDS):
        test, choose = folds == fold, folds == (fold + 1) % FOLDS
        model = classifier(features, labels, ~test & ~choose, choose)
        right[test] = model.predict(features[test]) == labels[test]
    return right


def right_in_test_part(features: np.ndarray, data: Images) -> np.ndarray:
    """Whether each image of the test part is classified right by what was fitted to all the others."""
    test = data.folds < 0
    model = classifier(features, data.labels, data.folds > 0, data.folds == 0)
    return (model.predict(features[test]) == data.labels[test]).astype(float)


def video_correlation(right: np.ndarray, videos: np.ndarray) -> float:
    """Correlation of two images of one video in being classified right (one-way analysis of variance)."""
    table = np.stack([right[videos == video] for video in np.unique(videos)])
    frames = table.shape[1]
    between, within = frames * table.mean(axis=1).var(ddof=1), table.var(axis=1, ddof=1).mean()
    return float((between - within) / (between + (frames - 1) * within))


def giveaway() -> dict[str, float]:
    """How often a random forest finds the category from the exact labels of the pretraining, on held-out videos."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from train_sample_weights import encode

    from mpii_course.sample.activities import share_videos
    from mpii_course.sample.classification import PRETRAINING_STREAM, plan_videos
    from mpii_course.sample.video import random_video

    planned = plan_videos(0, PRETRAINING_STREAM, share_videos(GIVEAWAY_VIDEOS))
    labels = encode([random_video(activity, seed) for activity, seed in planned])
    categories = [activity.category for activity, _ in planned]
    forest = RandomForestClassifier(300, random_state=0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return {
        name: float(cross_val_score(forest, np.hstack([labels[one] for one in names]), categories, cv=folds).mean())
        for name, names in GIVEAWAY.items()
    }


def table_row(row: dict) -> str:
    """One line of the Markdown table."""
    cells = [row["backbone"]]
    for head in ("flatten", "pooled"):
        scores = row[head]
        low, high = scores["gain_interval"]
        cells += [
            f"{scores['random']:.3f}",
            f"{scores['sample']:.3f}",
            f"{scores['gain']:+.3f} ({low:+.3f}..{high:+.3f})",
        ]
    low, high = row["pooled"]["test_part_interval"]
    cells.append(f"{row['pooled']['test_part']:.3f} ({low:.3f}..{high:.3f})")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--backbones", nargs="+")
    parser.add_argument("--folder", help="keep the sample here")
    main(**vars(parser.parse_args()))
