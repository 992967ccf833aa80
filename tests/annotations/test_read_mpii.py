"""The MPII reader: each oddity of the official file on small files, then damaged files, then the real one."""

import json

import mpii_writer as w
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from mpii_lib.annotations import AnnotationError, read_mpii

JOINT_TYPES = (np.uint8, np.uint16, np.int16, np.float64)
FIELD_ORDERS = (("x", "y", "id", "is_visible"), ("id", "x", "y", "is_visible"), ("is_visible", "id", "y", "x"))


def person(points=((0, 10, 20, 1),), fields=w.POINT_FIELDS, **others):
    return {"annopoints": w.annopoints([tuple(map(as_cell, point)) for point in points], fields)} | others


def as_cell(value):
    return np.uint8(value) if isinstance(value, int) else value


def labelled(name="a.jpg", people=(), **fields):
    known = {"train": 1, "category": "sports", "activity": "skiing, downhill", "act_id": np.int16(3)}
    return w.image(name, people, **(known | fields))


@pytest.fixture
def read(tmp_path):
    def write_and_read(*images, **options):
        return read_mpii(w.write(tmp_path / "mpii_human_pose_v1_u12_1.mat", images, **options), cache=False)

    return write_and_read


# --- images


def test_images_keep_their_position_name_and_split(read):
    ann = read(w.image("b.jpg"), labelled("a.jpg"), w.image("c.jpg"))
    assert ann.images.index.tolist() == [0, 1, 2]
    assert ann.images["file_name"].tolist() == ["b.jpg", "a.jpg", "c.jpg"]
    assert ann.images["split"].tolist() == ["test", "train", "test"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_either_orientation_of_annolist_and_act_is_read(read, turned, count):
    ann = read(
        *[labelled(f"{n}.jpg", [person()], act_id=np.int16(n), single_person=[1]) for n in range(count)], turned=turned
    )
    assert ann.images["activity_id"].tolist() == list(range(count))
    assert ann.people["separated"].all()


def test_labels_are_kept_whole_with_their_commas(read):
    row = read(labelled()).images.loc[0]
    assert (row["category"], row["activity"], row["activity_id"]) == ("sports", "skiing, downhill", 3)


def test_empty_labels_are_na_also_on_training_images(read):
    ann = read(w.image("a.jpg"), w.image("b.jpg", train=1), w.image("c.jpg", act_id=w.EMPTY), labelled("d.jpg"))
    for column in ("category", "activity", "activity_id"):
        assert ann.images[column].isna().tolist() == [True, True, True, False]
    assert ann.images["split"].tolist() == ["test", "train", "test", "train"]


@pytest.mark.parametrize("video_field", ["vididx", "vidx"])
def test_both_names_of_the_video_index_are_read(read, video_field):
    ann = read(labelled(video=np.uint16(700), frame_sec=np.uint8(12)), w.image("b.jpg"), video_field=video_field)
    assert ann.images["video_id"].tolist()[0] == 700
    assert ann.images["frame_sec"].tolist()[0] == 12
    assert ann.images[["video_id", "frame_sec"]].isna().all(axis=1).tolist() == [False, True]


def test_members_of_release_that_only_add_may_be_missing(read):
    ann = read(labelled(people=[person()]), without=("act", "single_person", "video_list", "version"))
    assert ann.images["category"].isna().all()
    assert ann.people["separated"].isna().all()
    assert len(ann.people) == 1


# --- people


def test_an_image_without_people_has_an_empty_annorect_of_either_kind(read):
    ann = read(w.image("a.jpg"), w.image("b.jpg", annorect=np.empty((1, 0))), labelled("c.jpg", [person(), person()]))
    assert ann.people["image_id"].tolist() == [2, 2]
    assert ann.people["person_index"].tolist() == [0, 1]


def test_people_without_joints_scale_position_or_head_box_are_kept(read):
    ann = read(
        labelled("a.jpg", [{"scale": np.float64(2.5)}]),
        labelled("b.jpg", [person(), {"scale": 1.0}]),  # in one image the missing fields of the second are empty
        w.image("c.jpg", [{"objpos": w.objpos(np.int16(-3), np.uint8(7)), "annopoints": w.EMPTY}]),
        labelled(
            "d.jpg",
            [{"annopoints": w.structs([{"point": w.EMPTY}]), "x1": w.EMPTY, "objpos": w.structs([{"x": w.EMPTY}])}],
        ),
    )
    assert len(ann.people) == 5
    assert ann.with_joints.tolist() == [False, True, False, False, False]
    assert ann.people["scale"].isna().tolist() == [False, True, False, True, True]
    assert ann.people.loc[3, ["center_x", "center_y"]].tolist() == [-3, 7]
    assert ann.people[["center_x", "head_x1"]].isna().sum().tolist() == [4, 5]


def test_head_box_and_scale_are_floats_so_that_differences_do_not_underflow(read):
    box = {"x1": np.uint8(200), "y1": np.uint16(300), "x2": np.uint8(190), "y2": np.int16(-5)}
    row = read(labelled(people=[person(**box, scale=np.uint8(2))])).people.loc[0]
    assert row[["head_x1", "head_y1", "head_x2", "head_y2", "scale"]].tolist() == [200, 300, 190, -5, 2]
    assert row["head_x2"] - row["head_x1"] == -10


def test_extra_fields_of_a_person_are_passed_over(read):
    extra = {"part_occ1": np.uint8(1), "head_r11": np.float64(0.5), "torso_r13": w.EMPTY}
    assert read(labelled(people=[extra | person() | {"odd": "text"}])).with_joints.tolist() == [True]


def test_single_person_counts_from_one(read):
    three = [person(), person(), person()]
    ann = read(labelled("a.jpg", three, single_person=np.uint8([3, 1])), labelled("b.jpg", [person()]))
    assert ann.people["separated"].tolist() == [True, False, True, False]


def test_separated_is_unknown_where_the_file_has_no_list_at_all(read):
    assert read(labelled("a.jpg", [person()]), labelled("b.jpg", [person()])).people["separated"].isna().all()


# --- joints


@pytest.mark.parametrize(
    ("flag", "visibility"),
    [
        (np.uint8(1), 2),
        (np.uint8(0), 1),
        ("1", 2),
        ("0", 1),
        (w.EMPTY, 2),
        ("", 2),
        (np.float64(0), 1),
        (np.bool_(True), 2),
    ],
)
def test_is_visible_is_read_as_number_text_or_nothing(read, flag, visibility):
    ann = read(labelled(people=[person([(9, 5, 6, flag), (2, 1, 1, 0)])]))
    assert ann.visibility[0, [9, 2]].tolist() == [visibility, 1]


def test_a_point_without_is_visible_counts_as_visible(read):
    ann = read(labelled(people=[person([(9, 5, 6, 0)], fields=("x", "y", "id"))]))
    assert ann.visibility[0, 9] == 2
    assert ann.joints[0, 9].tolist() == [5, 6]


def test_points_are_read_by_the_names_of_their_fields_whatever_the_order(read):
    points = [(15, 1, 2, 1), (0, 300.5, 4, 0)]
    ann = read(*[labelled(f"{n}.jpg", [person(points, order)]) for n, order in enumerate(FIELD_ORDERS)])
    for row in range(len(FIELD_ORDERS)):
        assert ann.joints[row, [15, 0]].tolist() == [[1, 2], [300.5, 4]]
        assert ann.visibility[row].sum() == 3


def test_coordinates_below_one_are_joints_like_others(read):
    ann = read(labelled(people=[person([(0, np.int16(-4), 0.25, 1), (1, 0, 0, 1)])]))
    assert ann.joints[0, :2].tolist() == [[-4, 0.25], [0, 0]]
    assert ann.visibility[0, :2].tolist() == [2, 2]


def test_a_joint_without_a_number_is_not_annotated(read):
    ann = read(labelled(people=[person([(0, w.EMPTY, 3, 1), (1, np.nan, 3, 1), (2, 7, 8, 1)])]))
    assert ann.visibility[0, :3].tolist() == [0, 0, 2]
    assert np.isnan(ann.joints[0, :2]).all()


def test_a_joint_that_a_person_has_twice_keeps_the_later_one(read):
    assert read(labelled(people=[person([(4, 1, 1, 1), (4, 9, 8, 0)])])).joints[0, 4].tolist() == [9, 8]


coordinates = st.one_of(
    st.integers(0, 255).map(np.uint8),
    st.integers(0, 2000).map(np.uint16),
    st.integers(-200, 2000).map(np.int16),
    st.floats(-100, 2000, width=32).map(np.float64),
)
flags = st.sampled_from([np.uint8(0), np.uint8(1), "0", "1", w.EMPTY])
any_point = st.tuples(st.integers(0, 15).map(np.uint8), coordinates, coordinates, flags)
any_person = st.tuples(
    st.lists(any_point, max_size=16, unique_by=lambda point: int(point[0])), st.sampled_from(FIELD_ORDERS)
)


@settings(max_examples=40, deadline=None)
@given(images=st.lists(st.lists(any_person, max_size=3), min_size=1, max_size=4), turned=st.booleans())
def test_any_people_with_any_joints_of_any_type_come_back(tmp_path_factory, images, turned):
    records = [
        labelled(
            f"{n}.jpg", [{"annopoints": w.annopoints(p, order) if p else w.EMPTY, "scale": 1.5} for p, order in people]
        )
        for n, people in enumerate(images)
    ]
    ann = read_mpii(w.write(tmp_path_factory.mktemp("any") / "a.mat", records, turned=turned), cache=False)
    expected = [
        (image, index, points) for image, people in enumerate(images) for index, (points, _) in enumerate(people)
    ]
    assert list(zip(ann.people["image_id"], ann.people["person_index"], strict=True)) == [row[:2] for row in expected]
    for row, (_, _, points) in enumerate(expected):
        joints = np.full((16, 2), np.nan, np.float32)
        visibility = np.zeros(16, np.int8)
        for joint, x, y, flag in points:
            joints[joint] = float(x), float(y)
            visibility[joint] = 2 if np.size(flag) == 0 else 1 + int(flag)
        np.testing.assert_array_equal(ann.joints[row], joints)
        np.testing.assert_array_equal(ann.visibility[row], visibility)


# --- where the file lies


@pytest.mark.parametrize("place", ["", "mpii_human_pose_v1_u12_2"])
def test_a_folder_is_searched_one_level_down_and_image_files_lie_in_images(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / "images").mkdir()
    w.write(tmp_path / place / "mpii_human_pose_v1_u12_1.mat", [labelled("a.jpg")])
    assert read_mpii(tmp_path, cache=False).image_path(0) == tmp_path / "images" / "a.jpg"


def test_images_beside_the_file_are_found_when_the_file_itself_is_named(tmp_path):
    path = w.write(tmp_path / "some name.mat", [labelled("a.jpg")])
    assert read_mpii(str(path), cache=False).image_path(0) == tmp_path / "images" / "a.jpg"
    assert read_mpii(tmp_path, cache=False).image_path(0) == tmp_path / "images" / "a.jpg"


# --- bad input


def complaint(path, *words):
    with pytest.raises(AnnotationError) as caught:
        read_mpii(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message
    return message


def test_a_missing_file_and_a_folder_without_one_are_named(tmp_path):
    complaint(tmp_path / "none.mat", "cannot be read", "check")
    complaint(tmp_path, "holds no mpii_human_pose_v1_u12_1.mat", "mpii fetch mpii")


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"hello world, " * 100, b"\x89HDF\r\n\x1a\n" + bytes(600), bytes(300)]
)
def test_a_file_that_is_no_mat_file_is_named(tmp_path, content):
    path = tmp_path / "a.mat"
    path.write_bytes(content)
    complaint(path, "; ")


