"""The right picture with the right label, the same ones for the same seed, whatever files the pipeline meets."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.datasets import Augmentation, classification_dataset
from mpii_lib.errors import DatasetError
from mpii_lib.skeletons import MPII

COUNT = 24
CATEGORIES = ["running", "dancing", "sports", None]
WARP = Augmentation(rotation=25, zoom=0.2, shear=10, flip=True)


def make_annotations(folder, names, categories, activities=None):
    """Annotations of pictures without people."""
    images = pd.DataFrame(
        {"file_name": names, "split": "train", "category": categories, "activity": activities},
        index=pd.RangeIndex(100, 100 + len(names), name="image_id"),
    )
    people = pd.DataFrame({"image_id": np.zeros(0, np.int64)}, index=pd.RangeIndex(0, name="person_id"))
    return Annotations(images, people, np.zeros((0, 16, 2), np.float32), np.zeros((0, 16), np.int8), MPII, folder)


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    """Twenty-four pictures; the grey value of number i is 10 i, so that it can be told which one came."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        Image.new("RGB", (60, 40), (10 * number,) * 3).save(folder / f"{number}.jpg", quality=95)
    names = [f"{number}.jpg" for number in range(COUNT)]
    return make_annotations(
        folder, names, [CATEGORIES[n % 4] for n in range(COUNT)], [f"act {n % 2}" for n in range(COUNT)]
    )


@pytest.fixture(scope="module")
def detailed(tmp_path_factory):
    """Eight pictures with something to see."""
    folder = tmp_path_factory.mktemp("detailed")
    rng = np.random.default_rng(0)
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return make_annotations(folder, [f"{n}.png" for n in range(8)], ["a", "b"] * 4)


def collect(batches):
    pictures, labels, ids = zip(*batches, strict=True)
    return np.concatenate(pictures), np.concatenate(labels), np.concatenate(ids)


def test_pictures_labels_and_ids_belong_together(ann):
    data = classification_dataset(ann, ann.images.index, size=(16, 24), batch=5)
    pictures, labels, ids = collect(data.batches())
    assert pictures.dtype == np.float32 and pictures.shape == (18, 16, 24, 3) and labels.dtype == np.int32
    assert data.classes == ["dancing", "running", "sports"] and len(data) == 18 and data.excluded == 6
    assert np.array_equal(ids, data.image_ids) and np.array_equal(labels, data.labels)
    assert [data.classes[label] for label in labels] == ann.images.loc[ids, "category"].tolist()
    assert np.abs(pictures.mean(axis=(1, 2, 3)) - 10 * (ids - 100)).max() < 2
    assert pictures.max() > 200, "values are 0..255, not 0..1"


def test_the_tf_stream_is_what_fit_expects(ann):
    data = classification_dataset(ann, ann.images.index, "activity", size=(16, 24), batch=5)
    spec_x, spec_y = data.tf.element_spec
    assert spec_x.shape.as_list() == [None, 16, 24, 3] and spec_x.dtype == "float32"
    assert spec_y.shape.as_list() == [None] and spec_y.dtype == "int32"
    sizes = [len(labels) for _, labels in data.tf.as_numpy_iterator()]
    assert sizes == [5, 5, 5, 5, 4] and data.batches_per_epoch == 5
    whole = classification_dataset(ann, ann.images.index, "activity", size=(16, 24), batch=5, drop_remainder=True)
    assert [len(labels) for _, labels in whole.tf.as_numpy_iterator()] == [5] * 4 and whole.batches_per_epoch == 4
    assert whole.tf.element_spec[0].shape.as_list() == [5, 16, 24, 3]


def test_parts_of_a_split_agree_on_the_labels(ann):
    part = classification_dataset(ann, ann.images.index[ann.images["category"] == "sports"])
    assert part.classes == ["dancing", "running", "sports"] and set(part.labels) == {2}
    only = classification_dataset(ann, ann.images.index, classes=["sports", "running"])
    assert set(only.labels) == {0, 1} and only.excluded == 12


