"""The pose networks of a run, read from their records, and published scores to stand beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mpii_course.report.original_report import weights_in_words
from mpii_course.report.trainings import POSE_MODEL, Row, interval, per_cent, text

#: Notebooks whose figures stand in the pose section.
POSE_NOTEBOOKS = ("31_stacked_hourglass", "32_pose_evaluation")
#: The joints of a published table, in its order.
GROUPS = ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@dataclass(frozen=True)
class PublishedPose:
    """A published PCKh@0.5 in per cent, as printed: by group of joints where the source has it, and the total."""

    name: str
    total: float
    groups: tuple[float, ...] = ()


#: PCKh@0.5 on the 2,958 persons of MPII's community validation part, with flip test; total pooled over 14 joints.
#: ResNet-50: the README of "Simple Baselines for Human Pose Estimation and Tracking" (Xiao, Wu, Wei 2018), 256 pixels.
#: HRNet-W32: the README of "Deep High-Resolution Representation Learning" (Sun and others 2019), 256 pixels.
#: The hourglasses: a re-implementation in PyTorch (anibali/pytorch-stacked-hourglass, after bearpaw/pytorch-pose),
#: which gives totals only.
PUBLISHED: tuple[PublishedPose, ...] = (
    PublishedPose("Stacked hourglass, 1 stack (a re-implementation)", 85.09),
    PublishedPose("Stacked hourglass, 2 stacks", 87.30),
    PublishedPose("Stacked hourglass, 8 stacks", 89.09),
    PublishedPose("Simple baseline, ResNet-50", 88.5, (96.4, 95.3, 89.0, 83.2, 88.4, 84.0, 79.6)),
    PublishedPose("HRNet-W32", 90.3, (97.1, 95.9, 90.3, 86.4, 89.1, 87.1, 83.3)),
)


@dataclass(frozen=True)
class PoseRun:
    """One pose network of this run on test persons; rates in per cent, None where there is none.

    `total` is pooled over 14 joints, `mean` the mean of their rates, `pooled_all` pooled over all 16; `lazy` is the
    total of answering with the mean pose.
    """

    name: str
    network: str
    weights: str
    data: str
    threshold: float
    groups: tuple[float | None, ...]
    total: float | None
    interval: tuple[float, float] | None
    mean: float | None
    pooled_all: float | None
    lazy: float | None
    people: int
    epochs: str
    seconds: float | None

    @property
    def is_sample(self) -> bool:
        """Whether the persons were drawn."""
        return self.data == "sample"


def pose_runs(rows: Iterable[Row]) -> list[PoseRun]:
    """The networks for poses among the rows of the records that have a test, by name."""
    found = [_pose(row) for row in rows if text(row, "backbone").lower() == POSE_MODEL]
    return sorted((run for run in found if run.total is not None), key=lambda run: run.name)


def _pose(row: Row) -> PoseRun:
    stacks, channels = row.get("stacks"), row.get("channels")
    shape = f"{stacks:.0f} stack{'' if stacks == 1 else 's'} of {channels:.0f} channels" if stacks and channels else ""
    return PoseRun(
        name=row["run"],
        network=shape or POSE_MODEL,
        weights=weights_in_words(text(row, "weights")),
        data=text(row, "data"),
        threshold=row.get("test.threshold") or 0.5,
        groups=tuple(per_cent(row, f"test.{group}") for group in GROUPS),
        total=per_cent(row, "test.total"),
        interval=interval(row, "test.total"),
        mean=per_cent(row, "test.mean"),
        pooled_all=per_cent(row, "test.pooled_all"),
        lazy=per_cent(row, "mean_pose.total"),
        people=int(row.get("test.people") or 0),
        epochs=f"{row['epochs_run']:.0f}" if row["epochs_run"] else "",
        seconds=row.get("seconds"),
    )
