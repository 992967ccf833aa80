"""Splits keep videos whole, keep the shares, and depend on nothing but the seed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpii_lib.datasets import class_weights, split_images
from mpii_lib.errors import ArgumentError, DatasetError, MpiiError

# Images a category on MPII's training side, and the mean of about four frames a video.
MPII_SIZES = {
    "sports": 3472, "occupation": 2370, "conditioning exercise": 1688, "home activities": 1382, "lawn and garden": 1096,
    "home repair": 1068, "water activities": 1018, "miscellaneous": 753, "winter activities": 742, "running": 293,
    "fishing and hunting": 712, "dancing": 697, "walking": 583, "music playing": 540, "bicycling": 518,
    "inactivity quiet/light": 187, "religious activities": 120, "self care": 89, "transportation": 88,
    "volunteer activities": 46,
}  # fmt: skip


def annotations(categories, videos, splits=None):
    """Only what a split looks at."""
    images = pd.DataFrame(
        {
            "split": splits if splits is not None else "train",
            "category": pd.array(categories, dtype="string"),
            "video_id": pd.array(videos, dtype="Int64"),
        },
        index=pd.RangeIndex(len(categories), name="image_id"),
    )
    return SimpleNamespace(images=images)


@pytest.fixture(scope="module")
def mpii_like():
    rng = np.random.default_rng(1)
    categories, videos, video = [], [], 0
    for name, count in MPII_SIZES.items():
        while count:
            frames = min(count, int(rng.geometric(0.25)))
            categories += [name] * frames
            videos += [video] * frames
            video, count = video + 1, count - frames
    return annotations(categories, videos)


def splits_per_video(ann, split):
    return split.groupby(ann.images["video_id"].reindex(split.index)).nunique()


@pytest.mark.parametrize(("by", "tolerance"), [("image", 0.001), ("category", 0.002), ("video", 0.02)])
def test_each_split_gets_its_share(mpii_like, by, tolerance):
    split = split_images(mpii_like, by=by)
    shares = split.value_counts(normalize=True)
    assert split.name == "split" and split.index.name == "image_id"
    assert shares[["train", "val", "test"]].tolist() == pytest.approx([0.7, 0.15, 0.15], abs=tolerance)


def test_long_and_short_videos_are_dealt_alike():
    rng = np.random.default_rng(0)
    frames = rng.geometric(1 / 6, 1000)
    videos = np.repeat(np.arange(1000), frames)
    ann = annotations(np.array(list("abcdefghij"))[rng.integers(10, size=1000)][videos], videos)
    first_image = np.unique(videos, return_index=True)[1]
    dealt = pd.concat([split_images(ann, seed=seed).iloc[first_image].reset_index(drop=True) for seed in range(60)])
    sizes = np.tile(np.digitize(frames, [2, 4, 7, 13]), 60)  # the classes 1, 2-3, 4-6, 7-12, 13 and more
    shares = pd.crosstab(sizes, dealt.to_numpy(), normalize="index")
    assert shares["test"].tolist() == pytest.approx([0.15] * 5, abs=0.01)
    assert shares["train"].tolist() == pytest.approx([0.7] * 5, abs=0.015)


@pytest.mark.parametrize(("by", "tolerance"), [("video", 0.17), ("category", 0.02)])
def test_each_category_keeps_the_shares(mpii_like, by, tolerance):
    split = split_images(mpii_like, by=by, seed=3)
    table = pd.crosstab(mpii_like.images["category"], split, normalize="index")[["train", "val", "test"]]
    assert (table - [0.7, 0.15, 0.15]).abs().to_numpy().max() < tolerance
    assert (table.to_numpy() > 0).all()


def test_a_split_by_video_keeps_videos_whole_and_the_others_do_not(mpii_like):
    assert splits_per_video(mpii_like, split_images(mpii_like, by="video")).max() == 1
    assert splits_per_video(mpii_like, split_images(mpii_like, by="image")).max() > 1
    assert splits_per_video(mpii_like, split_images(mpii_like, by="category")).max() > 1


@pytest.mark.parametrize("seed", range(8))
def test_a_category_with_three_videos_is_in_all_splits(seed):
    ann = annotations(["rare"] * 18 + ["common"] * 200, [0] * 9 + [1] * 5 + [2] * 4 + list(np.arange(200) // 4 + 9))
    split = split_images(ann, seed=seed)
    assert set(split[:18]) == set(split[18:]) == {"train", "val", "test"}


def test_videos_of_several_categories_stay_whole():
    rng = np.random.default_rng(2)
    ann = annotations(rng.choice(list("abc"), 300), rng.integers(40, size=300))
    split = split_images(ann)
    assert splits_per_video(ann, split).max() == 1 and set(split) == {"train", "val", "test"}


def test_a_category_with_one_video_is_in_train():
    ann = annotations(["rare"] * 5 + ["common"] * 60, [0] * 5 + list(range(1, 61)))
    assert set(split_images(ann)[:5]) == {"train"}


def test_only_labelled_images_take_part():
    ann = annotations(["a", None, None, "b", "a"], range(5), splits=["train", "train", "test", "train", "train"])
    assert list(split_images(ann).index) == [0, 3, 4]


@pytest.mark.parametrize("by", ["image", "video", "category"])
def test_labelled_test_images_are_the_test_split(by):
    ann = annotations(["a", "b"] * 60, np.arange(120) // 2, splits=["train"] * 40 + ["test"] * 40 + ["train"] * 40)
    split = split_images(ann, by=by)
    assert set(split[40:80]) == {"test"}
    assert split.drop(range(40, 80)).value_counts().to_dict() == {"train": 66, "val": 14}
    assert list(split.index) == list(range(120))


def test_images_without_a_video_are_dealt_one_by_one():
    split = split_images(annotations(["a"] * 100, [None] * 100))
    assert split.value_counts().to_dict() == {"train": 70, "val": 15, "test": 15}


def test_another_seed_gives_another_split_and_the_same_seed_the_same(mpii_like):
    assert split_images(mpii_like, seed=1).equals(split_images(mpii_like, seed=1))
    assert not split_images(mpii_like, seed=1).equals(split_images(mpii_like, seed=2))


tables = st.lists(
    st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 12))), min_size=1, max_size=60
).map(lambda rows: annotations([c for c, _ in rows], [v for _, v in rows]))


@settings(max_examples=60, deadline=None)
@given(ann=tables, by=st.sampled_from(["image", "video", "category"]), seed=st.integers(0, 9), data=st.data())
def test_a_split_is_a_partition_that_ignores_the_order_of_rows(ann, by, seed, data):
    split = split_images(ann, (0.6, 0.2, 0.2), by=by, seed=seed)
    assert list(split.index) == list(ann.images.index)
    assert set(split) <= {"train", "val", "test"}
    if by == "video" and ann.images["video_id"].notna().any():
        assert splits_per_video(ann, split).max() == 1
    order = data.draw(st.permutations(range(len(split))))
    shuffled = split_images(SimpleNamespace(images=ann.images.iloc[order]), (0.6, 0.2, 0.2), by=by, seed=seed)
    assert list(shuffled.index) == list(ann.images.index[order])
    assert shuffled.sort_index().equals(split.sort_index())


@pytest.mark.parametrize(
    "fractions", [(0.7, 0.2), (0.7, 0.2, 0.2), (1.2, -0.1, -0.1), (0.5, 0.5, float("nan")), (0, 0.5, 0.5)]
)
def test_fractions_that_are_no_shares_are_refused(fractions):
    with pytest.raises(DatasetError, match="sum to 1"):
        split_images(annotations(["a"] * 9, range(9)), fractions)


def test_a_split_with_share_zero_stays_empty():
    split = split_images(annotations(["a"] * 50, range(50)), (0.8, 0, 0.2))
    assert split.value_counts().to_dict() == {"train": 40, "test": 10}


def test_images_without_labels_are_refused_with_what_to_do():
    with pytest.raises(DatasetError, match="none of the 3 images .* use MPII or the sample"):
        split_images(annotations([None] * 3, range(3)))


def test_an_unknown_way_of_splitting_is_named():
    with pytest.raises(ArgumentError, match="by is 'person'; give one of 'image', 'video', 'category'"):
        split_images(annotations(["a"] * 3, range(3)), by="person")


def test_class_weights_are_scikit_learns_balanced_ones():
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.array([0] * 6 + [2] * 3 + [5])
    weights = class_weights(labels)
    expected = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    assert list(weights) == [0, 2, 5] and all(type(key) is int for key in weights)
    assert list(weights.values()) == pytest.approx(expected.tolist())
    assert class_weights(["b", "a", "a"]) == {"a": 0.75, "b": 1.5}


def test_class_weights_takes_whatever_can_be_looped_over():
    assert class_weights(label for label in "baa") == class_weights({1: "b", 2: "a", 3: "a"}.values())


@pytest.mark.parametrize("labels", [[], ["a", None]])
def test_class_weights_refuses_missing_labels(labels):
    with pytest.raises(MpiiError, match="labels"):
        class_weights(labels)
    with pytest.raises(DatasetError, match="labels"):
        class_weights(iter(labels))
