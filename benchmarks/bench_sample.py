"""How long the sample takes to draw, and how much of a category simple features give away.

Run: python benchmarks/bench_sample.py

1,200 images of 640 x 480 and a labelled test part of 210 videos with three images each are drawn and written in a
temporary folder; the limit is a minute on two cores. It is held against the processor's time, as if there were one
core, since that is disturbed less by other programs. Then random forests predict the category of the labelled training
images from a colour histogram, from a 16-pixel thumbnail, and from the true joints, once with a random split and once
with a split that keeps every video whole: what the first has above the second is the leak of near-duplicate frames.
"""

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from _results import save_result
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score

from mpii_course.sample import make_sample, render_classification
from mpii_lib.skeletons import MPII

IMAGES, TEST_VIDEOS, LIMIT, FOLDS, PRETRAINING = 1200, 210, 60.0, 4, 400


def pose_features(joints):
    """Joints (16, 2) from the pelvis in head lengths, and each limb's direction; all lean to the right."""
    if joints[MPII.index("thorax"), 0] < joints[MPII.index("pelvis"), 0]:
        joints = joints[MPII.flip_order] * [-1, 1]
    limbs = np.array([joints[b] - joints[a] for a, b in MPII.limbs])
    lengths = np.linalg.norm(limbs, axis=1, keepdims=True) + 1e-6
    head = np.linalg.norm(joints[MPII.index("head_top")] - joints[MPII.index("upper_neck")])
    relative = (joints - joints[MPII.index("pelvis")]) / head
    return np.nan_to_num(np.concatenate([relative, limbs / lengths]).ravel(), nan=0.0)


def features(annotations, image_ids):
    """Colour histogram, thumbnail and normalized joints of each image."""
    rows = {"colour histogram": [], "16 px thumbnail": [], "true joints": []}
    people = annotations.people["image_id"].to_numpy()
    for image_id in image_ids:
        image = cv2.imread(str(annotations.image_path(image_id)))
        counts = cv2.calcHist([image], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
        rows["colour histogram"].append(counts / counts.sum())
        rows["16 px thumbnail"].append(cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).ravel())
        row = np.flatnonzero((people == image_id) & np.asarray(annotations.with_joints))[0]
        rows["true joints"].append(pose_features(annotations.joints[row]))
    return {name: np.array(values) for name, values in rows.items()}


def accuracies(annotations):
    """Mean accuracy of a random forest for each feature and each way to split, without the test part."""
    with_pose = set(annotations.people["image_id"][np.asarray(annotations.with_joints)])
    labelled = annotations.images.dropna(subset=["category"])
    labelled = labelled[labelled.index.isin(with_pose) & (labelled["split"] == "train")]
    truth, videos = labelled["category"].astype(str).to_numpy(), labelled["video_id"].to_numpy()
    scores = {"largest category": {"accuracy": float(labelled["category"].value_counts(normalize=True).iloc[0])}}
    for name, values in features(annotations, labelled.index).items():
        forest = RandomForestClassifier(200, random_state=0)
        scores[name] = {
            "random split": cross_val_score(
                forest, values, truth, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0)
            ),
            "split by video": cross_val_score(
                forest, values, truth, groups=videos, cv=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
            ),
        }
        scores[name] = {split: float(np.mean(folds)) for split, folds in scores[name].items()}
    return scores


def main():
    """Measure, print a table and write the results; exit status 1 when the limit is passed."""
    with tempfile.TemporaryDirectory() as folder:
        start, processor = time.perf_counter(), time.process_time()
        annotations = make_sample(Path(folder) / "sample", IMAGES, 0, test_videos=TEST_VIDEOS)
        seconds, busy = time.perf_counter() - start, time.process_time() - processor
        processor = time.process_time()
        render_classification(PRETRAINING, 128, seed=0)
        speed = PRETRAINING / (time.process_time() - processor)
        scores = accuracies(annotations)
        size = sum(path.stat().st_size for path in (Path(folder) / "sample").rglob("*") if path.is_file())
    results = {
        "images": len(annotations.images),
        "test_videos": TEST_VIDEOS,
        "seconds": round(seconds, 1),
        "processor_seconds": round(busy, 1),
        "limit_seconds": LIMIT,
        "ratio_to_limit": round(busy / LIMIT, 2),
        "megabytes": round(size / 1e6, 1),
        "pretraining_images_a_processor_second": round(speed),
        "videos": int(annotations.images["video_id"].nunique()),
        "categories": int(annotations.images["category"].nunique()),
        "activities": int(annotations.images["activity"].nunique()),
        "accuracy": {name: {split: round(v, 3) for split, v in values.items()} for name, values in scores.items()},
    }
    save_result("sample", results, "opencv-python-headless")
    print(f"{results['images']} images drawn and written: {seconds:.1f} s by the clock, {busy:.1f} s of one processor")
    print(f"limit {LIMIT:.0f} s on two processors, ratio {busy / LIMIT:.2f} if there were only one")
    print(f"{speed:.0f} images of 128 px for pretraining in a second of one processor")
    for name, values in results["accuracy"].items():
        print(f"{name:18}", "  ".join(f"{split} {value:.2f}" for split, value in values.items()))
    return int(busy > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
