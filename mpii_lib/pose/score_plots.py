"""Figures of pose scores: a person close up, a gallery, and scores by joint, by visibility and by threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.plots import PALETTE, Inches, Several, blank, draw_pose, image_of
from mpii_lib.pose.crops import FARTHEST
from mpii_lib.pose.metrics import PoseScore
from mpii_lib.skeletons import MPII, Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations


Points = Annotated[ArrayLike, "K 2"]
Positive = Annotated[float, 1e-6, 1e6]


@checked
def person_panel(
    axes: Axes, annotations: Annotations, image_id: int, joints: Points, title: str = "", *, room: Positive = 0.25
) -> None:
    """Draw the part of an image where a person stands, on axes that count in image pixels.

    Parameters
    ----------
    axes
        Where to draw; they become a square.
    annotations, image_id
        Where the image is.
    joints
        (K, 2) x and y in image pixels, NaN where unknown: all of them are inside the panel.
    title
        Over the panel.
    room
        How much is shown around the joints, as a share of their extent.

    Raises
    ------
    MpiiError
        No joint is known, or the image cannot be read.
    """
    points = np.asarray(joints, float)
    points = points[(np.abs(points) < FARTHEST).all(axis=1)]
    if not len(points):
        raise MpiiError("person_panel: no joint is known; give one at least")
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, max((high - low).max(), 8) * (0.5 + room)
    blank(axes, title).imshow(image_of(annotations, image_id))
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] + half, middle[1] - half))


@checked
def ring(axes: Axes, centre: Annotated[ArrayLike, "2"], radius: Positive, colour: str = PALETTE["yellow"]) -> None:
    """Draw a circle around a joint; `radius` in the pixels that the axes count."""
    place = np.asarray(centre, float)
    if not np.isfinite(place).all() or not is_color_like(colour):
        raise MpiiError(f"ring: centre {place}, colour {colour!r}; give pixels and a colour")
    axes.add_patch(Circle(tuple(place), radius, fill=False, linewidth=2, edgecolor=colour))


@checked
def pose_gallery(
    annotations: Annotations,
    image_ids: Annotated[ArrayLike, "N"],
    joints: Annotated[ArrayLike, "N K 2"],
    predicted: Annotated[ArrayLike, "N K 2"],
    titles: Sequence[str],
    *,
    skeleton: Skeleton = MPII,
    columns: Several = 4,
    size: Inches = 2.6,
    heading: str = "",
) -> Figure:
    """Draw persons close up, the true pose as a yellow line and the predicted one as a skeleton over it.

    Parameters
    ----------
    annotations, image_ids
        The images, (N,).
    joints, predicted
        (N, K, 2) true and predicted, in image pixels.
    titles
        N texts.
    skeleton, columns, size, heading
        Names of the K joints, panels in a row, their width in inches, and what stands over all.

    Raises
    ------
    MpiiError
        There is not a title for each, or an image cannot be read.
    """
    annotated, poses, ids = np.asarray(joints, float), np.asarray(predicted, float), np.asarray(image_ids)
    if len(titles) != len(ids):
        raise MpiiError(f"pose_gallery: {len(titles)} titles for {len(ids)} images; give one for each")
    rows = max(1, -(-len(titles) // columns))
    figure, grid = plt.subplots(rows, columns, figsize=(size * columns, (size + 0.25) * rows), squeeze=False)
    for axes in grid.flat[len(titles) :]:
        axes.set_visible(False)
    for place, (axes, image_id) in enumerate(zip(grid.flat, ids, strict=False)):
        person_panel(axes, annotations, image_id, annotated[place], titles[place])
        for start, end in skeleton.limbs:
            axes.plot(
                *annotated[place, [start, end]].T, color=PALETTE["yellow"], linestyle="-", marker="", linewidth=2.5
            )
        draw_pose(axes, poses[place], None, skeleton, width=2)
    if heading:
        figure.suptitle(heading, x=0.01, ha="left")
    return figure


@checked
def joint_bars(score: PoseScore, title: str = "") -> Figure:
    """Draw the rate of each joint, hardest at the bottom, and the averages as lines; grey is what no total counts."""
    rates = score.per_joint.dropna().sort_values(kind="stable")
    counted = [bool(score.scored[score.skeleton.index(str(joint))]) for joint in rates.index]
    figure, axes = plt.subplots(figsize=(9, 0.26 * len(rates) + 1))
    names = [str(joint).replace("_", " ") for joint in rates.index]
    axes.barh(names, rates.to_numpy(), color=[PALETTE["blue"] if own else "#AAAAAA" for own in counted])
    for (name, value), line in zip(score.averages.items(), ("-", "--", ":"), strict=False):
        axes.axvline(value, color=PALETTE["vermilion"], linestyle=line, marker="", label=f"{name}: {value:.3f}")
    axes.set(xlabel=f"PCKh@{score.threshold:g}", xlim=(0, 1), title=title)
    axes.tick_params(axis="y", labelsize=10)
    axes.grid(axis="y", visible=False)
    axes.legend(loc="lower left", bbox_to_anchor=(1, 0), fontsize=11)
    return figure


@checked
def threshold_curves(scores: Mapping[str, PoseScore], title: str = "", *, upto: Positive = 1.0) -> Figure:
    """Draw the total of each score over the threshold from 0 to `upto`, and a line at each own threshold."""
    if not scores:
        raise MpiiError("threshold_curves: there are no scores; give at least one")
    figure, axes = plt.subplots(figsize=(9, 4.8))
    for name, score in scores.items():
        curve = score.curve(np.linspace(0, upto, 41))["Total"]
        axes.plot(curve.index, curve, markevery=5, label=f"{name}: {score.total:.2f}")
    for own in {score.threshold for score in scores.values()}:
        axes.axvline(own, color=PALETTE["black"], linewidth=1, linestyle=":", marker="")
    first = next(iter(scores.values()))
    axes.set(xlabel="threshold in head sizes", ylabel="PCKh, total", ylim=(0, 1.02), title=title)
    axes.legend(title=f"PCKh@{first.threshold:g}", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
