"""What is drawn: poses and their mirror images, hidden joints, classes and their proportions, repeatability."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from mpii_course.sample import ACTIVITIES, CATEGORIES, render_classification
from mpii_course.sample.activities import ACTIVITY_TABLE, CATEGORY_SIZES, POSES, largest_remainder, share_videos
from mpii_course.sample.canvas import Camera
from mpii_course.sample.figure import pose_body
from mpii_course.sample.props import build_prop
from mpii_course.sample.render import VideoRenderer
from mpii_course.sample.scene import SCENES
from mpii_course.sample.video import random_video
from mpii_lib.skeletons import MPII

SIZE = (240, 180)
RIGHT_KNEE, RIGHT_ELBOW, LEFT_ELBOW = MPII.index("r_knee"), MPII.index("r_elbow"), MPII.index("l_elbow")


def activity(name):
    return next(a for a in ACTIVITY_TABLE if a.name.startswith(name))


def video_of(name, seed=0):
    return random_video(activity(name), np.random.SeedSequence([seed, 17]))


def alone(video, yaw=0.0, pose="stand", **changes):
    """The video with its first actor only, standing still at a known yaw in the middle of the image."""
    actor = replace(video.actors[0], activity=replace(video.activity, poses=(pose, pose), prop="none", lift=0), lead=1)
    still = {"x": 0.667, "y": 0.76, "scale": 0.55, "yaw": yaw, "swing": 0.0, "turn": 0.0, "offset": np.zeros(16)}
    actor = replace(actor, **{**still, **changes}, look=replace(actor.look, height=1.0, build=1.0, legs="trousers"))
    return replace(video, actors=(actor,), crowd=False, scene="street", horizon=0.4, pitch=5.0)


@pytest.mark.parametrize("index", range(0, len(ACTIVITY_TABLE), 6))
def test_the_mirror_image_of_a_render_is_the_render_of_the_mirrored_scene_with_left_and_right_swapped(index):
    video = random_video(ACTIVITY_TABLE[index], np.random.SeedSequence([3, index]))
    plain, mirrored = (VideoRenderer(v, SIZE).frame(2) for v in (video, video.mirrored(4 / 3)))
    difference = np.abs(plain.image[:, ::-1].astype(int) - mirrored.image)
    assert difference.mean() < 2.0
    swapped_only_by_name = np.abs(plain.image.astype(int) - mirrored.image)
    assert difference.mean() < 0.2 * swapped_only_by_name.mean()
    for person, twin in zip(plain.people, mirrored.people, strict=True):
        flipped = twin.joints[MPII.flip_order] * [-1, 1] + [SIZE[0] - 1, 0]
        np.testing.assert_allclose(flipped, person.joints, atol=0.01)
        assert (twin.visible[MPII.flip_order] == person.visible).mean() > 0.9


def test_a_person_who_faces_right_hides_the_left_arm_and_one_who_faces_left_the_right_arm():
    video = video_of("walking, general")
    for yaw, seen, hidden in ((90.0, RIGHT_ELBOW, LEFT_ELBOW), (-90.0, LEFT_ELBOW, RIGHT_ELBOW)):
        person = VideoRenderer(alone(video, yaw), SIZE).frame(0).people[0]
        assert person.visible[seen] and not person.visible[hidden]


def test_a_torso_that_leans_towards_the_viewer_hides_no_hip_and_one_from_the_side_hides_the_far_one():
    video = video_of("walking, general")
    leaning = VideoRenderer(alone(video, 180.0, "sail"), SIZE).frame(0).people[0]
    turned = VideoRenderer(alone(video, 90.0, "trumpet"), SIZE).frame(0).people[0]
    assert leaning.visible[[2, 3]].all()
    assert turned.visible[2] and not turned.visible[3]


def test_a_person_who_faces_the_viewer_shows_all_joints_with_the_right_side_on_the_left_of_the_image():
    person = VideoRenderer(alone(video_of("walking, general")), SIZE).frame(0).people[0]
    assert person.visible.all()
    for left, right in MPII.pairs:
        assert person.joints[right, 0] < person.joints[left, 0]
    assert (person.face_state == 2).all()


def test_another_person_in_front_hides_joints_and_does_not_lose_its_own():
    scene = alone(video_of("walking, general"))
    behind = scene.actors[0]
    front = replace(behind, x=behind.x + 0.02, y=behind.y + 0.03)
    both = VideoRenderer(replace(scene, actors=(behind, front)), SIZE).frame(0)
    assert not both.people[0].visible[[MPII.index("pelvis"), MPII.index("thorax")]].any()
    assert both.people[1].visible.all()
    assert not (both.people[0].mask & both.people[1].mask).any()


def test_a_thing_in_front_hides_joints():
    scene = alone(video_of("ironing"))
    free = VideoRenderer(scene, SIZE).frame(0).people[0]
    actor = scene.actors[0]
    car = replace(scene, actors=(replace(actor, activity=replace(actor.activity, prop="car")),))
    assert free.visible[RIGHT_KNEE]
    assert not VideoRenderer(car, SIZE).frame(0).people[0].visible[RIGHT_KNEE]


def test_joints_outside_the_image_are_not_annotated():
    person = VideoRenderer(alone(video_of("walking, general"), y=1.15), SIZE).frame(0).people[0]
    assert np.isnan(person.joints[[0, 5]]).all() and not person.visible[[0, 5]].any()
    assert np.isfinite(person.joints[MPII.index("head_top")]).all()


def test_what_is_under_water_is_hidden():
    video = video_of("water aerobics")
    person = VideoRenderer(video, SIZE).frame(0).people[-1]
    ankles = person.joints[[0, 5]]
    assert not person.visible[[0, 5]].any() and not np.isnan(person.joints[MPII.index("head_top")]).any()
    assert np.isnan(ankles).all() or person.visible[MPII.index("upper_neck")]


def test_frames_of_a_video_are_near_duplicates_and_the_pose_moves_along():
    renderer = VideoRenderer(video_of("running"), SIZE)
    frames = [renderer.frame(time) for time in range(4)]
    other = VideoRenderer(video_of("running", seed=5), SIZE).frame(0)

    def far(a, b):
        return np.abs(cv2.blur(a.image, (9, 9)).astype(int) - cv2.blur(b.image, (9, 9))).mean()

    steps = [far(a, b) for a, b in zip(frames, frames[1:], strict=False)]
    assert 0.5 < max(steps) < far(frames[0], other)
    moved = [
        np.nanmax(np.abs(a.people[0].joints - b.people[0].joints)) for a, b in zip(frames, frames[1:], strict=False)
    ]
    assert 0.5 < min(moved) and max(moved) < 0.35 * SIZE[1]


def test_limbs_keep_their_length_in_every_pose():
    knee, ankle, elbow, wrist = (MPII.index(n) for n in ("r_knee", "r_ankle", "l_elbow", "l_wrist"))
    bodies = [pose_body(pose, lead, 10.0, 0.0) for pose in POSES.values() for lead in (1, -1)]
    for a, b in ((knee, ankle), (elbow, wrist)):
        lengths = [np.linalg.norm(body.joints[a] - body.joints[b]) for body in bodies]
        assert np.ptp(lengths) < 1e-9
    assert all(body.joints[:, 2].min() > 0 for body in bodies)


def test_the_camera_puts_the_far_side_deeper_and_what_is_higher_up_higher():
    points = Camera(90.0, 0.0, 100.0, 50.0, 80.0).project([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(points, [[50, 80, 0], [150, 80, 0], [50, 80, -1], [50, -20, 0]], atol=1e-9)


def test_every_activity_names_known_places_and_poses_and_a_thing_that_is_drawn():
    body = pose_body(POSES["stand"], 1, 0.0, 0.0)
    look = video_of("running").actors[0].look
    for row in ACTIVITY_TABLE:
        assert set(row.scenes) <= set(SCENES), row.name
        assert {pose.rstrip("~") for pose in row.poses} <= set(POSES), row.name
        drawn = build_prop(row.prop, body, (90.0, 120.0, 60.0), look, 0.5)
        assert bool(drawn) == (row.prop not in ("none", "water_deep", "water_chest")), row.name


def test_the_classes_are_those_of_mpii_in_its_proportions():
    assert len(CATEGORIES) >= 12 and len(ACTIVITIES) >= 40 and len(set(ACTIVITIES)) == len(ACTIVITIES)
    assert sum("," in name for name in ACTIVITIES) >= 5
    assert {"bicycling, mountain", "skiing, downhill"} <= set(ACTIVITIES)
    assert CATEGORY_SIZES["sports"] == 3472 and CATEGORY_SIZES["bicycling"] == 518
    videos = share_videos(170)
    shares = {c: sum(a.category == c for a in videos) / 170 for c in CATEGORIES}
    total = sum(CATEGORY_SIZES.values())
    for category, size in CATEGORY_SIZES.items():
        assert shares[category] == pytest.approx(size / total, abs=0.01), category


@pytest.mark.parametrize("videos", [2, 9, 33, 82, 170])
def test_every_category_that_takes_part_has_two_videos(videos):
    chosen = share_videos(videos)
    counts = [sum(a.category == c for a in chosen) for c in CATEGORIES]
    assert sum(counts) == videos and min(c for c in counts if c) >= 2
    assert videos < 82 or min(counts) >= 2


def test_the_test_part_has_the_categories_of_the_others_in_proportion():
    counts = pd.Series([a.category for a in share_videos(210, least=0)]).value_counts()
    quota = pd.Series(CATEGORY_SIZES) * 210 / sum(CATEGORY_SIZES.values())
    assert (counts - quota).abs().max() <= 1 and len(counts) == len(CATEGORIES)
    assert {a.category for a in share_videos(40, least=0, categories=3)} == set(quota.nlargest(3).index)


def test_some_activities_are_very_rare():
    counts = np.unique([a.name for a in share_videos(170)], return_counts=True)[1]
    assert counts.min() == 1 and counts.max() >= 5


def test_largest_remainder_gives_whole_shares_that_add_up():
    np.testing.assert_array_equal(largest_remainder(np.array([5.0, 3.0, 2.0]), 10), [5, 3, 2])
    np.testing.assert_array_equal(largest_remainder(np.array([98.0, 1.0, 1.0]), 10, least=2), [6, 2, 2])
    assert largest_remainder(np.array([1.0, 1.0, 1.0]), 10).sum() == 10


def test_images_for_pretraining_depend_on_the_seed_and_not_on_the_threads():
    one = render_classification(12, 48, seed=5, frames_per_video=2, workers=1)
    two = render_classification(12, 48, seed=5, frames_per_video=2, workers=2)
    other = render_classification(12, 48, seed=6, frames_per_video=2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one[0].shape == (12, 48, 48, 3) and one[0].dtype == np.uint8
    assert [a.dtype for a in one[1:]] == [np.int64] * 3
    assert not np.array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[3], np.arange(12) // 2)
    assert all(activity(ACTIVITIES[a]).category == CATEGORIES[c] for c, a in zip(one[1], one[2], strict=True))


def test_balanced_images_have_every_category_equally_often():
    category = render_classification(32, 16, balanced=True)[1]
    np.testing.assert_array_equal(np.bincount(category, minlength=len(CATEGORIES)), 2)
