"""How wrong a predicted pose is, in head sizes of the person: PCKh.

A joint is correct when it lies no farther from its true place than a share of the size of the person's head
(Andriluka and others, CVPR 2014). Beside the rate stand the ways to average it, which differ by more than a point:
every score says which one it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError
from mpii_lib.intervals import Groups, Interval, group_codes, score_interval
from mpii_lib.skeletons import MPII, Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Array = NDArray[np.float64]
Threshold = Annotated[float, 0, 1e12]

#: Joints that MPII's score leaves out: nobody can see them, annotators put them between others.
NOT_SCORED = ("pelvis", "thorax")
#: The groups of published tables: of the joints whose names hold the word, and for the head one of these.
_GROUPS = ("Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
_HEAD = "upper_neck|head_top|nose|eye|ear"


@checked
@dataclass(frozen=True)
class PoseScore:
    """Distances between predicted and true joints, and the scores that follow from them; shares from 0 to 1.

    Attributes
    ----------
    distances
        float64 (N, K) in head sizes; NaN where nothing can be scored: the joint is not annotated or the person has no
        size. Infinite where the joint is annotated and no position was predicted.
    threshold
        A joint is correct at a distance of this or less.
    skeleton
        Names of the K joints.
    visibility
        int8 (N, K) as in `Annotations`, or None.
    """

    distances: Array
    threshold: float
    skeleton: Skeleton
    visibility: NDArray[np.int8] | None = None

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(N, K) bool: annotated, and within the threshold."""
        return self.distances <= self.threshold

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(N, K) bool: annotated, on a person with a size. `correct` of these is what every rate counts."""
        return ~np.isnan(self.distances)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """(K,) bool: the joints that `total` and `mean` take in; of MPII's all but pelvis and thorax."""
        return np.array([joint not in NOT_SCORED for joint in self.skeleton.joints])

    @property
    def left_out(self) -> int:
        """Persons of whom nothing could be scored: no annotated joint, or no size."""
        return int((~self.counted.any(axis=1)).sum())

    @property
    def total(self) -> float:
        """The official total: correct joints among all annotated ones, pooled, without pelvis and thorax."""
        return _rate(self.correct[:, self.scored], self.counted[:, self.scored])

    @property
    def mean(self) -> float:
        """Unweighted mean of the rates of the same joints; each counts the same, however often it is annotated."""
        return float(np.nanmean(self.per_joint.to_numpy()[self.scored]))

    @property
    def pooled_all(self) -> float:
        """Pooled as `total`, but over every joint: the easy pelvis and thorax of MPII raise it."""
        return _rate(self.correct, self.counted)

    @property
    def averages(self) -> pd.Series:
        """The three by name: the official one first. Say which one you print."""
        few, many = int(self.scored.sum()), len(self.skeleton)
        rates = {f"pooled over {few} joints": self.total, f"mean of {few} joints": self.mean}
        if few < many:
            rates[f"pooled over {many} joints"] = self.pooled_all
        return pd.Series(rates, name="PCKh")

    @property
    def per_joint(self) -> pd.Series:
        """Rate of each of the K joints; NaN where nobody has it annotated."""
        rates = _rates(self.correct, self.counted)
        return pd.Series(rates, index=pd.Index(self.skeleton.joints, name="joint"), name="PCKh")

    @property
    def groups(self) -> pd.Series:
        """Head, Shoulder, Elbow, Wrist, Hip, Knee, Ankle: each the mean of its joints' rates, as published tables do.

        Head is the mean of upper neck and head top on MPII, and of nose, eyes and ears on COCO. The "Head" of some
        published tables is head top alone, which is harder: compare it with `per_joint["head_top"]`.
        """
        return self._by_group(self.per_joint.to_numpy())

    def by_visibility(self) -> pd.DataFrame:
        """Rates of visible and of occluded joints: a row for each group, and "Total" pooled over the scored joints.

        Returns
        -------
        DataFrame
            Columns visible, occluded (NaN where there are none), and visible_joints, occluded_joints: how many.

        Raises
        ------
        MpiiError
            When the score was made without `visibility`.
        """
        if self.visibility is None:
            raise MpiiError("by_visibility: give visibility=(N, K) to pckh")
        parts, scored = {}, self.scored
        for label, value in (("visible", 2), ("occluded", 1)):
            chosen = self.counted & (self.visibility == value)
            hit = self.correct & chosen
            parts[label] = self._by_group(_rates(hit, chosen))
            parts[label]["Total"] = _rate(hit[:, scored], chosen[:, scored])
            parts[f"{label}_joints"] = self._by_group(chosen.sum(axis=0), "sum")
            parts[f"{label}_joints"]["Total"] = chosen[:, scored].sum()
        table = pd.DataFrame(parts)[["visible", "occluded", "visible_joints", "occluded_joints"]]
        return table.astype({"visible_joints": int, "occluded_joints": int})

    @checked
    def at(self, threshold: Threshold) -> PoseScore:
        """The same predictions at another threshold."""
        return replace(self, threshold=float(threshold))

    @checked
    def curve(self, thresholds: ArrayLike | None = None) -> pd.DataFrame:
        """Scores over thresholds (0 to the own threshold in 50 steps when None).

        Published code that fills a table for 0, 0.01, 0.02, ... and reads row 11 prints "@0.1" for what is @0.11. Here
        the index is the threshold itself: `curve([0.1])`.

        Returns
        -------
        DataFrame
            Index: the thresholds. Columns: Total, then the groups.
        """
        steps = np.linspace(0, self.threshold, 51) if thresholds is None else np.ravel(np.asarray(thresholds, float))
        scores = [self.at(float(step)) for step in steps]
        rows = [{"Total": score.total, **score.groups} for score in scores]
        return pd.DataFrame(rows, index=pd.Index(steps, name="threshold"))

    @checked
    def interval(self, groups: Groups = None, seed: int = 0, level: float = 0.95) -> Interval:
        """Interval of `total`, made as those of `mpii_lib.evaluation` are; fewer than five groups give none.

        Parameters
        ----------
        groups
            (N,) image or video of each person; whole groups are left out, since what stands together fails together.
            A missing value is a group of its own; None makes each person one. Persons without a scored joint are in
            none.
        seed
            Of the dealing of more than 250 groups to 250 sets; without a meaning for fewer.
        level
            Share of such tests whose interval holds the average.

        Returns
        -------
        Interval
            (value, low, high, groups).

        Raises
        ------
        MpiiError
            For groups of another length than the persons, or a level or seed out of range.
        """
        codes, joints = group_codes(groups, len(self.distances)), self.counted[:, self.scored].sum(axis=1)
        some, hits = joints > 0, self.correct[:, self.scored].sum(axis=1)
        if not some.any():
            return Interval(np.nan, np.nan, np.nan, 0)
        codes, joints, hits = pd.factorize(codes[some])[0], joints[some], hits[some]
        return score_interval(lambda weights: float(weights @ hits / (weights @ joints)), codes, seed, level)

    @checked
    def scores(self, groups: Groups = None, seed: int = 0) -> dict[str, float | str]:
        """Give the scores as a dict for the run record (`mpii_lib.training.add_scores`); the report reads it.

        `total`, `total_low` and `total_high` (95 %, with `groups` and `seed` as in `interval`), `mean`, `pooled_all`,
        `threshold`, `people`, `joints`, `metric`, and the groups in lower case. Rates and intervals that do not exist
        are left out.
        """
        rates = {
            **self.interval(groups, seed).record("total"),
            "mean": self.mean,
            "pooled_all": self.pooled_all,
            **{str(name).lower(): float(rate) for name, rate in self.groups.items()},
        }
        kept = {name: value for name, value in rates.items() if np.isfinite(value)}
        counts = {"people": len(self.distances) - self.left_out, "joints": int(self.counted[:, self.scored].sum())}
        return {"metric": "PCKh", "threshold": self.threshold, **kept, **counts}

    def _by_group(self, values: Array, combine: Literal["mean", "sum"] = "mean") -> pd.Series:
        """Means or sums of K values over the joints of each group; NaN is left out."""
        series = pd.Series(values, self.skeleton.joints)
        found = {name: series.filter(regex=_HEAD if name == "Head" else name.lower()) for name in _GROUPS}
        return pd.Series({name: some.agg(combine) for name, some in found.items() if len(some)}, name="PCKh")

    def __repr__(self) -> str:
        scored = len(self.distances) - self.left_out
        joints = int(self.scored.sum())
        return f"PCKh@{self.threshold:g} {self.total:.3f}, pooled over {joints} joints of {scored:,} persons"

    def _repr_html_(self) -> str:
        rows = [("Total", self.total), *self.groups.items(), *self.averages.items()]
        cells = "".join(f'<tr><th scope="row">{name}</th><td>{rate:.3f}</td></tr>' for name, rate in rows)
        return f"<table><caption>{self!r}</caption>{cells}</table>"


