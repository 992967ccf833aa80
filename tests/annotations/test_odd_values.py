"""Values that cannot be: each is refused by name, wherever it stands; nothing is read as something else."""

import io
import json
import os
import warnings

import mpii_writer as w
import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat
from test_annotations_table import made
from test_read_coco import coco_image, coco_person
from test_read_mpii import labelled, person
from wrong_arguments import assert_clear

from mpii_lib.annotations import AnnotationError, Annotations, read_coco, read_mpii
from mpii_lib.annotations.cache import cache_path
from mpii_lib.skeletons import COCO, MPII, Skeleton

PERSON = {"id": 1, "name": "person", "keypoints": list(COCO.joints)}
DOG = {"id": 18, "name": "dog"}


def coco(folder, images=None, people=None, categories=(PERSON,)):
    path = folder / "val.json"
    content = {"images": images or [coco_image(1)], "annotations": people or [coco_person(7)]}
    path.write_text(json.dumps(content | ({"categories": list(categories)} if categories else {})))
    return path


def refused(read, path, *words):
    """The error is one line of modest length that names the file and each of the words."""
    with pytest.raises(AnnotationError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) - len(str(path)) < 300
    for word in (str(path), *words, "; "):
        assert word in message


# --- COCO


@pytest.mark.parametrize(
    "name",
    [None, 5, True, ["a"], "", ".", "/etc/passwd", "C:\\a.jpg", "..", "a/../../b.jpg", "\ud800.jpg", "a\0", "x" * 300],
)
def test_a_file_name_that_is_none_is_refused(tmp_path, name):
    refused(read_coco, coco(tmp_path, [coco_image(1, file_name=name)]), "1", "file_name")


def test_file_names_in_folders_and_in_other_alphabets_are_read(tmp_path):
    names = ["train2017/a.jpg", "Gebäude 1.jpg", "..jpg", "猫.jpg", "x" * 255]
    images = [coco_image(number, file_name=name) for number, name in enumerate(names)]
    assert read_coco(coco(tmp_path, images, [coco_person(1)])).images["file_name"].tolist() == names


@pytest.mark.parametrize("value", [2**63, 2**64, 2**70, -(2**70), 1e30, 1.5, True, "1", [1], float("nan")])
@pytest.mark.parametrize("field", ["id", "width"])
def test_numbers_of_images_are_whole_and_of_64_bits(tmp_path, field, value):
    refused(read_coco, coco(tmp_path, [coco_image(1) | {field: value}]), field, "whole number")


@pytest.mark.parametrize("field", ["width", "height"])
@pytest.mark.parametrize("value", [0, -1, 65_536, 2**62])
def test_sizes_are_those_of_an_image(tmp_path, field, value):
    refused(read_coco, coco(tmp_path, [coco_image(1, **{field: value})]), "image_id 1", field, "65535")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 2**64),
        ("id", True),
        ("image_id", 2**64),
        ("image_id", "1"),
        ("image_id", 99),
        ("area", -5),
        ("area", float("nan")),
        ("area", 1e300),
        ("area", "9"),
        ("area", True),
        ("bbox", [0, 0, -5, 5]),
        ("bbox", [0, 0, 5, float("nan")]),
        ("bbox", [0, 0, 5, float("inf")]),
        ("bbox", [1e39, 0, 5, 5]),
        ("bbox", [0, 0, 5, True]),
        ("bbox", ["0", "0", "5", "5"]),
        ("iscrowd", "no"),
        ("iscrowd", 2),
        ("joints", [1e39, 1, 2] * 17),
        ("joints", [100_000, 1, 2] * 17),
        ("keypoints", [float("nan"), 1, 2] * 17),
        ("keypoints", ["1", "2", "2"] * 17),
        ("keypoints", [1, True, 2] * 17),
        ("keypoints", [10**400, 1, 2] * 17),
        ("visibility", [1, 1, 3] * 17),
        ("keypoints", "1" * 51),
        ("category_id", 99),
        ("category_id", "person"),
    ],
)
def test_a_wrong_value_of_a_person_is_named(tmp_path, field, value):
    words = [] if field == "id" else ["7"]
    of_coco = {"joints": "keypoints", "visibility": "keypoints"}.get(field, field)
    path = coco(tmp_path, None, [coco_person(7) | {of_coco: value}], [PERSON, DOG])
    refused(read_coco, path, field[:4], *words)