def test_a_matlab_7_3_file_is_named_as_such(tmp_path):
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(384) + b"\x89HDF\r\n\x1a\n" + bytes(600))
    complaint(path, "7.3", "save -v7")


@pytest.mark.parametrize("content", [{"other": 1.0}, {"RELEASE": 1.0}, {"RELEASE": np.empty((0, 0))}, {}])
def test_a_mat_file_without_the_struct_release_is_named(tmp_path, content):
    savemat(tmp_path / "a.mat", content)
    complaint(tmp_path / "a.mat", "RELEASE", "MPII annotation file")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_that_is_cut_anywhere_gives_one_clear_error(tmp_path, compressed):
    path = tmp_path / "a.mat"
    images = [labelled(f"{n}.jpg", [person([(j, j, j, "1") for j in range(16)])]) for n in range(3)]
    savemat(path, {"RELEASE": w.release(images)}, do_compression=compressed)
    whole = path.read_bytes()
    assert len(read_mpii(path, cache=False).people) == 3
    for length in {*range(0, 128, 9), *range(129, 400, 7), *np.linspace(129, len(whole) - 1, 150).astype(int).tolist()}:
        path.write_bytes(whole[:length])
        complaint(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mat"]  # nothing was cached


@pytest.mark.parametrize("seed", range(5))
def test_damaged_bytes_give_one_clear_error_and_never_a_crash(tmp_path, seed):
    images = [labelled(f"{n}.jpg", [person([(j, j, j, "1") for j in range(16)])]) for n in range(3)]
    path = w.write(tmp_path / "a.mat", images)  # compressed, as the official file is
    before = read_mpii(path, cache=False)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(seed)
    for _ in range(30):
        damaged = whole.copy()
        damaged[rng.integers(128, len(whole))] ^= rng.integers(1, 256, dtype=np.uint8)
        path.write_bytes(damaged.tobytes())
        try:
            assert read_mpii(path, cache=False).fingerprint == before.fingerprint  # a bit that zlib itself passes over
        except AnnotationError:
            complaint(path)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (labelled("", [person()]), ["image_id 1", "file_name"]),
        (labelled(people=[person(), {"scale": "big"}]), ["annolist 1", "annorect 1", "scale"]),
        (labelled(people=[person(), {"x1": np.zeros(3)}]), ["annolist 1", "annorect 1", "x1"]),
        (labelled(people=[{"annopoints": np.float64(3)}]), ["annolist 1", "annorect 0", "annopoints", "struct"]),
        (labelled(annorect=np.float64(3)), ["annolist 1", "annorect"]),
        (
            labelled(people=[person(), person([(1, 1, 1, 1), (16, 1, 1, 1)])]),
            ["annolist 1", "annorect 1", "point.id", "16"],
        ),
        (labelled(people=[person([(1, "x", 1, 1)])]), ["annolist 1", "annorect 0", "point.x"]),
        (labelled(people=[person([(1, 1, 1, "yes")])]), ["annolist 1", "annorect 0", "point.is_visible"]),
        (labelled(people=[person([(1, 1, 1, np.uint8(2))])]), ["annolist 1", "annorect 0", "point.is_visible", "2"]),
        (labelled(people=[person([(1, 1, 1, 1)], fields=("x", "id"))]), ["annolist 1", "annorect 0", "no field y"]),
        (labelled(people=[person()], single_person=[2]), ["single_person 1", "2"]),
        (labelled(people=[person()], single_person=[0]), ["single_person 1", "0"]),
        (labelled(category=np.float64(7)), ["act 1", "cat_name"]),
        (labelled(act_id="x"), ["act 1", "act_id"]),
        (labelled(act_id=np.float64(2.5)), ["image_id 1", "activity_id", "2.5"]),
    ],
)
def test_a_wrong_field_is_named_with_its_record(tmp_path, image, words):
    path = w.write(tmp_path / "a.mat", [labelled("fine.jpg", [person()]), image])
    complaint(path, *words, "mpii fetch mpii")


