"""Diagrams of the theory notebooks: drawing code that teaches nothing and would stand in the way there."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mpii_lib.plots import PALETTE, blank

_LINES = ((PALETTE["blue"], "-"), (PALETTE["vermilion"], "--"), (PALETTE["green"], "-."))
#: Darker than the palette's orange: small text on white wants a contrast of 4.5 to 1.
_BACKWARD = "#A04000"


def layer_picture(weights: ArrayLike) -> Figure:
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
    return _headed(figure, "Each neuron of a layer owns one row of the weight matrix")


def backpropagation_picture() -> Figure:
    """One input, two hidden ReLU units, one output, with every number of the forward and the backward pass."""
    units = [
        (0.0, 0.0, "x = 2", ""),
        (2.0, 0.7, "z = 1·2 − 1 = 1\nh = 1 (on)", "δ = 3·2 = 6"),
        (2.0, -0.7, "z = −1·2 + 1 = −1\nh = 0 (off)", "δ = 0"),
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
    for x, y, values, blame in units:
        axes.plot(x, y, "o", markersize=26, color="white", markeredgecolor="black")
        side = 1 if y >= 0 else -1
        blue, brown = {"color": PALETTE["blue"]}, {"color": _BACKWARD, "style": "italic"}
        axes.text(x, y + 0.30 * side, values, ha="center", va="center", fontweight="bold", fontdict=blue)
        axes.text(x, y + 0.54 * side, blame, ha="center", va="center", fontweight="bold", fontdict=brown)
    axes.text(4.75, 0, "target y = 1\nL = (2 − 1)² = 1", ha="center", va="center")
    blank(axes).set(xlim=(-0.4, 5.2), ylim=(-1.45, 1.45))
    return _headed(figure, "The blame flows back along the same edges; a unit that is off blocks it")


def _write(axes: Axes, x: float, y: float, text: str, colour: str, size: int) -> None:
    around = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(x, y, text, color=colour, fontsize=size, ha="center", va="center", bbox=around)


def _headed(figure: Figure, title: str) -> Figure:
    figure.suptitle(title, fontsize=15, fontweight="bold", x=0.01, ha="left")
    return figure
