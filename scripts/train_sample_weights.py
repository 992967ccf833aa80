"""Make the sample weights: pretrain the five backbones at 1/8 width on drawn images, and put them into the package.

    .venv/bin/python scripts/train_sample_weights.py --folder build/sample_weights

The networks learn what is *in* an image: the thing that is used and its kinds, the scene, how many people there are,
what the one in front wears, and the view. They are never told the category or the activity, which the notebooks
classify; how far the labels give the category away is measured by benchmarks/bench_sample_weights.py. The images are
drawn like those of the sample, with seeds and videos of their own, so that a notebook's images are new to the networks.

All backbones see equally many images. Each is written as soon as it is done, and a stopped run goes on from the last
whole epoch of the backbone it was at. Backbones whose weights are already in `--folder` are left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Two single-threaded processes, each with backbones of its own, do more on two cores than one with two threads.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import cv2  # noqa: E402 - the number of threads is read when TensorFlow starts
import numpy as np  # noqa: E402

from mpii_course.sample import VERSION, render_images  # noqa: E402
from mpii_course.sample.activities import ACTIVITY_TABLE  # noqa: E402
from mpii_course.sample.video import Video  # noqa: E402
from mpii_lib._keras import keras  # noqa: E402
from mpii_lib.models import (  # noqa: E402
    BACKBONES,
    SMALL_WIDTH,
    Backbone,
    build_backbone,
    build_classifier,
    get_backbone,
    save_backbone_weights,
)

PACKAGE_FOLDER = Path(__file__).parent.parent / "mpii_lib" / "models" / "sample_weights"
MOMENTUM = 0.98  # of batch normalization: an epoch has some hundred steps, not the thousands that 0.99 is made for
CHUNK = 1000
SIDE = 96

# Things that look alike have one name. A thing may be of several kinds, or of none.
SAME = {"dog_front": "dog", "rod_water": "rod", "water_deep": "water", "water_chest": "water"}
KINDS = {
    "ball": "ball_foot ball_hand fitball bat racket",
    "wheels": "skateboard mountain_bike bmx road_bike unicycle mower car",
    "pole": "shovel mop rake vacuum poles rod axe sup kayak club bat roller barbell skis hammer",
    "blade": "axe chainsaw shears shovel bench hammer",
    "board": "skateboard surfboard snowboard sup windsurf stepper",
    "furniture": "chair bed lounger chess bench counter ironing easel piano",
    "instrument": "drums guitar piano trumpet violin baton",
    "animal": "dog horse",
    "boat": "boat kayak windsurf",
    "on the feet": "skis skates skateboard snowboard",
    "machine": "barbell dumbbells rower exercise_bike vacuum mower chainsaw",
    "cord": "rope rod hose vacuum dog",
    "on the ground": "mat bricks plant stepper sled holds",
}
CHOICES: dict[str, list[Any]] = {
    "thing": sorted({SAME.get(activity.prop, activity.prop) for activity in ACTIVITY_TABLE}),
    "scene": sorted({scene for activity in ACTIVITY_TABLE for scene in activity.scenes}),
    "people": [1, 2, 3],
    "hat": ["", "cap", "helmet", "wool", "brim", "chef"],
    "hair": ["short", "long", "tail", "bun", "bald"],
    "sleeves": [0, 1, 2],
    "legs": ["trousers", "shorts", "skirt"],
    "pattern": ["plain", "stripes", "block", "vest"],
    "facing": [0, 1, 2, 3],  # from the front to the back, by 45 degrees; left and right are the same
    "pitch": [0, 1, 2],  # the camera looks down by less than 8, less than 16 or more degrees
}
LOSS_WEIGHTS = {"thing": 1.0, "kinds": 2.0, "scene": 0.5, "people": 0.3, "hat": 0.3, "facing": 0.3}  # others 0.15


@dataclass(frozen=True)
class Recipe:
    """Everything that the result depends on; `sizes` has the side of the images in each epoch, in pixels."""

    images: int
    held_out: int
    sizes: tuple[int, ...]
    batch_size: int
    seed: int
    learning_rate: float
    label_smoothing: float = 0.05
    weight_decay: float = 0.01


def contents(video: Video) -> dict[str, Any]:
    """Say what is in the images of a video: a choice for each name in CHOICES."""
    in_front = max((actor for actor in video.actors if actor.activity), key=lambda actor: actor.scale)
    turned = abs((in_front.yaw + 180) % 360 - 180)
    return {
        "thing": SAME.get(video.activity.prop, video.activity.prop),
        "scene": video.scene,
        "people": len(video.actors),
        "hat": in_front.look.hat,
        "hair": in_front.look.style,
        "sleeves": in_front.look.sleeve,
        "legs": in_front.look.legs,
        "pattern": in_front.look.pattern,
        "facing": min(3, int(turned // 45)),
        "pitch": int(np.searchsorted([8, 16], video.pitch, side="right")),
    }


def encode(videos: list[Video]) -> dict[str, np.ndarray]:
    """Labels of the images of these videos: (N, choices) float32 for each name in CHOICES, and "kinds" (N, 13)."""
    found = [contents(video) for video in videos]
    labels = {
        name: np.eye(len(choices), dtype=np.float32)[[choices.index(one[name]) for one in found]]
        for name, choices in CHOICES.items()
    }
    kinds = [[one["thing"] in members.split() for members in KINDS.values()] for one in found]
    return {**labels, "kinds": np.array(kinds, np.float32)}


@dataclass(frozen=True)
class Images:
    """Drawn images (N, SIDE, SIDE, 3) uint8 with their labels, as `encode` makes them."""

    images: np.ndarray
    labels: dict[str, np.ndarray]


def draw_chunk(number: int, count: int, seed: int, file: Path) -> None:
    """Draw some images, each of another video, and keep them in a file."""
    cv2.setNumThreads(1)
    # Every other chunk has each category equally often, so that rare things are learned as well.
    images, videos = render_images(count, SIDE, seed + number, balanced=number % 2 == 1, workers=1)
    temporary = file.with_suffix(".part")
    with temporary.open("wb") as stream:
        arrays: dict[str, Any] = {"images": images, **encode(videos)}
        np.savez(stream, **arrays)
    temporary.replace(file)


def draw(count: int, seed: int, folder: Path) -> Images:
    """Draw so many images, chunk by chunk; chunks that are there are read."""
    counts = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
    files = [folder / f"images_{SIDE}_{seed}_{number}_{size}.npz" for number, size in enumerate(counts)]
    with ProcessPoolExecutor(2) as pool:
        missing = [number for number, file in enumerate(files) if not file.exists()]
        for job in [pool.submit(draw_chunk, number, counts[number], seed, files[number]) for number in missing]:
            job.result()
    chunks = [np.load(file, allow_pickle=False) for file in files]
    joined = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0].files}
    return Images(joined.pop("images"), joined)


class Batches(keras.utils.PyDataset):
    """One epoch of augmented batches, ready for the backbone, the same for the same seed and epoch."""

    def __init__(self, data: Images, recipe: Recipe, epoch: int, preprocessing: str) -> None:
        super().__init__(workers=1, max_queue_size=4)
        self.preprocessing = preprocessing
        self.data, self.batch_size, self.size = data, recipe.batch_size, recipe.sizes[epoch]
        self.seed = (recipe.seed, epoch)
        total = len(data.images) // recipe.batch_size * recipe.batch_size  # batches of one shape: one compilation
        self.order = np.random.default_rng(self.seed).permutation(len(data.images))[:total]

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        generator = np.random.default_rng((*self.seed, index))
        images = np.stack([augment(self.data.images[row], self.size, generator) for row in rows])
        return preprocess(images, self.preprocessing), {name: labels[rows] for name, labels in self.data.labels.items()}


def augment(image: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Flip, zoom, squeeze, turn and shift an image, and change its colours; uint8 to (size, size, 3) float32."""
    side = image.shape[0]
    zoom = np.exp(generator.uniform(-0.15, 0.25)) * side / size
    squeeze = np.exp(generator.normal(0, 0.08))
    angle = np.deg2rad(generator.normal(0, 4))
    flip = -1.0 if generator.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([flip * zoom * squeeze, zoom / squeeze])  # from the result's pixels to the image's
    shift = generator.uniform(-0.08, 0.08, 2) * side
    offset = (side - 1) / 2 + shift - matrix @ np.full(2, (size - 1) / 2)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        image, np.column_stack([matrix, offset]), (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    gain = np.exp(generator.normal(0, 0.12)) * np.exp(generator.normal(0, 0.06, 3))
    return np.clip(warped * gain + generator.normal(0, 12), 0, 255).astype(np.float32)


def preprocess(images: np.ndarray, mode: str) -> np.ndarray:
    """RGB in 0..255 to what a backbone takes, as in `build_classifier`."""
    return keras.applications.imagenet_utils.preprocess_input(images.astype(np.float32), "channels_last", mode)


def trainable_twin(entry: Backbone, seed: int) -> keras.Model:
    """Build the small backbone for pretraining from scratch, everything trainable, for images of any size.

    The VGGs come from before batch normalization and hardly start to learn in the time there is. They are trained with
    it between each convolution and its ReLU; `fold` then moves what it does into the convolution.
    """
    base = build_backbone(entry, (SIDE, SIDE, 3), SMALL_WIDTH, seed)
    images = keras.Input((None, None, 3))
    normalizations = [layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if normalizations:
        twin = keras.models.clone_model(base, input_tensors=images)
        twin.set_weights(base.get_weights())
        for layer in twin.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        return twin
    flow = images
    for layer in base.layers[1:]:
        if isinstance(layer, keras.layers.Conv2D):
            layer.activation = keras.activations.linear
            flow = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{layer.name}_bn")(layer(flow))
            flow = keras.layers.ReLU()(flow)
        else:
            flow = layer(flow)
    return keras.Model(images, flow, name="backbone")


def fold(trained: keras.Model, entry: Backbone) -> keras.Model:
    """Return the backbone itself: batch normalizations that it does not have become part of the convolutions."""
    plain = build_backbone(entry, (SIDE, SIDE, 3), SMALL_WIDTH)
    if len(trained.weights) == len(plain.weights):
        plain.set_weights(trained.get_weights())
        return plain
    for layer in plain.layers:
        if layer.weights:
            kernel, bias = trained.get_layer(layer.name).get_weights()
            normalization = trained.get_layer(f"{layer.name}_bn")
            gamma, beta, mean, variance = normalization.get_weights()
            factor = gamma / np.sqrt(variance + normalization.epsilon)
            layer.set_weights([kernel * factor, beta + (bias - mean) * factor])
    return plain


def pretraining_model(entry: Backbone, recipe: Recipe) -> keras.Model:
    """Build the backbone with a linear head for each kind of label on its averaged maps."""
    keras.utils.set_random_seed(recipe.seed)
    images = keras.Input((None, None, 3))
    features = keras.layers.GlobalAveragePooling2D()(trainable_twin(entry, recipe.seed)(images))
    outputs = {
        name: keras.layers.Dense(len(choices), activation="softmax", name=name)(features)
        for name, choices in CHOICES.items()
    }
    outputs["kinds"] = keras.layers.Dense(len(KINDS), activation="sigmoid", name="kinds")(features)
    model = keras.Model(images, outputs)
    steps = recipe.images // recipe.batch_size * len(recipe.sizes)
    warmup = steps // 20 + 1
    rate = recipe.learning_rate
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, steps - warmup, alpha=0.01, warmup_target=rate, warmup_steps=warmup
    )
    choice = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay, clipnorm=1.0),
        loss={name: "binary_crossentropy" if name == "kinds" else choice for name in outputs},
        loss_weights={name: LOSS_WEIGHTS.get(name, 0.15) for name in outputs},
        metrics={name: ["accuracy"] for name in ("thing", "scene")},
        jit_compile=False,
    )
    return model