def test_members_of_unequal_length_are_named(tmp_path):
    release = w.release([labelled(), labelled()])
    for member in ("act", "img_train", "single_person"):
        short = release | {member: release[member].ravel()[:1].reshape(1, 1)}
        savemat(tmp_path / "a.mat", {"RELEASE": short})
        complaint(tmp_path / "a.mat", f"RELEASE.{member}", "1 entries for 2 images")
    for member in ("annolist", "img_train"):
        savemat(tmp_path / "a.mat", {"RELEASE": {name: value for name, value in release.items() if name != member}})
        complaint(tmp_path / "a.mat", f"no field {member}")


# --- the real file

CATEGORY_SIZES = {
    "sports": 3472, "occupation": 2370, "conditioning exercise": 1688, "home activities": 1382, "lawn and garden": 1096,
    "home repair": 1068, "water activities": 1018, "miscellaneous": 753, "winter activities": 742,
    "fishing and hunting": 712, "dancing": 697, "walking": 583, "music playing": 540, "bicycling": 518,
    "running": 293, "inactivity quiet/light": 187,
    "religious activities": 120, "self care": 89, "transportation": 88, "volunteer activities": 46,
}  # fmt: skip


@pytest.fixture(scope="module")
def real(shared_data):
    return read_mpii(shared_data / "mpii", cache=False)


