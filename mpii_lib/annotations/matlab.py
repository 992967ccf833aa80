"""Reading MATLAB structs with scipy: a file's one struct, its cells by name, and messages that say which cell is wrong.

scipy gives every value as an array: a number is (1, 1), text an array of characters, and what is missing is empty.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mpii_lib.errors import AnnotationError, one_line

ADVICE = "get the official file again (mpii fetch mpii)"
EMPTY = np.zeros((0, 0))
NAN = float("nan")
_COMPRESSED = 15  # the type of a compressed element in a MAT-file
_PIECE = 1 << 16


def load_release(data: bytes, source: Path) -> Any:
    """The struct RELEASE of a .mat file's bytes as a NumPy record; AnnotationError when there is none."""
    from scipy.io import loadmat  # a third of a second to import, which a reading from the cache does not need

    if not data:
        raise AnnotationError(f"{source}: the file is empty; {ADVICE}")
    _check_bytes(data, source)
    try:
        # chars_as_strings=False is faster, and gives text and numbers the same shape. squeeze_me would save memory
        # and turn a single person, a single joint and a single character into something else than several.
        content = loadmat(io.BytesIO(data), chars_as_strings=False)
    except NotImplementedError as error:
        raise AnnotationError(f"{source}: is a MATLAB 7.3 (HDF5) file; save it in MATLAB with save -v7") from error
    except Exception as error:  # scipy raises a dozen kinds of errors on damaged bytes
        name = type(error).__name__
        raise AnnotationError(f"{source}: is not a whole MATLAB file ({name}: {one_line(error)}); {ADVICE}") from error
    release = content.get("RELEASE")
    if not isinstance(release, np.ndarray) or release.dtype.names is None or release.size != 1:
        found = ", ".join(sorted(name for name in content if not name.startswith("__"))) or "nothing"
        raise AnnotationError(f"{source}: holds no struct RELEASE (it holds {found}); give the MPII annotation file")
    return release.ravel()[0]


def _check_bytes(data: bytes, source: Path) -> None:
    """Every top-level element is whole, and the checksum of each compressed one is right.

    On damaged bytes scipy's compiled reader may end the whole process instead of raising; a MAT-file of level 5 (MATLAB
    documentation, "MAT-File Level 5 File Format") holds a checksum of what it compresses, as the official file is.
    """
    order = {b"\0\1IM": "<", b"\1\0MI": ">"}.get(data[124:128])
    if order is None:
        return  # of another level, or no MAT-file: scipy says which
    at = 128
    while at < len(data):
        kind, size = struct.unpack(f"{order}II", data[at : at + 8].ljust(8, b"\0"))
        body = memoryview(data)[at + 8 : at + 8 + size]
        if len(body) < size or at + 8 > len(data):
            raise AnnotationError(f"{source}: ends within the element at byte {at}, it is cut off; {ADVICE}")
        if kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            try:
                for start in range(0, size, _PIECE):  # piece by piece, since the whole is twenty times as large
                    inflate.decompress(body[start : start + _PIECE])
            except zlib.error as error:
                raise AnnotationError(f"{source}: the element at byte {at} is damaged ({error}); {ADVICE}") from error
            if not inflate.eof:
                raise AnnotationError(f"{source}: the element at byte {at} is damaged (it has no end); {ADVICE}")
        at += 8 + size


def text(cell: Any) -> str | None:
    """A char array as text; None when it is empty; ValueError when it is something else."""
    if cell.size == 0:
        return None
    if cell.dtype.kind != "U":
        raise ValueError(f"{cell.dtype} where text is expected")
    return "".join(cell.ravel().tolist())


def number(cell: Any) -> float:
    """A (1, 1) array of any numeric type as float; NaN when it is empty; ValueError or TypeError otherwise."""
    return float(cell.item()) if cell.size else NAN


def numbers(cells: Sequence[Any]) -> list[float]:
    """`number` of every cell."""
    try:  # more than a million cells in the official file, hardly any of them empty: no call of a function for each
        return [float(cell.item()) for cell in cells]
    except ValueError:
        return [number(cell) for cell in cells]


def each(read: Callable[[Any], Any], cells: Sequence[Any], source: Path, member: str, name: str) -> list[Any]:
    """`read` of every cell of a member's field; AnnotationError for the first that cannot be read."""
    values = []
    for at, cell in enumerate(cells):
        try:
            values.append(read(cell))
        except (TypeError, ValueError, AttributeError) as error:
            raise AnnotationError(f"{source}: {member} {at}, {name}: {one_line(error)}; {ADVICE}") from error
    return values


def whole(values: ArrayLike, source: Path, name: str) -> Any:
    """The values as nullable integers (Int64), NaN as NA; AnnotationError for the first that is no whole number."""
    values = np.asarray(values, np.float64)
    odd = np.flatnonzero(~np.isnan(values) & (values != np.round(values)))
    if odd.size:
        where = f"{source}: image {odd[0]}, {name}"
        raise AnnotationError(f"{where}: {values[odd[0]]} is not a whole number; {ADVICE}")
    return pd.array(values, dtype="Int64")


def fields(cell: Any) -> dict[str, Any]:
    """Fields of a (1, 1) struct; nothing when it is missing or empty."""
    if cell is None or cell.size == 0:
        return {}
    if cell.dtype.names is None or cell.size != 1:
        raise ValueError(f"{cell.dtype} of shape {cell.shape} where one struct is expected")
    return dict(zip(cell.dtype.names, cell.item(), strict=True))
