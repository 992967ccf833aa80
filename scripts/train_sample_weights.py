"""Make the sample weights: pretrain the five backbones at 1/8 width on drawn pictures, and put them into the package.

    .venv/bin/python scripts/train_sample_weights.py --folder build/sample_weights

The pictures come from the renderer of the sample data, with seeds and videos of their own, so that a notebook's
pictures are new to the networks. Category and activity are learned together: two tasks give richer features than one.
Each backbone is written as soon as it is done, and a stopped run goes on from the last whole epoch of the backbone it
was at. Backbones whose weights are already in `--folder` are left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")

from mpii_course.sample import VERSION, render_classification  # noqa: E402
from mpii_lib._keras import keras  # noqa: E402 - the number of threads is read when TensorFlow starts
from mpii_lib.models import (  # noqa: E402
    SMALL_WIDTH,
    Backbone,
    BackbonePreprocessing,
    build_backbone,
    build_classifier,
    feature_model,
    get_backbone,
    save_backbone_weights,
)

PACKAGE_FOLDER = Path(__file__).parent.parent / "mpii_lib" / "models" / "sample_weights"
# Passes over the pictures, in this order: what some seventy minutes of two busy cores allowed.
EPOCHS = {"VGG16": 12, "Xception": 10, "ResNet50": 14, "VGG19": 8, "InceptionResNetV2": 6}
MOMENTUM = 0.98  # of batch normalisation: an epoch has some hundred steps, not the thousands that 0.99 is made for
CHUNK = 1000


@dataclass(frozen=True)
class Recipe:
    """Everything that the result depends on."""

    pictures: int
    held_out: int
    size: int
    epochs: int
    batch: int
    seed: int
    learning_rate: float
    label_smoothing: float = 0.1
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class Pictures:
    """Drawn pictures (N, S, S, 3) uint8 with their category, activity and video numbers (N,)."""

    pictures: np.ndarray
    category: np.ndarray
    activity: np.ndarray
    video: np.ndarray


def draw(count: int, size: int, seed: int, cache: Path) -> Pictures:
    """Draw pictures, each of another video, chunk by chunk, and keep them in a file."""
    if not cache.exists():
        chunks = []
        for start in range(0, count, CHUNK):
            number = start // CHUNK
            # Every other chunk has each category equally often, so that the rare ones are learned as well.
            pictures, category, activity, video = render_classification(
                min(CHUNK, count - start), size, seed + number, balanced=number % 2 == 1
            )
            chunks.append((pictures, category, activity, video + start))
            print(f"drawn {start + len(pictures)} of {count}", flush=True)
        joined = [np.concatenate(arrays) for arrays in zip(*chunks, strict=True)]
        temporary = cache.with_suffix(".part")
        with temporary.open("wb") as file:
            np.savez(file, **dict(zip(("pictures", "category", "activity", "video"), joined, strict=True)))
        temporary.replace(cache)
    with np.load(cache, allow_pickle=False) as file:
        return Pictures(**{name: file[name] for name in ("pictures", "category", "activity", "video")})


class Batches(keras.utils.PyDataset):
    """One epoch of augmented batches, the same for the same seed and epoch."""

    def __init__(self, data: Pictures, recipe: Recipe, classes: tuple[int, int], epoch: int) -> None:
        super().__init__(workers=1, max_queue_size=8)
        self.data, self.batch, self.classes = data, recipe.batch, classes
        self.seed = (recipe.seed, epoch)
        total = len(data.category) // recipe.batch * recipe.batch  # every batch has the same shape: one compilation
        self.order = np.random.default_rng(self.seed).permutation(len(data.category))[:total]

    def __len__(self) -> int:
        return len(self.order) // self.batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rows = self.order[index * self.batch : (index + 1) * self.batch]
        generator = np.random.default_rng((*self.seed, index))
        pictures = np.stack([augment(self.data.pictures[row], generator) for row in rows])
        targets = {
            "category": np.eye(self.classes[0], dtype=np.float32)[self.data.category[rows]],
            "activity": np.eye(self.classes[1], dtype=np.float32)[self.data.activity[rows]],
        }
        return pictures, targets


def augment(picture: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Flip, zoom, squeeze, turn and shift a picture, and change its colours; (S, S, 3) uint8 to float32."""
    size = picture.shape[0]
    zoom = np.exp(generator.uniform(-0.15, 0.35))
    squeeze = np.exp(generator.normal(0, 0.08))
    angle = np.deg2rad(generator.normal(0, 5))
    flip = -1.0 if generator.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([flip * zoom * squeeze, zoom / squeeze])
    centre = (size - 1) / 2
    shift = generator.uniform(-0.1, 0.1, 2) * size * max(zoom, 1)
    offset = np.array([centre, centre]) + shift - matrix @ [centre, centre]
    warped = cv2.warpAffine(
        picture, np.column_stack([matrix, offset]), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    gain = np.exp(generator.normal(0, 0.12)) * np.exp(generator.normal(0, 0.06, 3))
    return np.clip(warped * gain + generator.normal(0, 12), 0, 255).astype(np.float32)


def trainable_twin(entry: Backbone, recipe: Recipe) -> keras.Model:
    """Build the small backbone for pretraining from scratch, everything trainable.

    The VGGs come from before batch normalisation and hardly start to learn in the time there is. They are trained with
    it between each convolution and its ReLU; `fold` then moves what it does into the convolution.
    """
    base = build_backbone(entry, (recipe.size, recipe.size, 3), SMALL_WIDTH, recipe.seed)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in base.layers):
        for layer in base.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        return base
    flow = base.input
    for layer in base.layers[1:]:
        if isinstance(layer, keras.layers.Conv2D):
            layer.activation = keras.activations.linear
            flow = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{layer.name}_bn")(layer(flow))
            flow = keras.layers.ReLU()(flow)
        else:
            flow = layer(flow)
    return keras.Model(base.input, flow, name="backbone")


