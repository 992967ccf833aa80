"""Figures in one style: colour-blind safe, readable from the last row, each with alternative text.

Every function returns a Matplotlib figure or draws on the axes it is given; `show` puts a figure into the notebook.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mpii_lib.arguments import checked
from mpii_lib.datasets.image_files import read_image
from mpii_lib.errors import AnnotationError, DatasetError, MpiiError
from mpii_lib.skeletons import MPII, Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

#: Okabe and Ito (2008), "Color Universal Design": eight colours that people with colour-blindness tell apart.
PALETTE = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
}
#: Lines differ in colour, stroke and marker, so that a black-and-white print can still be read.
CYCLE = (
    cycler(color=[PALETTE[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky")])
    + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1))])
    + cycler(marker=["o", "s", "^", "D", "v", "P"])
)
#: The person's own left is orange and dashed, the right is blue and solid, the middle is white.
SIDES = {"left": (PALETTE["orange"], (0, (2.2, 1.1))), "right": (PALETTE["sky"], "-"), "middle": ("#FFFFFF", "-")}

Several = Annotated[int, 1, 100]
Inches = Annotated[float, 0.1, 50]

_HEADING: dict[str, Any] = {"fontsize": 15, "fontweight": "bold", "x": 0.01, "ha": "left"}


def use_style() -> None:
    """Set Matplotlib's defaults: large type, few lines, the colour cycle above, cividis for maps of numbers."""
    mpl.rcParams.update(
        {
            "figure.figsize": (8, 4.5),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "figure.titlesize": 15,
            "figure.titleweight": "bold",
            "font.size": 13,
            "axes.titlesize": 15,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 13,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": CYCLE,
            "grid.color": "#DDDDDD",
            "grid.linewidth": 0.8,
            "lines.linewidth": 2.2,
            "lines.markersize": 6,
            "legend.frameon": False,
            "image.cmap": "cividis",
            "image.interpolation": "nearest",
            "savefig.facecolor": "white",
        }
    )


@checked
def show(figure: Figure, alt: str) -> None:
    """Put a figure into the notebook as a PNG with alternative text, and close it.

    Parameters
    ----------
    figure
        The figure; it is closed afterwards, so that a notebook run twice keeps its memory.
    alt
        What the figure shows, as a sentence that states the finding. It is stored with the image (`image/png`
        metadata, read by nbconvert and by the report) and printed where images cannot be.

    Raises
    ------
    MpiiError
        If `alt` says nothing (fewer than 15 characters).
    """
    if len(alt.strip()) < 15:
        raise MpiiError(f"alt={alt!r} does not describe the figure: write a sentence that says what it shows")
    from IPython.display import display

    bundle = {"image/png": base64.b64encode(_png(figure)).decode(), "text/plain": alt}
    plt.close(figure)
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


def _png(figure: Figure) -> bytes:
    """The figure as PNG with a palette of 256 colours: it looks the same at a third of the bytes, for 10 ms."""
    buffer, smaller = io.BytesIO(), io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    image = Image.open(buffer).convert("RGB")
    image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(smaller, "png")
    return smaller.getvalue()


@checked
def blank(axes: Axes, title: str = "") -> Axes:
    """Take ticks, grid and frame away, as images want it."""
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        axes.set_title(title, fontsize=12, fontweight="normal")
    return axes


@checked
def draw_pose(
    axes: Axes,
    joints: Annotated[ArrayLike, "K 2"],
    visibility: Annotated[ArrayLike, "K"] | None = None,
    skeleton: Skeleton = MPII,
    *,
    width: Annotated[float, 0.01, 100] = 3.0,
    names: bool = False,
) -> None:
    """Draw one person's skeleton on axes that count in image pixels.

    Parameters
    ----------
    axes
        Where to draw; usually with the image under it.
    joints
        (K, 2) x and y in pixels; NaN joints and their limbs are left out.
    visibility
        (K,) 0 not annotated, 1 occluded, 2 visible. Occluded joints are hollow. None draws every joint as visible.
    skeleton
        Which joints these are. The person's left is orange and dashed, the right blue and solid.
    width
        Line width in points.
    names
        Write each joint's name beside it.

    Raises
    ------
    MpiiError
        There is not one row for each joint of the skeleton.
    """
    points = np.asarray(joints, dtype=float)
    seen = np.full(len(points), 2) if visibility is None else np.asarray(visibility)
    if len(points) != len(skeleton):
        raise MpiiError(f"draw_pose: {len(points)} joints; give {len(skeleton)}, as the skeleton has")
    known = np.isfinite(points).all(axis=1) & (seen > 0)
    sides = skeleton.side
    outline = [patheffects.Stroke(linewidth=width + 2.2, foreground="black"), patheffects.Normal()]
    for start, end in skeleton.limbs:
        if known[start] and known[end]:
            side = next((sides[i] for i in (end, start) if sides[i] != "middle"), "middle")
            colour, dashes = SIDES[side]
            line = points[[start, end]]
            axes.plot(line[:, 0], line[:, 1], color="black", linewidth=width + 2.2, linestyle="-", marker="")
            axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=width, linestyle=dashes, marker="")
    for joint in np.flatnonzero(known):
        colour = SIDES[sides[joint]][0]
        face = colour if seen[joint] == 2 else "black"
        axes.plot(*points[joint], "o", markersize=2.2 * width, color=face, markeredgecolor=colour, markeredgewidth=1.6)
        if names:
            text = axes.annotate(skeleton.joints[joint], points[joint], (6, 4), textcoords="offset points", fontsize=9)
            text.set(color="white", path_effects=outline)


