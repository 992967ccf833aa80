"""Checks of notebook 30: places of cells, drawing a heatmap, reading it, and bringing it back from the mirror."""

from typing import Any

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, close, diagnose, exercise


@exercise("30-1")
def to_input(answer: object) -> str | None:
    """Pixel in the middle of a cell, (j + 0.5) pixels / cells - 0.5.

    1. Where does cell j begin, counted from the edge of the image, and where is its middle?
    2. The edge of the image lies at pixel -0.5, because pixel 0 has its middle at 0.
    3. (j + 0.5) * pixels / cells - 0.5
    """
    mistakes = {
        "Right for 4 pixels a cell. With 32 cells for 48 pixels a cell covers 1.5.": [41.5, 21.5],
        "That is where the cell's first pixel is. Its middle is further to the right.": [40.0, 7.5],
        "Half a pixel too far: you count from the edge of the image, which lies at -0.5.": [42.0, 8.25],
        "There the outermost cells lie on the outermost pixels. Here cells cover pixels evenly.":
            [10 * 255 / 63, 5 * 47 / 31],
        "Going from cells to pixels the numbers become larger: multiply by the pixels of a cell.": [10 / 4, 5 / 1.5],
    }  # fmt: skip
    got = call_each(answer, (10, 64, 256), (5, 32, 48))
    return diagnose(got, [41.5, 7.75], mistakes, "Cell 10 of 64 covers pixels 40 to 43.")


@exercise("30-2")
def heatmap(answer: object) -> str | None:
    """A Gaussian of height 1 at the joint itself, on 64 x 64 cells.

    1. Where is the joint, counted in cells? Do not round it. Then each cell has its squared distance from there.
    2. The joint is at column (x + 0.5) / 4 - 0.5, and likewise for the row.
    3. np.exp(-((cells - column) ** 2 + (cells[:, None] - row) ** 2) / (2 * sigma**2)) with cells = np.arange(64)
    """
    x, y, sigma = 101.3, 57.8, 1.5

    def drawn(across: float, down: float, width: float = sigma) -> Any:
        cells = np.arange(64)
        return np.exp(-((cells - across) ** 2 + (cells[:, None] - down) ** 2) / (2 * width**2))

    column, row = (x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5
    wanted = drawn(column, row)
    mistakes = {
        "Rows are y and columns are x: your map is turned over.": drawn(row, column),
        "The peak lies three eighths of a cell too far right and down.": drawn(x / 4, y / 4),
        "The half cell is missing: cell j has its middle at j, its edge at j - 0.5.": drawn(column + 0.5, row + 0.5),
        "The peak lies on the middle of a cell. The joint itself is not rounded.": drawn(round(column), round(row)),
        "sigma counts cells here, not pixels.": drawn(column, row, sigma / 4),
        "In the exponent stands 2 sigma squared; a factor 2 is missing.": drawn(column, row, sigma / np.sqrt(2)),
        "The height at the joint has to be 1: no factor before the Gaussian.": wanted / (2 * np.pi * sigma**2),
    }
    return diagnose(call(answer, x, y, sigma), wanted, mistakes, tolerance=1e-4)


@exercise("30-3")
def quarter(answer: object) -> str | None:
    """The highest cell, a quarter of a cell towards its higher neighbour.

    1. Find the highest cell, then compare its two neighbours. What if they are equally high?
    2. j = np.argmax(row); j + 0.25 * np.sign(row[j + 1] - row[j - 1])
    """
    rows = [0, 0.1, 0.3, 1.0, 0.6, 0.1], [0, 0.2, 0.7, 1.0, 0.3, 0.1], [0, 0.4, 1.0, 0.4, 0, 0]
    got = call_each(answer, *((np.array(row),) for row in rows))
    if close(got[:2], [3.25, 2.75]) and not close(got[2], 2):
        return "When both neighbours are equally high, there is no reason to go either way."
    mistakes = {
        "You go away from the higher neighbour. The joint is on the side where more is.": [2.75, 3.25, got[2]],
        "That is the highest cell. Now look at its two neighbours.": [3, 3, 2],
        "You go to the right whatever the neighbours are.": [3.25, 3.25, 2.25],
    }
    return diagnose(got, [3.25, 2.75, 2.0], mistakes)


@exercise("30-4")
def flip_back(answer: object) -> str | None:
    """Mirror the columns and swap left and right joints.

    1. Two things change in a mirror: where each column stands, and what is left and what is right.
    2. maps[:, ::-1][..., order]
    """
    maps, order = np.random.default_rng(0).random((64, 64, 3)), np.array([0, 2, 1])
    mistakes = {
        "The maps are mirrored back, but left and right joints have not changed places.": maps[:, ::-1],
        "Left and right have changed places, but the maps are still mirrored.": maps[..., order],
        "You turned the maps upside down: the second axis holds the columns.": maps[::-1][..., order],
    }
    return diagnose(call(answer, maps, order), maps[:, ::-1][..., order], mistakes)
