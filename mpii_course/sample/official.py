"""The sample's annotation file in the layout of `mpii_human_pose_v1_u12_1.mat`, with the traps of the official one.

What the official file holds is described in its authors' README (Andriluka et al., CVPR 2014) and seen with scipy:
field orders that differ, numbers in the smallest type, `is_visible` as number, text or nothing, missing joints and
fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from mpii_course.sample.activities import ACTIVITIES, Activity
from mpii_course.sample.truth import Truth

if TYPE_CHECKING:
    from mpii_course.sample.coco import Outline

_NOTHING = np.zeros((0, 0))
_TEXT_FLAGS, _OTHER_ORDER, _EXTRA, _NO_SCALE, _DECIMALS = 0.08, 0.2, 0.1, 0.04, 0.1  # shares of the persons
_UNLABELLED, _UNPEOPLED = 400, 150  # one training image in so many has no label, or a label and no person
_TRAPS_FROM = 30  # smaller samples are spared those two
_NECK_AND_TOP = (8, 9)
_LABELLED = ("train", "labelled test")


@dataclass(frozen=True)
class SampleImage:
    """One image of the sample and what is true of it, with the annotations of its COCO twin.

    `split` is "train", "test" (as in MPII, without labels and joints), "labelled test", or "empty": nobody is there.
    """

    name: str
    activity: Activity
    video: int
    seconds: int
    split: str
    people: list[Truth]
    outlines: list[Outline]


def _cell(values: list[Any], shape: tuple[int, int]) -> NDArray[np.object_]:
    cell = np.empty(len(values), object)
    for index, value in enumerate(values):
        cell[index] = value
    return cell.reshape(shape)


def _structs(records: list[dict[str, Any]], shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """A MATLAB struct array of records that have the same fields."""
    array = np.empty(len(records), [(name, object) for name in records[0]])
    for index, record in enumerate(records):
        array[index] = tuple(record.values())
    return array.reshape(shape or (1, len(records)))


def _whole(value: float) -> NDArray[Any]:
    """A rounded number in the smallest type that holds it, as MATLAB's own saving chooses it."""
    number = round(float(value))
    for kind in (np.uint8, np.uint16, np.int16):
        if np.iinfo(kind).min <= number <= np.iinfo(kind).max:
            return np.array([[number]], kind)
    return np.array([[float(number)]])


def _points(truth: Truth, rng: np.random.Generator) -> NDArray[Any]:
    """The joints inside the image, in random order of joints and, for some persons, of fields."""
    text, other, decimals = (rng.random() < share for share in (_TEXT_FLAGS, _OTHER_ORDER, _DECIMALS))
    records = []
    for joint in rng.permutation(16):
        x, y = truth.joints[joint]
        if not np.isfinite(x):
            continue
        flag: Any = np.array([[int(truth.visible[joint])]], np.uint8)
        if joint in _NECK_AND_TOP:
            flag = _NOTHING.astype(np.uint8)
        elif text:
            flag = str(int(truth.visible[joint]))
        exact = decimals or joint in _NECK_AND_TOP
        place = [np.array([[round(float(v), 4)]]) if exact else _whole(v) for v in (x, y)]
        record = {"x": place[0], "y": place[1], "id": np.array([[joint]], np.uint8), "is_visible": flag}
        records.append({name: record[name] for name in ("id", "x", "y", "is_visible")} if other else record)
    return _structs(records) if records else _NOTHING


def _extras(rng: np.random.Generator) -> dict[str, Any]:
    """Fields that some official persons have and no one reads here: occluded parts, and rotations as text."""
    parts = {f"part_occ{number}": str(int(rng.random() < 0.3)) for number in range(1, 11)}
    for name in ("torso", "head"):
        parts |= {
            f"{name}_r{row}{column}": f"{rng.uniform(-1, 1):.5f}" for row in range(1, 4) for column in range(1, 4)
        }
    return parts


