"""Squares around persons, and the matrices between image and crop."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpii_lib.datasets import Augmentation
from mpii_lib.errors import AnnotationError, MpiiError
from mpii_lib.pose import apply_matrix, centre_crop, crop_image, crop_matrix, square_crop, square_crops

PIXEL = st.floats(0, 600)
SIZE = (480, 640)


def people():
    """A box and five joints (x, y, visibility)."""
    box = st.tuples(PIXEL, PIXEL, st.floats(1.5, 700), st.floats(1.5, 700))
    return st.tuples(box, st.lists(st.tuples(PIXEL, PIXEL, st.integers(0, 2)), min_size=5, max_size=5))


def square_of(box, marks, size=SIZE, margin=0.1):
    points = np.array(marks)
    return square_crop(box, points[:, :2], points[:, 2], size, margin)


def test_the_thesis_recipe_step_by_step():
    box = (100, 100, 60, 200)  # longer side 200, ten per cent more is 220
    square = square_of(box, [(120, 140, 2), (180, 260, 1), (500, 20, 0)])
    assert square.side == pytest.approx(220)
    assert square.x + square.side / 2 == pytest.approx(150.5)  # between the outermost joints, edges half a pixel off
    assert square.y + square.side / 2 == pytest.approx(200.5)


def test_a_square_that_reaches_out_moves_up_or_down_and_stays_centred_along_x():
    square = square_of((250, 300, 60, 170), [(270, 320, 2), (290, 460, 2)])
    assert square.y + square.side == pytest.approx(480)
    assert square.x + square.side / 2 == pytest.approx(280.5)


def test_a_square_at_the_side_moves_along_x_only_as_far_as_it_has_to():
    square = square_of((0, 100, 60, 200), [(5, 120, 2), (40, 280, 2)])
    assert square.x == 0
    assert square.y + square.side / 2 == pytest.approx(200.5)


def test_a_square_grows_as_much_as_the_image_allows():
    assert square_of((10, 5, 300, 450), [(50, 20, 2), (200, 400, 2)]).side == pytest.approx(480)  # not 495


def test_without_joints_the_box_is_the_middle_and_without_a_box_the_joints_are():
    empty = square_of((100, 100, 60, 200), [(1, 1, 0)])
    assert empty.x + empty.side / 2 == pytest.approx(130)
    unboxed = square_of((np.nan,) * 4, [(100, 100, 2), (140, 200, 2)])
    assert unboxed.side == pytest.approx(110)


def test_neither_box_nor_joint_and_no_image_are_errors():
    with pytest.raises(AnnotationError, match="position 0 has neither a box nor two joints"):
        square_of((np.nan,) * 4, [(1, 1, 0)])
    with pytest.raises(AnnotationError, match="neither a box nor two joints"):
        square_of((np.nan,) * 4, [(100, 100, 2), (300, 200, 0)])  # one joint has no extent
    with pytest.raises(AnnotationError, match="height and width"):
        square_of((0, 0, 5, 5), [(1, 1, 2)], size=(0, 10))


@pytest.mark.parametrize(
    "box",
    [(100, 100, 0, 0), (100, 100, 0, 90), (100, 100, -5, 60), (100, 100, 1, 1), (0, 0, 1e30, 9), (0, np.inf, 9, 9)],
)
def test_a_box_without_an_extent_is_no_box(box):
    marks = [(100, 100, 2), (140, 200, 1), (1e30, 0, 2), (np.inf, 9, 2)]  # no image holds the last two
    assert square_of(box, marks) == square_of((np.nan,) * 4, marks[:2])


@given(people())
def test_a_square_lies_in_the_image_and_is_at_least_as_large_as_box_or_image_allow(person):
    square = square_of(*person)
    assert min(square.x, square.y) >= -1e-9
    assert square.x + square.side <= SIZE[1] + 1e-9 and square.y + square.side <= SIZE[0] + 1e-9
    assert square.side == pytest.approx(min(1.1 * max(person[0][2:]), *SIZE))


@given(people())
def test_the_middle_of_the_joints_is_the_middle_unless_the_border_is_in_the_way(person):
    square = square_of(*person)
    seen = np.array([mark[:2] for mark in person[1] if mark[2]])
    if not len(seen):
        return
    middle = (seen.min(axis=0) + seen.max(axis=0)) / 2 + 0.5
    for axis, limit in ((0, SIZE[1]), (1, SIZE[0])):
        free = middle[axis] - square.side / 2 > 0 and middle[axis] + square.side / 2 < limit
        at_border = square[axis] == pytest.approx(0, abs=1e-9) or square[axis] + square.side == pytest.approx(limit)
        assert at_border or square[axis] + square.side / 2 == pytest.approx(middle[axis])
        assert at_border or free


def test_many_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(0)
    boxes = np.column_stack([rng.uniform(0, 400, (50, 2)), rng.uniform(5, 500, (50, 2))])
    joints, visibility = rng.uniform(0, 480, (50, 17, 2)), rng.integers(0, 3, (50, 17))
    sizes = rng.integers(300, 900, (50, 2))
    together = square_crops(boxes, joints, visibility, sizes)
    single = [square_crop(*person) for person in zip(boxes, joints, visibility, sizes.tolist(), strict=True)]
    np.testing.assert_allclose(together, single)


def test_centre_and_scale_count_in_200_pixels():
    plain = centre_crop((300, 200), 1.5, margin=1, shift=0)
    assert plain == pytest.approx((150.5, 50.5, 300))
    community = centre_crop((300, 200), 1.5)
    assert community.side == pytest.approx(375)
    assert community.y + community.side / 2 == pytest.approx(200.5 + 15 * 1.5)
    beyond = [((300, 200), scale) for scale in (0, -1, np.nan, np.inf, 1e9, 1e308)]
    for center, scale in (((300, np.nan), 1), ((1e30, 3), 1), ((300, 200, 1), 1), ((300, 200), [1, 2]), *beyond):
        with pytest.raises(MpiiError, match="centre_crop"):
            centre_crop(center, scale)


def test_pixel_centres_go_where_the_edges_say():
    matrix = crop_matrix((100, 50, 512), 256)
    corners = np.array([[99.5, 49.5], [611.5, 561.5]])
    np.testing.assert_allclose(apply_matrix(matrix, corners), [[-0.5, -0.5], [255.5, 255.5]])
    np.testing.assert_allclose(crop_matrix((0, 0, 256), 256), np.eye(3))
    with pytest.raises(AnnotationError, match="positive"):
        crop_matrix((0, 0, 0), 256)


@settings(deadline=None)
@given(people(), st.integers(16, 512), st.integers(0, 2**31))
def test_the_round_trip_stays_below_a_hundredth_of_a_pixel(person, size, seed):
    changes = Augmentation(rotation=60, zoom=0.5, shear=20, flip=True)
    matrix = changes.matrices(1, (size, size), np.random.default_rng(seed))[0] @ crop_matrix(square_of(*person), size)
    joints = np.array([mark[:2] for mark in person[1]])
    back = apply_matrix(matrix, apply_matrix(matrix, joints), inverse=True)
    assert np.abs(back - joints).max() < 0.01


@given(PIXEL, PIXEL, st.floats(0.1, 5), st.integers(16, 512))
def test_the_round_trip_holds_for_centre_and_scale_in_float32_too(x, y, scale, size):
    matrix = crop_matrix(centre_crop((x, y), scale), size)
    joints = np.random.default_rng(0).uniform(0, 600, (16, 2))
    crop = apply_matrix(matrix, joints).astype(np.float32)
    assert np.abs(apply_matrix(matrix, crop, inverse=True) - joints).max() < 0.01


def test_matrices_of_many_persons_move_their_own_joints_and_keep_nan():
    squares = np.array([[0, 0, 100], [50, 20, 200.0]])
    joints = np.array([[[10, 10], [np.nan, np.nan]], [[60, 30], [70, 40.0]]])
    moved = apply_matrix(crop_matrix(squares, 50), joints)
    for person in range(2):
        np.testing.assert_allclose(moved[person], apply_matrix(crop_matrix(squares[person], 50), joints[person]))
    assert np.isnan(moved[0, 1]).all() and np.isfinite(moved[1]).all()


def test_shrinking_averages_and_does_not_skip():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 200
    crop = crop_image(stripes, crop_matrix((0, 0, 512), 64), 64)
    assert set(np.unique(crop)) == {100}
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    ours = crop_image(noise, crop_matrix((0, 0, 512), 128), 128)
    assert np.abs(ours.astype(int) - cv2.resize(noise, (128, 128), interpolation=cv2.INTER_AREA)).max() <= 1


@pytest.mark.parametrize("side", [40, 100, 333])
def test_a_mark_in_the_image_lies_where_its_joint_lies_in_the_crop(side):
    y, x = np.mgrid[:300, :400]
    joint = np.array([210.0, 120.0])
    blob = 255 * np.exp(-((x - joint[0]) ** 2 + (y - joint[1]) ** 2) / (2 * 6**2))
    turned = Augmentation(rotation=30, flip=True).matrices(1, (128, 128), np.random.default_rng(3))[0]
    matrix = turned @ crop_matrix((joint[0] - side / 2 + 3, joint[1] - side / 2, side), 128)
    crop = crop_image(blob.astype(np.uint8), matrix, 128).astype(float)
    weight = crop / crop.sum()
    rows, columns = np.mgrid[:128, :128]
    found = [(columns * weight).sum(), (rows * weight).sum()]
    assert np.abs(found - apply_matrix(matrix, joint[None])[0]).max() < 0.6


def test_beyond_the_image_it_is_black_and_the_images_own_edge_stays_bright():
    white = np.full((50, 50), 200, np.uint8)
    matrix = crop_matrix((-25, -25, 100), 200)
    black = crop_image(white, matrix, 200)
    assert (black[:45] == 0).all() and black[50:150, 50:150].min() == 200
    assert crop_image(white, crop_matrix((0, 0, 50), 200), 200).min() == 200
    with pytest.raises(AnnotationError, match="flat"):
        crop_image(white, np.zeros((3, 3)), 200)


@pytest.mark.parametrize("side", [4_000, 20_000, 60_000])
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.1, 0.9), (1.2, 0.5)])
def test_a_square_far_larger_than_the_image_costs_no_more_than_the_image(side, place):
    image = np.full((300, 400, 3), 200, np.uint8)
    image[:, 200:] = 100
    square = (200 - side * place[0], 150 - side * place[1], side)
    start = time.process_time()
    crop = crop_image(image, crop_matrix(square, 64), 64).astype(float)
    assert time.process_time() - start < 0.5
    whole = image.astype(float).sum() * (64 / side) ** 2 * (place[0] < 1)  # the light of the image, spread thinly
    assert crop.sum() == pytest.approx(whole, rel=0.1, abs=20)


def test_what_a_large_square_shows_is_the_mean_of_what_each_pixel_covers():
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    canvas = np.zeros((3200, 3200, 3), np.uint8)
    canvas[1000:1300, 1550:1950] = noise
    expected = cv2.resize(canvas, (64, 64), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(crop_image(noise, crop_matrix((-1550, -1000, 3200), 64), 64) - expected).max() <= 3


def test_squares_of_the_real_coco_persons_hold_their_joints(shared_data):
    from mpii_lib.annotations import read_coco

    inside = []
    for split in ("train", "val"):
        coco = read_coco(shared_data / "coco", split=split, cache=False)
        kept = coco.where(people=~coco.people.iscrowd.to_numpy(bool) & coco.with_joints)
        sizes = kept.images.loc[kept.people.image_id, ["height", "width"]].to_numpy(float)
        boxes = kept.people[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy()
        squares = square_crops(boxes, kept.joints, kept.visibility, sizes)
        crop = apply_matrix(crop_matrix(squares, 256), kept.joints)
        inside.append(((crop > -0.5) & (crop < 255.5)).all(axis=2)[kept.visibility > 0])
    assert len(np.concatenate(inside)) > 1000
    assert np.concatenate(inside).mean() > 0.98
