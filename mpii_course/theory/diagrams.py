"""Diagrams of the theory notebooks: drawing code that teaches nothing and would stand in the way there."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from mpii_lib.plots import PALETTE, blank, draw_pose
from mpii_lib.skeletons import MPII, Skeleton

_LINES = ((PALETTE["blue"], "-"), (PALETTE["vermilion"], "--"), (PALETTE["green"], "-."))
#: Darker than the palette's orange: small text on white wants a contrast of 4.5 to 1.
_BACKWARD = "#A04000"


def headed(figure: Figure, title: str) -> Figure:
    """Give a figure of several axes its title, at the left as `plots` has them."""
    figure.suptitle(title, fontsize=15, fontweight="bold", x=0.01, ha="left")
    return figure


def layer_diagram(weights: ArrayLike) -> Figure:
    """A layer as units and edges beside its weight matrix; the edges into one unit have the colour of their row.

    Parameters
    ----------
    weights
        (m, n) with at most three rows: row = receiving unit, column = sending unit.
    """
    matrix = np.asarray(weights, dtype=float)
    receivers, senders = matrix.shape
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=[1.5, 1])
    below = [(0.0, (senders - 1) / 2 - n) for n in range(senders)]
    above = [(2.0, (receivers - 1) / 2 - m) for m in range(receivers)]
    for m, n in np.ndindex(matrix.shape):
        (x0, y0), (x1, y1), (colour, line) = below[n], above[m], _LINES[m]
        left.plot([x0, x1], [y0, y1], color=colour, linestyle=line, marker="")
        share = 0.62 if n == 0 else 0.35
        place = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        _write(left, *place, f"$w_{{{m},{n}}}$", colour, 15)
        _write(right, n, m, f"$w_{{{m},{n}}}$ = {matrix[m, n]:g}".replace("-", "−"), colour, 17)
    for layer, units in enumerate((below, above)):
        for n, (x, y) in enumerate(units):
            left.plot(x, y, "o", markersize=44, color="white", markeredgecolor="black")
            left.text(x, y, f"$h_{n}^{{({layer})}}$", fontsize=15, ha="center", va="center")
    blank(left).set(xlim=(-0.4, 2.4), ylim=(-receivers / 2, receivers / 2))
    blank(right, "row m: the neuron that receives\ncolumn n: the neuron that sends")
    right.set(xlim=(-0.6, senders - 0.4), ylim=(receivers - 0.4, -0.6))
    return headed(figure, "Each neuron of a layer owns one row of the weight matrix")


def backpropagation_diagram() -> Figure:
    """One input, two hidden ReLU units, one output, with every number of the forward and the backward pass."""
    units = [
        (0.0, 0.0, "x = 2", ""),
        (2.0, 0.7, "z = 1·2 − 1 = 1\nh = 1 (active)", "δ = 3·2 = 6"),
        (2.0, -0.7, "z = −1·2 + 1 = −1\nh = 0 (inactive)", "δ = 0"),
        (4.0, 0.0, "z = 3·1 + 2·0 − 1\nh = 2", "δ = 2·(2 − 1) = 2"),
    ]
    edges = [
        (0, 1, "w = 1", "∂L/∂w = 6·2 = 12"),
        (0, 2, "w = −1", "∂L/∂w = 0·2 = 0"),
        (1, 3, "w = 3", "∂L/∂w = 2·1 = 2"),
        (2, 3, "w = 2", "∂L/∂w = 2·0 = 0"),
    ]
    figure, axes = plt.subplots(figsize=(12, 5))
    for start, end, weight, slope in edges:
        (x0, y0), (x1, y1) = units[start][:2], units[end][:2]
        axes.plot([x0, x1], [y0, y1], color="#888888", linestyle="-", marker="", zorder=0)
        side = 0.2 if y0 + y1 > 0 else -0.2
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        axes.text(middle[0], middle[1] + 1.35 * side, weight, color=PALETTE["blue"], ha="center", va="center")
        axes.text(middle[0], middle[1] + 2 * side, slope, color=_BACKWARD, ha="center", va="center", style="italic")
    for x, y, values, delta in units:
        axes.plot(x, y, "o", markersize=26, color="white", markeredgecolor="black")
        side = 1 if y >= 0 else -1
        blue, brown = {"color": PALETTE["blue"]}, {"color": _BACKWARD, "style": "italic"}
        axes.text(x, y + 0.30 * side, values, ha="center", va="center", fontweight="bold", fontdict=blue)
        axes.text(x, y + 0.54 * side, delta, ha="center", va="center", fontweight="bold", fontdict=brown)
    axes.text(4.75, 0, "target y = 1\nL = (2 − 1)² = 1", ha="center", va="center")
    blank(axes).set(xlim=(-0.4, 5.2), ylim=(-1.45, 1.45))
    return headed(figure, "Derivatives flow back along the edges; an inactive unit stops them")


def _write(axes: Axes, x: float, y: float, text: str, colour: str, size: int) -> None:
    around = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(x, y, text, color=colour, fontsize=size, ha="center", va="center", bbox=around)


def number_table(
    axes: Axes, table: ArrayLike, title: str = "", *, marked: tuple[int, int, int] | None = None, limit: float = 0.0
) -> None:
    """Small matrix as coloured cells with their numbers; NaN is an empty cell.

    Parameters
    ----------
    axes, table, title
        Where, (H, W) numbers, and what they are.
    marked
        (row, column, side) of a window that gets a frame.
    limit
        The size that has the brightest colour; 0 for the largest in the table.
    """
    numbers = np.asarray(table, dtype=float)
    limit = limit or float(np.nanmax(np.abs(numbers))) or 1.0
    low = -limit if np.nanmin(numbers) < 0 else 0.0
    axes.set_facecolor("#EEEEEE")
    axes.imshow(numbers, vmin=low, vmax=limit, cmap="cividis")
    for (row, column), number in np.ndenumerate(numbers):
        colour = "black" if number > low + 0.55 * (limit - low) else "white"
        text = "" if np.isnan(number) else f"{number:.3g}".replace("-", "−")
        axes.text(column, row, text, ha="center", va="center", fontsize=12, color=colour)
    if marked is not None:
        row, column, side = marked
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, side, side, fill=False, linewidth=5, edgecolor=PALETTE["vermilion"]))
    blank(axes, title)


def convolution_diagram(table: ArrayLike, kernel: ArrayLike, row: int, column: int) -> Figure:
    """One step of a sliding window: the table with its window framed, the kernel, and the result so far.

    Parameters
    ----------
    table, kernel
        (H, W) and (k, k) numbers.
    row, column
        Upper left corner of the window; results that come later in reading order stay empty.
    """
    numbers, weights = np.asarray(table, dtype=float), np.asarray(kernel, dtype=float)
    side = len(weights)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, weights.shape)
    result = np.einsum("ijuv,uv->ij", windows, weights)
    limit = float(np.abs(result).max())
    result.ravel()[row * result.shape[1] + column + 1 :] = np.nan
    figure, axes = plt.subplots(1, 3, figsize=(11.5, 4.2), width_ratios=[numbers.shape[1], side, result.shape[1]])
    number_table(axes[0], numbers, "image", marked=(row, column, side))
    number_table(axes[1], weights, "kernel")
    number_table(axes[2], result, "result", marked=(row, column, 1), limit=limit)
    return headed(figure, "Multiply the window by the kernel, add up, write the sum down, move on")


def residual_diagram() -> Figure:
    """Draw the pre-activation residual module of the stacked hourglass: three steps, and the skip connection."""
    figure, axes = plt.subplots(figsize=(12, 3.9))
    boxes = [(2.5, "1 × 1, n/2 kernels"), (5.3, "3 × 3, n/2 kernels"), (8.1, "1 × 1, n kernels")]
    style = {"boxstyle": "round,pad=0.5", "facecolor": "white", "linewidth": 2}
    arrow = {"arrowstyle": "-|>", "linewidth": 2, "color": "black"}
    for start, end in ((0.4, 1.6), (3.4, 4.4), (6.2, 7.2), (9.0, 10.12), (10.45, 11.4)):
        axes.annotate("", (end, 0), (start, 0), arrowprops=arrow)
    for x, text in boxes:
        axes.text(x, 0, f"BatchNorm\nReLU\nconvolution\n{text}", ha="center", va="center", bbox=style, fontsize=12)
    axes.plot([0.8, 0.8, 10.28], [0, 1.35, 1.35], color=PALETTE["vermilion"], linestyle="--", marker="")
    axes.annotate(
        "", (10.28, 0.2), (10.28, 1.38), arrowprops={**arrow, "color": PALETTE["vermilion"], "linestyle": "--"}
    )
    note = "skip connection: the input itself (a 1 × 1 convolution only where the number of channels changes)"
    axes.text(5.5, 1.5, note, ha="center", color=PALETTE["vermilion"], fontsize=12.5)
    axes.plot(10.28, 0, "o", markersize=24, color="white", markeredgecolor="black")
    axes.text(10.28, -0.02, "+", ha="center", va="center", fontsize=18)
    axes.text(0.3, 0, "x", ha="right", va="center", fontsize=16, style="italic")
    axes.text(11.5, 0, "y", ha="left", va="center", fontsize=16, style="italic")
    blank(axes).set(xlim=(0, 11.9), ylim=(-1.0, 1.8))
    return headed(figure, "A residual module adds a correction to what it got")


def pose_grid(
    poses: ArrayLike,
    skeleton: Skeleton = MPII,
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    heading: str = "",
    size: float = 2.1,
) -> Figure:
    """Poses in rows and columns, all on one scale: how components move and what clusters look like.

    Parameters
    ----------
    poses
        (R, C, K, 2) joints, y down; NaN joints are left out.
    skeleton
        Names of the K joints.
    rows, columns
        R names at the left, C above.
    heading, size
        The finding; width of one pose in inches.
    """
    joints = np.asarray(poses, dtype=float)
    low, high = np.nanmin(joints, axis=(0, 1, 2)) - 0.4, np.nanmax(joints, axis=(0, 1, 2)) + 0.4
    tall = float(np.clip((high - low)[1] / (high - low)[0], 0.6, 1.8))
    shape = joints.shape[:2]
    figure, grid = plt.subplots(*shape, figsize=(size * shape[1], size * tall * shape[0] + 0.8), squeeze=False)
    for (row, column), axes in np.ndenumerate(grid):
        blank(axes, columns[column] if row == 0 and len(columns) else "")
        axes.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), aspect="equal", facecolor="#E4E4E4")
        draw_pose(axes, joints[row, column], skeleton=skeleton, width=2.2)
        if column == 0 and len(rows):
            axes.set_ylabel(rows[row], fontsize=12)
    return headed(figure, heading)
