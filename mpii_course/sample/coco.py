"""The COCO twin: the sample's people with 17 keypoints, boxes, outlines; layout of person_keypoints_*2017.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.official import SampleImage
from mpii_course.sample.truth import Truth
from mpii_lib.skeletons import COCO

_BODY = (13, 12, 14, 11, 15, 10, 3, 2, 4, 1, 5, 0)  # MPII's number of COCO's joints from the left shoulder on
_VALIDATION = 5  # one video in so many goes to val2017


@dataclass(frozen=True)
class Outline:
    """One annotation of COCO: a person, whose segmentation is polygons, or a crowd, which has a run-length code."""

    segmentation: list[list[float]] | dict[str, list[int]]
    box: list[float]
    area: float
    keypoints: list[int]


def _box(mask: NDArray[np.bool_]) -> list[float]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [float(v) for v in (columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)]


def outline(truth: Truth) -> Outline:
    """Describe one person's visible pixels and write its joints as COCO's 51 numbers, 0 where nobody marked them."""
    contours, _ = cv2.findContours(truth.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    polygons = [contour.ravel().astype(float).tolist() for contour in contours if len(contour) >= 3]
    points = np.concatenate([truth.face, truth.joints[list(_BODY)]])
    states = np.concatenate([truth.face_state, np.where(truth.visible[list(_BODY)], 2, 1)])
    numbers: list[int] = []
    for (x, y), state in zip(points, states, strict=True):
        there = state > 0 and np.isfinite(x) and not truth.unmarked
        numbers += [round(float(x)), round(float(y)), int(state)] if there else [0, 0, 0]
    return Outline(polygons, _box(truth.mask), float(truth.mask.sum()), numbers)


def crowd_outline(mask: NDArray[np.bool_] | None) -> list[Outline]:
    """People too many to mark, as one annotation of their mask (H, W); nothing where there is nobody to be seen."""
    if mask is None or mask.sum() < 50:
        return []
    flat = mask.T.ravel()  # columns first
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    code = {"counts": ([0] if flat[0] else []) + counts, "size": list(mask.shape)}  # background first
    return [Outline(code, _box(mask), float(mask.sum()), [0] * 51)]


def write_coco(folder: Path, images: list[SampleImage], size: tuple[int, int]) -> None:
    """Write `person_keypoints_{train,val}2017.json` for all images that are not of the unlabelled test part.

    Whole videos go to one of the two files, those of the labelled test part to val. The images lie in `images` beside
    `folder`; the id is the number in the name.
    """
    folder.mkdir()
    content: dict[str, dict[str, list[Any]]] = {split: {"images": [], "annotations": []} for split in ("train", "val")}
    number = 0
    for drawn in images:
        if drawn.split == "test":
            continue
        held_out = drawn.split == "labelled test" or drawn.video % _VALIDATION == _VALIDATION - 1
        split = content["val" if held_out else "train"]
        image = int(Path(drawn.name).stem)
        split["images"].append(
            {"license": 1, "file_name": drawn.name, "height": size[1], "width": size[0], "id": image}
        )
        for shape in drawn.outlines:
            number += 1
            split["annotations"].append(
                {
                    "segmentation": shape.segmentation,
                    "num_keypoints": int(np.count_nonzero(shape.keypoints[2::3])),
                    "area": shape.area,
                    "iscrowd": int(isinstance(shape.segmentation, dict)),
                    "keypoints": shape.keypoints,
                    "image_id": image,
                    "bbox": shape.box,
                    "category_id": 1,
                    "id": number,
                }
            )
    bones = [[a + 1, b + 1] for a, b in COCO.limbs]
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(COCO.joints), "skeleton": bones}
    for name, lists in content.items():
        whole = {
            "info": {
                "description": "Sample drawn by mpii_course, in the layout of COCO 2017 person keypoints",
                "version": "1.0",
                "year": 2017,
            },
            "licenses": [
                {"url": "https://creativecommons.org/publicdomain/zero/1.0/", "id": 1, "name": "CC0: drawn images"}
            ],
            **lists,
            "categories": [category],
        }
        (folder / f"person_keypoints_{name}2017.json").write_text(json.dumps(whole), encoding="utf-8")
