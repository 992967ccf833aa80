"""The stacked hourglass of Newell et al. (2016): pictures of one person in, one heatmap a joint out of every stack."""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError
from mpii_lib.models.weights import assign_npz, loading, read_npz, sample_folder

# The network of the shipped weights: `build_hourglass(weights="sample")`.
SAMPLE_HOURGLASS = MappingProxyType(
    {"stacks": 2, "channels": 48, "depth": 3, "joints": 16, "input_size": 64, "output_stride": 2}
)
_PAPER = {"stacks": 2, "channels": 256, "depth": 4, "joints": 16, "input_size": 256, "output_stride": 4}
SAMPLE_FILE = "hourglass.npz"


def build_hourglass(
    stacks: int = 2,
    channels: int = 256,
    depth: int = 4,
    joints: int = 16,
    input_size: int = 256,
    *,
    output_stride: int = 4,
    weights: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    momentum: float = 0.9,
) -> keras.Model:
    """Build a stacked hourglass, not yet compiled (Newell, Yang and Deng 2016, arXiv:1603.06937; `pose-hg-train`).

    Parameters
    ----------
    stacks
        Hourglasses one after the other; each is trained on the same heatmaps (intermediate supervision).
    channels
        Width C of the network; the stem has C/4 and C/2. The paper has 256.
    depth
        How often an hourglass halves its maps: 4 goes from 64 x 64 to 4 x 4.
    joints
        Heatmaps K of each stack.
    input_size
        Height and width of a picture in pixels.
    output_stride
        Picture pixels a heatmap pixel. 4 is the paper's stem: a convolution and a max pooling halve the picture. 2
        leaves the pooling out, for small pictures: 64 pixels give maps of 32 x 32.
    weights
        None (random), "sample" (shipped; drawn people of 64 pixels, sizes as in `SAMPLE_HOURGLASS` whatever the
        defaults say) or a file: .npz of `save_hourglass_weights`, .weights.h5 or .keras.
    seed
        Draws the kernels from He's normal distribution with this seed, the same numbers on every Keras backend; None
        follows `keras.utils.set_random_seed`.
    momentum
        Of the moving averages of batch normalisation.

    Returns
    -------
    keras.Model
        Pictures (B, S, S, 3), uint8 or float, RGB in 0..255, to a list with one (B, S/stride, S/stride, K) float32 a
        stack, the last stack's last. The maps have no activation: what they mean follows from the loss. Layers to
        look at: "stem", "stack1_bottleneck" (innermost residual, (B, s, s, C) with s = S/stride/2**depth),
        "stack1_features", "stack1_heatmaps", "stack2_input", .... `model.provenance` is a dict of the choices above,
        for run records.

    Raises
    ------
    ModelError
        The sizes do not go together, or the weights do not fit.
    """
    sizes = {"stacks": stacks, "channels": channels, "depth": depth, "joints": joints, "input_size": input_size}
    sizes = _sizes_for(weights, sizes | {"output_stride": output_stride})
    pictures = keras.Input((sizes["input_size"],) * 2 + (3,), name="pictures")
    make = _Layers(momentum)
    flow = _stem(make, pictures, sizes)
    width, outputs = sizes["channels"], []
    for stack in range(1, sizes["stacks"] + 1):
        name = f"stack{stack}"
        inner = _hourglass(make, flow, sizes["depth"], f"{name}_", 1)
        features = make.residual(inner, width, f"{name}_residual")
        features = make.activated(make.convolution(features, width, 1, f"{name}_linear"), f"{name}_features")
        # In 16-bit training the heatmaps stay in 32: the loss compares small differences.
        heatmaps = make.convolution(features, sizes["joints"], 1, f"{name}_heatmaps", dtype="float32")
        outputs.append(heatmaps)
        if stack < sizes["stacks"]:
            again = make.convolution(features, width, 1, f"{name}_remap_features")
            seen = make.convolution(heatmaps, width, 1, f"{name}_remap_heatmaps")
            flow = keras.layers.Add(name=f"stack{stack + 1}_input")([flow, again, seen])
    model = keras.Model(pictures, outputs, name=f"hourglass-{sizes['stacks']}x{width}")
    if seed is not None:
        _draw(model, seed)
    model.provenance = {"backbone": "hourglass", "weights": None, "maps": None, **sizes}
    if weights is not None:
        _load(model, weights)
    return model


def hourglass_sample_metadata() -> dict[str, Any]:
    """Return how the sample weights of the hourglass were made: people, seeds, epochs, seconds, scores."""
    return read_npz(_sample_file())[1]


