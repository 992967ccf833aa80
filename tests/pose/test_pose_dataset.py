"""Batches of a PoseDataset: heatmaps that follow the changed images, the same for the same seed and epoch."""

import numpy as np
import pytest

from mpii_lib.errors import DatasetError, MpiiError
from mpii_lib.pose import PoseAugmentation, PoseDataset, person_crops
from mpii_lib.skeletons import MPII


def dataset(people, **options):
    crops = person_crops(people, size=64, crop="thesis")
    return PoseDataset(crops, 32, 2, **{"batch_size": 3, **options})


def test_a_batch_has_a_heatmap_and_a_weight_for_each_stack(people):
    made = dataset(people)
    images, heatmaps, weights = made[0]
    assert len(made) == 1 and images.shape == (3, 64, 64, 3) and len(heatmaps) == len(weights) == 2
    assert heatmaps[0].shape == (3, 32, 32, 16) and weights[0].shape == (3, 16)
    assert weights[0][1, 3] == 0 and heatmaps[0][1, :, :, 3].max() == 0
    row, column = divmod(int(heatmaps[0][0, :, :, 5].argmax()), 32)
    assert np.abs((np.array([column, row]) + 0.5) * 2 - 0.5 - made.crops.joints[0, 5]).max() <= 1


def test_a_last_smaller_batch_stays_unless_it_is_dropped(people):
    made = dataset(people, batch_size=2)
    assert len(made) == 2 and len(made[1][0]) == 1
    assert len(dataset(people, batch_size=2, drop_remainder=True)) == 1
    assert len(dataset(people, batch_size=3, drop_remainder=True)) == 1


def test_a_mirrored_person_has_swapped_sides(people):
    made = dataset(people, augment=PoseAugmentation(scale=0, rotation=0, flip=1, colour=0))
    images, heatmaps, _ = made[0]
    np.testing.assert_array_equal(images[0], made.crops.images[0][:, ::-1])
    _, plain, _ = dataset(people)[0]
    left, right = MPII.index("l_wrist"), MPII.index("r_wrist")
    np.testing.assert_allclose(heatmaps[0][0, :, :, left], plain[0][0, :, ::-1, right], atol=1e-5)
    np.testing.assert_allclose(heatmaps[0][0, :, :, 6], plain[0][0, :, ::-1, 6], atol=1e-5)  # the pelvis has no side
    assert np.abs(heatmaps[0][0, :, :, left] - plain[0][0, :, ::-1, left]).max() > 0.5


@pytest.mark.parametrize("size", [64, 48])
def test_changed_joints_stay_on_their_spots(people, size):
    strong = PoseAugmentation(scale=0.25, rotation=40, rotated=1, shift=0.1, colour=0)
    made = dataset(people, augment=strong, size=size)
    found = 0
    for made.epoch in range(3):
        images, heatmaps, weights = made[0]
        for person, joint in zip(*np.nonzero(weights[0]), strict=True):
            cell = np.array(divmod(int(heatmaps[0][person, :, :, joint].argmax()), 32))
            row, column = ((cell + 0.5) * size / 32 - 0.5).round().astype(int)
            if 3 <= row < size - 3 and 3 <= column < size - 3:
                assert images[person, row - 2 : row + 3, column - 2 : column + 3].max() > 150
                found += 1
    assert found > 50


def test_a_batch_follows_seed_epoch_and_its_number_alone(people):
    options = {"shuffle": True, "augment": PoseAugmentation(), "seed": 3, "batch_size": 1}
    one, two = dataset(people, **options), dataset(people, **options)
    one.epoch = two.epoch = 4
    later = one[2]
    for number in range(3):
        for a, b in zip(one[number], two[number], strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one[2][0], later[0])
    two.epoch = 5
    assert not np.array_equal(one[0][0], two[0][0]) and not np.array_equal(one[0][0], one[1][0])
    assert one.fingerprint == two.fingerprint != dataset(people, **{**options, "seed": 4}).fingerprint


def test_each_epoch_has_every_person_once(people):
    made = dataset(people, shuffle=True, batch_size=1)
    made.crops.images[:] = np.arange(3)[:, None, None, None]
    orders = set()
    for made.epoch in range(6):
        orders.add(tuple(int(made[number][0].max()) for number in range(3)))
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2)} and len(orders) > 1


def test_what_cannot_be_batched_is_said(people):
    with pytest.raises(MpiiError, match="batch_size is 0"):
        dataset(people, batch_size=0)
    with pytest.raises(DatasetError, match="no crops"):
        PoseDataset(person_crops(people, size=64)[:0], 32)


def test_the_augmentation_of_the_paper_stays_in_its_limits():
    matrices, gains = PoseAugmentation().draw(4000, 64, np.random.default_rng(0))
    determinant = np.linalg.det(matrices[:, :2, :2])
    factor = np.sqrt(np.abs(determinant))
    assert 2**-0.5 - 1e-9 <= factor.min() < 0.72 and 1.4 < factor.max() <= 2**0.5 + 1e-9
    angle = np.degrees(np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1]))
    assert np.abs(angle).max() <= 60 + 1e-6 and 0.57 < (np.abs(angle) < 1e-9).mean() < 0.63
    assert 0.47 < (determinant < 0).mean() < 0.53
    np.testing.assert_allclose(matrices @ [31.5, 31.5, 1], np.tile([31.5, 31.5, 1], (4000, 1)), atol=1e-9)
    assert gains.shape == (4000, 3) and 0.09 < np.log(gains).mean(axis=1).std() < 0.12
    with pytest.raises(MpiiError, match="flip is 2"):
        PoseAugmentation(flip=2)
