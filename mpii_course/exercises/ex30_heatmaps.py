"""Checks of notebook 30: places of cells, drawing a heatmap, reading it, and bringing it back from the mirror."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("30-1")
def to_input(answer: Any) -> str | None:
    """Pixel in the middle of a cell, (j + 0.5) pixels / cells - 0.5."""
    got, other = call(answer, 10, 64, 256), call(answer, 5, 32, 64)
    if close(got, 41.5) and not close(other, 10.5):
        return "Right for 4 pixels a cell. With 32 cells for 64 pixels a cell covers 2."
    mistakes = {
        "That is where the cell's first pixel is. Its middle is further to the right.": 40,
        "Half a pixel too far: (j + 0.5) * stride counts from the edge of the image, which lies at -0.5.": 42,
        "That is the convention with the outermost cells on the outermost pixels. Here cells cover pixels evenly.": 10
        * 255
        / 63,
        "Going from cells to pixels the numbers become larger: multiply by the pixels of a cell.": 10 / 4,
    }
    return diagnose(got, 41.5, mistakes, f"Cell 10 of 64 covers pixels 40 to 43; you return {got}.")


@exercise("30-2")
def heatmap(answer: Any) -> str | None:
    """A Gaussian of height 1 at the joint itself, on 64 x 64 cells."""
    x, y, sigma = 101.3, 57.8, 1.5
    got = np.asarray(call(answer, x, y, sigma), dtype=float)
    if got.shape != (64, 64):
        return f"The map has 64 x 64 cells; yours has the shape {got.shape}."

    def drawn(across: float, down: float, width: float = sigma) -> Any:
        cells = np.arange(64)
        return np.exp(-((cells - across) ** 2 + (cells[:, None] - down) ** 2) / (2 * width**2))

    column, row = (x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5
    wanted = drawn(column, row)
    if close(got / got.sum(), wanted / wanted.sum(), 1e-4) and not close(got, wanted, 1e-4):
        return "The shape is right. The height at the joint has to be 1: leave the factor before the Gaussian away."
    mistakes = {
        "Rows are y and columns are x: your map is turned over.": drawn(row, column),
        "The spot lies three eighths of a cell too far right and down: the joint is at (x + 0.5) / 4 - 0.5.": drawn(
            x / 4, y / 4
        ),
        "The half cell is missing: cell j has its middle at j, its edge at j - 0.5.": drawn(column + 0.5, row + 0.5),
        "The spot lies on the middle of the cell. Put it on the joint itself, without rounding.": drawn(
            round(column), round(row)
        ),
        "sigma counts cells here, not pixels.": drawn(column, row, sigma / 4),
        "In the exponent stands 2 sigma squared; a factor 2 is missing.": drawn(column, row, sigma / np.sqrt(2)),
    }
    otherwise = "The map differs from a Gaussian at the joint's place, counted in cells."
    return diagnose(got, wanted, mistakes, otherwise, tolerance=1e-4)


@exercise("30-3")
def quarter(answer: Any) -> str | None:
    """The highest cell, a quarter of a cell towards its higher neighbour."""
    rows = [0, 0.1, 0.3, 1.0, 0.6, 0.1], [0, 0.2, 0.7, 1.0, 0.3, 0.1], [0, 0.4, 1.0, 0.4, 0, 0]
    got = [call(answer, np.array(row)) for row in rows]
    if close(got[:2], [3.25, 2.75]) and not close(got[2], 2):
        return "When both neighbours are equally high, there is no reason to go either way."
    mistakes = {
        "You go away from the higher neighbour. The joint is on the side where more is.": [2.75, 3.25, got[2]],
        "That is the highest cell. Now look at its two neighbours.": [3, 3, 2],
        "You go to the right whatever the neighbours are.": [3.25, 3.25, 2.25],
    }
    otherwise = f"For the heights {rows[0]} you return {got[0]}. The highest cell is 3, its right neighbour is higher."
    return diagnose(got, [3.25, 2.75, 2], mistakes, otherwise)


@exercise("30-4")
def flip_back(answer: Any) -> str | None:
    """Mirror the columns and swap left and right joints."""
    maps, order = np.random.default_rng(0).random((64, 64, 3)), np.array([0, 2, 1])
    got = np.asarray(call(answer, maps.copy(), order), dtype=float)
    if got.shape != maps.shape:
        return f"The maps keep their shape {maps.shape}; you return {got.shape}."
    mistakes = {
        "The maps are mirrored back, but left and right joints have not changed places.": maps[:, ::-1],
        "Left and right have changed places, but the maps are still mirrored.": maps[..., order],
        "You turned the maps upside down: the second axis holds the columns.": maps[::-1][..., order],
    }
    otherwise = "Mirror the second axis, and take the joints in the given order."
    return diagnose(got, maps[:, ::-1][..., order], mistakes, otherwise)