@checked
def head_size(people: pd.DataFrame | Annotations) -> Array:
    """Head sizes (N,) in pixels: 0.6 times the diagonal of the head box; NaN where a person has none.

    Parameters
    ----------
    people
        `annotations.people`, another table with head_x1, head_y1, head_x2 and head_y2, or the annotations.

    Raises
    ------
    MpiiError
        The table has no head boxes.
    """
    table = people if isinstance(people, pd.DataFrame) else getattr(people, "people", pd.DataFrame())
    columns = ["head_x1", "head_y1", "head_x2", "head_y2"]
    missing = [name for name in columns if name not in table]
    if missing:
        raise MpiiError(f"head_size: the table has no column {missing[0]}; give annotations.people")
    x1, y1, x2, y2 = table[columns].to_numpy(dtype=float, na_value=np.nan).T
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(0.6 * np.hypot(x2 - x1, y2 - y1))


@checked
def pckh(
    predicted: Annotated[ArrayLike, "N K 2"],
    truth: Annotated[ArrayLike, "N K 2"],
    head_size: Annotated[ArrayLike, "N"],
    threshold: Threshold = 0.5,
    skeleton: Skeleton = MPII,
    visibility: Annotated[ArrayLike, "N K"] | None = None,
) -> PoseScore:
    """PCKh: the share of joints no farther from the truth than half a head size (MPII's official score).

    All *annotated* joints count, visible or not. Pelvis and thorax are left out of the total, which is pooled over
    joints. The distance may equal the threshold (`<=`).

    Parameters
    ----------
    predicted
        (N, K, 2) x and y in pixels of the full image. NaN: nothing was predicted, which is wrong where annotated.
    truth
        (N, K, 2) in the same pixels; NaN where not annotated.
    head_size
        (N,) pixels (`head_size`). A person whose size is NaN cannot be scored and is left out (`left_out`).
    threshold
        In head sizes.
    skeleton
        Names of the K joints; MPII's.
    visibility
        (N, K) 0 not annotated, 1 occluded, 2 visible; needed for `by_visibility` only. A joint with 0 is not scored.

    Returns
    -------
    PoseScore
        `.total` (official), `.mean` and `.pooled_all`, `.per_joint`, `.groups`, `.by_visibility()`, `.curve()`.

    Raises
    ------
    MpiiError
        A size is not positive, joints are infinite, or nothing can be scored.

    Notes
    -----
    With another size of the person (its torso, its box), another threshold and another skeleton the same function
    measures PCK (Yang and Ramanan, TPAMI 2013; Sapp and Taskar, CVPR 2013).

    An accuracy normalised by a fixed 6.4 px of the 64-grid, as training code prints it, is not PCKh. "PCKh@0.1" of
    some published code is @0.11 (`PoseScore.curve`). Source: Andriluka, Pishchulin, Gehler, Schiele, "2D Human Pose
    Estimation: New Benchmark and State of the Art Analysis", CVPR 2014, and the official evaluation code.
    """
    guess, known, seen = checked_poses(predicted, truth, visibility, len(skeleton))
    sizes = np.asarray(head_size, float)
    if (sizes <= 0).any() or np.isinf(sizes).any():
        where = int(np.flatnonzero((sizes <= 0) | np.isinf(sizes))[0])
        raise MpiiError(f"pckh: the size of person {where} is {sizes[where]} px; correct its box, or leave it out")
    with np.errstate(over="ignore"):  # infinitely far away
        distances = np.hypot(*np.moveaxis(guess - known, 2, 0)) / sizes[:, None]
    distances[np.isnan(guess).any(axis=2) & ~np.isnan(known[..., 0] + sizes[:, None])] = np.inf
    if np.isnan(distances).all():
        raise MpiiError("pckh: nothing can be scored: no person has both an annotated joint and a size")
    return PoseScore(distances, float(threshold), skeleton, None if visibility is None else seen)


