"""What is written: the official layouts with their traps, the COCO twin, and what happens to folders."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from mpii_course.sample import make
from mpii_course.sample.make import MAT_NAME, make_sample
from mpii_lib.annotations import read_coco, read_mpii
from mpii_lib.datasets import split_images
from mpii_lib.errors import DatasetError
from mpii_lib.skeletons import MPII

SMALL = (160, 120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("made") / "sample"


@pytest.fixture(scope="module")
def written(folder):
    """The images that `write_mpii` gets while a sample of 240 is made, and the annotations that are read back."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        plain = make.write_mpii
        patch.setattr(
            make, "write_mpii", lambda path, images, rng: (kept.update(images=images), plain(path, images, rng))
        )
        kept["annotations"] = make_sample(folder, 240, 4, size=SMALL)
    return kept


@pytest.fixture(scope="module")
def with_test_part(tmp_path_factory):
    """The same sample with a labelled test part."""
    return make_sample(tmp_path_factory.mktemp("more") / "sample", 240, 4, size=SMALL, test_videos=20)


@pytest.fixture(scope="module")
def release(folder, written):
    return loadmat(folder / MAT_NAME, struct_as_record=False)["RELEASE"][0, 0]


def persons(release):
    return [person for image in release.annolist.flat for person in image.annorect.flat]


def points(release):
    for person in persons(release):
        if "annopoints" in person._fieldnames and person.annopoints.size:
            yield from person.annopoints[0, 0].point.flat


def test_the_joints_read_back_are_those_that_were_drawn(written):
    ann = written["annotations"]
    compared = 0
    for image_id, image in enumerate(written["images"]):
        rows = np.flatnonzero(ann.people["image_id"] == image_id)
        if image.split != "train" or not len(rows):
            continue
        for row, truth in zip(rows, image.people, strict=True):
            if not ann.with_joints[row]:
                continue
            np.testing.assert_allclose(ann.joints[row], truth.joints, atol=0.51)
            certain = np.isfinite(truth.joints[:, 0]) & ~np.isin(np.arange(16), (8, 9))
            np.testing.assert_array_equal(ann.visibility[row][certain] == 2, truth.visible[certain])
            compared += 1
    assert compared > 100


def test_hidden_and_visible_joints_and_cut_persons_are_all_there(written):
    ann = written["annotations"]
    known = ann.visibility[np.asarray(ann.with_joints)]
    assert 0.05 < (known == 1).sum() / (known > 0).sum() < 0.4
    assert 0.01 < (known == 0).mean() < 0.3
    assert ann.people.groupby("image_id").size().max() >= 2


def test_the_file_lies_as_the_official_one_does(release):
    assert release._fieldnames == ["annolist", "img_train", "version", "single_person", "act", "video_list"]
    assert release.annolist.shape == (1, 240) and release.img_train.shape == (1, 240)
    assert release.act.shape == release.single_person.shape == (240, 1)
    assert release.annolist[0, 0]._fieldnames == ["image", "annorect", "frame_sec", "vididx"]
    assert release.act[0, 0]._fieldnames == ["cat_name", "act_name", "act_id"]
    assert release.video_list.shape[0] == 1 and release.video_list.shape[1] > 10


def test_every_trap_of_the_official_file_is_in_it(release):
    kinds = {p.is_visible.dtype.kind if p.is_visible.size else "empty" for p in points(release)}
    assert kinds == {"u", "U", "empty"}
    assert {tuple(p._fieldnames) for p in points(release)} == {
        ("x", "y", "id", "is_visible"),
        ("id", "x", "y", "is_visible"),
    }
    assert {"uint8", "uint16", "float64"} >= {str(p.x.dtype) for p in points(release)} >= {"uint8", "float64"}
    fields = {tuple(p._fieldnames) for p in persons(release)}
    assert any("part_occ1" in names and "head_r11" in names for names in fields)
    assert any("annopoints" not in names for names in fields)
    whole = [p for p in persons(release) if "annopoints" in p._fieldnames]
    assert any(not p.scale.size and not p.objpos.size for p in whole)
    sizes = {p.annopoints[0, 0].point.size for p in whole if p.annopoints.size}
    assert 16 in sizes and min(sizes) < 16
    ids = [[int(q.id.item()) for q in p.annopoints[0, 0].point.flat] for p in whole if p.annopoints.size]
    assert any(order != sorted(order) for order in ids)
    assert any(image.annorect.shape == (0, 0) for image in release.annolist.flat)


def test_scale_is_eight_head_sizes_as_in_the_official_file(written):
    people = written["annotations"].people
    head = 0.6 * np.hypot(people["head_x2"] - people["head_x1"], people["head_y2"] - people["head_y1"])
    ratio = (head / (200 * people["scale"])).dropna()
    assert len(ratio) > 50
    np.testing.assert_allclose(ratio.astype(float), 1 / 8, rtol=1e-3)