@checked
def show_image(axes: Axes, annotations: Annotations, image_id: int, *, title: str = "", poses: bool = True) -> None:
    """Draw one annotated image with the skeletons of everyone in it.

    The image is read from `annotations.folder`; where the file cannot be had, the poses stand on grey.
    """
    blank(axes, title)
    try:
        axes.imshow(image_of(annotations, image_id))
    except (AnnotationError, DatasetError):
        axes.set_facecolor("#777777")
        axes.set_aspect("equal")
        axes.invert_yaxis()
    if poses:
        for person in np.flatnonzero(annotations.people["image_id"] == image_id):
            draw_pose(axes, annotations.joints[person], annotations.visibility[person], annotations.skeleton)


def image_of(annotations: Annotations, image_id: int) -> NDArray[np.uint8]:
    """Read an annotated image, uint8 (H, W, 3); DatasetError with its path when it cannot be read."""
    path = annotations.image_path(image_id)
    try:
        return read_image(path)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None


@checked
def image_grid(
    images: Sequence[NDArray[Any]],
    titles: Sequence[str] | None = None,
    *,
    columns: Several = 4,
    size: Inches = 2.4,
    heading: str = "",
) -> Figure:
    """Images in rows. `images` are arrays (H, W, 3) uint8 or (H, W); `size` is the width of one in inches."""
    shown = all(np.ndim(image) in (2, 3) and np.size(image) for image in images)
    if not shown or (titles is not None and len(titles) != len(images)):
        raise MpiiError("image_grid: give arrays (H, W, 3) or (H, W), and a title for each or None")
    rows = max(1, -(-len(images) // columns))
    ratio = np.mean([image.shape[0] / image.shape[1] for image in images]) if len(images) else 1.0
    height = size * ratio + (0.05 if titles is None else 0.35)
    figure, grid = plt.subplots(rows, columns, figsize=(columns * size, rows * height), squeeze=False)
    for axes in grid.flat:
        blank(axes)
    for number, (axes, image) in enumerate(zip(grid.flat, images, strict=False)):
        axes.imshow(image)
        if titles is not None:
            axes.set_title(titles[number], fontsize=11, fontweight="normal")
    if heading:
        figure.suptitle(heading, **_HEADING)
    return figure


@checked
def mistakes_figure(
    annotations: Annotations, image_ids: Annotated[ArrayLike, "N"], mistakes: pd.DataFrame, *, most: Several = 8
) -> Figure:
    """Images that a classifier named wrongly, each with its label and the prediction.

    Parameters
    ----------
    annotations
        Where the images are.
    image_ids
        (N,), in the order of the labels that were tested.
    mistakes
        From `ClassificationResult.mistakes`; its first rows are drawn.
    most
        How many, at most.

    Raises
    ------
    MpiiError
        `image_ids` are fewer than the examples that were tested, or an image cannot be read.
    """
    rows, ids = list(mistakes.head(most).itertuples()), np.asarray(image_ids)
    if rows and max(row.position for row in rows) >= len(ids):
        raise MpiiError(f"mistakes_figure: {len(ids)} image_ids; give one for each example that was tested")
    images = [image_of(annotations, ids[row.position]) for row in rows]
    titles = [f"{row.true}\ntaken for {row.predicted} ({row.probability:.0%})" for row in rows]
    return image_grid(images, titles, size=3, heading="The surest mistakes")


@checked
def confusion_figure(confusion: pd.DataFrame, *, title: str = "") -> Figure:
    """Confusion matrix: rows are the labels, columns the predictions, colour the share of the row, text the count."""
    counts = confusion.to_numpy()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 0.52 * len(confusion) + 3.2
    figure, axes = plt.subplots(figsize=(side + 0.8, side))
    image = axes.imshow(share, vmin=0, vmax=1, cmap="cividis")
    for row, column in np.argwhere(counts > 0):
        colour = "black" if share[row, column] > 0.55 else "white"
        axes.text(column, row, f"{counts[row, column]:g}", ha="center", va="center", color=colour, fontsize=10)
    ticks = np.arange(len(confusion))
    axes.set_xticks(ticks, [str(c) for c in confusion.columns], rotation=55, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, [str(c) for c in confusion.index])
    axes.set(xlabel="predicted", ylabel="true", title=title)
    axes.grid(False)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.7)
    return figure


@checked
def learning_curves(
    history: Mapping[str, Sequence[float]] | pd.DataFrame, *, title: str = "", chance: float | None = None
) -> Figure:
    """Loss and accuracy by epoch, training against validation.

    Parameters
    ----------
    history
        `history` of what `fit` returns, or of a run's record: loss, accuracy and, where there was a validation,
        val_loss and val_accuracy, one value an epoch.
    title
        The finding.
    chance
        Accuracy of always naming the largest class, drawn as a dotted line.

    Raises
    ------
    MpiiError
        The history has no loss or no accuracy.
    """
    if "loss" not in history or "accuracy" not in history:
        raise MpiiError(f"learning_curves: the history has {', '.join(map(str, history))[:80]}; give loss and accuracy")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
    for axes, quantity in ((left, "loss"), (right, "accuracy")):
        for column, label in ((quantity, "training"), (f"val_{quantity}", "validation")):
            if column in history:
                values = np.asarray(history[column], dtype=float)
                epochs = np.arange(1, len(values) + 1)
                axes.plot(epochs, values, label=label, markevery=max(1, len(values) // 10))
        axes.set(xlabel="epoch", ylabel=quantity)
    if chance is not None:
        right.axhline(chance, color=PALETTE["black"], linestyle=":", linewidth=1.5, label="largest class always")
    right.set_ylim(0, 1.02)
    right.legend(loc="lower right")
    left.legend()
    figure.suptitle(title, **_HEADING)
    return figure
