"""The joints of a person as MPII and COCO name them: order, limbs, sides, and the OKS constants."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpii_lib.arguments import checked
from mpii_lib.errors import AnnotationError


@checked
@dataclass(frozen=True)
class Skeleton:
    """Names and geometry of one set of joints.

    Attributes
    ----------
    name
        "MPII" or "COCO".
    joints
        K joint names in the order in which arrays hold them.
    limbs
        Pairs of joint indices that a drawn skeleton connects.
    pairs
        (left, right) joint indices that change places in a mirrored image.
    sigmas
        K per-joint constants of the object keypoint similarity (COCO keypoint evaluation); None where none exist.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self.joints)

    @checked
    def index(self, name: str) -> int:
        """Index of a joint by its name; AnnotationError lists the names when it is unknown."""
        if name not in self.joints:
            raise AnnotationError(f"{self.name} has no joint {reprlib.repr(name)}; it has {', '.join(self.joints)}")
        return self.joints.index(name)

    @property
    def flip_order(self) -> NDArray[np.intp]:
        """Joint order (K,) of a mirrored person; indexing the joints with it swaps left and right."""
        order = np.arange(len(self.joints))
        for left, right in self.pairs:
            order[[left, right]] = right, left
        return order

    @property
    def side(self) -> tuple[str, ...]:
        """(K,) "left", "right" or "middle", from the person's own point of view."""
        sides = ["middle"] * len(self.joints)
        for left, right in self.pairs:
            sides[left], sides[right] = "left", "right"
        return tuple(sides)


MPII = Skeleton(
    name="MPII",
    joints=(
        "r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax",
        "upper_neck", "head_top", "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist",
    ),
    limbs=(
        (0, 1), (1, 2), (2, 6), (3, 6), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9),
        (10, 11), (11, 12), (12, 7), (13, 7), (13, 14), (14, 15),
    ),
    pairs=((5, 0), (4, 1), (3, 2), (15, 10), (14, 11), (13, 12)),
)  # fmt: skip

COCO = Skeleton(
    name="COCO",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
        "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    limbs=(
        (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
        (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
    ),
    pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    sigmas=(
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
        0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
    ),
)  # fmt: skip
