"""COCO's way to score keypoints: object keypoint similarity (OKS) and average precision, the latter by pycocotools."""

from __future__ import annotations

import contextlib
import io
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.pose.crops import FARTHEST
from mpii_lib.pose.metrics import checked_poses
from mpii_lib.skeletons import COCO

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Array = NDArray[np.float64]
_NAMES = ("AP", "AP50", "AP75", "AP_medium", "AP_large", "AR", "AR50", "AR75", "AR_medium", "AR_large")


@dataclass(frozen=True)
class KeypointAP:
    """COCO's ten numbers; `ap` is the one that papers print.

    Attributes
    ----------
    table
        Index AP, AP50, AP75, AP_medium, AP_large, and the same for AR; NaN where no person counts (pycocotools: -1).
    people, ignored
        How many annotated persons count, and how many are ignored: crowds and persons without a labelled joint.
    """

    table: pd.Series
    people: int
    ignored: int

    @property
    def ap(self) -> float:
        """Mean of the average precisions at OKS .50, .55, ..., .95."""
        return float(self.table["AP"])

    def __repr__(self) -> str:
        found = self.table
        return f"AP {found.AP:.3f}, AP50 {found.AP50:.3f}, AP75 {found.AP75:.3f} on {self.people:,} persons"

    def _repr_html_(self) -> str:
        cells = "".join(f'<tr><th scope="row">{name}</th><td>{x:.3f}</td></tr>' for name, x in self.table.items())
        return f"<table><caption>{self!r}</caption>{cells}</table>"


