"""Persons as square crops: joints lie where the picture has them, the way back is exact, bad files are left out."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.errors import DatasetError
from mpii_lib.pose import PoseAugmentation, PoseBatches, join_crops, pckh, person_crops
from mpii_lib.skeletons import MPII

# Right joints lie on one side of the picture, left ones on the other, and each has a colour of its own.
JOINTS = np.stack([np.linspace(30, 130, 16), 40 + 7 * (np.arange(16) % 8)], axis=1).round()


def dotted(path, joints):
    """A dark picture with a bright 5 x 5 spot at each joint."""
    pixels = np.full((120, 160, 3), 20, np.uint8)
    for x, y in joints.astype(int):
        pixels[y - 2 : y + 3, x - 2 : x + 3] = 250
    Image.fromarray(pixels).save(path)


@pytest.fixture
def people(tmp_path):
    """Three pictures, the second with two persons, the third broken."""
    for number in range(2):
        dotted(tmp_path / f"{number}.png", JOINTS)
    (tmp_path / "2.png").write_bytes(b"nothing")
    images = pd.DataFrame({"file_name": ["0.png", "1.png", "2.png"]}, index=[10, 11, 12])
    owners = [10, 11, 11, 12]
    table = pd.DataFrame({"image_id": owners}, index=[1, 2, 3, 4])
    table["head_x1"], table["head_y1"], table["head_x2"], table["head_y2"] = 0.0, 0.0, 30.0, 40.0
    table["scale"], table["center_x"], table["center_y"] = 0.5, 80.0, 60.0
    visibility = np.full((4, 16), 2, np.int8)
    visibility[1, 3] = 0
    joints = np.where(visibility[..., None] > 0, np.tile(JOINTS, (4, 1, 1)), np.nan).astype(np.float32)
    return Annotations(images, table, joints, visibility, MPII, tmp_path)


@pytest.mark.parametrize("crop", ["mpii", "thesis"])
def test_joints_lie_on_their_spots_and_lead_back_to_the_picture(people, crop):
    crops = person_crops(people, size=100, crop=crop)
    assert crops.pictures.shape == (3, 100, 100, 3) and crops.pictures.dtype == np.uint8
    inside = ((crops.joints > 2) & (crops.joints < 97)).all(axis=2)
    assert inside.sum() > 30
    for person, joint in zip(*np.nonzero(inside), strict=True):
        x, y = crops.joints[person, joint].round().astype(int)
        assert crops.pictures[person, y, x].min() > 200
    back = crops.image_joints[0]
    assert np.abs(back - JOINTS).max() < 0.01


def test_a_joint_without_annotation_is_nan_and_a_broken_picture_is_listed(people):
    crops = person_crops(people, size=32)
    assert crops.person_ids.tolist() == [1, 2, 3] and crops.image_ids.tolist() == [10, 11, 11]
    assert np.isnan(crops.joints[1, 3]).all() and np.isfinite(crops.joints[0]).all()
    assert [path.rsplit("/")[-1] for path, _ in crops.skipped] == ["2.png"]
    assert "1 pictures could not be read" in repr(crops)


def test_pckh_is_the_same_in_crop_and_picture(people):
    crops = person_crops(people, size=40, crop="thesis")
    assert crops.head_size.tolist() == [30.0] * 3
    moved = crops.joints + np.linspace(0, 12, 16)[None, :, None]
    there = pckh(moved, crops.joints, crops.head_size_crop).total
    assert there == pckh(crops.to_image(moved), crops.image_joints, crops.head_size).total and 0.1 < there < 0.9


def test_the_cache_is_written_once_and_noticed_when_the_pictures_change(people, tmp_path):
    cache = tmp_path / "cache"
    first = person_crops(people, size=24, cache=cache)
    again = person_crops(people, size=24, cache=cache)
    assert isinstance(again.pictures, np.memmap) and again.skipped == first.skipped
    plain = person_crops(people, size=24)
    np.testing.assert_array_equal(again.pictures, plain.pictures)
    np.testing.assert_array_equal(again.joints, plain.joints)
    assert len(list(cache.glob("*.npy"))) == 1
    dotted(tmp_path / "2.png", JOINTS)
    assert len(person_crops(people, size=24, cache=cache)) == 4


def test_a_broken_cache_is_made_again(people, tmp_path):
    person_crops(people, size=24, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"broken")
    assert len(person_crops(people, size=24, cache=tmp_path / "cache")) == 3


def test_crops_are_joined_and_taken_apart(people):
    crops = person_crops(people, size=24)
    again = join_crops(crops[:1], crops[np.array([False, True, True])])
    np.testing.assert_array_equal(again.pictures, crops.pictures)
    np.testing.assert_array_equal(again.joints, crops.joints)
    assert again.fingerprint == crops.fingerprint != crops[:2].fingerprint
    with pytest.raises(DatasetError, match="2 kinds"):
        join_crops(crops, person_crops(people, size=25))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"crop": "round"}, "round"),
        ({"size": 0}, "size=0"),
        ({"person_ids": []}, "no person_ids"),
        ({"person_ids": [99]}, "99"),
        ({"person_ids": [4]}, "none of the 1 pictures can be read"),
    ],
)
def test_what_cannot_be_cropped_is_said(people, arguments, words):
    with pytest.raises(DatasetError, match=words):
        person_crops(people, **arguments)


def test_a_person_without_scale_needs_the_other_crop(people):
    table = people.people.assign(scale=np.nan)
    coco_like = Annotations(people.images, table, people.joints, people.visibility, MPII, people.folder)
    with pytest.raises(DatasetError, match='use crop="thesis"'):
        person_crops(coco_like)
    assert len(person_crops(coco_like, crop="thesis")) == 3


def batches(people, **settings):
    crops = person_crops(people, size=64, crop="thesis")
    return crops, PoseBatches(crops, 32, 2, batch=3, **settings)


def test_a_batch_has_a_heatmap_and_a_weight_for_each_output(people):
    crops, made = batches(people)
    pictures, maps, weights = made.example()
    assert pictures.shape == (3, 64, 64, 3) and len(maps) == len(weights) == 2
    assert maps[0].shape == (3, 32, 32, 16) and weights[0].shape == (3, 16)
    assert weights[0][1, 3] == 0 and maps[0][1, :, :, 3].max() == 0
    row, column = divmod(int(maps[0][0, :, :, 5].argmax()), 32)
    assert np.abs((np.array([column, row]) + 0.5) * 2 - 0.5 - crops.joints[0, 5]).max() <= 1


def test_a_mirrored_person_has_swapped_sides(people):
    crops, made = batches(people, augment=PoseAugmentation(scale=0, rotation=0, flip=1, colour=0))
    pictures, maps, _ = made.example()
    np.testing.assert_array_equal(pictures[0], crops.pictures[0][:, ::-1])
    _, plain, _ = batches(people)[1].example()
    left, right = MPII.index("l_wrist"), MPII.index("r_wrist")
    np.testing.assert_allclose(maps[0][0, :, :, left], plain[0][0, :, ::-1, right], atol=1e-5)
    np.testing.assert_allclose(maps[0][0, :, :, 6], plain[0][0, :, ::-1, 6], atol=1e-5)  # the pelvis has no side
    assert np.abs(maps[0][0, :, :, left] - plain[0][0, :, ::-1, left]).max() > 0.5


def test_changed_joints_stay_on_their_spots(people):
    strong = PoseAugmentation(scale=0.25, rotation=40, rotated=1, shift=0.1, colour=0)
    _, made = batches(people, augment=strong)
    for epoch in range(3):
        pictures, maps, weights = made.example(epoch)
        for person, joint in zip(*np.nonzero(weights[0]), strict=True):
            row, column = divmod(int(maps[0][person, :, :, joint].argmax()), 32)
            if 2 <= row < 30 and 2 <= column < 30:
                spot = pictures[person, 2 * row - 1 : 2 * row + 3, 2 * column - 1 : 2 * column + 3]
                assert spot.max() > 150


def test_batches_follow_seed_and_epoch_alone(people):
    settings = {"shuffle": True, "augment": PoseAugmentation(), "seed": 3}
    one, two = batches(people, **settings)[1], batches(people, **settings)[1]
    for a, b in zip(one.epoch(4)[0], two.epoch(4)[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.example(4)[0], one.example(5)[0])
    assert one.fingerprint == two.fingerprint != batches(people, **{**settings, "seed": 4})[1].fingerprint


def test_a_picture_of_nobody_has_empty_heatmaps_that_count(people):
    _, made = batches(people, background=np.zeros((2, 80, 80, 3), np.uint8))
    assert len(made) == 5 and made.batches_per_epoch == 2
    pictures, maps, weights = made.example(0, 1)
    assert pictures.shape == (2, 64, 64, 3) and maps[0].max() == 0 and weights[0].min() == 1


def test_the_augmentation_of_the_paper_stays_in_its_limits():
    drawn = PoseAugmentation().draw(4000, 64, np.random.default_rng(0))
    factor = np.sqrt(np.abs(np.linalg.det(drawn.matrices[:, :2, :2])))
    assert 2**-0.5 - 1e-9 <= factor.min() < 0.72 and 1.4 < factor.max() <= 2**0.5 + 1e-9
    angle = np.degrees(np.arctan2(-drawn.matrices[:, 0, 1], drawn.matrices[:, 1, 1]))
    assert np.abs(angle).max() <= 60 + 1e-6 and 0.57 < (np.abs(angle) < 1e-9).mean() < 0.63
    assert 0.47 < drawn.mirrored.mean() < 0.53
    np.testing.assert_allclose(drawn.matrices @ [31.5, 31.5, 1], np.tile([31.5, 31.5, 1], (4000, 1)), atol=1e-9)
    with pytest.raises(DatasetError, match="flip=2"):
        PoseAugmentation(flip=2)