def fold(trained: keras.Model, entry: Backbone, recipe: Recipe) -> keras.Model:
    """Return the backbone itself: batch normalisations that it does not have become part of the convolutions."""
    plain = build_backbone(entry, (recipe.size, recipe.size, 3), SMALL_WIDTH)
    if len(trained.layers) == len(plain.layers):
        plain.set_weights(trained.get_weights())
        return plain
    for layer in plain.layers:
        if layer.weights:
            kernel, bias = trained.get_layer(layer.name).get_weights()
            normalisation = trained.get_layer(f"{layer.name}_bn")
            gamma, beta, mean, variance = normalisation.get_weights()
            factor = gamma / np.sqrt(variance + normalisation.epsilon)
            layer.set_weights([kernel * factor, beta + (bias - mean) * factor])
    return plain


def pretraining_model(entry: Backbone, recipe: Recipe, classes: tuple[int, int]) -> keras.Model:
    """Build the backbone with one head for the category and one for the activity."""
    pictures = keras.Input((recipe.size, recipe.size, 3))
    maps = trainable_twin(entry, recipe)(BackbonePreprocessing(entry.preprocessing)(pictures))
    features = keras.layers.Dropout(0.2, seed=recipe.seed)(keras.layers.GlobalAveragePooling2D()(maps))
    outputs = {
        name: keras.layers.Dense(number, activation="softmax", name=name)(features)
        for name, number in zip(("category", "activity"), classes, strict=True)
    }
    model = keras.Model(pictures, outputs)
    steps = recipe.pictures // recipe.batch * recipe.epochs
    warmup = steps // 20 + 1
    rate = recipe.learning_rate
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, steps - warmup, alpha=0.01, warmup_target=rate, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay, clipnorm=1.0),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics={"category": ["accuracy"], "activity": ["accuracy"]},
        jit_compile=False,
    )
    return model


