"""Make the sample weights of the hourglass: train a small one on drawn people, and put it into the package.

    .venv/bin/python scripts/train_sample_hourglass.py --folder build/sample_hourglass

The people are of samples with seeds of their own, so that a notebook's people are new to the network; the score is
measured on a third sample, whose videos are in neither. Each person is shown in both squares of the course, around the
box and around MPII's centre; images of nobody teach the network to be unsure. A stopped run goes on from its last
whole epoch. The shipped weights are two runs: 11 epochs, and then

    ... --folder build/second --start FIRST.npz --epochs 4 --learning-rate 5e-4
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")

from mpii_course.sample import VERSION, make_sample  # noqa: E402 - the number of threads is read when TensorFlow starts
from mpii_course.sample.activities import share_videos  # noqa: E402
from mpii_course.sample.classification import PRETRAINING_STREAM, plan_videos  # noqa: E402
from mpii_course.sample.render import VideoRenderer  # noqa: E402
from mpii_course.sample.video import random_video  # noqa: E402
from mpii_lib._keras import keras  # noqa: E402
from mpii_lib.annotations import Annotations  # noqa: E402
from mpii_lib.models import SAMPLE_HOURGLASS, build_hourglass, save_backbone_weights  # noqa: E402
from mpii_lib.models.weights import read_npz  # noqa: E402
from mpii_lib.pose import (  # noqa: E402
    PersonCrops,
    PoseAugmentation,
    PoseDataset,
    crop_image,
    crop_matrix,
    join_crops,
    pckh,
    person_crops,
    predict_poses,
)
from mpii_lib.training import PCKhCallback, SpatialCrossEntropy, run_callbacks  # noqa: E402

PACKAGE_FILE = Path(__file__).parent.parent / "mpii_lib" / "models" / "sample_weights" / "hourglass.npz"
SOURCE_SIZE = 96  # crops are a little larger than the network's input, so that enlarged ones stay sharp
AUGMENT = PoseAugmentation(scale=0.2, rotation=15.0, rotated=0.4, flip=0.5, shift=0.06, colour=0.12)


class PeopleAndNobody(PoseDataset):
    """Crops without any annotated joint show nobody: their empty heatmaps have a part in the loss."""

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Give one batch."""
        images, heatmaps, weights = super().__getitem__(index)
        known = weights[0].any(axis=1, keepdims=True)
        return images, heatmaps, (np.where(known, weights[0], 1).astype(np.float32),) * self.stacks


def both_crops(annotations: Annotations, cache: Path) -> PersonCrops:
    """Every person twice, as the thesis and as MPII cut them."""
    kinds = ("thesis", "mpii")
    return join_crops(*(person_crops(annotations, size=SOURCE_SIZE, crop=crop, cache=cache) for crop in kinds))


def nobody(count: int, seed: int) -> np.ndarray:
    """Draw places with nobody in them and cut two squares out of each, at random; (2 * count, S, S, 3).

    Images of the sample without annotated people will not do: somebody is in most of them.
    """
    generator = np.random.default_rng(seed)
    squares = []
    for activity, child in plan_videos(seed, PRETRAINING_STREAM, share_videos(count)):
        place = replace(random_video(activity, child), actors=(), crowd=False)
        image = VideoRenderer(place, (640, 480)).frame(0, truth=False).image
        for _ in range(2):
            side = generator.uniform(0.3, 1.4) * image.shape[0]
            middle = generator.uniform(0.2, 0.8, 2) * image.shape[1::-1]
            matrix = crop_matrix((*(middle - side / 2), side), SOURCE_SIZE)
            squares.append(crop_image(image, matrix, SOURCE_SIZE))
    return np.stack(squares)


def with_nobody(crops: PersonCrops, images: np.ndarray) -> PersonCrops:
    """Put images of nobody behind the crops."""
    empty = crops[np.zeros(len(images), int)]
    empty = replace(
        empty, images=images, joints=np.full_like(empty.joints, np.nan), visibility=np.zeros_like(empty.visibility)
    )
    return join_crops(crops, empty)


