"""The right picture with the right label, the same ones for the same seed, whatever files the pipeline meets."""

import subprocess
import sys

import numpy as np
import pytest
from annotations_of_files import make_annotations
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mpii_lib.datasets import Augmentation, ImageDataset
from mpii_lib.errors import DatasetError, MpiiError

COUNT = 24
CATEGORIES = ["running", "dancing", "sports", None]
WARP = Augmentation(rotation=25, zoom=0.2, shear=10, flip=True)


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


def collect(data, epoch=0):
    """All images and labels of an epoch, in its order, and the image_ids that the labels' positions belong to."""
    data.epoch = epoch
    pictures, labels = zip(*(data[index] for index in range(len(data))), strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


def ids_of(pictures):
    """Which images of `ann` they are, by their grey value."""
    return 100 + np.round(pictures.mean(axis=(1, 2, 3)) / 10).astype(int)


def test_images_labels_and_ids_belong_together(ann):
    data = ImageDataset(ann, ann.images.index, size=(16, 24), batch_size=5)
    pictures, labels = collect(data)
    assert pictures.dtype == np.float32 and pictures.shape == (18, 16, 24, 3) and labels.dtype == np.int32
    assert data.classes == ["dancing", "running", "sports"] and len(data) == 4 and data.excluded == 6
    assert np.array_equal(ids_of(pictures), data.image_ids) and np.array_equal(labels, data.labels)
    assert [data.classes[label] for label in labels] == ann.images.loc[data.image_ids, "category"].tolist()
    assert pictures.max() > 200, "values are 0..255, not 0..1"
    everything = data.load()
    assert all(
        np.array_equal(one, other) for one, other in zip(everything, (pictures, labels, data.image_ids), strict=True)
    )


def test_a_batch_has_its_size_and_the_last_one_the_rest(ann):
    data = ImageDataset(ann, ann.images.index, "activity", size=(16, 24), batch_size=5)
    assert [len(data[index][1]) for index in range(len(data))] == [5, 5, 5, 5, 4]
    whole = ImageDataset(ann, ann.images.index, "activity", size=(16, 24), batch_size=5, drop_remainder=True)
    assert [len(whole[index][1]) for index in range(len(whole))] == [5] * 4


def test_parts_of_a_split_agree_on_the_labels(ann):
    part = ImageDataset(ann, ann.images.index[ann.images["category"] == "sports"])
    assert part.classes == ["dancing", "running", "sports"] and set(part.labels) == {2}
    only = ImageDataset(ann, ann.images.index, classes=["sports", "running"])
    assert set(only.labels) == {0, 1} and only.excluded == 12


def test_shuffling_gives_each_image_once_and_another_order_each_epoch(ann):
    data = ImageDataset(ann, ann.images.index, size=(8, 8), batch_size=7, shuffle=True, seed=4)
    orders = []
    for epoch in (0, 1):
        pictures, labels = collect(data, epoch)
        orders.append(ids_of(pictures).tolist())
        assert sorted(orders[-1]) == sorted(data.image_ids) and orders[-1] != data.image_ids.tolist()
        assert [data.classes[label] for label in labels] == ann.images.loc[orders[-1], "category"].tolist()
    assert orders[0] != orders[1]
    assert ids_of(collect(data.in_order())[0]).tolist() == data.image_ids.tolist() and data.shuffle


def test_the_same_seed_and_epoch_give_the_same_batches_in_any_order_of_reading(detailed):
    def make(seed):
        options = {"size": (32, 32), "batch_size": 3, "shuffle": True, "augment": WARP, "seed": seed}
        data = ImageDataset(detailed, detailed.images.index, **options)
        data.epoch = 2
        return data

    forward, backward = make(7), make(7)
    first = [forward[index][0] for index in (0, 1, 2)]
    second = [backward[index][0] for index in (2, 1, 0)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], make(8)[0][0])


def test_each_epoch_changes_a_picture_anew(detailed):
    data = ImageDataset(detailed, detailed.images.index, size=(32, 32), augment=WARP)
    first, second = collect(data, 0)[0], collect(data, 1)[0]
    assert (np.abs(first - second).mean(axis=(1, 2, 3)) > 5).all()
    assert np.array_equal(second, collect(data, 1)[0])


