"""The headers of a MAT-file's elements, walked before scipy's compiled reader is let at them.

On damaged headers scipy may end the whole process instead of raising, so only what is laid out as the format says
reaches it (MATLAB documentation, "MAT-File Level 5 File Format"). A file is a head of 128 bytes and elements, each a
tag (type, bytes) and its content, often compressed. A struct or cell holds one element for each of its values; the walk
takes all of one depth together in NumPy, since the official file has more than a million.
"""

from __future__ import annotations

import struct
import zlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_HEAD, _START, _PIECE = 128, 256, 1 << 14
_MATRIX, _COMPRESSED = 14, 15
_NUMBER, _TEXT, _STRUCT, _CELL, _COMPLEX = 1, 2, 3, 4, 0x800
_CLASSES = np.zeros(256, np.uint8)  # which of these a MATLAB class is; sparse arrays, objects and functions are none
_CLASSES[[1, 2, 4]] = _CELL, _STRUCT, _TEXT
_CLASSES[6:16] = _NUMBER
_WIDTHS = np.array([0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8, 0, 0, 1, 2, 4, 0])  # bytes of one value, by its type
_UTF8 = 16
_FLAGS, _SHAPE, _NAMELESS = (np.array(tag, "u4").view("u8")[0] for tag in ((6, 8), (5, 8), (1, 0)))
_MOST_BYTES = 1 << 29  # the official file has some 0.2 GB, and 2.5 million arrays
_MOST_ARRAYS = 6_000_000
_DEEPEST = 16
_MOST_FIELDS = 128
_BLOCK = 1 << 14

_Words: TypeAlias = NDArray[np.uint32]
_Places: TypeAlias = NDArray[np.int64]  # of elements, in units of eight bytes


def only(wanted: str, data: bytes) -> tuple[bytes, list[str]]:
    """A MAT-file with nothing but the variable `wanted`, as it lies in `data`, and the names of all variables.

    ValueError when the file or that variable is no whole MAT-file of level 5; the others are passed over unread.
    """
    order = {b"\0\1IM": "<", b"\1\0MI": ">"}.get(data[_HEAD - 4 : _HEAD])
    if order is None:
        raise ValueError("it has no head of a MAT-file of level 5")
    names, kept, at = [], b"", _HEAD
    while at < len(data):
        kind, size = struct.unpack(f"{order}II", data[at : at + 8].ljust(8, b"\0"))
        element = data[at : at + 8 + size]
        if len(element) < 8 + size:
            raise ValueError(f"it ends within the element at byte {at}, it is cut off")
        if kind not in (_MATRIX, _COMPRESSED):
            raise ValueError(f"the element at byte {at} is of type {kind}")
        try:
            plain = zlib.decompressobj().decompress(element[8:], _START) if kind == _COMPRESSED else element
            names.append(_name(plain, order))
            if names[-1] == wanted:
                _Walk(_inflated(element) if kind == _COMPRESSED else element, order).check()
                kept = element
        except zlib.error as error:
            raise ValueError(f"the element at byte {at} cannot be inflated: {error}") from error
        at += 8 + size
    return b"MATLAB 5.0 MAT-file".ljust(_HEAD - 4) + data[_HEAD - 4 : _HEAD] + kept, names


def _inflated(element: bytes) -> bytearray:
    """The content of a compressed element; ValueError when it is endless, zlib.error when it is damaged."""
    inflate, plain = zlib.decompressobj(), bytearray()
    for start in range(8, len(element), _PIECE):  # faster than in one piece, whose buffer would be copied
        plain += inflate.decompress(element[start : start + _PIECE])
        if len(plain) > _MOST_BYTES:
            break
    if not inflate.eof:
        raise ValueError(f"RELEASE has no end within {_MOST_BYTES:,} bytes")
    return plain


def _name(plain: bytes, order: str) -> str:
    """Name of a variable, from behind its flags and dimensions; at most four characters lie within the tag itself."""
    try:
        at = 32 + (struct.unpack_from(f"{order}I", plain, 28)[0] + 7) // 8 * 8
        kind, size = struct.unpack_from(f"{order}II", plain, at)
    except struct.error:
        return "?"
    return (plain[at + 4 :][: kind >> 16] or plain[at + 8 :][: min(size, 63)]).decode("ascii", "replace")