def test_shuffling_gives_each_picture_once_and_another_order_each_epoch(ann):
    data = classification_dataset(ann, ann.images.index, size=(8, 8), batch=7, shuffle=True, seed=4)
    first, second = collect(data.batches(0)), collect(data.batches(1))
    for pictures, labels, ids in (first, second):
        assert sorted(ids) == sorted(data.image_ids) and list(ids) != list(data.image_ids)
        assert [data.classes[label] for label in labels] == ann.images.loc[ids, "category"].tolist()
        assert np.abs(pictures.mean(axis=(1, 2, 3)) - 10 * (ids - 100)).max() < 2
    assert list(first[2]) != list(second[2])


def test_the_same_seed_and_epoch_give_the_same_batches_whatever_the_threads(detailed):
    import tensorflow as tf

    def make(seed):
        return classification_dataset(
            detailed, detailed.images.index, size=(32, 32), batch=3, shuffle=True, augment=WARP, seed=seed
        )

    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    parallel = [x for x, _ in make(7).epoch(2).as_numpy_iterator()]
    alone = [x for x, _ in make(7).epoch(2).with_options(options).as_numpy_iterator()]
    assert all(np.array_equal(a, b) for a, b in zip(parallel, alone, strict=True))
    assert not np.array_equal(parallel[0], next(iter(make(8).batches(2)))[0])


def test_each_epoch_changes_a_picture_anew(detailed):
    data = classification_dataset(detailed, detailed.images.index, size=(32, 32), augment=WARP)
    first, second = collect(data.batches(0))[0], collect(data.batches(1))[0]
    assert (np.abs(first - second).mean(axis=(1, 2, 3)) > 5).all()
    assert np.array_equal(second, collect(data.batches(1))[0])


def test_appended_augmentation_shows_the_originals_too(detailed):
    plain = collect(classification_dataset(detailed, detailed.images.index, size=(32, 32)).batches())[0]
    augment = Augmentation(rotation=20, append=True)
    data = classification_dataset(detailed, detailed.images.index, size=(32, 32), batch=4, augment=augment)
    pictures, labels, ids = collect(data.batches())
    assert len(pictures) == 16 and data.batches_per_epoch == 4 and len(data) == 8
    assert np.allclose(pictures[:8], plain, atol=1e-2) and np.array_equal(ids[:8], ids[8:])
    assert (np.abs(pictures[8:] - plain).mean(axis=(1, 2, 3)) > 5).all()


