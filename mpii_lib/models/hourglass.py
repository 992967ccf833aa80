"""The stacked hourglass of Newell et al. (2016): images of one person in, one heatmap a joint out of every stack."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from mpii_lib._keras import keras, without_xla_on_cpu
from mpii_lib.arguments import checked
from mpii_lib.errors import ModelError
from mpii_lib.models.weights import assign_npz, check_source, loading, sample_folder

# The network of the shipped weights: `build_hourglass(weights="sample")`.
SAMPLE_HOURGLASS = MappingProxyType(
    {"stacks": 2, "channels": 48, "depth": 3, "joints": 16, "input_size": 64, "output_stride": 2}
)
_PAPER = {"stacks": 2, "channels": 256, "depth": 4, "joints": 16, "input_size": 256, "output_stride": 4}
SAMPLE_FILE = "hourglass.npz"


@checked
def build_hourglass(
    stacks: int = 2,
    channels: int = 256,
    depth: int = 4,
    joints: int = 16,
    input_size: int = 256,
    *,
    output_stride: int = 4,
    weights: str | os.PathLike[str] | None = None,
    seed: Annotated[int, 0, 2**31 - 1] | None = None,
) -> keras.Model:
    """Build a stacked hourglass: an ordinary Keras model, not yet compiled (Newell et al. 2016, arXiv:1603.06937).

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
        Height and width of an image in pixels.
    output_stride
        Image pixels a heatmap cell. 4 is the paper's stem: a convolution and a max pooling halve the image. 2 leaves
        the pooling out, for small images: 64 pixels give maps of 32 x 32.
    weights
        None (random), "sample" (shipped; drawn people of 64 pixels) or a file: .npz of `save_backbone_weights`,
        .weights.h5 or .keras. "sample" belongs to the sizes in `SAMPLE_HOURGLASS`, which it chooses itself when no
        size is given.
    seed
        Of the random weights; None follows `keras.utils.set_random_seed`.

    Returns
    -------
    keras.Model
        Images (B, S, S, 3), uint8 or float, RGB in 0..255, to a list with one (B, S/stride, S/stride, K) float32 a
        stack, the last stack's last. The maps have no activation: what they mean follows from the loss. Layers to
        look at: "stem", "stack1_bottleneck" (innermost residual, (B, s, s, C) with s = S/stride/2**depth),
        "stack1_features", "stack1_heatmaps", "stack2_input", .... `model.provenance` is a dict of the sizes and the
        weights, for run records.

    Raises
    ------
    ModelError
        The sizes do not go together, or the weights do not fit.
    """
    sizes = {"stacks": stacks, "channels": channels, "depth": depth, "joints": joints, "input_size": input_size}
    sizes["output_stride"] = output_stride
    if weights == "sample" and sizes == _PAPER:
        sizes = dict(SAMPLE_HOURGLASS)
    _check_sizes(sizes)
    images = keras.Input((sizes["input_size"],) * 2 + (3,), name="images")
    make = _Layers(seed)
    flow = _stem(make, images, sizes)
    width, outputs = sizes["channels"], []
    for stack in range(1, sizes["stacks"] + 1):
        name = f"stack{stack}"
        inner = _hourglass(make, flow, sizes["depth"], f"{name}_", 1)
        features = make.residual(inner, width, f"{name}_residual")
        features = make.activated(make.convolution(features, width, 1, f"{name}_linear"), f"{name}_features")
        # In 16-bit training the heatmaps stay in 32: the loss compares small differences.
        heatmaps = make.convolution(features, sizes["joints"], 1, f"{name}_heatmaps", small=True, dtype="float32")
        outputs.append(heatmaps)
        if stack < sizes["stacks"]:
            from_features = make.convolution(features, width, 1, f"{name}_remap_features")
            from_heatmaps = make.convolution(heatmaps, width, 1, f"{name}_remap_heatmaps")
            flow = keras.layers.Add(name=f"stack{stack + 1}_input")([flow, from_features, from_heatmaps])
    model = without_xla_on_cpu(keras.Model(images, outputs, name=f"hourglass-{sizes['stacks']}x{width}"))
    if weights is not None:
        path = sample_folder() / SAMPLE_FILE if weights == "sample" else Path(weights)
        check_source(path)
        with loading(path, model.name):
            assign_npz(model, path) if path.suffix == ".npz" else model.load_weights(path)
    source = "none" if weights is None else Path(weights).name
    model.provenance = {"backbone": "hourglass", "weights": source, **sizes}
    return model


class _Layers:
    """Makes named layers, whose kernels come from one seed: a normal distribution of variance 2 / fan-in (He 2015).

    The last convolution of a residual starts at a tenth of that: otherwise the sum of two dozen residuals makes the
    first heatmaps hundreds of times larger than the targets, and the first epochs go into shrinking them.
    """

    def __init__(self, seed: int | None) -> None:
        self.seed, self.count = seed, 0

    def convolution(
        self, flow: Any, filters: int, size: int, name: str, strides: int = 1, *, small: bool = False, **options: Any
    ) -> Any:
        self.count += 1
        seed = None if self.seed is None else self.seed + self.count
        variance = 0.02 if small else 2.0
        kernel = keras.initializers.VarianceScaling(variance, "fan_in", "untruncated_normal", seed=seed)
        layer = keras.layers.Conv2D(filters, size, strides, "same", kernel_initializer=kernel, name=name, **options)
        return layer(flow)

    def activated(self, flow: Any, name: str) -> Any:
        flow = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(flow)
        return keras.layers.ReLU(name=name)(flow)

    def residual(self, flow: Any, filters: int, name: str) -> Any:
        """Pre-activation residual module: 1 x 1, 3 x 3, 1 x 1, and a 1 x 1 on the skip where widths differ."""
        skip = flow
        for number, (count, size) in enumerate(((filters // 2, 1), (filters // 2, 3), (filters, 1)), start=1):
            flow = self.activated(flow, f"{name}_relu{number}")
            flow = self.convolution(flow, count, size, f"{name}_conv{number}", small=number == 3)
        if skip.shape[-1] != filters:
            skip = self.convolution(skip, filters, 1, f"{name}_skip")
        return keras.layers.Add(name=name)([flow, skip])


def _stem(make: _Layers, images: Any, sizes: dict[str, int]) -> Any:
    """From the image to maps of C channels at the resolution of the heatmaps."""
    width = sizes["channels"]
    # float32: half precision starts in the first convolution.
    flow = keras.layers.Rescaling(1 / 255, offset=-0.5, name="preprocessing", dtype="float32")(images)
    flow = make.activated(make.convolution(flow, width // 4, 7, "stem_conv", strides=2), "stem_relu")
    flow = make.residual(flow, width // 2, "stem_residual1")
    if sizes["output_stride"] == 4:
        flow = keras.layers.MaxPooling2D(2, name="stem_pool")(flow)
    flow = make.residual(flow, width // 2, "stem_residual2")
    return make.residual(flow, width, "stem")


def _hourglass(make: _Layers, flow: Any, depth: int, name: str, level: int) -> Any:
    """One hourglass: down to the bottleneck and up again, with a branch past it at each level."""
    width = flow.shape[-1]
    skip = make.residual(flow, width, f"{name}skip{level}")
    inner = keras.layers.MaxPooling2D(2, name=f"{name}pool{level}")(flow)
    inner = make.residual(inner, width, f"{name}down{level}")
    if level < depth:
        inner = _hourglass(make, inner, depth, name, level + 1)
    else:
        inner = make.residual(inner, width, f"{name}bottleneck")
    inner = make.residual(inner, width, f"{name}up{level}")
    inner = keras.layers.UpSampling2D(2, interpolation="nearest", name=f"{name}upsample{level}")(inner)
    return keras.layers.Add(name=f"{name}merge{level}")([skip, inner])


def _check_sizes(sizes: dict[str, int]) -> None:
    for name, value in sizes.items():
        if not 1 <= value <= 4096:
            raise ModelError(f"build_hourglass: {name}={value}: give 1 to 4096")
    if sizes["output_stride"] not in (2, 4):
        raise ModelError(f"build_hourglass: output_stride={sizes['output_stride']}: use 4, or 2 for small images")
    if sizes["channels"] % 4:
        raise ModelError(f"build_hourglass: channels={sizes['channels']}: the stem needs a multiple of 4")
    step = sizes["output_stride"] * 2 ** sizes["depth"]
    if sizes["input_size"] % step:
        raise ModelError(
            f"build_hourglass: input_size={sizes['input_size']}: with depth {sizes['depth']} and output_stride "
            f"{sizes['output_stride']} give a multiple of {step}"
        )