def train(
    entry: Backbone, recipe: Recipe, data: Pictures, held_out: Pictures, folder: Path
) -> tuple[keras.Model, dict[str, Any]]:
    """Pretrain one backbone, from its last whole epoch when there is a checkpoint; returns it and its metadata."""
    classes = (int(data.category.max()) + 1, int(data.activity.max()) + 1)
    model = pretraining_model(entry, recipe, classes)
    model.optimizer.build(model.trainable_variables)
    checkpoint, state_file = folder / f"{entry.name}.weights.h5", folder / f"{entry.name}.json"
    state: dict[str, Any] = {"recipe": asdict(recipe), "epochs": 0, "seconds": 0.0, "history": []}
    if checkpoint.exists() and state_file.exists():
        saved = json.loads(state_file.read_text())
        if saved["recipe"] == asdict(recipe):
            state = saved
            model.load_weights(checkpoint)
    for epoch in range(state["epochs"], recipe.epochs):
        start = time.perf_counter()
        history = model.fit(Batches(data, recipe, classes, epoch), verbose=0, shuffle=False).history
        state["history"].append({name: round(float(values[-1]), 4) for name, values in history.items()})
        state["seconds"] = round(state["seconds"] + time.perf_counter() - start, 1)
        state["epochs"] = epoch + 1
        state_file.unlink(missing_ok=True)  # a kill between the two writes begins this backbone anew, never wrongly
        model.save_weights(checkpoint)
        state_file.write_text(json.dumps(state))
        print(
            f"{entry.name} epoch {epoch + 1} of {recipe.epochs}, {state['seconds']:.0f} s: {state['history'][-1]}",
            flush=True,
        )
    guesses = model.predict(held_out.pictures, batch_size=recipe.batch, verbose=0)
    truth = {"category": held_out.category, "activity": held_out.activity}
    scores = {name: round(float((guesses[name].argmax(1) == truth[name]).mean()), 4) for name in truth}
    metadata = {
        "backbone": entry.name,
        "width": SMALL_WIDTH,
        **asdict(recipe),
        "renderer": VERSION,
        "pictures_sha256": hashlib.sha256(data.pictures.tobytes()).hexdigest(),
        "categories": classes[0],
        "activities": classes[1],
        "seconds": state["seconds"],
        "held_out_accuracy": scores,
        "keras": keras.__version__,
        "made_by": "scripts/train_sample_weights.py",
    }
    return fold(model.get_layer("backbone"), entry, recipe), metadata


def probe(entry: Backbone, weights: Path) -> list[float]:
    """Compute the first pooled features of a striped test picture, for the test that loads the weights elsewhere."""
    picture = (np.indices((96, 96)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.uint8)
    model = build_classifier(entry.name, 2, (96, 96, 3), weights, "pooled", width=SMALL_WIDTH)
    return [round(float(value), 5) for value in keras.ops.convert_to_numpy(feature_model(model)(picture))[0, :16]]


def main() -> None:
    """Train what is asked for and not yet there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="for drawn pictures and checkpoints")
    parser.add_argument("--output", type=Path, default=PACKAGE_FOLDER, help="where the .npz files go (the package)")
    parser.add_argument("--backbones", nargs="+", default=list(EPOCHS), help="in this order (default: all five)")
    parser.add_argument("--pictures", type=int, default=12_000, help="drawn pictures, each of another video")
    parser.add_argument("--held-out", type=int, default=1_000, help="more of them, to measure the accuracy with")
    parser.add_argument("--size", type=int, default=96, help="height and width in pixels")
    parser.add_argument("--epochs", type=int, help="passes over the pictures (default: those of the shipped files)")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=6e-3, help="highest; warmed up, then a cosine")
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the pictures and of the networks")
    options = vars(parser.parse_args())
    folder, output = options.pop("folder"), options.pop("output")
    entries = [get_backbone(name) for name in options.pop("backbones")]
    epochs = options.pop("epochs")
    recipes = {entry.name: Recipe(**options, epochs=epochs or EPOCHS[entry.name]) for entry in entries}
    recipe = next(iter(recipes.values()))
    folder.mkdir(parents=True, exist_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    cache = folder / f"pictures_{recipe.pictures}_{recipe.size}_{recipe.seed}.npz"
    data = draw(recipe.pictures, recipe.size, recipe.seed, cache)
    cache = folder / f"held_out_{recipe.held_out}_{recipe.size}_{recipe.seed}.npz"
    held_out = draw(recipe.held_out, recipe.size, recipe.seed + 500_000, cache)
    for entry in entries:
        done = folder / f"{entry.name}.npz"
        if not done.exists():
            backbone, metadata = train(entry, recipes[entry.name], data, held_out, folder)
            save_backbone_weights(backbone, done, metadata)
            save_backbone_weights(backbone, done, {**metadata, "probe": probe(entry, done)})
            print(json.dumps(metadata), flush=True)
        shutil.copyfile(done, output / f"{entry.name.lower()}.npz")


if __name__ == "__main__":
    main()
