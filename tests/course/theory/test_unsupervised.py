"""Poses are normalised to one place and size, gaps are filled in sensibly, and the null models find nothing."""

import numpy as np
import pandas as pd
import pytest

from mpii_course.theory import unsupervised
from mpii_lib.annotations import Annotations
from mpii_lib.skeletons import MPII

HIPS = [MPII.index("r_hip"), MPII.index("l_hip")]


def people(count=30, seed=0, hidden=()):
    """Bodies that lean and spread, at random places and sizes, with head rectangles that fit their size."""
    rng = np.random.default_rng(seed)
    body = rng.normal(size=(16, 2)) + rng.normal(size=(count, 1, 1)) * rng.normal(size=(16, 2))
    body = body + 0.01 * rng.normal(size=body.shape)
    size = rng.uniform(20, 60, count)
    joints = (body * size[:, None, None] + rng.uniform(100, 900, (count, 1, 2))).astype(np.float32)
    side = size / 0.6 / np.sqrt(2)
    images = pd.DataFrame({"file_name": [f"{i}.jpg" for i in range(count)]}, index=range(count))
    table = pd.DataFrame({
        "image_id": range(count), "person_index": 0, "head_x1": 0.0, "head_y1": 0.0, "head_x2": side, "head_y2": side,
        "scale": size / 25,
    })  # fmt: skip
    visibility = np.full((count, 16), 2, np.int8)
    for person, joint in hidden:
        visibility[person, joint] = 0
    joints[visibility == 0] = np.nan
    return Annotations(images, table, joints, visibility, MPII), body


def test_hip_centre_is_the_origin_and_lengths_are_head_sizes():
    annotations, body = people()
    poses = unsupervised.normalise_poses(annotations)
    assert len(poses) == 30
    np.testing.assert_allclose(poses.joints[:, HIPS].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(poses.joints, body - body[:, HIPS].mean(axis=1, keepdims=True), atol=1e-4)


def test_scale_replaces_a_missing_head_rectangle():
    annotations, body = people()
    annotations.people.loc[10:, ["head_x1", "head_y1", "head_x2", "head_y2"]] = np.nan
    poses = unsupervised.normalise_poses(annotations)
    assert len(poses) == 30
    np.testing.assert_allclose(poses.joints, body - body[:, HIPS].mean(axis=1, keepdims=True), atol=1e-4)


def test_persons_with_too_few_joints_are_left_out_and_the_rest_has_no_gaps():
    annotations, _ = people(hidden=[(0, slice(4)), (1, 15)])
    poses = unsupervised.normalise_poses(annotations)
    assert 0 not in poses.people and 1 in poses.people
    assert not poses.known[list(poses.people).index(1), 15]
    assert np.isfinite(poses.joints).all()


def test_nobody_left_is_said_in_one_line():
    annotations, _ = people(3, hidden=[(slice(None), slice(3, 16))])
    with pytest.raises(ValueError, match="normalise_poses: 0 persons"):
        unsupervised.normalise_poses(annotations)


def test_filling_by_components_beats_the_column_mean_and_keeps_what_is_known():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 12)) + 0.05 * rng.normal(size=(200, 12))
    holes = np.where(rng.random(table.shape) < 0.05, np.nan, table)
    missing = np.isnan(holes)
    filled = unsupervised.fill_missing(holes, components=3)
    mean = unsupervised.fill_missing(holes, components=0)
    np.testing.assert_array_equal(filled[~missing], table[~missing])
    assert np.abs(filled - table)[missing].mean() < 0.2 * np.abs(mean - table)[missing].mean()


def test_parallel_analysis_counts_the_components_that_were_put_in():
    rng = np.random.default_rng(2)
    table = 3 * rng.normal(size=(300, 2)) @ np.linalg.qr(rng.normal(size=(10, 2)))[0].T + rng.normal(size=(300, 10))
    variances = np.linalg.eigvalsh(np.cov(table.T))[::-1]
    assert (variances > unsupervised.parallel_analysis(table, rng)).argmin() == 2
    noise = rng.normal(size=(300, 10))
    above = np.linalg.eigvalsh(np.cov(noise.T))[::-1] > unsupervised.parallel_analysis(noise, rng)
    assert above.argmin() <= 1


def test_stability_is_high_for_what_is_there_and_low_for_what_is_not():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(400, 6)) * [9, 4, 1, 1, 1, 1]
    agreement = unsupervised.component_stability(table, rng, components=4).mean(axis=0)
    assert agreement[0] > 0.98 and agreement[1] > 0.95 and agreement[3] < 0.9
    blobs = np.concatenate([rng.normal(c, 0.3, (50, 2)) for c in (0, 4, 9)])
    cloud = rng.normal(size=(150, 2))
    assert unsupervised.cluster_stability(blobs, 3, rng).min() > 0.95
    assert unsupervised.cluster_stability(cloud, 6, rng).mean() < 0.8