def test_what_is_long_is_not_repeated(tmp_path):
    refused(read_coco, coco(tmp_path, None, [coco_person("y" * 5000)]), "person_id")
    refused(read_coco, coco(tmp_path, None, [coco_person(7, area="y" * 5000)]), "area")
    refused(read_coco, coco(tmp_path, None, [coco_person("y" * 5000, bbox=[])]), "bbox")


def test_only_the_category_with_cocos_joints_holds_persons(tmp_path):
    dog = {name: value for name, value in coco_person(2, category_id=18).items() if name != "keypoints"}
    path = coco(tmp_path, None, [coco_person(1), dog, coco_person(3, category_id=18)], [DOG, PERSON])
    assert read_coco(path, cache=False).people.index.tolist() == [1]
    mannequin = {"id": 2, "name": "mannequin", "keypoints": list(COCO.joints)}
    path = coco(tmp_path, None, [coco_person(1), coco_person(2, category_id=2)], [PERSON, mannequin])
    assert read_coco(path, cache=False).people.index.tolist() == [1]


def test_an_annotation_without_category_is_a_person_where_nothing_else_is_known(tmp_path):
    bare = {name: value for name, value in coco_person(1).items() if name != "category_id"}
    for categories in ([PERSON], None, [{"id": 1, "keypoints": list(COCO.joints)}]):
        assert len(read_coco(coco(tmp_path, None, [bare], categories), cache=False).people) == 1
    refused(read_coco, coco(tmp_path, None, [bare], [PERSON, DOG]), "annotation 1", "category_id")


@pytest.mark.parametrize(
    "categories",
    [[{"id": 1, "name": "person", "keypoints": 5}], [DOG], ["person"], [{"name": "person"}], [PERSON | {"id": "1"}]],
)
def test_categories_without_a_person_of_17_joints_are_refused(tmp_path, categories):
    refused(read_coco, coco(tmp_path, None, None, categories), "categor")


def test_categories_that_are_no_list_are_refused(tmp_path):
    path = coco(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"categories": 5}))
    refused(read_coco, path, "categories: 5")


# --- one file under two ids


def test_one_file_in_two_splits_is_a_leak_and_refused():
    images = pd.DataFrame({"file_name": ["a", "b", "a"], "split": ["train", "test", "test"]})
    with pytest.raises(
        AnnotationError, match=r"image_id 0 \(train\) and image_id 2 \(test\): file_name is 'a' in both"
    ):
        made(images=images)
    images = pd.DataFrame({"file_name": ["b", "b", "a", "a", "a"], "split": ["test", "test", "train", "train", None]})
    with pytest.raises(AnnotationError, match="image_id 2 .* and image_id 4"):  # not hidden by the milder one
        made(images=images)


def test_one_file_twice_in_a_split_is_said(tmp_path):
    with pytest.warns(UserWarning, match=r"image_id 1 \(train\) and image_id 2 \(train\): file_name is 'a.jpg'"):
        read_coco(coco(tmp_path, [coco_image(1, file_name="a.jpg"), coco_image(2, file_name="a.jpg")]), cache=False)


def test_mpiis_leak_is_refused_with_both_images(tmp_path):
    path = w.write(tmp_path / "a.mat", [labelled("a.jpg"), labelled("b.jpg"), w.image("a.jpg")])
    refused(read_mpii, path, "image_id 0 (train)", "image_id 2 (test)", "'a.jpg'")


