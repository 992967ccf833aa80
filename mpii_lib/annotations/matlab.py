"""Reading MATLAB structs with scipy: a file's one struct, its cells by name, and messages that say which cell is wrong.

scipy gives every value as an array: a number is (1, 1), text an array of characters, and what is missing is empty.
"""

from __future__ import annotations

import io
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mpii_lib.annotations import matfile
from mpii_lib.errors import AnnotationError, one_line

EMPTY = np.zeros((0, 0))
NAN = float("nan")
_NUMBERS = {bool, int, float}
_INFINITE = (float("inf"), float("-inf"))


def load_release(data: bytes) -> Any:
    """The struct RELEASE of a .mat file's bytes as a NumPy record; AnnotationError when there is none."""
    from scipy.io import loadmat  # a third of a second to import, which a reading from the cache does not need

    if not data:
        raise AnnotationError("the file is empty")
    if data[124:128] == b"\0\2IM":
        raise AnnotationError("is a MATLAB 7.3 (HDF5) file; save it in MATLAB with save -v7")
    try:
        walked, names = matfile.only("RELEASE", data)
        # chars_as_strings=False is faster, and gives text and numbers the same shape. squeeze_me would save memory
        # and turn a single person, a single joint and a single character into something else than several.
        release = loadmat(io.BytesIO(walked), chars_as_strings=False).get("RELEASE")
    except Exception as error:  # scipy raises a dozen kinds of errors on damaged bytes
        raise AnnotationError(f"is not a whole MATLAB file ({one_line(error)})") from error
    if not isinstance(release, np.ndarray) or release.dtype.names is None or release.size != 1:
        found = reprlib.repr(sorted(names))
        raise AnnotationError(f"holds no struct RELEASE (it holds {found}); give the MPII annotation file")
    return release.ravel()[0]


def text(cell: Any) -> str | None:
    """A char array as text; None when it is empty; ValueError when it is something else."""
    if cell.size == 0:
        return None
    if cell.dtype.kind != "U":
        raise ValueError(f"{cell.dtype} where text is expected")
    return "".join(cell.ravel().tolist())


def number(cell: Any) -> float:
    """A (1, 1) array of any numeric type as float; NaN when it is empty; ValueError or TypeError otherwise."""
    value = cell.item() if cell.size else NAN
    if type(value) not in _NUMBERS or value in _INFINITE:
        raise ValueError(f"{reprlib.repr(value)} where a finite number is expected")
    return float(value)


def numbers(cells: Sequence[Any]) -> list[float]:
    """`number` of every cell, infinite ones included."""
    values = [cell.item() if cell.size else NAN for cell in cells]
    if not set(map(type, values)) <= _NUMBERS:  # a million cells in the official file: no call of a function for each
        return list(map(number, cells))
    return values


def each(read: Callable[[Any], Any], cells: Sequence[Any], member: str, name: str) -> list[Any]:
    """`read` of every cell of a member's field; AnnotationError for the first that cannot be read."""
    values = []
    for at, cell in enumerate(cells):
        try:
            values.append(read(cell))
        except (TypeError, ValueError, AttributeError) as error:
            raise AnnotationError(f"{member} {at}, {name}: {one_line(error)}") from error
    return values


def fields(cell: Any) -> dict[str, Any]:
    """Fields of a (1, 1) struct; nothing when it is missing or empty."""
    if cell is None or cell.size == 0:
        return {}
    if cell.dtype.names is None or cell.size != 1:
        raise ValueError(f"{cell.dtype} of shape {cell.shape} where one struct is expected")
    return dict(zip(cell.dtype.names, cell.item(), strict=True))
