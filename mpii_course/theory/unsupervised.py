"""Poses as data for PCA and K-means: brought to one place and size, with missing joints filled in, and tests of both.

PCA and K-means themselves are built in notebook 08 and used from scikit-learn afterwards. This module holds what they
need on poses and what tells whether their answer means something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mpii_lib.skeletons import Skeleton

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

Array = NDArray[np.float64]

#: Pixels of head size for a `scale` of 1: MPII's scale is 8 head sizes / 200 px, exactly.
HEAD_AT_SCALE_1 = 25.0


@dataclass(frozen=True)
class Poses:
    """Normalised poses: hip centre at (0, 0), lengths in head sizes, y down as in images, no joint missing.

    Attributes
    ----------
    joints
        (N, K, 2) float64.
    known
        (N, K) bool; False where the joint was not annotated and has been filled in.
    people
        (N,) rows of `annotations.people` that the poses come from.
    size
        (N,) head size in pixels.
    skeleton
        Names of the K joints.
    """

    joints: Array
    known: NDArray[np.bool_]
    people: NDArray[np.intp]
    size: Array
    skeleton: Skeleton

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def table(self) -> Array:
        """(N, 2K) one pose a row: x0, y0, x1, y1, ..."""
        return self.joints.reshape(len(self.joints), -1)

    def __repr__(self) -> str:
        return f"{len(self):,} poses of {len(self.skeleton)} joints; {(~self.known).sum():,} joints filled in"


def normalise_poses(annotations: Annotations, *, least: int = 14, components: int = 8) -> Poses:
    """Move each person's hip centre to the origin, measure in head sizes, and fill in the few joints that are missing.

    The head size is 0.6 times the diagonal of the head rectangle, as in PCKh; without a rectangle, 25 pixels times
    `scale`.

    Parameters
    ----------
    annotations
        MPII or the sample (joints named as `mpii_lib.skeletons.MPII`).
    least
        Persons with fewer annotated joints are left out: whole legs cannot be made up from an upper body.
    components
        Principal components used to fill in missing joints (`fill_missing`).

    Raises
    ------
    ValueError
        If no person is left.
    """
    skeleton = annotations.skeleton
    joints = np.where(annotations.visibility[..., None] > 0, annotations.joints, np.nan).astype(float)
    known = np.isfinite(joints).all(axis=2)
    hips = joints[:, [skeleton.index("r_hip"), skeleton.index("l_hip")]].mean(axis=1)
    centre = np.where(np.isfinite(hips), hips, joints[:, skeleton.index("pelvis")])
    columns = ["head_x1", "head_y1", "head_x2", "head_y2", "scale"]
    x1, y1, x2, y2, scale = annotations.people[columns].to_numpy(dtype=float, na_value=np.nan).T
    size = 0.6 * np.hypot(x2 - x1, y2 - y1)
    size = np.where(np.isfinite(size), size, HEAD_AT_SCALE_1 * scale)
    kept = np.flatnonzero((known.sum(axis=1) >= least) & np.isfinite(centre).all(axis=1) & (size > 0))
    if len(kept) < 2:
        raise ValueError(
            f"normalise_poses: {len(kept)} persons have {least} joints, hips and a size; at least 2 are needed"
        )
    moved = (joints[kept] - centre[kept, None]) / size[kept, None, None]
    filled = fill_missing(moved.reshape(len(kept), -1), components=components).reshape(moved.shape)
    return Poses(filled, known[kept], kept, size[kept], skeleton)


def fill_missing(table: Array, *, components: int = 8, rounds: int = 50, tolerance: float = 1e-6) -> Array:
    """Fill NaN by what the leading principal components of the rows say, again and again until nothing moves.

    Start from the column means; fit PCA; replace only the missing entries by their reconstruction; repeat. With
    `components=0` the column means stay.

    Parameters
    ----------
    table
        (N, D) with NaN where unknown; every column has to be known somewhere.
    components
        How many components the reconstruction uses.
    rounds, tolerance
        Stop after so many rounds, or when no filled entry moves by more than `tolerance`.

    Source: Ilin and Raiko (2010), "Practical Approaches to Principal Component Analysis in the Presence of Missing
    Values", JMLR 11, section 2.2 (the imputation algorithm).
    """
    missing = ~np.isfinite(table)
    filled = np.where(missing, np.nanmean(table, axis=0), table)
    if components == 0 or not missing.any():
        return filled
    for _ in range(rounds):
        mean = filled.mean(axis=0)
        centred = filled - mean
        axes = np.linalg.eigh(centred.T @ centred)[1][:, -components:]
        guess = ((centred @ axes) @ axes.T + mean)[missing]
        step = float(np.abs(filled[missing] - guess).max())
        filled[missing] = guess
        if step < tolerance:
            break
    return filled


def parallel_analysis(table: Array, rng: np.random.Generator, *, rounds: int = 20, quantile: float = 0.95) -> Array:
    """Variances of principal components where nothing hangs together: each column shuffled by itself.

    Returns
    -------
    (D,) the `quantile` over `rounds` shuffles of the k-th largest variance. A component of the real table that exceeds
    its entry says more than the spread of single columns does.

    Source: Horn (1965); by permutation as in Buja and Eyuboglu (1992).
    """
    variances = []
    for _ in range(rounds):
        shuffled = rng.permuted(table, axis=0)
        variances.append(np.linalg.eigvalsh(np.cov(shuffled.T))[::-1])
    return np.quantile(variances, quantile, axis=0)


def component_stability(table: Array, rng: np.random.Generator, *, components: int = 10, rounds: int = 10) -> Array:
    """How well two random halves of the rows agree on each principal component.

    Returns
    -------
    (rounds, components) absolute cosine between the k-th components of both halves: 1 is the same direction.
    """
    agreement = np.empty((rounds, components))
    for number in range(rounds):
        order = rng.permutation(len(table))
        halves = np.array_split(order, 2)
        first, second = (np.linalg.eigh(np.cov(table[half].T))[1][:, ::-1][:, :components] for half in halves)
        agreement[number] = np.abs((first * second).sum(axis=0))
    return agreement


def cluster_stability(table: Array, clusters: int, rng: np.random.Generator, *, rounds: int = 5) -> Array:
    """How far two K-means clusterings, fitted on two random halves, agree on the rows of both.

    Returns
    -------
    (rounds,) adjusted Rand indices: 1 is the same partition, 0 what chance gives.

    Source: Ben-Hur, Elisseeff and Guyon (2002), "A stability based method for discovering structure in clustered data".
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from threadpoolctl import threadpool_limits

    scores = []
    with threadpool_limits(limits=1):  # on small tables and a busy machine, threads wait longer than they work
        for _ in range(rounds):
            labels = []
            for half in np.array_split(rng.permutation(len(table)), 2):
                means = KMeans(clusters, n_init=3, random_state=int(rng.integers(2**31)))
                labels.append(means.fit(table[half]).predict(table))
            scores.append(adjusted_rand_score(*labels))
    return np.array(scores)