def test_appended_augmentation_shows_the_originals_too(detailed):
    plain = collect(ImageDataset(detailed, detailed.images.index, size=(32, 32)))[0]
    augment = Augmentation(rotation=20, append=True)
    data = ImageDataset(detailed, detailed.images.index, size=(32, 32), batch_size=4, augment=augment)
    pictures, labels = collect(data)
    assert len(pictures) == 16 and len(data) == 4 and np.array_equal(labels[:8], labels[8:])
    assert np.allclose(pictures[:8], plain, atol=1e-2)
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
    (tmp_path / "text.jpg").write_text("not an image at all")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "deep.jpg", "PNG")
    good = ["jpeg.jpg", "png.jpg", "gif.jpg", "alpha.jpg", "cmyk.jpg", "grey.jpg"]
    bad = ["cut.jpg", "text.jpg", "empty.jpg", "folder.jpg", "deep.jpg", "gone.jpg"]
    names = [name for pair in zip(good, bad, strict=True) for name in pair]
    ann = make_annotations(tmp_path, names, ["a", "b"] * 6)

    data = ImageDataset(ann, ann.images.index, size=(24, 24), batch_size=12)
    seen_without_reading = [str(tmp_path / name) for name in ("folder.jpg", "gone.jpg")]
    assert [path for path, _ in data.skipped] == seen_without_reading
    pictures, labels = collect(data)
    collect(data, 1)  # a second epoch reports nothing twice

    assert ann.images.loc[data.image_ids, "file_name"].tolist() == good and set(labels) == {0}
    assert data.labels.tolist() == labels.tolist() and [path.name for path in data.paths] == good
    for picture, name in zip(pictures, good, strict=True):
        expected = (88, 88, 88) if name == "grey.jpg" else (200, 40, 40)
        assert np.abs(picture.mean(axis=(0, 1)) - expected).max() < 4, name
    assert [path for path, _ in data.skipped] == [str(tmp_path / name) for name in bad]
    reasons = dict(zip(bad, (reason for _, reason in data.skipped), strict=True))
    assert "truncated" in reasons["cut.jpg"]
    assert reasons["text.jpg"] == reasons["empty.jpg"] == "not an image"
    assert reasons["gone.jpg"] == "no such file"
    assert "directory" in reasons["folder.jpg"].lower() or "permission" in reasons["folder.jpg"].lower()
    assert "8 bits" in reasons["deep.jpg"]
    assert "6 images could not be read" in repr(data)


def test_a_large_jpeg_decoded_at_a_fraction_looks_the_same(tmp_path):
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    picture = Image.fromarray(np.stack([np.tile(ramp, (480, 1))] * 3, axis=-1))
    picture.save(tmp_path / "a.jpg", quality=95)
    ann = make_annotations(tmp_path, ["a.jpg"], ["x"])
    pictures, _ = collect(ImageDataset(ann, [100], size=(48, 64)))
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
    data = ImageDataset(ann, ann.images.index, size=(height, width), augment=augment, seed=3)
    pictures, _ = collect(data, 1)
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
    plain = collect(ImageDataset(detailed, detailed.images.index, size=(30, 40)))[0]
    data = ImageDataset(detailed, detailed.images.index, size=(30, 40), augment=Augmentation(flip=True))
    flipped = collect(data)[0]
    mirrored = [np.allclose(a, b[:, ::-1], atol=0.01) for a, b in zip(flipped, plain, strict=True)]
    same = [np.allclose(a, b, atol=0.01) for a, b in zip(flipped, plain, strict=True)]
    assert all(np.logical_xor(mirrored, same)) and 0 < sum(mirrored) < 8