class _Layers:
    """Makes named layers; what all of them share is said once."""

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum

    def convolution(
        self, flow: Any, filters: int, size: int, name: str, strides: int = 1, dtype: str | None = None
    ) -> Any:
        layer = keras.layers.Conv2D(filters, size, strides, "same", name=name, dtype=dtype)
        return layer(flow)

    def activated(self, flow: Any, name: str) -> Any:
        flow = keras.layers.BatchNormalization(momentum=self.momentum, epsilon=1e-5, name=f"{name}_norm")(flow)
        return keras.layers.ReLU(name=name)(flow)

    def residual(self, flow: Any, filters: int, name: str) -> Any:
        """Pre-activation residual module: 1 x 1, 3 x 3, 1 x 1, and a 1 x 1 on the way around where widths differ."""
        around = flow
        for number, (count, size) in enumerate(((filters // 2, 1), (filters // 2, 3), (filters, 1)), start=1):
            flow = self.activated(flow, f"{name}_relu{number}")
            flow = self.convolution(flow, count, size, f"{name}_conv{number}")
        if around.shape[-1] != filters:
            around = self.convolution(around, filters, 1, f"{name}_skip")
        return keras.layers.Add(name=name)([flow, around])


def _stem(make: _Layers, pictures: Any, sizes: dict[str, int]) -> Any:
    """From the picture to maps of C channels at the resolution of the heatmaps."""
    width = sizes["channels"]
    # float32: half precision starts in the first convolution.
    flow = keras.layers.Rescaling(1 / 255, offset=-0.5, name="preprocessing", dtype="float32")(pictures)
    flow = make.activated(make.convolution(flow, width // 4, 7, "stem_conv", strides=2), "stem_relu")
    flow = make.residual(flow, width // 2, "stem_residual1")
    if sizes["output_stride"] == 4:
        flow = keras.layers.MaxPooling2D(2, name="stem_pool")(flow)
    flow = make.residual(flow, width // 2, "stem_residual2")
    return make.residual(flow, width, "stem")


def _hourglass(make: _Layers, flow: Any, depth: int, name: str, level: int) -> Any:
    """One hourglass: down to the bottleneck and up again, with a branch on the way around at each level."""
    width = flow.shape[-1]
    around = make.residual(flow, width, f"{name}skip{level}")
    inner = keras.layers.MaxPooling2D(2, name=f"{name}pool{level}")(flow)
    inner = make.residual(inner, width, f"{name}down{level}")
    if level < depth:
        inner = _hourglass(make, inner, depth, name, level + 1)
    else:
        inner = make.residual(inner, width, f"{name}bottleneck")
    inner = make.residual(inner, width, f"{name}up{level}")
    inner = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"{name}upsample{level}")(inner)
    return keras.layers.Add(name=f"{name}merge{level}")([around, inner])


def _sizes_for(weights: str | os.PathLike[str] | None, sizes: dict[str, int]) -> dict[str, int]:
    """Check the sizes; those of the sample weights take the place of the defaults."""
    for name, value in sizes.items():
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise ModelError(f"build_hourglass: {name}={value!r}: give a whole number of at least 1")
    if weights == "sample":
        for name, value in sizes.items():
            if name != "input_size" and value not in (_PAPER[name], SAMPLE_HOURGLASS[name]):
                raise ModelError(
                    f'build_hourglass: {name}={value}, but the weights "sample" belong to a network with '
                    f"{name}={SAMPLE_HOURGLASS[name]}; leave {name} out, or use weights=None"
                )
        chosen = sizes["input_size"]
        sizes = dict(SAMPLE_HOURGLASS)
        if chosen != _PAPER["input_size"]:
            sizes["input_size"] = chosen
    if sizes["output_stride"] not in (2, 4):
        raise ModelError(f"build_hourglass: output_stride={sizes['output_stride']}: use 4, or 2 for small pictures")
    if sizes["channels"] % 4:
        raise ModelError(f"build_hourglass: channels={sizes['channels']}: the stem needs a multiple of 4")
    step = sizes["output_stride"] * 2 ** sizes["depth"]
    if sizes["input_size"] % step:
        raise ModelError(
            f"build_hourglass: input_size={sizes['input_size']} cannot be halved {round(math.log2(step))} times; with "
            f"depth {sizes['depth']} and output_stride {sizes['output_stride']} give a multiple of {step}"
        )
    return sizes


def _draw(model: keras.Model, seed: int) -> None:
    """Draw every kernel from a normal distribution of variance 2 / fan-in (He et al. 2015).

    The last convolution of a residual starts at a tenth of that: otherwise the sum of two dozen residuals makes the
    first heatmaps hundreds of times larger than the targets, and the first epochs go into shrinking them.
    """
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if len(shape) == 4:
            value = generator.standard_normal(shape, dtype=np.float32) * np.sqrt(2 / np.prod(shape[:3]))
            small = "_conv3" in variable.path or "_heatmaps" in variable.path
            variable.assign(value.astype(np.float32) * np.float32(0.1 if small else 1.0))


def _sample_file() -> Path:
    path = sample_folder() / SAMPLE_FILE
    if not path.is_file():
        raise ModelError(
            f"{path}: the sample weights of the hourglass are missing; install the package again, "
            "or make them with scripts/train_sample_hourglass.py"
        )
    return path


def _load(model: keras.Model, weights: str | os.PathLike[str]) -> None:
    path = _sample_file() if weights == "sample" else Path(weights)
    if not path.is_file():
        raise ModelError(f'weights {str(weights)!r}: no such file; give "sample", None or a file of weights')
    provenance: dict[str, Any] = {"weights": "sample" if weights == "sample" else path.name}
    if path.suffix == ".npz":
        metadata = assign_npz(model, path)
        provenance["maps"] = metadata.get("maps")
    elif path.suffix in (".h5", ".keras"):
        with loading(path, model.name):
            model.load_weights(path)
    else:
        raise ModelError(f"{path}: weights come as .npz, .weights.h5 or .keras, not as {path.suffix or 'this'!r}")
    model.provenance |= provenance