def _rectangles(image: SampleImage, rng: np.random.Generator) -> NDArray[Any]:
    """`annorect` of one image: structs that share their fields; what one person lacks is empty."""
    if image.split == "empty" or not image.people:
        return _NOTHING
    records = []
    extra = image.split == "train" and rng.random() < _EXTRA
    for truth in image.people:
        x, y = np.round(truth.centre + rng.normal(0, 0.02 * truth.height, 2))
        head = np.where(rng.random() < _DECIMALS, truth.head.round(2), truth.head.round())
        # The official scale is no measured height: it is 8 head sizes (each 0.6 diagonals of the head box) / 200 px.
        scale = np.array([[8 * 0.6 * np.hypot(head[2] - head[0], head[3] - head[1]) / 200]])
        objpos: Any = _structs([{"x": _whole(max(0, x)), "y": _whole(max(0, y))}])
        if image.split == "test":
            records.append({"scale": scale, "objpos": objpos})
            continue
        known = np.isfinite(truth.joints[:, 0]).sum() >= 5 and not truth.unmarked
        points = _points(truth, rng) if known else _NOTHING
        rough = rng.random() < _NO_SCALE
        box = dict(zip(("x1", "y1", "x2", "y2"), ([[v]] if v % 1 else _whole(v) for v in head), strict=True))
        records.append(
            {
                **{name: value if known else _NOTHING for name, value in box.items()},
                "annopoints": _structs([{"point": points}]) if known else _NOTHING,
                "scale": _NOTHING if rough else scale,
                "objpos": _NOTHING if rough else objpos,
                **({name: value if known else _NOTHING for name, value in _extras(rng).items()} if extra else {}),
            }
        )
    return _structs(records)


def _separated(image: SampleImage) -> NDArray[Any]:
    """1-based numbers of the persons who stand apart from all others."""
    centres = np.array([truth.centre for truth in image.people])
    apart = []
    for index, truth in enumerate(image.people):
        others = np.delete(centres, index, axis=0)
        if not len(others) or np.hypot(*(others - truth.centre).T).min() > 0.6 * truth.height:
            apart.append(index + 1)
    return np.array(apart, np.uint8).reshape(-1, 1) if apart else _NOTHING


def write_mpii(path: Path, images: list[SampleImage], rng: np.random.Generator) -> None:
    """Write the RELEASE struct of a sample.

    Parameters
    ----------
    path
        The .mat file to write.
    images
        In the order of `annolist`.
    rng
        Decides which persons get which trap.
    """
    train = [index for index, image in enumerate(images) if image.split == "train"]
    videos = sorted({image.video for image in images if image.split in _LABELLED})
    count = sum(image.split != "labelled test" for image in images)
    unlabelled, unpeopled = set(), set()
    if count >= _TRAPS_FROM:
        unlabelled = {int(i) for i in rng.choice(train, -(-count // _UNLABELLED), replace=False)}
        unpeopled = {int(i) for i in rng.choice(train, -(-count // _UNPEOPLED), replace=False)} - unlabelled
    annolist, acts, singles = [], [], []
    for index, image in enumerate(images):
        known = image.split in _LABELLED
        bare = index in unpeopled or (image.split == "test" and rng.random() < 0.75)
        annolist.append(
            {
                "image": _structs([{"name": image.name}]),
                "annorect": _NOTHING if bare else _rectangles(image, rng),
                "frame_sec": _whole(image.seconds) if known else _NOTHING,
                "vididx": _whole(videos.index(image.video) + 1) if known else _NOTHING,
            }
        )
        named = known and index not in unlabelled
        number = 2 * ACTIVITIES.index(image.activity.name) + 1 + image.video % 2  # one name, several ids
        acts.append(
            {
                "cat_name": image.activity.category if named else _NOTHING,
                "act_name": image.activity.name if named else _NOTHING,
                "act_id": np.array([[number if named else -1]], np.int16),
            }
        )
        singles.append(_separated(image) if known and not bare and image.people else _NOTHING)
    release = {
        "annolist": _structs(annolist),
        "img_train": np.array([[int(image.split == "train") for image in images]], np.uint8),
        "version": "12",
        "single_person": _cell(singles, (len(images), 1)),
        "act": _structs(acts, (len(images), 1)),
        "video_list": _cell([f"sample-{video:04d}" for video in videos], (1, len(videos))),
    }
    savemat(path, {"RELEASE": release}, do_compression=True)
    _fix_header(path)


def _fix_header(path: Path) -> None:
    """Take the date and the platform out of the file's first 116 bytes: the same sample is the same file everywhere."""
    with path.open("r+b") as file:
        file.write(b"MATLAB 5.0 MAT-file, a sample drawn by mpii_course".ljust(116))
