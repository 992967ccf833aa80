"""The five backbones: what is known about each, and how to build one at full or reduced width."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from mpii_lib._keras import keras, without_xla_on_cpu
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError

SMALL_WIDTH = 1 / 8  # the share of the filters that the networks of the sample weights have
_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
_NO_TOP = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


@dataclass(frozen=True)
class Backbone:
    """One convolutional network of `keras.applications`, without its top.

    Attributes
    ----------
    name
        The name in `keras.applications`.
    minimum_size
        Smallest height and width, in pixels, that the network accepts.
    layers
        Number of Keras layers, the input layer included: the list that the freeze notation counts in.
    parameters, small_parameters
        Number of weights at full width and at 1/8 of it.
    preprocessing
        "tf" (RGB scaled to -1..1) or "caffe" (BGR minus the mean colour of ImageNet), as the weights were trained.
    weight_stem, weight_md5
        Where the ImageNet weights are in the store of `keras.applications`, without the ending, and the file's MD5.
    """

    name: str
    minimum_size: int
    layers: int
    parameters: int
    small_parameters: int
    preprocessing: str
    weight_stem: str
    weight_md5: str

    @property
    def weight_url(self) -> str:
        """Where the ImageNet weights are downloaded from."""
        return f"{_STORE}/{self.weight_stem}{_NO_TOP}"

    @property
    def weight_file(self) -> str:
        """Name of the file of the ImageNet weights."""
        return self.weight_url.rsplit("/", 1)[-1]


# Counts and checksums as measured on Keras 3.15; tests/models holds them against keras.applications.
_ENTRIES = (
    Backbone("Xception", 71, 132, 20_861_480, 360_671, "tf", "xception/xception", "b0042744bf5b25fce3cb969f33bebb97"),
    Backbone("ResNet50", 32, 175, 23_587_712, 384_112, "caffe", "resnet/resnet50", "4d473c1dd8becc155b73f8504c6f6626"),
    Backbone("VGG16", 32, 19, 14_714_688, 230_568, "caffe", "vgg16/vgg16", "6d6bbae143d832006294945121d1f1fc"),
    Backbone("VGG19", 32, 22, 20_024_384, 313_672, "caffe", "vgg19/vgg19", "253f8cb515780f3b799900260a226db6"),
    Backbone(
        "InceptionResNetV2",
        75,
        780,
        54_336_736,
        864_044,
        "tf",
        "inception_resnet_v2/inception_resnet_v2",
        "d19885ff4a710c122648d3b5c3b684e4",
    ),
)
BACKBONES: MappingProxyType[str, Backbone] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


@checked
def get_backbone(name: str) -> Backbone:
    """Look a backbone up by its name, whatever the case of its letters; ModelError for an unknown one."""
    by_lower = {known.lower(): backbone for known, backbone in BACKBONES.items()}
    found = by_lower.get(name.lower())
    if found is None:
        close = difflib.get_close_matches(name.lower(), by_lower, n=1)
        hint = f"did you mean {by_lower[close[0]].name!r}? " if close else ""
        raise ModelError(f"backbone {name!r} is unknown; {hint}known are: {', '.join(BACKBONES)}")
    return found


def check_build(
    backbone: Backbone, input_shape: tuple[int, int, int], width: float, seed: int | None
) -> tuple[int, int, int]:
    """Return the input shape as (height, width, 3); ModelError when the backbone cannot be built so."""
    height, across, channels = (int(number) for number in input_shape)
    if channels != 3:
        raise ModelError(f"input_shape {input_shape!r}: give (height, width, 3), colour images with channels last")
    if min(height, across) < (least := backbone.minimum_size):
        raise ModelError(f"input_shape {(height, across, 3)}: {backbone.name} needs at least {least} x {least} pixels")
    if not 0 < width <= 1 or not 0 <= (seed or 0) < 2**31:
        raise ModelError(f"width {width:g}, seed {seed}: give a width in 0..1, a seed of 0 to {2**31 - 1} or None")
    return height, across, 3


@checked
def build_backbone(
    backbone: str | Backbone, input_shape: tuple[int, int, int], width: float = 1.0, seed: int | None = None
) -> keras.Model:
    """Make a backbone with random weights, without its top; the result is named "backbone".

    Parameters
    ----------
    backbone
        A name of `BACKBONES` or its entry.
    input_shape
        (height, width, 3) in pixels. The network expects images that are already preprocessed.
    width
        Every convolution gets `filters * width` filters; 1/8 makes the networks of the sample weights.
    seed
        Draws the kernels from He's normal distribution with this seed, the same numbers on every Keras backend; None
        leaves the initial weights of `keras.applications` (which follow `keras.utils.set_random_seed`).

    Returns
    -------
    keras.Model
        (B, H, W, 3) float to (B, h, w, C) float.

    Raises
    ------
    ModelError
        For an unknown backbone, an image below its minimum size, or a width that leaves a fraction of a filter.
    """
    entry = backbone if isinstance(backbone, Backbone) else get_backbone(backbone)
    shape = check_build(entry, input_shape, width, seed)
    full = getattr(keras.applications, entry.name)(weights=None, include_top=False, input_shape=shape, name="backbone")
    model = full if width == 1 else _narrowed(full, entry, width)
    if seed is not None:
        draw_he_normal(model, seed)
    return without_xla_on_cpu(model)


def _narrowed(full: keras.Model, entry: Backbone, width: float) -> keras.Model:
    """Copy the layer graph with `width` times the filters in each convolution."""

    def narrow(layer: keras.layers.Layer) -> keras.layers.Layer:
        config: dict[str, Any] = layer.get_config()
        if "filters" in config:
            filters = config["filters"] * width
            if filters < 1 or filters != int(filters):
                raise ModelError(
                    f"width {width}: {entry.name} has a layer of {config['filters']} filters; this leaves {filters:g}; "
                    "choose 1/2, 1/4 or 1/8"
                )
            config["filters"] = int(filters)
        return type(layer).from_config(config)

    return keras.models.clone_model(full, clone_function=narrow)


def draw_he_normal(model: keras.Model, seed: int) -> None:
    """Draw every convolution kernel anew from a normal distribution of variance 2 / fan-in (He et al. 2015).

    A depthwise kernel gets 1 / fan-in: it sums over its window only, and no ReLU halves its output.
    """
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        for variable in layer.weights:
            shape = tuple(variable.shape)
            if len(shape) == 4:
                variance = 1 / np.prod(shape[:2]) if "depthwise" in variable.name else 2 / np.prod(shape[:3])
                variable.assign(generator.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(variance)))
