"""Surfaces to walk down, and how to draw the walk: for the notebooks on gradient descent and its variants.

The algorithms themselves stand in the notebooks, where they are taught. Here is what those notebooks share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from mpii_course.theory.diagrams import headed
from mpii_lib.plots import CYCLE, PALETTE

Array = NDArray[np.float64]
_AXES = ("$x_1$", "$x_2$")
_HALO = [patheffects.Stroke(linewidth=4.5, foreground="white"), patheffects.Normal()]


@dataclass(frozen=True)
class Surface:
    """A function of two parameters with its gradient: small enough to be seen whole.

    Attributes
    ----------
    name
        What the surface looks like.
    value
        Maps points (..., 2) to heights (...).
    gradient
        Maps points (..., 2) to gradients (..., 2).
    box
        The part that is drawn: (x1 low, x1 high, x2 low, x2 high).
    start
        A point from which the walk down shows what the surface is there for.
    minimum
        The lowest point (one of them where there are two).
    """

    name: str
    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    box: tuple[float, float, float, float]
    start: tuple[float, float]
    minimum: tuple[float, float] = (0.0, 0.0)


def _quadratic(name: str, steep: float, degrees: float = 0.0) -> Surface:
    """Half x^T A x, where A has the eigenvalues 1 and `steep`, its flat axis turned by an angle."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([1.0, steep]) @ turn.T
    return Surface(
        name,
        value=lambda x: 0.5 * np.einsum("...i,ij,...j->...", x, matrix, x),
        gradient=lambda x: np.asarray(x) @ matrix,
        box=(-4.0, 4.0, -2.5, 2.5),
        start=(-3.6, 2.0),
    )


def _banana_value(x: Array) -> Array:
    return (1 - x[..., 0]) ** 2 + 10 * (x[..., 1] - x[..., 0] ** 2) ** 2


def _banana_gradient(x: Array) -> Array:
    bend = x[..., 1] - x[..., 0] ** 2
    return np.stack([-2 * (1 - x[..., 0]) - 40 * x[..., 0] * bend, 20 * bend], axis=-1)


def _plateau_gradient(x: Array) -> Array:
    return x * np.exp(-0.5 * (x**2).sum(axis=-1, keepdims=True))


#: By name. All are cheap, smooth, and differ in the one thing that makes descent hard.
SURFACES: dict[str, Surface] = {
    surface.name: surface
    for surface in (
        _quadratic("round bowl", 1.0),
        _quadratic("ravine along an axis", 20.0),
        _quadratic("tilted ravine", 20.0, degrees=35),
        Surface(  # Rosenbrock (1960) with 10 in place of 100, so that the valley can be seen
            "banana", _banana_value, _banana_gradient, (-1.8, 1.8, -0.8, 2.4), (-1.5, 0.4), (1.0, 1.0)
        ),
        Surface(
            "saddle",
            value=lambda x: 0.5 * x[..., 0] ** 2 - 0.5 * x[..., 1] ** 2 + 0.25 * x[..., 1] ** 4,
            gradient=lambda x: np.stack([x[..., 0], x[..., 1] ** 3 - x[..., 1]], axis=-1),
            box=(-2.4, 2.4, -1.6, 1.6),
            start=(-2.0, 0.01),
            minimum=(0.0, 1.0),
        ),
        Surface(
            "plateau",
            value=lambda x: 1 - np.exp(-0.5 * (x**2).sum(axis=-1)),
            gradient=_plateau_gradient,
            box=(-4.0, 4.0, -2.5, 2.5),
            start=(-3.2, 1.2),
        ),
    )
}


def numerical_gradient(function: Callable[[Array], Any], point: ArrayLike, step: float = 1e-5) -> Array:
    """Gradient by central differences: nudge each coordinate both ways and see what the function does.

    Parameters
    ----------
    function
        Maps `point` to a number. It may also read the array itself, as the loss of a network reads its weights.
    point
        Where, any shape. The nudges are made in place and taken back.
    step
        Size of the nudge. The error of the formula shrinks with its square, that of rounding grows with its inverse.

    Returns
    -------
    float64 array of the shape of `point`.
    """
    here = np.asarray(point, dtype=float)
    slope = np.empty_like(here)
    for index in np.ndindex(here.shape):
        middle = here[index]
        here[index] = middle + step
        above = function(here)
        here[index] = middle - step
        slope[index] = (above - function(here)) / (2 * step)
        here[index] = middle
    return slope