@checked
def oks(
    predicted: Annotated[ArrayLike, "N K 2"],
    truth: Annotated[ArrayLike, "N K 2"],
    visibility: Annotated[ArrayLike, "N K"],
    area: Annotated[ArrayLike, "N"],
    sigmas: Annotated[ArrayLike, "K"] | None = None,
) -> Array:
    """Object keypoint similarity of each person with the prediction for it: 1 is perfect, 0 is far away.

    The mean over labelled joints of exp(-d^2 / (2 area (2 sigma)^2)): a bell as wide as annotators disagree on the
    joint (sigma) on a person of this size (area).

    Parameters
    ----------
    predicted, truth
        (N, K, 2) pixels. A predicted NaN is infinitely far away.
    visibility
        (N, K) 0 not labelled, 1 occluded, 2 visible; both labelled kinds count the same.
    area
        (N,) square pixels of the person's *segment* (`annotations.people.area`), not of the box.
    sigmas
        (K,) constants of the joints; COCO's when None.

    Returns
    -------
    numpy.ndarray
        float64 (N,); NaN for a person without a labelled joint, whom COCO ignores. Equal to pycocotools' `computeOks`.

    Raises
    ------
    MpiiError
        Shapes do not fit, a sigma is not positive, or a person with labelled joints has no area.
    """
    widths = np.asarray(COCO.sigmas if sigmas is None else sigmas, float)
    if not ((widths > 1e-6) & (widths < 1e6)).all():
        raise MpiiError(f"sigmas: {reprlib.repr(sigmas)} are not positive numbers, one for each joint")
    guess, known, seen = checked_poses(predicted, truth, visibility, len(widths))
    areas = np.asarray(area, float)
    labelled = seen > 0
    wrong = labelled.any(axis=1) & ~((areas >= 0) & (areas <= 1e10))
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        raise MpiiError(f"area of person {where} is {areas[where]}; OKS needs the segment's area, which COCO has")
    with np.errstate(over="ignore"):
        squares = ((guess - known) ** 2).sum(axis=2)
        squares[labelled & np.isnan(squares)] = np.inf
        likeness = np.exp(-squares / (2 * (areas[:, None] + np.spacing(1)) * (2 * widths) ** 2))
    count = labelled.sum(axis=1)
    return np.where(count > 0, np.where(labelled, likeness, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


@checked
def keypoint_ap(
    predicted: Annotated[ArrayLike, "M K 2"],
    annotations: Annotations,
    scores: Annotated[ArrayLike, "M"] | None = None,
    image_ids: Annotated[ArrayLike, "M"] | None = None,
) -> KeypointAP:
    """COCO's average precision of predicted poses, computed by pycocotools (`COCOeval`, "keypoints").

    Predictions are matched to persons by OKS, surest first, at most 20 an image. Crowds and persons without labelled
    joints are ignored: neither missing them nor finding them costs anything.

    Parameters
    ----------
    predicted
        (M, K, 2) pixels of the full image, every joint with a number: COCO's format knows no missing joint.
    annotations
        The true poses, with `area` and boxes: COCO, or the sample's COCO twin.
    scores
        (M,) how sure each prediction is; all the same when None. Only their order within the data matters.
    image_ids
        (M,) the image of each prediction; None: the m-th prediction belongs to the image of the m-th person.

    Raises
    ------
    MpiiError
        Shapes do not fit, a joint or a score is no finite number, an image is unknown, or there are no areas or
        no sigmas.
    """
    name, widths = annotations.skeleton.name, annotations.skeleton.sigmas
    if widths is None:
        raise MpiiError(f"keypoint_ap: the skeleton {name} has no sigmas; use COCO, or the sample's COCO twin")
    poses = np.asarray(predicted, float)
    ids = annotations.people["image_id"].to_numpy() if image_ids is None else np.asarray(image_ids)
    sure = np.ones(len(poses)) if scores is None else np.asarray(scores, float)
    wanted = (len(ids), len(annotations.skeleton), 2)
    if poses.shape != wanted:
        raise MpiiError(f"keypoint_ap: predicted {poses.shape}; give {wanted}, or image_ids")
    if not (np.abs(poses) < FARTHEST).all() or not np.isfinite(sure).all():
        raise MpiiError("keypoint_ap: a predicted joint or a score is NaN, infinite or beyond any image; give numbers")
    if not np.isin(ids, annotations.images.index).all():
        raise MpiiError("keypoint_ap: a prediction's image_id is not among the annotated images")
    records = _records(annotations)
    found = [
        {"image_id": int(i), "category_id": 1, "keypoints": _flat(pose, 1), "score": float(s)}
        for i, pose, s in zip(ids, poses, sure, strict=True)
    ]
    stats = _coco_stats(annotations.images.index.tolist(), records, found, np.asarray(widths, float))
    ignored = sum(not r["num_keypoints"] or bool(r["iscrowd"]) for r in records)
    return KeypointAP(pd.Series(np.where(stats < 0, np.nan, stats), _NAMES), len(records) - ignored, ignored)


def _coco_stats(
    images: list[int], annotated: list[dict[str, Any]], found: list[dict[str, Any]], widths: Array
) -> Array:
    """The ten numbers of `COCOeval.summarize`; all that pycocotools prints is thrown away."""
    from pycocotools.coco import COCO as CocoFile
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        file, empty = CocoFile(), CocoFile()
        frame = {"images": [{"id": i} for i in images], "categories": [{"id": 1, "name": "person"}]}
        for coco, persons in ((file, annotated), (empty, [])):
            coco.dataset = {**frame, "annotations": persons}
            coco.createIndex()
        evaluator = COCOeval(file, file.loadRes(found) if found else empty, "keypoints")
        evaluator.params.kpt_oks_sigmas = widths
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return np.asarray(evaluator.stats, float)


def _records(annotations: Annotations) -> list[dict[str, Any]]:
    """The persons as a COCO file has them."""
    people = annotations.people
    areas = people["area"].to_numpy(float)
    labelled = annotations.visibility > 0
    if (labelled.any(axis=1) & np.isnan(areas)).any():
        raise MpiiError("keypoint_ap: some persons have no area; use COCO, or the sample's COCO twin")
    boxes = np.nan_to_num(people[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy(dtype=float, na_value=np.nan))
    crowd = people["iscrowd"].fillna(False).to_numpy(bool)
    joints = np.where(labelled[..., None], annotations.joints, 0).astype(float)
    return [
        {
            "id": number + 1,
            "image_id": int(image),
            "category_id": 1,
            "keypoints": _flat(joints[number], annotations.visibility[number]),
            "num_keypoints": int(labelled[number].sum()),
            "area": float(np.nan_to_num(areas[number])),
            "bbox": boxes[number].tolist(),
            "iscrowd": int(crowd[number]),
        }
        for number, image in enumerate(people["image_id"])
    ]


def _flat(joints: Array, visibility: ArrayLike) -> list[float]:
    """(K, 2) joints as COCO's list x, y, v, x, y, v, ..."""
    return np.column_stack([joints, np.broadcast_to(visibility, len(joints))]).ravel().tolist()
