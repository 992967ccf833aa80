"""Annotations in one Parquet file: a row an image, its people nested in it, so that one file is one whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mpii_lib.errors import AnnotationError
from mpii_lib.files import replacing
from mpii_lib.skeletons import Skeleton

FORMAT = 1
_KEY = b"mpii_lib.annotations"
_POSITION = "position"


@dataclass(frozen=True)
class Parts:
    """What `Annotations` is made of, before it is checked; `extra` is for the owner of the file (the cache's key)."""

    images: pd.DataFrame
    people: pd.DataFrame
    joints: NDArray[np.float32]
    visibility: NDArray[np.int8]
    skeleton: Skeleton
    folder: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


def write(path: Path, parts: Parts) -> Path:
    """Write the parts; the file appears at `path` only when it is whole. AnnotationError when it cannot be written."""
    try:
        with replacing(path, AnnotationError) as temporary:
            pq.write_table(_to_table(parts), temporary, compression="zstd", compression_level=1)
    except pa.ArrowException as error:  # a column of the caller's own that Parquet cannot hold
        raise AnnotationError(f"{path}: cannot be written ({_reason(error)}); mend or drop that column") from error
    return path


def read(path: Path, key: str | None = None) -> Parts:
    """Read the parts; AnnotationError when it is not such a file, or when `key` is given and is not the file's."""
    if not path.is_file():
        raise AnnotationError(f"{path}: no such file; Annotations.save writes one")
    try:
        head = json.loads(pq.read_schema(path).metadata[_KEY])
        if head["format"] != FORMAT or (key is not None and head["extra"].get("key") != key):
            raise ValueError("another format or another content")
        return _from_table(pq.read_table(path), head)
    except Exception as error:  # pyarrow raises some ten kinds of errors on a damaged file
        raise AnnotationError(
            f"{path}: is no whole file of Annotations.save ({_reason(error)}); make it again"
        ) from error


def _to_table(parts: Parts) -> pa.Table:
    images, people = parts.images, parts.people
    owner = images.index.get_indexer(people["image_id"])
    order = np.argsort(owner, kind="stable")
    joints = parts.joints.shape[1]
    columns = {"person_id": pa.array(people.index.to_numpy()[order]), _POSITION: pa.array(order)}
    columns |= {name: _arrow(people[name].iloc[order]) for name in people.columns}
    columns["joints"] = pa.FixedSizeListArray.from_arrays(pa.array(parts.joints[order].ravel()), 2 * joints)
    columns["visibility"] = pa.FixedSizeListArray.from_arrays(pa.array(parts.visibility[order].ravel()), joints)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(images)))]).astype(np.int32)
    nested = pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    )
    rows = {"image_id": pa.array(images.index.to_numpy())}
    rows |= {name: _arrow(images[name]) for name in images.columns}
    head = {"format": FORMAT, "skeleton": asdict(parts.skeleton), "folder": parts.folder, "extra": parts.extra}
    return pa.table(rows | {"people": nested}).replace_schema_metadata({_KEY: json.dumps(head).encode()})


def _from_table(table: pa.Table, head: dict[str, Any]) -> Parts:
    skeleton = _skeleton(head["skeleton"])
    joints = len(skeleton.joints)
    nested = table["people"].combine_chunks()
    people = pa.Table.from_struct_array(nested.flatten())
    # A file without any person keeps its columns, and its order is the empty one.
    order = np.argsort(people[_POSITION].to_numpy())
    arrays = [
        people[name].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(order), *shape)[order]
        for name, shape in (("joints", (joints, 2)), ("visibility", (joints,)))
    ]
    frame = people.drop_columns(["joints", "visibility", _POSITION]).to_pandas(types_mapper=_pandas_type)
    return Parts(
        table.drop_columns(["people"]).to_pandas(types_mapper=_pandas_type).set_index("image_id"),
        frame.set_index("person_id").iloc[order],
        arrays[0],
        arrays[1],
        skeleton,
        head["folder"],
        head["extra"],
    )


def _arrow(column: pd.Series) -> pa.Array:
    array = pa.array(column, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _pandas_type(kind: pa.DataType) -> Any:
    """Nullable pandas types for text, whole numbers and yes/no; None leaves the rest to pyarrow."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype()
    return {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get(kind)


def _skeleton(values: dict[str, Any]) -> Skeleton:
    return Skeleton(
        name=values["name"],
        joints=tuple(values["joints"]),
        limbs=tuple((int(a), int(b)) for a, b in values["limbs"]),
        pairs=tuple((int(a), int(b)) for a, b in values["pairs"]),
        sigmas=None if values["sigmas"] is None else tuple(values["sigmas"]),
    )


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:160]