def minibatches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Row numbers for one epoch: 0 .. count-1, each once, in random order, `size` at a time (the last may be smaller).

    Raises
    ------
    ValueError
        If `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a mini-batch of {size} observations cannot be: size has to be 1 or more")
    order = rng.permutation(count)
    for first in range(0, count, size):
        yield order[first : first + size]


@lru_cache(maxsize=16)
def _grid(surface: Surface, points: int = 81) -> tuple[Array, Array, Array, Array]:
    """Coordinates, heights and contour levels of a surface, kept so that a slider answers quickly."""
    left, right, bottom, top = surface.box
    x1, x2 = np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points))
    height = surface.value(np.stack([x1, x2], axis=-1))
    levels = height.min() + (height.max() - height.min()) * np.linspace(0, 1, 10) ** 2
    return x1, x2, height, levels


def draw_surface(axes: Axes, surface: Surface, *, names: tuple[str, str] = _AXES) -> None:
    """Draw a surface from above: dark is low, light is high, and a star stands where it is lowest.

    Parameters
    ----------
    axes
        Where to draw; its limits become the surface's box.
    surface
        What to draw.
    names
        Names of the two parameters, for the axes.
    """
    x1, x2, height, levels = _grid(surface)
    axes.contourf(x1, x2, height, levels=levels, cmap="cividis", alpha=0.45)
    axes.plot(*surface.minimum, marker="*", markersize=17, color=PALETTE["yellow"], markeredgecolor="black", zorder=3)
    axes.set(xlim=surface.box[:2], ylim=surface.box[2:], xlabel=names[0], ylabel=names[1])
    axes.grid(False)


def draw_path(axes: Axes, path: ArrayLike, *, label: str = "", **style: Any) -> None:
    """Draw a walk of shape (steps + 1, 2) over a surface, its start as a ring; what lies far outside is cut off.

    Parameters
    ----------
    axes
        Axes with a surface on them.
    path
        The points in the order in which they were visited, each marked while they are at most 100. The walk is drawn
        up to the first that is not finite.
    label
        For the legend.
    **style
        Passed to `Axes.plot` (color, linestyle, markersize).
    """
    points = np.asarray(path, dtype=float)
    broken = np.flatnonzero(~np.isfinite(points).all(axis=1))
    points = points[: broken[0]] if len(broken) else points
    points = np.clip(points, -1e3, 1e3)  # Agg overflows on coordinates of a walk that diverged
    marker = "o" if len(points) <= 101 else ""
    looks: dict[str, Any] = {"color": PALETTE["vermilion"], "linestyle": "-", "markersize": 4, "zorder": 4} | style
    (line,) = axes.plot(points[:, 0], points[:, 1], label=label or None, marker=marker, **looks)
    line.set_path_effects(_HALO)
    axes.plot(*points[0], marker="o", markersize=9, markerfacecolor="white", markeredgecolor="black", zorder=5)


def walks_apart(
    surface: Surface, walks: Mapping[str, ArrayLike], *, columns: int = 2, names: tuple[str, str] = _AXES
) -> Figure:
    """Several walks over one surface, each on a map of its own. `walks`: title -> path of shape (steps + 1, 2)."""
    rows = -(-len(walks) // columns)
    size = (min(12.0, 7.0 * columns), (3.0 if columns > 1 else 4.2) * rows + 0.4)
    figure, grid = plt.subplots(rows, columns, figsize=size, dpi=80, sharex=True, sharey=True, squeeze=False)
    for axes, (title, path) in zip(grid.flat, walks.items(), strict=False):
        draw_surface(axes, surface, names=names)
        draw_path(axes, path)
        axes.set_title(title)
        axes.label_outer()
    return figure


def walks_together(
    surface: Surface, walks: Mapping[str, ArrayLike], *, title: str = "", names: tuple[str, str] = _AXES
) -> Figure:
    """Several walks on one map, and beside it how high each stands above the minimum after each step.

    `walks`: label -> path of shape (steps + 1, 2). Heights below 1e-12 are drawn as 1e-12.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), dpi=80, width_ratios=(3, 2))
    draw_surface(left, surface, names=names)
    floor = float(surface.value(np.array(surface.minimum)))
    for (label, path), style in zip(walks.items(), CYCLE, strict=False):
        draw_path(left, path, color=style["color"], linestyle=style["linestyle"], markersize=5)
        height = surface.value(np.clip(path, -1e6, 1e6)) - floor
        right.semilogy(np.maximum(height, 1e-12), **style, label=label, markevery=max(1, len(height) // 8))
    right.set(xlabel="steps", ylabel="height above the minimum")
    right.set_ylim(top=min(right.get_ylim()[1], 1e4))
    if len(walks) > 1:
        right.legend(fontsize=11)
    return headed(figure, title)
