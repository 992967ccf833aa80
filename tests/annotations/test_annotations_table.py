"""The data model: what it accepts, what it refuses, and what selecting and saving keep."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpii_lib import errors
from mpii_lib.annotations import IMAGE_COLUMNS, PEOPLE_COLUMNS, AnnotationError, Annotations
from mpii_lib.skeletons import COCO, MPII


def made(owners=(0, 0, 2), skeleton=MPII, **changes):
    joints = np.full((len(owners), len(skeleton.joints), 2), np.nan, np.float32)
    visibility = np.zeros(joints.shape[:2], int)
    if len(owners):
        joints[0, 3] = 0.25, 700
        visibility[0, 3] = 1
    parts = {
        "images": pd.DataFrame({"file_name": [f"{n}.jpg" for n in range(3)], "split": "train"}),
        "people": pd.DataFrame({"image_id": list(owners)}, index=[10 * n for n in range(len(owners))]),
        "joints": joints,
        "visibility": visibility,
        "skeleton": skeleton,
    }
    return Annotations(**(parts | changes))


def test_ids_that_are_no_whole_numbers_are_not_cut_to_some():
    images = pd.DataFrame({"file_name": list("abc"), "split": "train"}, index=[0.0, 1.5, 2.0])
    with pytest.raises(AnnotationError, match="row 1, image_id: 1.5 is not a whole number"):
        made(images=images)


def test_one_id_selects_one_image():
    assert made().where(images=2).images.index.tolist() == [2]


def test_missing_columns_are_added_as_na_in_the_types_of_the_model():
    ann = made()
    assert {name: str(dtype) for name, dtype in ann.images.dtypes.items()} == IMAGE_COLUMNS
    assert {name: str(dtype) for name, dtype in ann.people.dtypes.items()} == PEOPLE_COLUMNS
    assert (ann.images.index.name, ann.people.index.name) == ("image_id", "person_id")
    assert ann.images["category"].isna().all()
    assert ann.people["scale"].isna().all()
    assert ann.joints.dtype == np.float32
    assert ann.visibility.dtype == np.int8


def test_further_columns_are_kept():
    images = pd.DataFrame({"file_name": ["a.jpg"], "weather": ["rain"]})
    ann = made(
        images=images, people=pd.DataFrame({"image_id": []}), joints=np.empty((0, 16, 2)), visibility=np.empty((0, 16))
    )
    assert ann.images["weather"].tolist() == ["rain"]


def test_the_frames_that_were_given_stay_as_they_were():
    images = pd.DataFrame({"file_name": ["a.jpg", "b.jpg", "c.jpg"]})
    before = images.copy()
    ann = made(images=images)
    ann.images["category"] = "sports"
    pd.testing.assert_frame_equal(images, before)


def test_joints_cannot_be_written_to_and_the_callers_array_can():
    joints = np.full((3, 16, 2), np.nan, np.float32)
    ann = made(joints=joints, visibility=np.zeros((3, 16), int))
    with pytest.raises(ValueError, match="read-only"):
        ann.joints[0, 0, 0] = 1
    joints[0, 0, 0] = 1
    assert np.isnan(ann.joints).all()


def with_vis(value):
    visibility = np.zeros((3, 16), int)
    visibility[1, 4] = value
    return visibility


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": pd.DataFrame({"split": ["train"]})}, ["images", "file_name"]),
        ({"images": pd.DataFrame({"file_name": ["a", "b", "c"]}, index=[0, 0, 2])}, ["images", "image_id 0", "twice"]),
        (
            {"images": pd.DataFrame({"file_name": ["a", "b", "c"]}, index=list("xyz"))},
            ["row 0", "image_id", "whole number"],
        ),
        ({"images": pd.DataFrame({"file_name": ["a", None, "c"]})}, ["image_id 1", "file_name"]),
        ({"images": pd.DataFrame({"file_name": list("abc"), "split": "dev"})}, ["split", "'dev'", "train, val, test"]),
        (
            {"images": pd.DataFrame({"file_name": list("abc"), "activity_id": "x"})},
            ["image_id 0", "activity_id", "'x'", "whole number"],
        ),
        ({"people": pd.DataFrame({"image_id": [0, 7, 2]})}, ["person_id 1", "image_id", "7"]),
        ({"people": pd.DataFrame({"scale": [0, 7, 2]})}, ["people", "image_id"]),
        ({"joints": np.zeros((3, 17, 2))}, ["joints", "(3, 17, 2)", "(3, 16, 2)"]),
        ({"visibility": np.zeros((2, 16))}, ["visibility", "(2, 16)", "(3, 16)"]),
        ({"visibility": with_vis(3)}, ["person_id 10", "visibility", "l_knee"]),
        ({"visibility": with_vis(2), "joints": np.full((3, 16, 2), np.nan)}, ["person_id 10", "l_knee", "65535 px"]),
        ({"joints": np.zeros((3, 16, 2)), "visibility": np.zeros((3, 16), int)}, ["person_id 0", "r_ankle", "NaN"]),
    ],
)
def test_contradictions_are_one_line_that_names_table_record_and_field(changes, words):
    with pytest.raises(AnnotationError) as caught:
        made(**changes)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_annotation_error_is_the_librarys_own():
    assert AnnotationError is errors.AnnotationError


def test_with_joints_tells_people_with_at_least_one():
    assert made().with_joints.tolist() == [True, False, False]


def test_image_path_is_below_the_folder_and_unknown_ones_are_refused():
    ann = made(folder=Path("images"))
    assert ann.image_path(2) == Path("images/2.jpg")
    with pytest.raises(AnnotationError, match="image 9"):
        ann.image_path(9)
    with pytest.raises(AnnotationError, match="folder"):
        made().image_path(2)


def test_selecting_images_takes_their_people_along_with_their_joints():
    kept = made(owners=(2, 0, 0)).where(images=[0])
    assert kept.images.index.tolist() == [0]
    assert kept.people.index.tolist() == [10, 20]
    assert made(owners=(2, 0, 0)).where(images=[2]).with_joints.tolist() == [True]


def test_selecting_people_keeps_all_images():
    kept = made().where(people=lambda people: people["image_id"] == 2)
    assert (len(kept.images), kept.people.index.tolist()) == (3, [20])


@pytest.mark.parametrize(
    "selector",
    [
        [2, 0], (0, 2), {0, 2}, np.array([0, 2]), pd.Index([2, 0]), pd.Series([0, 2], index=[5, 6]), range(0, 4, 2),
        [True, False, True], np.array([True, False, True]), pd.array([True, pd.NA, True]),
        pd.Series([True, True], index=[2, 0]), pd.Series([True, False, True]),
        lambda images: images["file_name"] != "1.jpg", lambda images: images.index[[0, 2]],
    ],
)  # fmt: skip
def test_masks_ids_and_functions_select_the_same_images_in_the_order_of_the_table(selector):
    assert made().where(images=selector).images.index.tolist() == [0, 2]


def test_an_unlabelled_image_is_not_selected_by_its_label():
    images = pd.DataFrame({"file_name": list("abc"), "category": ["sports", None, "dancing"]})
    ann = made(images=images)
    assert ann.where(images=ann.images["category"] == "sports").images.index.tolist() == [0]
    assert ann.where(images=ann.images["category"] != "sports").images.index.tolist() == [2]


def test_selecting_nothing_gives_empty_annotations():
    empty = made().where(images=[])
    assert (len(empty.images), len(empty.people), empty.joints.shape) == (0, 0, (0, 16, 2))


@pytest.mark.parametrize(("selector", "word"), [([0, 99], "99"), ([True], "1 entries"), (["a"], "'a'")])
def test_unknown_ids_and_short_masks_are_refused(selector, word):
    with pytest.raises(AnnotationError, match=word):
        made().where(images=selector)


def test_fingerprint_follows_the_content_and_not_the_folder():
    ann = made()
    assert ann.fingerprint == made(folder=Path("elsewhere")).fingerprint
    others = [
        made(owners=(0, 1, 2)), made(visibility=np.where(ann.visibility, 2, 0)), made(joints=ann.joints * 2),
        ann.where(people=[0]),
        made(images=pd.DataFrame({"file_name": ["0.jpg", "1.jpg", "2.jpg"], "split": ["train", "train", None]})),
        made(images=pd.DataFrame({"file_name": ["0.jpg", "1.jpg", "x.jpg"], "split": "train"})),
    ]  # fmt: skip
    assert len({ann.fingerprint, *(other.fingerprint for other in others)}) == 1 + len(others)


def test_the_table_in_a_notebook_is_small_and_has_row_headers():
    ann = made(images=pd.DataFrame({"file_name": list("abc"), "split": ["train", "test", "train"], "category": "<b>"}))
    html = ann._repr_html_()
    assert "3 (2 train, 1 test)" in html
    assert "3 (1 with joints)" in html
    assert html.count('scope="row"') == html.count("<tr>")
    assert "<caption" in html
    assert len(html) < 1200
    assert "2 train" in repr(ann)


file_names = st.text(st.characters(codec="utf-8", exclude_characters="/\\:\0."), min_size=1, max_size=5)
people_lists = st.lists(st.integers(0, 4), max_size=8)


@settings(max_examples=30, deadline=None)
@given(owners=people_lists, data=st.data())
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, owners, data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    skeleton = data.draw(st.sampled_from([MPII, COCO]))
    visibility = rng.integers(0, 3, (len(owners), len(skeleton.joints)))
    joints = rng.normal(0, 1e4, (*visibility.shape, 2))
    joints[visibility == 0] = np.nan
    words = st.one_of(st.none(), st.text(max_size=5))
    images = pd.DataFrame(
        {
            "file_name": data.draw(st.lists(file_names, min_size=5, max_size=5, unique=True)),
            "category": pd.array(data.draw(st.lists(words, min_size=5, max_size=5)), dtype="string"),
            "video_id": pd.array(
                data.draw(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=5, max_size=5)), "Int64"
            ),
            "extra": rng.normal(size=5),
        },
        index=rng.permutation(5),
    )
    people = pd.DataFrame(
        {"image_id": np.array(owners, np.int64), "scale": rng.normal(size=len(owners))},
        index=rng.permutation(len(owners)),
    )
    ann = Annotations(images, people, joints, visibility, skeleton)
    path = ann.save(tmp_path_factory.mktemp("save") / "ann.parquet")
    again = Annotations.load(path)
    assert again.fingerprint == ann.fingerprint
    assert again.skeleton == skeleton
    pd.testing.assert_frame_equal(again.people, ann.people)
    pd.testing.assert_frame_equal(again.images, ann.images)
    np.testing.assert_array_equal(again.joints, ann.joints)
    np.testing.assert_array_equal(again.visibility, ann.visibility)
    assert [file.name for file in path.parent.iterdir()] == ["ann.parquet"]


def test_the_folder_is_saved_and_can_be_given_anew(tmp_path):
    path = made(folder=Path("images")).save(tmp_path / "a.parquet")
    assert Annotations.load(path).folder == Path("images")
    assert Annotations.load(path, folder="other").folder == Path("other")


def test_a_damaged_file_is_refused_and_a_failed_save_leaves_the_old_one(tmp_path):
    path = made().save(tmp_path / "a.parquet")
    whole = path.read_bytes()
    for broken in (b"", b"no parquet", whole[: len(whole) // 2], whole[:-20]):
        bad = tmp_path / "bad.parquet"
        bad.write_bytes(broken)
        with pytest.raises(AnnotationError, match=r"bad\.parquet") as caught:
            Annotations.load(bad)
        assert "\n" not in str(caught.value)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(AnnotationError):
        Annotations.load(tmp_path / "other.parquet")
    with pytest.raises(AnnotationError, match="no such file"):
        Annotations.load(tmp_path / "none.parquet")
    odd = made(images=pd.DataFrame({"file_name": list("abc"), "thing": [object(), 1, "x"]}))
    with pytest.raises(AnnotationError, match="cannot be written"):
        odd.save(path)
    with pytest.raises(AnnotationError, match="cannot be written"):
        made().save(tmp_path / "no such folder" / "a.parquet")
    assert path.read_bytes() == whole
    assert not list(tmp_path.glob(".*"))


def test_importing_annotations_does_not_import_tensorflow():
    import subprocess
    import sys

    code = "import sys, mpii_lib.annotations; print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