def optimizer(peak: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam with decoupled weight decay, warmed up and then falling along a cosine."""
    warmup = steps // 20 + 1
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 20, steps - warmup, alpha=0.01, warmup_target=peak, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(schedule, weight_decay=1e-4, clipnorm=1.0)


def scores(model: keras.Model, annotations: Annotations, cache: Path) -> dict[str, Any]:
    """PCKh at 0.5 on persons that the network never saw, for both crops, and by joint."""
    empty = predict_poses(model, nobody(100, 1), flip_test=True).confidence
    found: dict[str, Any] = {"confidence_of_nobody": [round(float(np.quantile(empty, q)), 3) for q in (0.5, 0.9, 0.99)]}
    print("mean score of nobody, median and 90 and 99 per cent:", found["confidence_of_nobody"])
    for crop in ("thesis", "mpii"):
        crops = person_crops(annotations, size=model.input_shape[1], crop=crop, cache=cache)
        for name, flip in ((crop, False), (f"{crop}, flip test", True)):
            poses = predict_poses(model, crops, flip_test=flip)
            score = pckh(poses.image_joints, crops.image_joints, crops.head_size)
            found[name] = {"persons": len(crops), "pckh": round(score.total, 4)}
            sure = [round(float(np.quantile(poses.confidence, q)), 3) for q in (0.01, 0.1, 0.5)]
            found[name] |= {
                "confidence": sure,
                "by_joint": {str(k): round(float(v), 4) for k, v in score.per_joint.items()},
            }
            print(f"{name}: {len(crops)} persons, PCKh@0.5 {score.total:.4f}\n{score.groups.round(3).to_string()}")
    return found


def probe(model: keras.Model) -> list[float]:
    """Compute the first numbers of the last heatmaps of a striped image, for the test that loads the weights."""
    image = (np.indices((64, 64)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.uint8)
    return [round(float(value), 4) for value in keras.ops.convert_to_numpy(model(image)[-1])[0, 16, 16]]


def main() -> None:
    """Draw, cut, train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for drawn images, crops and checkpoints")
    parser.add_argument("--output", type=Path, default=PACKAGE_FILE, help="the .npz file (in the package)")
    parser.add_argument("--images", type=int, default=9000, help="drawn images; three quarters have joints")
    parser.add_argument("--held-out", type=int, default=1000, help="more of them, to measure with")
    parser.add_argument("--nobody", type=int, default=600, help="drawn places with nobody in them")
    parser.add_argument("--start", type=Path, help="weights to go on from (an .npz of this script)")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="highest; warmed up, then a cosine")
    parser.add_argument("--seed", type=int, default=2_000_000, help="of the images and of the network")
    options = parser.parse_args()
    folder, seed, batch_size = options.folder, options.seed, options.batch_size
    cache = folder / "crops"
    annotations = make_sample(folder / "train", options.images, seed)
    held_out = make_sample(folder / "held_out", options.held_out, seed + 500_000)

    crops, empty = both_crops(annotations, cache), nobody(options.nobody, seed)
    sizes = dict(SAMPLE_HOURGLASS)
    heatmaps = (sizes["input_size"] // sizes["output_stride"], sizes["stacks"])
    train = PeopleAndNobody(
        with_nobody(crops, empty), *heatmaps, size=sizes["input_size"], batch_size=batch_size, shuffle=True,
        augment=AUGMENT, seed=seed, drop_remainder=True,
    )  # fmt: skip
    val_crops = person_crops(held_out, size=sizes["input_size"], crop="thesis", cache=cache)[::2]
    val = PoseDataset(val_crops, *heatmaps, batch_size=batch_size)
    model = build_hourglass(**sizes, seed=seed, weights=options.start)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.97
    model.compile(optimizer=optimizer(options.learning_rate, len(train) * options.epochs), loss=SpatialCrossEntropy())
    print(train, f"{model.count_params():,} parameters", flush=True)
    callbacks = run_callbacks(folder / "run", train, extra=[PCKhCallback(val)], seed=seed)
    history = model.fit(train, validation_data=val, epochs=options.epochs, callbacks=callbacks, verbose=2)
    metadata = {
        "network": sizes,
        "maps": "logits",
        "loss": "cross_entropy",
        "persons": len(np.unique(crops.person_ids)),
        "crops": len(crops),
        "images_of_nobody": len(empty),
        "augmentation": str(AUGMENT),
        "renderer": VERSION,
        "started_from": read_npz(options.start)[1] if options.start else None,
        **{name: value for name, value in vars(options).items() if name not in ("folder", "output", "start")},
        "history": history.history,
        "keras": keras.__version__,
        "made_by": "scripts/train_sample_hourglass.py",
    }
    # Measured as shipped: kernels in half precision.
    save_backbone_weights(model, options.output, metadata)
    shipped = build_hourglass(weights=options.output, **sizes)
    metadata |= {"held_out": scores(shipped, held_out, cache), "probe": probe(shipped)}
    save_backbone_weights(model, options.output, metadata)
    options.output.with_suffix(".json").write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