@pytest.mark.shared
def test_the_real_file_has_the_known_counts(real):
    images, people = real.images, real.people
    train = images[images["split"] == "train"]
    assert (len(images), len(train), len(images) - len(train)) == (24_122, 17_503, 6_619)
    assert int(real.with_joints.sum()) == 17_607
    assert images["category"].nunique() == 20
    assert images["activity"].nunique() == 396
    assert train["category"].isna().sum() == 41
    assert train["activity_id"].isna().sum() == 41
    assert images.loc[images["split"] == "test", ["category", "activity", "activity_id"]].isna().all(axis=None)
    assert train["category"].value_counts().to_dict() == CATEGORY_SIZES
    # 17,378 training images of this reassembled file have people, 30 fewer than the official one's 17,408
    assert (~train.index.isin(people["image_id"])).sum() == 125
    assert sum("," in name for name in images["activity"].dropna().unique()) == 263


@pytest.mark.shared
def test_the_real_people_are_those_of_the_community_split(real):
    boxed = real.people["head_x1"].notna().to_numpy()
    assert boxed.sum() == 2_958
    assert real.people.loc[boxed, "image_id"].nunique() == 2_729
    assert (real.visibility[boxed] > 0).sum() == 44_240
    assert (real.visibility[boxed] == 1).sum() == 9_513 + 730
    assert (real.joints[boxed] < 1).any(axis=2).sum() == 45


@pytest.mark.shared
def test_five_real_people_are_where_another_toolkit_has_them(real, shared_data):
    peers = json.loads((shared_data / "mpii" / "peer_annotations.json").read_text())
    assert len(peers) == 5
    for peer in peers:
        image = real.images.index[real.images["file_name"] == peer["image"]][0]
        rows = np.flatnonzero(real.people["image_id"] == image)
        there = np.array(peer["joints_vis"], bool)
        distances = [np.abs(real.joints[row][there] - np.array(peer["joints"])[there]).max() for row in rows]
        row = rows[int(np.argmin(distances))]
        assert min(distances) < 0.01
        np.testing.assert_array_equal(real.visibility[row] > 0, there)
        person = real.people.iloc[row]
        np.testing.assert_allclose(
            person[["center_x", "center_y", "scale"]].astype(float), [*peer["center"], peer["scale"]], atol=0.01
        )
        assert real.image_path(image).is_file()