def checked_poses(
    predicted: ArrayLike, truth: ArrayLike, visibility: ArrayLike | None, joints: int
) -> tuple[Array, Array, NDArray[np.int8]]:
    """Predicted and true joints as float64 (N, K, 2), NaN where not annotated, and visibility (N, K); or MpiiError."""
    guess, known = np.asarray(predicted, float), np.array(truth, float)
    if known.shape[1] != joints:
        raise MpiiError(f"predicted {guess.shape}, truth {known.shape}: give (N, {joints}, 2) for both")
    if np.isinf(guess).any() or np.isinf(known).any():
        raise MpiiError("predicted and truth: some joints are infinite; use NaN for joints that are not there")
    missing = np.isnan(known).any(axis=2)
    seen = np.where(missing, 0, 2) if visibility is None else np.array(visibility)
    if not np.isin(seen, (0, 1, 2)).all():
        raise MpiiError("visibility holds other numbers than 0, 1 and 2")
    known[missing | (seen == 0)] = np.nan
    return guess, known, np.where(missing, 0, seen).astype(np.int8)


def _rate(hit: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
    return float(hit.sum() / counted.sum()) if counted.any() else float("nan")


def _rates(hit: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Array:
    count = counted.sum(axis=0)
    return np.where(count > 0, hit.sum(axis=0) / np.maximum(count, 1), np.nan)