def test_about_a_quarter_are_test_images_without_labels_joints_or_videos(written):
    ann = written["annotations"]
    test = ann.images["split"] == "test"
    assert 0.15 < test.mean() < 0.35
    assert ann.images.loc[test, ["category", "activity", "video_id"]].isna().all(axis=None)
    of_test = ann.people["image_id"].isin(ann.images.index[test])
    assert not np.asarray(ann.with_joints)[of_test].any()


def test_the_labelled_test_part_has_videos_labels_and_joints_of_its_own(with_test_part):
    ann = with_test_part
    part = ann.images[(ann.images["split"] == "test") & ann.images["category"].notna()]
    assert part.groupby("video_id").size().tolist() == [3] * 20
    train = ann.images[ann.images["split"] == "train"]
    assert not set(part["video_id"]) & set(train["video_id"])
    assert set(part["category"]) <= set(train["category"].dropna())
    people = ann.people["image_id"].isin(part.index)
    assert set(ann.people.loc[people, "image_id"]) == set(part.index)
    assert np.isfinite(ann.joints[people]).mean() > 0.8
    splits = split_images(ann)
    assert set(splits[part.index]) == {"test"} and not (splits.drop(part.index) == "test").any()


def test_the_labelled_test_part_leaves_the_other_images_as_they_are(folder, written, with_test_part):
    plain, more = written["annotations"], with_test_part
    assert more.images.iloc[:240].equals(plain.images)
    count = len(plain.people)
    assert more.people.iloc[:count].equals(plain.people) and (more.people["image_id"].iloc[count:] >= 240).all()
    np.testing.assert_array_equal(more.joints[:count], plain.joints)
    for image_id in range(240):
        assert more.image_path(image_id).read_bytes() == plain.image_path(image_id).read_bytes()


def test_the_coco_twin_has_the_labelled_test_part_in_val(with_test_part):
    names = set(with_test_part.images["file_name"].iloc[240:])
    folder = with_test_part.folder.parent
    assert names <= set(read_coco(folder, "val").images["file_name"])
    assert not names & set(read_coco(folder, "train").images["file_name"])


def test_a_few_training_images_have_no_label_and_a_few_no_person(written):
    train = written["annotations"].images.query("split == 'train'")
    assert 1 <= train["category"].isna().sum() <= 3
    assert train["video_id"].notna().all()
    assert len(set(train.index) - set(written["annotations"].people["image_id"])) >= 1


def test_frames_of_a_video_share_their_label_and_differ_in_their_second(written):
    labelled = written["annotations"].images.dropna(subset=["category"])
    by_video = labelled.groupby("video_id")
    assert (by_video["activity"].nunique() == 1).all()
    assert (by_video["frame_sec"].nunique() == by_video.size()).all()
    assert 3 < by_video.size().mean() < 8


def test_images_have_nine_digits_and_the_asked_size(folder, written):
    names = written["annotations"].images["file_name"]
    assert names.str.fullmatch(r"\d{9}\.jpg").all() and names.is_unique
    assert sorted(path.name for path in (folder / "images").iterdir()) == sorted(names)
    assert cv2.imread(str(folder / "images" / names.iloc[0])).shape == (SMALL[1], SMALL[0], 3)


def test_the_coco_twin_holds_the_same_people(folder, written):
    mpii, drawn = written["annotations"], {int(p.name[:9]): p for p in written["images"]}
    counted, empty = 0, 0
    for split in ("train", "val"):
        twin = read_coco(folder, split)
        assert twin.image_path(twin.images.index[0]).is_file()
        knees = [twin.skeleton.index(n) for n in ("left_knee", "right_knee")]
        for image_id in twin.images.index:
            rows = np.flatnonzero((twin.people["image_id"] == image_id) & ~twin.people["iscrowd"].astype(bool))
            image = drawn[image_id]
            empty += image.split == "empty"
            assert image.split != "test" and len(rows) == len(image.people)
            for row, truth in zip(rows, image.people, strict=True):
                if twin.visibility[row].any():
                    expected = truth.joints[[MPII.index("l_knee"), MPII.index("r_knee")]]
                    np.testing.assert_allclose(twin.joints[row][knees], expected, atol=0.51)
                    counted += 1
    assert counted > 100 and empty >= 1
    assert counted >= np.asarray(mpii.with_joints).sum()