def test_files_of_every_kind_are_read_or_skipped_with_their_reason(tmp_path):
    red = Image.new("RGB", (64, 48), (200, 40, 40))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    red.save(tmp_path / "jpeg.jpg")
    red.save(tmp_path / "png.jpg", "PNG")
    red.save(tmp_path / "gif.jpg", "GIF")
    red.convert("RGBA").save(tmp_path / "alpha.jpg", "PNG")
    red.convert("CMYK").save(tmp_path / "cmyk.jpg", "JPEG")
    red.convert("L").save(tmp_path / "grey.jpg")
    noise.save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-4000])
    (tmp_path / "text.jpg").write_text("not a picture at all")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "deep.jpg", "PNG")
    good = ["jpeg.jpg", "png.jpg", "gif.jpg", "alpha.jpg", "cmyk.jpg", "grey.jpg"]
    bad = ["cut.jpg", "text.jpg", "empty.jpg", "folder.jpg", "deep.jpg", "gone.jpg"]
    names = [name for pair in zip(good, bad, strict=True) for name in pair]
    ann = make_annotations(tmp_path, names, ["a", "b"] * 6)

    data = classification_dataset(ann, ann.images.index, size=(24, 24), batch=4, shuffle=True)
    assert data.skipped == []
    pictures, labels, ids = collect(data.batches())
    list(data.batches(1))  # a second epoch reports nothing twice

    assert sorted(ann.images.loc[ids, "file_name"]) == sorted(good) and set(labels) == {0}
    for picture, name in zip(pictures, ann.images.loc[ids, "file_name"], strict=True):
        expected = (88, 88, 88) if name == "grey.jpg" else (200, 40, 40)
        assert np.abs(picture.mean(axis=(0, 1)) - expected).max() < 4, name
    assert [path for path, _ in data.skipped] == [str(tmp_path / name) for name in bad]
    reasons = dict(zip(bad, (reason for _, reason in data.skipped), strict=True))
    assert "truncated" in reasons["cut.jpg"]
    assert reasons["text.jpg"] == reasons["empty.jpg"] == "not a picture"
    assert reasons["gone.jpg"] == "no such file"
    assert "directory" in reasons["folder.jpg"].lower() or "permission" in reasons["folder.jpg"].lower()
    assert "8 bits" in reasons["deep.jpg"]
    assert "6 pictures could not be read" in repr(data)


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same(tmp_path):
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    picture = Image.fromarray(np.stack([np.tile(ramp, (480, 1))] * 3, axis=-1))
    picture.save(tmp_path / "a.jpg", quality=95)
    ann = make_annotations(tmp_path, ["a.jpg"], ["x"])
    pictures, _, _ = collect(classification_dataset(ann, [100], size=(48, 64)).batches())
    expected = np.asarray(picture.resize((64, 48), Image.Resampling.BOX), np.float32)
    assert np.abs(pictures[0] - expected).max() < 5


def test_a_point_lands_where_the_matrix_says(tmp_path):
    """The joints of a pose moved by `matrices` stay on the body."""
    height, width = 60, 80
    marked = np.zeros((height, width, 3), np.uint8)
    marked[20:25, 50:55] = 255  # centred at x = 52, y = 22
    for number in range(6):
        Image.fromarray(marked).save(tmp_path / f"{number}.png")
    ann = make_annotations(tmp_path, [f"{n}.png" for n in range(6)], ["a"] * 6)
    augment = Augmentation(rotation=40, zoom=0.2, shear=15, flip=True, fill="constant")
    data = classification_dataset(ann, ann.images.index, size=(height, width), augment=augment, seed=3)
    pictures, _, _ = collect(data.batches(epoch=1))
    matrices = augment.matrices(6, (height, width), np.random.default_rng([3, 1, 1]))
    rows, columns = np.mgrid[:height, :width]
    weight = pictures[..., 0] / pictures[..., 0].sum(axis=(1, 2), keepdims=True)
    found = np.stack([(weight * columns).sum(axis=(1, 2)), (weight * rows).sum(axis=(1, 2))], axis=1)
    assert np.abs(found - (matrices @ [52, 22, 1])[:, :2]).max() < 0.1


@settings(max_examples=30, deadline=None)
@given(
    rotation=st.floats(0, 180), zoom=st.floats(0, 0.9), shear=st.floats(0, 60), flip=st.booleans(),
    height=st.integers(1, 300), width=st.integers(1, 300),
)  # fmt: skip
def test_the_middle_stays_and_the_size_changes_by_the_zoom_alone(rotation, zoom, shear, flip, height, width):
    augment = Augmentation(rotation=rotation, zoom=zoom, shear=shear, flip=flip)
    matrices = augment.matrices(50, (height, width), np.random.default_rng(0))
    middle = np.array([(width - 1) / 2, (height - 1) / 2, 1])
    assert np.allclose(matrices @ middle, middle, atol=1e-6)
    area = np.linalg.det(matrices)
    assert (np.abs(area) <= (1 + zoom) ** 2 + 1e-9).all() and (np.abs(area) >= (1 - zoom) ** 2 - 1e-9).all()
    assert (area < 0).any() == flip