# --- MPII


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (labelled(people=[person(scale=np.inf)]), ["annolist 1", "annorect 0", "scale"]),
        (labelled(people=[person(scale=-1.0)]), ["image_id 1, person_index 0", "scale"]),
        (labelled(people=[person(scale=1e9)]), ["image_id 1, person_index 0", "scale"]),
        (labelled(people=[person(scale="5")]), ["annolist 1", "annorect 0", "scale"]),
        (labelled(people=[person(x1=1e9)]), ["image_id 1, person_index 0", "head_x1"]),
        (labelled(people=[person(objpos=w.objpos(1e9, 2.0))]), ["image_id 1, person_index 0", "center_x"]),
        (labelled(people=[person([(0, 1e5, 3.0, 1)])]), ["image_id 1, person_index 0", "joints of r_ankle"]),
        (labelled(people=[person([(0, np.inf, 3.0, 1)])]), ["image_id 1, person_index 0", "joints of r_ankle"]),
        (labelled(people=[person([(0, "5", 3.0, 1)])]), ["annolist 1", "annorect 0", "point.x"]),
        (labelled(people=[person([("5", 5.0, 3.0, 1)])]), ["annolist 1", "annorect 0", "point.id"]),
        (labelled(people=[person([(0.5, 5.0, 3.0, 1)])]), ["annolist 1", "annorect 0", "point.id", "0.5"]),
        (labelled(people=[person()], single_person=[1.5]), ["single_person 1", "1.5"]),
        (labelled(people=[person()], single_person=[np.nan]), ["single_person 1", "nan"]),
        (labelled(train=2), ["img_train 1", "2"]),
        (labelled(video=np.float64(1e300)), ["image_id 1", "video_id", "64 bits"]),
        (labelled(frame_sec=np.float64(-9)), ["image_id 1", "frame_sec"]),
        (labelled("/etc/passwd"), ["image_id 1", "file_name"]),
        (labelled(act_id="7"), ["act 1", "act_id"]),
    ],
)
def test_an_absurd_value_of_mpii_is_named(tmp_path, image, words):
    refused(read_mpii, w.write(tmp_path / "a.mat", [labelled("fine.jpg", [person()]), image]), *words)


def test_a_scale_of_zero_is_read_and_left_to_those_who_crop(tmp_path):
    path = w.write(tmp_path / "a.mat", [labelled(people=[person(scale=0.0)])])
    assert read_mpii(path).people["scale"].tolist() == [0]


def test_every_number_of_the_headers_is_looked_at_before_scipy_reads(tmp_path):
    """A word of four bytes set to another value, one after the other: an error or a value, and the process lives."""
    file = io.BytesIO()
    savemat(file, {"RELEASE": w.release([labelled(people=[person([(3, 1, 2, "1")])])])})
    whole, path = file.getvalue(), tmp_path / "a.mat"
    damaged = 0
    for at in range(128, len(whole), 4):
        path.write_bytes(whole[:at] + (0x00020063).to_bytes(4, "little") + whole[at + 4 :])
        try:
            read_mpii(path, cache=False)
        except AnnotationError as error:
            damaged += "RELEASE is damaged" in str(error)
    assert damaged > 200


def test_other_variables_are_passed_over_unread(tmp_path):
    path = tmp_path / "a.mat"
    release = w.release([labelled()])
    for compressed in (True, False):
        savemat(path, {"a": 1j, "cube": np.zeros((2, 2, 2)), "RELEASE": release}, do_compression=compressed)
        assert len(read_mpii(path, cache=False).images) == 1
        savemat(path, {"a": 1j, "cube": np.zeros((2, 2, 2))}, do_compression=compressed)
        refused(read_mpii, path, "['a', 'cube']")


