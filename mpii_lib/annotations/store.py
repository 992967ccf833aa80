"""Annotations in one Parquet file: a row an image, its people nested in it, so that one file is one whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mpii_lib.errors import AnnotationError, one_line
from mpii_lib.files import replacing
from mpii_lib.skeletons import Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations.table import Annotations

FORMAT = 1
_HEAD = b"mpii_lib.annotations"
_POSITION = "position"


def write(path: Path, annotations: Annotations, key: str = "") -> Path:
    """Write the file, which appears only when it is whole; `key` is for `read` to compare.

    AnnotationError when it cannot be written.
    """
    head = {
        "format": FORMAT,
        "skeleton": asdict(annotations.skeleton),
        "folder": None if annotations.folder is None else str(annotations.folder),
        "extra": {"key": key, "fingerprint": annotations.fingerprint if key else ""},
    }
    try:
        table = _to_table(annotations).replace_schema_metadata({_HEAD: json.dumps(head).encode()})
        with replacing(path, AnnotationError) as temporary:
            pq.write_table(table, temporary, compression="zstd", compression_level=1)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:  # Parquet cannot hold a caller's column
        raise AnnotationError(f"{path}: cannot be written ({one_line(error)}); mend or drop that column") from error
    return path


def read(path: Path, key: str | None = None) -> tuple[dict[str, Any], str]:
    """Read what `Annotations` takes, and the fingerprint it had when it was written with a key.

    AnnotationError for another file, or when `key` is given and is not the file's.
    """
    if not path.is_file():
        raise AnnotationError(f"{path}: no such file; Annotations.save writes one")
    try:
        head = json.loads(pq.read_schema(path).metadata[_HEAD])
        if head["format"] != FORMAT or (key is not None and head["extra"].get("key") != key):
            raise ValueError("another format or another content")
        skeleton = Skeleton(**{name: _as_tuples(value) for name, value in head["skeleton"].items()})
        content = _from_table(pq.read_table(path), len(skeleton)) | {"skeleton": skeleton, "folder": head["folder"]}
        return content, head["extra"].get("fingerprint", "")
    except Exception as error:  # pyarrow raises some ten kinds of errors on a damaged file
        what = f"{type(error).__name__}: {one_line(error)}"
        raise AnnotationError(f"{path}: is no whole file of Annotations.save ({what}); make it again") from error


def _to_table(annotations: Annotations) -> pa.Table:
    images, people = annotations.images, annotations.people
    owner = images.index.get_indexer(people["image_id"])
    order = np.argsort(owner, kind="stable")
    columns = {"person_id": pa.array(people.index.to_numpy()[order]), _POSITION: pa.array(order)}
    columns |= {name: _arrow(people[name].iloc[order]) for name in people.columns}
    for name, values in (("joints", annotations.joints), ("visibility", annotations.visibility)):
        length = int(np.prod(values.shape[1:]))
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values[order].ravel()), length)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(images)))]).astype(np.int32)
    nested = pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    )
    rows = {"image_id": pa.array(images.index.to_numpy())}
    return pa.table(rows | {name: _arrow(images[name]) for name in images.columns} | {"people": nested})


def _from_table(table: pa.Table, joints: int) -> dict[str, Any]:
    people = pa.Table.from_struct_array(table["people"].combine_chunks().flatten())
    order = np.argsort(people[_POSITION].to_numpy())
    frame = people.drop_columns(["joints", "visibility", _POSITION]).to_pandas(types_mapper=_pandas_type)
    read = {
        "images": table.drop_columns(["people"]).to_pandas(types_mapper=_pandas_type).set_index("image_id"),
        "people": frame.set_index("person_id").iloc[order],
    }
    for name, shape in (("joints", (joints, 2)), ("visibility", (joints,))):
        values = people[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        read[name] = values.reshape(len(order), *shape)[order]
    return read


def _arrow(column: pd.Series) -> pa.Array:
    array = pa.array(column, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _pandas_type(kind: pa.DataType) -> Any:
    """Nullable pandas types for text, whole numbers and yes/no; None leaves the rest to pyarrow."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype()
    return {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get(kind)


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