# pycocotools gives NumPy 2 its masks without the keyword `copy`.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_the_coco_twin_is_what_pycocotools_reads(folder, written, capsys):
    from pycocotools.coco import COCO

    coco = COCO(str(folder / "annotations" / "person_keypoints_train2017.json"))
    for annotation in coco.loadAnns(coco.getAnnIds(iscrowd=False))[:40]:
        mask = coco.annToMask(annotation)
        assert mask.shape == (SMALL[1], SMALL[0])
        assert mask.sum() == pytest.approx(annotation["area"], rel=0.35, abs=20)
        assert annotation["num_keypoints"] == np.count_nonzero(annotation["keypoints"][2::3])
    for annotation in coco.loadAnns(coco.getAnnIds(iscrowd=True)):
        assert coco.annToMask(annotation).sum() == annotation["area"] and annotation["num_keypoints"] == 0
    videos = {p.video % 5 for p in written["images"] if int(p.name[:9]) in coco.imgs}
    assert videos == {0, 1, 2, 3}


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(tmp_path):
    for name, workers in (("one", 1), ("three", 3)):
        make_sample(tmp_path / name, 12, 9, size=SMALL, workers=workers)
    one, three = (
        {
            p.relative_to(tmp_path / name): p.read_bytes()
            for p in (tmp_path / name).rglob("*")
            if p.suffix in (".jpg", ".mat", ".json")
        }
        for name in ("one", "three")
    )
    assert len(one) == 12 + 1 + 3 and one == three


def test_another_seed_gives_other_images(tmp_path, folder, written):
    other = make_sample(tmp_path / "other", 6, 5, size=SMALL)
    assert not set(other.images["file_name"]) & set(written["annotations"].images["file_name"][:6])


def test_a_whole_sample_is_read_and_not_drawn_again(folder, written, monkeypatch):
    monkeypatch.setattr(make, "_write", lambda *_: pytest.fail("drawn again"))
    assert make_sample(folder, 240, 4, size=SMALL).fingerprint == written["annotations"].fingerprint


def test_a_folder_with_something_else_is_left_alone(tmp_path, folder, written):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="holds mine.txt.*choose a new or empty folder"):
        make_sample(tmp_path, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(DatasetError, match="another sample .images=240, seed=4"):
        make_sample(folder, 240, 5, size=SMALL)
    with pytest.raises(DatasetError, match="another sample .images=240, seed=4, test_videos=0"):
        make_sample(folder, 240, 4, size=SMALL, test_videos=5)
    with pytest.raises(DatasetError, match="is a file"):
        make_sample(tmp_path / "mine.txt", 6)


def test_an_interrupted_drawing_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "sample", 6, size=SMALL, progress=stop)
    assert not list(tmp_path.iterdir())
    (tmp_path / "sample").mkdir()
    assert len(make_sample(tmp_path / "sample", 6, size=SMALL).images) == 6


def test_progress_counts_to_the_end(tmp_path):
    seen = []
    make_sample(tmp_path / "sample", 8, size=SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (8, 8) and seen == sorted(seen)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="sample: cannot be written .*choose a folder"):
        make_sample(tmp_path / "file" / "sample", 6)
    if os.name == "posix" and os.getuid() != 0:
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(DatasetError, match="cannot be written"):
                make_sample(tmp_path / "sample", 6)
        finally:
            tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("images", "seed", "size", "test_videos"),
    [(0, 0, SMALL, 0), (6, 0, (10, 10), 0), (6, -1, SMALL, 0), (6, 0, SMALL, -1)],
)
def test_numbers_that_make_no_sense_are_refused(tmp_path, images, seed, size, test_videos):
    with pytest.raises(DatasetError, match="a side at least 64 pixels, seed and test_videos at least 0"):
        make_sample(tmp_path / "sample", images, seed, size=size, test_videos=test_videos)
    assert not list(tmp_path.iterdir())


def test_the_mark_names_the_parameters(folder, written):
    mark = json.loads((folder / "sample.json").read_text())
    assert mark == {"images": 240, "seed": 4, "test_videos": 0, "size": list(SMALL), "version": make.VERSION}
    assert read_mpii(folder).fingerprint == written["annotations"].fingerprint


def test_of_two_that_draw_the_same_sample_at_once_both_have_it(tmp_path, monkeypatch):
    write, others = make._write, []

    def with_another(*arguments):
        write(*arguments)
        if not others:  # another process starts and ends while this one draws
            others.append(None)
            others.append(make_sample(tmp_path / "sample", 6, size=SMALL))

    monkeypatch.setattr(make, "_write", with_another)
    assert make_sample(tmp_path / "sample", 6, size=SMALL).fingerprint == others[1].fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_an_interrupt_while_the_work_is_handed_out_does_not_wait_for_all_of_it(tmp_path, monkeypatch):
    drawn = []

    class Pool(ThreadPoolExecutor):
        def submit(self, draw, shot):
            if shot.number == 60:
                raise KeyboardInterrupt
            return super().submit(lambda: drawn.append(draw(shot)))

    monkeypatch.setattr(make, "ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "sample", 400, size=(64, 64))
    assert len(drawn) < 50 and not list(tmp_path.iterdir())


def test_ctrl_c_does_not_wait_for_the_rest_of_the_images(tmp_path):
    drawn = []

    def press_ctrl_c(done, total):
        drawn.append(done)
        raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "sample", 20_000, size=SMALL, progress=press_ctrl_c)
    assert time.monotonic() - before < 60 and len(drawn) == 1 and not list(tmp_path.iterdir())
