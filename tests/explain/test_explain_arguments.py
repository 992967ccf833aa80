"""Each argument of each public function of `mpii_lib.explain` with what does not fit: one line says why."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from wrong_arguments import assert_clear

import mpii_lib.explain as explain
from mpii_lib._keras import keras
from mpii_lib.errors import ModelError

layers = keras.layers
IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")


def classifier():
    """Build the parts of `build_classifier` in small."""
    maps = keras.Input((8, 8, 3))
    backbone = keras.Model(maps, layers.Conv2D(2, 3, activation="relu", name="maps")(maps), name="backbone")
    inputs = keras.Input((8, 8, 3))
    flow = backbone(layers.Rescaling(1 / 255, name="preprocessing")(inputs))
    flow = layers.GlobalAveragePooling2D(name="features")(flow)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", name="predictions")(flow))


class Annotated:
    """An image of 20 x 10 pixels with one person."""

    people = pd.DataFrame({"image_id": [1]})
    joints, visibility = np.ones((1, 2, 2)), np.ones((1, 2))

    def __init__(self, folder):
        self.path = folder / "a.png"
        Image.new("RGB", (20, 10)).save(self.path)

    def image_path(self, image_id):
        return self.path


BOTH = {"images": IMAGES, "class_index": 0, "batch_size": 2}
MAPS = np.random.default_rng(0).random((2, 4, 4))


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("split_classifier", {"layer": "maps"}),
        ("grad_cam", {**BOTH, "layer": "maps"}),
        ("occlusion_map", {**BOTH, "patch": 4, "stride": 4}),
        ("people_boxes", {"image_id": 1, "size": (4, 4), "margin": 0.1}),
        ("readable", {"features": MAPS.reshape(8, 4), "values": range(8), "groups": list("aabbccdd"), "folds": 2}),
        ("overlay", {"image": np.zeros((4, 4, 3)), "heat": np.zeros((4, 4)), "title": "", "strength": 0.5}),
    ],
)  # fmt: skip
def test_wrong_kinds_of_arguments_are_one_line(name, valid, tmp_path):
    first = {
        **dict.fromkeys(("split_classifier", "grad_cam", "occlusion_map"), lambda: {"model": classifier()}),
        "people_boxes": lambda: {"annotations": Annotated(tmp_path)},
        "overlay": lambda: {"axes": plt.subplots()[1]},
    }.get(name, dict)()
    assert_clear(getattr(explain, name), first | valid)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])

    def call(self, images):
        return self.head(images)


def odd_model(kind):
    convolution = [layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    inputs = keras.Input((8, 8, 3))
    if kind == "functional":
        return keras.Model(inputs, keras.Sequential(convolution)(inputs))
    if kind == "nested":
        return keras.Sequential([inputs, keras.Sequential(convolution, name="backbone")])
    return Subclassed() if kind == "subclassed" else keras.Sequential(convolution[kind == "never called" :])


@pytest.mark.parametrize("kind", ["functional", "sequential", "nested", "never called", "subclassed"])
def test_of_any_model_there_is_an_occlusion_map_and_of_build_classifiers_alone_a_grad_cam(kind):
    model = odd_model(kind)
    for call in (lambda: explain.grad_cam(model, IMAGES), lambda: explain.split_classifier(model)):
        with pytest.raises(ModelError, match="has no layer '(backbone|preprocessing)'.*see build_classifier"):
            call()
    drops = explain.occlusion_map(model, IMAGES, patch=4, stride=4)
    assert drops.shape == (2, 8, 8) and np.isfinite(drops).all()


def test_what_gives_no_probabilities_for_images_is_refused():
    maps = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3)])
    vectors = keras.Sequential([layers.Dense(3)])
    vectors.build((None, 5))
    for model in (maps, vectors):
        with pytest.raises(ModelError, match="no .N, classes. for images|the model takes"):
            explain.occlusion_map(model, IMAGES, patch=4, stride=4)


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    annotations = Annotated(tmp_path)
    annotations.path.write_bytes(b"no image")
    with pytest.raises(ModelError, match="a.png: not an image"):
        explain.people_boxes(annotations, 1, (4, 4))