def train(entry: Backbone, recipe: Recipe, data: Images, folder: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Pretrain one backbone, from its last whole epoch when there is a checkpoint; returns model and what happened."""
    model = pretraining_model(entry, recipe)
    model.optimizer.build(model.trainable_variables)
    checkpoint, state_file = folder / f"{entry.name}.weights.h5", folder / f"{entry.name}.json"
    wanted = json.loads(json.dumps(asdict(recipe)))
    state: dict[str, Any] = {"recipe": wanted, "epochs": 0, "seconds": 0.0, "history": []}
    if checkpoint.exists() and state_file.exists():
        saved = json.loads(state_file.read_text())
        if saved["recipe"] == wanted:
            state = saved
            model.load_weights(checkpoint)
    for epoch in range(state["epochs"], len(recipe.sizes)):
        start = time.perf_counter()
        history = model.fit(Batches(data, recipe, epoch, entry.preprocessing), verbose=0, shuffle=False).history
        state["history"].append({name: round(float(values[-1]), 4) for name, values in history.items()})
        state["seconds"] = round(state["seconds"] + time.perf_counter() - start, 1)
        state["epochs"] = epoch + 1
        state_file.unlink(missing_ok=True)  # a kill between the two writes begins this backbone anew, never wrongly
        model.save_weights(checkpoint)
        state_file.write_text(json.dumps(state))
        accuracies = {name: value for name, value in state["history"][-1].items() if not name.endswith("_loss")}
        print(f"{entry.name} epoch {epoch + 1}/{len(recipe.sizes)}, {state['seconds']:.0f} s: {accuracies}", flush=True)
    return model, state


def held_out_accuracy(model: keras.Model, held_out: Images, preprocessing: str) -> dict[str, float]:
    """Share of images of new videos for which each label is right ("kinds": of its entries)."""
    predictions = model.predict(preprocess(held_out.images, preprocessing), verbose=0)
    right = {
        name: ((predictions[name] > 0.5) == labels)
        if name == "kinds"
        else predictions[name].argmax(1) == labels.argmax(1)
        for name, labels in held_out.labels.items()
    }
    return {name: round(float(values.mean()), 4) for name, values in right.items()}


def probe(entry: Backbone, weights: Path) -> list[float]:
    """Compute the first pooled features of a striped image, for the test that loads the weights elsewhere."""
    image = (np.indices((96, 96)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.float32)
    model = build_classifier(entry.name, 2, (96, 96, 3), weights, "pooled", width=SMALL_WIDTH)
    features = keras.Model(model.input, model.get_layer("features").output).predict(image, verbose=0)
    return [round(float(value), 5) for value in features[0, :16]]


def main() -> None:
    """Train what is asked for and not yet there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for drawn images and checkpoints")
    parser.add_argument("--output", type=Path, default=PACKAGE_FOLDER, help="where the .npz files go (the package)")
    parser.add_argument("--backbones", nargs="+", default=list(BACKBONES), help="in this order (default: all five)")
    parser.add_argument("--images", type=int, default=24_000, help="drawn images, each of another video")
    parser.add_argument("--held-out", type=int, default=1_000, help="more of them, to measure the accuracy with")
    parser.add_argument("--sizes", type=int, nargs="+", default=[80] * 4 + [96], help="side in pixels, in each epoch")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="highest; warmed up, then a cosine")
    parser.add_argument("--seed", type=int, default=2_000_000, help="of the images and of the networks")
    options = vars(parser.parse_args())
    folder, output = options.pop("folder"), options.pop("output")
    entries = [get_backbone(name) for name in options.pop("backbones")]
    recipe = Recipe(**{**options, "sizes": tuple(options["sizes"])})
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    data = draw(recipe.images, recipe.seed, folder)
    held_out = draw(recipe.held_out, recipe.seed + 500_000, folder)
    for entry in entries:
        done = folder / f"{entry.name}.npz"
        if not done.exists():
            model, state = train(entry, recipe, data, folder)
            metadata = {
                "backbone": entry.name,
                "width": SMALL_WIDTH,
                **asdict(recipe),
                "labels": [*CHOICES, "kinds"],
                "renderer": VERSION,
                "seconds": state["seconds"],
                "held_out_accuracy": held_out_accuracy(model, held_out, entry.preprocessing),
                "keras": keras.__version__,
                "made_by": "scripts/train_sample_weights.py",
            }
            backbone = fold(model.get_layer("backbone"), entry)
            save_backbone_weights(backbone, done, metadata)
            save_backbone_weights(backbone, done, {**metadata, "probe": probe(entry, done)})
            print(json.dumps(metadata), flush=True)
        shutil.copyfile(done, output / f"{entry.name.lower()}.npz")


if __name__ == "__main__":
    main()