@pytest.mark.parametrize(
    "values", [{"rotation": -1}, {"zoom": 1}, {"shear": 90}, {"fill": "wrap"}, {"zoom": float("nan")}]
)
def test_augmentation_out_of_range_is_refused(values):
    with pytest.raises(MpiiError, match=next(iter(values))):
        Augmentation(**values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_ids": [100, 999]}, "1 image_ids are not in the annotations, the first is 999"),
        ({"image_ids": [103]}, "none of the 1 images has a category"),
        ({"target": "sport"}, "target is 'sport'; give one of 'category', 'activity'"),
        ({"classes": ["sports", "sports"]}, "named twice"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"size": (0, 10)}, "size"),
        ({"size": 224}, "size is 224; give .a whole number, a whole number"),
        ({"size": (2**20, 8)}, "size=.1048576, 8.: give height and width in pixels, from 1 to 8192"),
        ({"image_ids": [100, 2**70]}, "the first is 1180591620717411303424"),
        ({"image_ids": np.array([False, True])}, "give a list, each of it a whole number"),
        ({"batch_size": 32, "drop_remainder": True}, "drop_remainder leaves no batch of 32; use a smaller one"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_arguments_are_named(ann, change, message):
    arguments = {"image_ids": ann.images.index, **change}
    with pytest.raises(MpiiError, match=message):
        ImageDataset(ann, **arguments)


def test_a_folder_without_the_pictures_is_told_at_once(tmp_path):
    ann = make_annotations(tmp_path / "nowhere", ["a.jpg", "b.jpg"], ["a", "b"])
    with pytest.raises(DatasetError, match="none of the 2 image files is there.*mpii fetch"):
        ImageDataset(ann, ann.images.index)


def test_a_folder_without_one_readable_picture_is_told_at_once(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>404</html>")
    ann = make_annotations(tmp_path, ["a.jpg", "b.jpg"], ["a", "b"])
    with pytest.raises(DatasetError, match="the first 1 image files cannot be read.*a.jpg: not an image"):
        ImageDataset(ann, ann.images.index)


def test_a_batch_without_one_readable_image_says_what_to_do(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no image")
    data = ImageDataset(make_annotations(tmp_path, ["a.png", "b.png"], ["x", "y"]), [100, 101], batch_size=1)
    assert data[0][0].shape == (1, 224, 224, 3)
    with pytest.raises(DatasetError, match="b.png: not an image, and none of its batch can be read.*skipped"):
        data[1]


@pytest.mark.parametrize("fill", ["reflect", "nearest", "constant"])
def test_the_warp_agrees_with_tensorflows(fill):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    image = np.array(small.resize((64, 48), Image.Resampling.BICUBIC))
    augment = Augmentation(rotation=25, zoom=0.2, shear=10, flip=True, fill=fill)
    matrices = augment.matrices(20, (48, 64), rng)
    expected = tf.raw_ops.ImageProjectiveTransformV3(
        images=np.repeat(image[None], 20, axis=0).astype(np.float32),
        transforms=np.linalg.inv(matrices).reshape(-1, 9)[:, :8].astype(np.float32),
        output_shape=(48, 64),
        interpolation="BILINEAR",
        fill_mode=fill.upper(),
        fill_value=0.0,
    ).numpy()
    got = np.stack([augment.warp(image, matrix) for matrix in matrices])
    assert np.abs(got - expected).max() < 2, "grey levels"


def test_keras_trains_evaluates_and_predicts_without_a_warning(ann, recwarn):
    from mpii_lib._keras import keras

    train = ImageDataset(ann, ann.images.index, size=(8, 8), batch_size=7, shuffle=True, augment=WARP)
    val = ImageDataset(ann, ann.images.index, size=(8, 8), batch_size=7)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(train, validation_data=val, epochs=2, class_weight={0: 1.0, 1: 2.0, 2: 1.0}, verbose=0)
    predictions = model.predict(val, verbose=0)
    accuracy = (predictions.argmax(axis=1) == val.labels).mean()
    assert model.evaluate(val, verbose=0)[1] == pytest.approx(accuracy)
    assert not [w for w in recwarn if "ran out of data" in str(w.message)]


def test_the_fingerprint_follows_whatever_changes_the_batches(ann, tmp_path):
    def key(**options):
        return ImageDataset(ann, ann.images.index, **options).fingerprint

    assert key() == key() and key(seed=1) == key(seed=2), "without chance the seed changes nothing"
    others = [
        {},
        {"size": (9, 9)},
        {"target": "activity"},
        {"classes": ["sports"]},
        {"batch_size": 8},
        {"augment": WARP},
    ]
    others += [{"shuffle": True}, {"shuffle": True, "seed": 1}]
    assert len({key(**options) for options in others}) == len(others)

    def file_key(size):
        Image.new("RGB", size).save(tmp_path / "a.png")
        return ImageDataset(make_annotations(tmp_path, ["a.png"], ["x"]), [100]).fingerprint

    assert file_key((10, 10)) != file_key((300, 300)), "another file under the same name"


def test_importing_the_package_and_splitting_needs_no_tensorflow():
    code = (
        "import sys, mpii_lib.datasets as d; d.split_images; d.Augmentation; "
        "bad = {'tensorflow', 'keras'} & set(sys.modules); assert not bad, bad; assert 'ImageDataset' in dir(d)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
