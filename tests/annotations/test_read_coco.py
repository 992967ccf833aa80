"""The COCO reader: the official form, what it keeps, and what it says about files that are something else."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpii_lib.annotations import AnnotationError, read_coco
from mpii_lib.errors import ArgumentError
from mpii_lib.skeletons import COCO


def coco_image(number, **changes):
    return {"id": number, "file_name": f"{number:012d}.jpg", "width": 640, "height": 480} | changes


def coco_person(number, image=1, keypoints=None, **changes):
    keypoints = [0] * 51 if keypoints is None else keypoints
    record = {"id": number, "image_id": image, "category_id": 1, "keypoints": keypoints, "num_keypoints": 0}
    return record | {"bbox": [1.5, 2, 30, 40], "area": 300.25, "iscrowd": 0, "segmentation": []} | changes


def write(folder, images, people, split="train", categories=None):
    path = folder / "annotations" / f"person_keypoints_{split}2017.json"
    path.parent.mkdir(exist_ok=True)
    categories = categories or [{"id": 1, "name": "person", "keypoints": list(COCO.joints), "skeleton": [[1, 2]]}]
    path.write_text(json.dumps({"info": {}, "images": images, "annotations": people, "categories": categories}))
    return path


def test_every_field_of_the_data_model_is_filled_from_the_official_form(tmp_path):
    keypoints = [0, 0, 0, 281, 240, 2, 5, 6, 1] + [0] * 42
    crowd = coco_person(8, 9, iscrowd=1, segmentation={"counts": [1], "size": [1, 1]})
    write(
        tmp_path,
        [coco_image(7), coco_image(9), coco_image(5)],
        [coco_person(31, 7, keypoints), crowd, coco_person(2, 7)],
    )
    ann = read_coco(tmp_path, cache=False)
    assert ann.skeleton == COCO
    assert ann.images.index.tolist() == [7, 9, 5]  # the image without people is kept
    assert ann.images.loc[7, ["file_name", "split", "width", "height"]].tolist() == [
        "000000000007.jpg",
        "train",
        640,
        480,
    ]
    assert ann.images[["category", "activity", "activity_id", "video_id"]].isna().all(axis=None)
    assert ann.people.index.tolist() == [31, 8, 2]
    assert ann.people["image_id"].tolist() == [7, 9, 7]
    assert ann.people["person_index"].tolist() == [0, 0, 1]
    assert ann.people["iscrowd"].tolist() == [False, True, False]
    assert ann.people.loc[31, ["bbox_x", "bbox_y", "bbox_w", "bbox_h", "area"]].tolist() == [1.5, 2, 30, 40, 300.25]
    assert ann.people[["scale", "head_x1", "separated"]].isna().all(axis=None)
    assert ann.visibility[0, :4].tolist() == [0, 2, 1, 0]
    assert ann.joints[0, 1].tolist() == [281, 240]
    assert ann.with_joints.tolist() == [True, False, False]


def test_an_unlabelled_joint_is_nan_whatever_its_numbers_say(tmp_path):
    write(tmp_path, [coco_image(1)], [coco_person(1, keypoints=[7, 8, 0, 0, 0, 2] + [0] * 45)])
    ann = read_coco(tmp_path, cache=False)
    assert np.isnan(ann.joints[0, 0]).all()
    assert ann.joints[0, 1].tolist() == [0, 0]


joint = st.tuples(st.integers(0, 640) | st.floats(0, 640, width=32), st.integers(0, 480), st.sampled_from([0, 1, 2]))


@settings(max_examples=30, deadline=None)
@given(people=st.lists(st.lists(joint, min_size=17, max_size=17), max_size=4))
def test_any_keypoints_come_back(tmp_path_factory, people):
    folder = tmp_path_factory.mktemp("coco")
    write(folder, [coco_image(1)], [coco_person(n, 1, [v for point in p for v in point]) for n, p in enumerate(people)])
    ann = read_coco(folder, cache=False)
    given_points = np.array(people, float).reshape(-1, 17, 3)
    np.testing.assert_array_equal(ann.visibility, given_points[..., 2])
    expected = np.where(given_points[..., 2:] > 0, given_points[..., :2], np.nan).astype(np.float32)
    np.testing.assert_array_equal(ann.joints, expected)


@pytest.mark.parametrize("images", ["val2017", "images/val2017", "images"])
def test_images_are_looked_for_where_they_are_usually_put(tmp_path, images):
    path = write(tmp_path, [coco_image(1)], [], split="val")
    (tmp_path / "images").mkdir()
    (tmp_path / images).mkdir(parents=True, exist_ok=True)
    (tmp_path / images / "000000000001.jpg").write_bytes(b"")
    for place in (tmp_path, path):
        ann = read_coco(place, split="val", cache=False)
        assert ann.image_path(1) == tmp_path / images / "000000000001.jpg"
        assert ann.images["split"].tolist() == ["val"]


def complaint(path, *words, split="train"):
    with pytest.raises(AnnotationError) as caught:
        read_coco(path, split=split)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_missing_file_and_an_unknown_split_are_named(tmp_path):
    complaint(tmp_path, "person_keypoints_train2017.json", "cannot be read")
    complaint(tmp_path / "no.json", "no.json")
    with pytest.raises(ArgumentError, match=r"read_coco: split is 'test'; give one of 'train', 'val'"):
        read_coco(tmp_path, split="test")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"3",
        b'{"a": 1}',
        b'{"images": {}, "annotations": []}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_coco_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    complaint(path, "a.json", "; ")


def test_a_file_that_is_cut_anywhere_is_one_clear_error(tmp_path):
    path = write(tmp_path, [coco_image(1)], [coco_person(1)])
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:length])
        complaint(path, path.name)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (coco_person(44, keypoints=[0] * 50), ["annotation 44", "keypoints", "50 numbers where 51"]),
        (coco_person(44, keypoints=[0, 0, 3] + [0] * 48), ["person_id 44", "visibility of nose", "3"]),
        (coco_person(44, keypoints=["a"] * 51), ["annotation 44", "keypoints"]),
        (coco_person(44, keypoints="text"), ["annotation 44", "keypoints"]),
        (coco_person(44, image=99), ["person_id 44", "image_id", "99"]),
        (coco_person(44, image="b"), ["person_id 44", "image_id", "'b'"]),
        (coco_person(44, bbox=[1, 2, 3]), ["annotation 44", "bbox", "3 numbers where 4"]),
        (coco_person(44, area=None), ["annotation 44", "area"]),
        (coco_person(44, iscrowd=7), ["person_id 44", "iscrowd", "7"]),
        (coco_person(1), ["person_id 1", "twice"]),
        (
            {"id": 44, "image_id": 1, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0},
            ["annotation 44", "keypoints", "give a COCO"],
        ),
        ("text", ["annotation number 1"]),
    ],
)
def test_a_wrong_person_is_named_with_its_field(tmp_path, person, words):
    complaint(write(tmp_path, [coco_image(1)], [coco_person(1), person]), "person_keypoints_train2017.json", *words)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"id": 3}, ["image 3", "file_name"]),
        ({"file_name": "a"}, ["image number 1", "id"]),
        (coco_image(1), ["image_id 1", "twice"]),
        (coco_image(3, width="wide"), ["image_id 3", "width"]),
        (coco_image(2) | {"id": 2.5}, ["row 1", "image_id: 2.5"]),
    ],
)
def test_a_wrong_image_is_named_with_its_field(tmp_path, image, words):
    complaint(write(tmp_path, [coco_image(1), image], []), *words)


def test_another_order_of_joints_is_refused(tmp_path):
    turned = [{"id": 1, "keypoints": list(reversed(COCO.joints))}]
    complaint(write(tmp_path, [coco_image(1)], [], categories=turned), "categories", "keypoints")


@pytest.mark.shared
@pytest.mark.parametrize(("split", "images", "people", "with_people"), [("train", 41, 172, 36), ("val", 44, 118, 39)])
def test_the_real_files_are_read_whole(shared_data, split, images, people, with_people):
    ann = read_coco(shared_data / "coco", split=split, cache=False)
    assert (len(ann.images), len(ann.people)) == (images, people)
    assert ann.people["image_id"].nunique() == with_people
    assert all(ann.image_path(number).is_file() for number in ann.images.index)
    source = json.loads((shared_data / "coco" / "annotations" / f"person_keypoints_{split}2017.json").read_text())
    counts = {person["id"]: person["num_keypoints"] for person in source["annotations"]}
    assert dict(zip(ann.people.index, (ann.visibility > 0).sum(axis=1).tolist(), strict=True)) == counts
    assert ann.people["iscrowd"].sum() == sum(person["iscrowd"] for person in source["annotations"])