def test_a_compressed_file_that_grows_without_end_takes_no_memory(tmp_path):
    import tracemalloc
    import zlib

    file = io.BytesIO()
    savemat(file, {"RELEASE": w.release([labelled()])})
    squeeze = zlib.compressobj(1)
    body = squeeze.compress(file.getvalue()[128:][:4096])
    body += b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()
    path = tmp_path / "a.mat"
    path.write_bytes(file.getvalue()[:128] + (15).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body)
    from mpii_lib.annotations import matfile

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matfile, "_MOST_BYTES", 1 << 20)
        tracemalloc.start()
        refused(read_mpii, path, "no end within 1,048,576 bytes")
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.mat")
    refused(read_mpii, tmp_path / "a.mat", "no regular file")
    refused(read_coco, tmp_path, "cannot be read")


# --- tables made by hand


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("images", "category", 5),
        ("images", "activity", "\ud800"),
        ("images", "video_id", 1.5),
        ("images", "video_id", 2**64),
        ("images", "frame_sec", "3"),
        ("people", "person_index", 0.5),
        ("people", "person_index", "0"),
        ("people", "center_x", np.inf),
        ("people", "bbox_w", -1),
        ("people", "area", -1),
        ("people", "scale", "big"),
        ("people", "iscrowd", "yes"),
    ],
)
def test_the_record_of_a_wrong_value_is_named(table, column, value):
    good = made()
    frame = getattr(good, table).astype({column: object})
    frame.iloc[1, frame.columns.get_loc(column)] = value
    with pytest.raises(AnnotationError) as caught:
        made(**{table: frame})
    assert f"_id {frame.index[1]}" in str(caught.value) and f", {column}: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_that_is_a_category_of_pandas_is_text():
    images = pd.DataFrame({"file_name": list("abc"), "category": pd.Categorical(["x", None, "y"])})
    assert made(images=images).images["category"].tolist()[::2] == ["x", "y"]


def test_a_column_that_is_there_twice_is_refused():
    images = pd.DataFrame([["a", 1, 2]], columns=["file_name", "width", "width"])
    with pytest.raises(AnnotationError, match="twice"):
        made(images=images)


def test_a_column_that_parquet_cannot_hold_is_one_clear_error(tmp_path):
    for column in ([1j, 2, 3], [2**70, 1, 2], [{"a": 1}, [2], "c"]):
        images = pd.DataFrame({"file_name": list("abc"), "thing": pd.Series(column, dtype=object)})
        with pytest.raises(AnnotationError, match="cannot be written"):
            made(images=images).save(tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


def test_a_copy_whose_bytes_were_changed_is_never_read_as_another_value(tmp_path):
    path = w.write(tmp_path / "a.mat", [labelled(people=[person([(j, 5, 6, 1) for j in range(16)])])])
    first = read_mpii(path)
    copy = cache_path(path)
    whole = copy.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(4, len(whole), 150):
        copy.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << int(rng.integers(8))]) + whole[at + 1 :])
        assert read_mpii(path).fingerprint == first.fingerprint


# --- arguments of the wrong kind


def test_arguments_of_the_wrong_kind_are_one_line(tmp_path):
    annotations = made()
    mat = w.write(tmp_path / "a.mat", [labelled()])
    saved = annotations.save(tmp_path / "a.parquet")
    tables = {name: getattr(annotations, name) for name in ("images", "people", "joints", "visibility", "skeleton")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_clear(read_mpii, {"path": mat, "cache": False})
        assert_clear(read_coco, {"path": coco(tmp_path), "split": "val", "cache": False})
        assert_clear(Annotations, tables | {"folder": tmp_path})
        assert_clear(annotations.where, {"images": None, "people": None})
        assert_clear(made(folder=tmp_path).image_path, {"image_id": 2})
        assert_clear(Annotations.load, {"path": saved, "folder": tmp_path})
        assert_clear(MPII.index, {"name": "pelvis"})
        assert_clear(Skeleton, {"name": "A", "joints": ("a", "b"), "limbs": ((0, 1),), "pairs": (), "sigmas": None})


def test_saving_to_what_is_no_path_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_clear(made().save, {"path": tmp_path / "b.parquet"})
