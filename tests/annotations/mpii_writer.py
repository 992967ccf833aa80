"""Writes small .mat files in the layout of the official MPII file, oddities included, for tests and benchmarks."""

from pathlib import Path

import numpy as np
from scipy.io import savemat

EMPTY = np.zeros((0, 0))
POINT_FIELDS = ("x", "y", "id", "is_visible")


def structs(rows, fields=None):
    """(1, n) MATLAB structs from dictionaries; a field that a row lacks is empty, as MATLAB has it."""
    fields = tuple(fields or dict.fromkeys(name for row in rows for name in row))
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in fields])
    for column, row in enumerate(rows):
        array[0, column] = tuple(row.get(name, EMPTY) for name in fields)
    return array


def annopoints(points, fields=POINT_FIELDS):
    """The `annopoints` of a person from (id, x, y, is_visible) tuples; `fields` is their order."""
    rows = [dict(zip(("id", "x", "y", "is_visible"), point, strict=True)) for point in points]
    return structs([{"point": structs(rows, fields)}])


def objpos(x, y):
    return structs([{"x": x, "y": y}])


def image(name, people=(), **fields):
    """One image: `people` are dictionaries of annorect fields; `fields` override what an unlabelled test image has."""
    record = {
        "name": name, "people": list(people), "train": 0, "category": EMPTY, "activity": EMPTY, "act_id": np.int16(-1),
        "single_person": EMPTY, "frame_sec": EMPTY, "video": EMPTY, "annorect": None,
    }  # fmt: skip
    unknown = set(fields) - set(record)
    assert not unknown, unknown
    return record | fields


def release(images, *, video_field="vididx", turned=False, without=()):
    """The RELEASE struct; `turned` gives every member the other orientation; `without` leaves members out."""
    annolist = structs(
        [
            {
                "image": structs([{"name": record["name"]}]),
                "annorect": record["annorect"]
                if record["annorect"] is not None
                else structs(record["people"])
                if record["people"]
                else EMPTY,
                "frame_sec": record["frame_sec"],
                video_field: record["video"],
            }
            for record in images
        ]
    )
    act = structs([{"cat_name": r["category"], "act_name": r["activity"], "act_id": r["act_id"]} for r in images]).T
    single = np.empty((len(images), 1), dtype=object)
    for row, record in enumerate(images):
        alone = np.asarray(record["single_person"])
        single[row, 0] = alone.reshape(-1, 1) if alone.size else EMPTY
    train = np.array([[record["train"] for record in images]], np.uint8)
    members = {
        "annolist": annolist, "img_train": train, "version": "12", "single_person": single, "act": act,
        "video_list": np.empty((1, 0), object),
    }  # fmt: skip
    if turned:
        members = {name: value if isinstance(value, str) else value.T for name, value in members.items()}
    return {name: value for name, value in members.items() if name not in without}


def write(path, images, **options) -> Path:
    """Write the file and return its path."""
    savemat(path, {"RELEASE": release(images, **options)}, do_compression=True)
    return Path(path)