class _Walk:
    """The arrays in the content of an element, as pairs of words: a tag is one, and all else begins and ends with one.

    Numbers, text, structs and cells with two dimensions are known here; the MPII file holds nothing else.
    """

    def __init__(self, plain: bytes | bytearray, order: str) -> None:
        words = np.frombuffer(memoryview(plain)[: len(plain) // 8 * 8], f"{order}u4").astype("u4", copy=False)
        self.first, self.second, self.both = words[0::2], words[1::2], words.view("u8")

    def check(self) -> None:
        """Raise ValueError unless an array, with all it holds, is laid out as the format says."""
        at, name = np.zeros(1, np.int64), (int(self.second[5]) + 7) // 8  # the outermost alone has a name
        for _ in range(_DEEPEST):
            if at.size > _MOST_ARRAYS:
                raise ValueError(f"RELEASE holds more than {_MOST_ARRAYS:,} arrays")
            _need(self.first[at] == _MATRIX, at, "no array")
            at = at[self.second[at] > 0]  # an empty array may be a tag alone
            if not at.size:
                return
            blocks = np.array_split(at, 1 + at.size // _BLOCK)  # what fits the processor's cache: twice as fast
            at, name = np.concatenate([self.held(block, name) for block in blocks]), 0
        raise ValueError(f"RELEASE is damaged: nested more than {_DEEPEST} deep")

    def held(self, at: _Places, name: int) -> _Places:
        """Check the headers and data of the arrays at `at`, all of one depth; places of the arrays that they hold."""
        first, second = self.first, self.second
        size = second[at].astype(np.int64)
        end, body = at + 1 + (size >> 3), at + 6 + name
        _need((size & 7 == 0) & (body <= end) & (end <= len(second)), at, "an array of a wrong size")
        _need(self.both[at + 1] == _FLAGS, at, "an array without flags")
        _need(self.both[at + 3] == _SHAPE, at, "an array without two dimensions")
        _need((self.both[at + 5] == _NAMELESS) | (name > 0), at, "an array with a name")
        rows, columns, flags = first[at + 4], second[at + 4], first[at + 2]
        count = rows.astype(np.int64) * columns
        _need((np.maximum(rows, columns) <= size) & (count <= size), at, "an array of more than it holds")
        kind = np.where(flags & _COMPLEX, 0, _CLASSES[flags & 0xFF])
        _need(kind > 0, at, "neither numbers nor text")
        plain = kind <= _TEXT
        self.check_values(at[plain], body[plain], end[plain], count[plain], kind[plain] == _TEXT)
        structs = kind == _STRUCT
        body[structs], fields = self.fields(at[structs], body[structs], end[structs])
        count[structs] *= fields
        at, body, end, count = at[~plain], body[~plain], end[~plain], count[~plain]
        _need(count <= end - body, at, "a struct or cell of more than it holds")
        found, rest = [at[:0]], np.flatnonzero(count)
        while rest.size > 100:  # where one ends the next begins: a step for all that hold more
            step = body[rest]
            _need(step < end[rest], step, "a struct or cell without an end")
            found.append(step)
            body[rest] += 1 + (second[step] >> 3)
            count[rest] -= 1
            rest = rest[count[rest] > 0]
        sizes = memoryview(second)  # type: ignore[arg-type]  # quicker than NumPy for one number
        for index in rest.tolist():
            place, stop, steps = int(body[index]), int(end[index]), []
            for _ in range(int(count[index])):
                steps.append(place)
                place += 1 + (sizes[place] >> 3) if place < stop else 1
            body[index] = place
            found.append(np.array(steps, np.int64))
        _need(body == end, at, "a struct or cell of another length")
        return np.concatenate(found)

    def check_values(self, at: _Places, body: _Places, end: _Places, count: _Places, text: NDArray[np.bool_]) -> None:
        """Numbers and text: their bytes are as many as the dimensions say, and fill the array."""
        _need(body < end, at, "an array without data")
        what, amount, stop = self.tag(body)
        width = _WIDTHS[np.minimum(what, len(_WIDTHS) - 1)]
        # A character takes one to four bytes in UTF-8, and there is text without any bytes.
        loose = text & ((amount == 0) | ((what == _UTF8) & (count <= amount)))
        _need(((amount == count * width) | loose) & (width > 0) & (stop == end), at, "data of another size")

    def fields(self, at: _Places, body: _Places, end: _Places) -> tuple[_Places, NDArray[np.int64]]:
        """Where the fields of structs begin, behind their names, and how many each has."""
        _need(body + 1 < end, at, "a struct without names")
        length = self.second[body].astype(np.int64)
        what, amount, stop = self.tag(body + 1)
        whole = (self.first[body] == 4 << 16 | 5) & (length > 0) & (length <= 64) & (what == 1)
        number = amount // length.clip(1)
        _need(whole & (amount == number * length) & (number <= _MOST_FIELDS), at, "names of a wrong size")
        return stop, number

    def tag(self, at: _Places) -> tuple[_Places, _Places, _Places]:
        """Type and bytes of the data at `at`, and where it ends; up to four bytes lie within the tag itself."""
        kind, size = self.first[at].astype(np.int64), self.second[at].astype(np.int64)
        small = kind >> 16
        inside = small > 0
        return kind & 0xFFFF, np.where(inside, small, size), at + 1 + np.where(inside, 0, (size + 7) >> 3)


def _need(holds: NDArray[np.bool_], at: _Places, what: str) -> None:
    if not holds.all():
        raise ValueError(f"RELEASE is damaged: {what} at byte {8 * int(at[~holds][0])}")