def test_a_flip_alone_is_the_exact_mirror(detailed):
    plain = collect(classification_dataset(detailed, detailed.images.index, size=(30, 40)).batches())[0]
    data = classification_dataset(detailed, detailed.images.index, size=(30, 40), augment=Augmentation(flip=True))
    flipped = collect(data.batches())[0]
    mirrored = [np.allclose(a, b[:, ::-1], atol=0.01) for a, b in zip(flipped, plain, strict=True)]
    same = [np.allclose(a, b, atol=0.01) for a, b in zip(flipped, plain, strict=True)]
    assert all(np.logical_xor(mirrored, same)) and 0 < sum(mirrored) < 8


@pytest.mark.parametrize(
    "values", [{"rotation": -1}, {"zoom": 1}, {"shear": 90}, {"fill": "wrap"}, {"zoom": float("nan")}]
)
def test_augmentation_out_of_range_is_refused(values):
    with pytest.raises(DatasetError, match=next(iter(values))):
        Augmentation(**values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_ids": [100, 999]}, "1 image_ids are not in the annotations, the first is 999"),
        ({"image_ids": [103]}, "none of the 1 images has a category"),
        ({"target": "sport"}, "target='sport' is unknown"),
        ({"classes": ["sports", "sports"]}, "named twice"),
        ({"batch": 0}, "batch=0"),
        ({"size": (0, 10)}, "size"),
        ({"size": 224}, "size=224.*height, width"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_arguments_are_named(ann, change, message):
    arguments = {"image_ids": ann.images.index, **change}
    with pytest.raises(DatasetError, match=message):
        classification_dataset(ann, **arguments)


def test_a_folder_without_the_pictures_is_told_at_once(tmp_path):
    ann = make_annotations(tmp_path / "nowhere", ["a.jpg", "b.jpg"], ["a", "b"])
    with pytest.raises(DatasetError, match="none of the 2 picture files is there.*mpii fetch"):
        classification_dataset(ann, ann.images.index)


def test_a_folder_without_one_readable_picture_is_told_at_once(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>404</html>")
    ann = make_annotations(tmp_path, ["a.jpg", "b.jpg"], ["a", "b"])
    with pytest.raises(DatasetError, match="none of the first 1 picture files can be read.*a.jpg: not a picture"):
        classification_dataset(ann, ann.images.index)


def test_keras_trains_on_an_epoch_without_a_warning(ann, recwarn):
    from mpii_lib._keras import keras

    data = classification_dataset(ann, ann.images.index, size=(8, 8), batch=7, shuffle=True, augment=WARP)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    for number in range(2):
        model.fit(
            data.epoch(number), validation_data=data.tf, class_weight={0: 1.0, 1: 2.0, 2: 1.0}, verbose=0, shuffle=False
        )
    assert not [w for w in recwarn if "ran out of data" in str(w.message)]


def test_the_fingerprint_follows_whatever_changes_the_batches(ann, tmp_path):
    def key(**options):
        return classification_dataset(ann, ann.images.index, **options).fingerprint

    assert key() == key() and key(seed=1) == key(seed=2), "without chance the seed changes nothing"
    others = [{}, {"size": (9, 9)}, {"target": "activity"}, {"classes": ["sports"]}, {"batch": 8}, {"augment": WARP}]
    others += [{"shuffle": True}, {"shuffle": True, "seed": 1}]
    assert len({key(**options) for options in others}) == len(others)

    def file_key(size):
        Image.new("RGB", size).save(tmp_path / "a.png")
        return classification_dataset(make_annotations(tmp_path, ["a.png"], ["x"]), [100]).fingerprint

    assert file_key((10, 10)) != file_key((300, 300)), "another file under the same name"


def test_importing_the_package_and_splitting_needs_no_tensorflow():
    code = (
        "import sys, mpii_lib.datasets as d; d.split_images; d.Augmentation; "
        "bad = {'tensorflow', 'keras', 'cv2'} & set(sys.modules); assert not bad, bad; assert 'make_sample' in dir(d)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
