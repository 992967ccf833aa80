"""The weights that the package ships: complete, small, reproducible, and worth having."""

from __future__ import annotations

import numpy as np
import pytest

from mpii_course.sample import render_classification
from mpii_lib._keras import keras
from mpii_lib.models import (
    BACKBONES,
    SMALL_WIDTH,
    ModelError,
    build_classifier,
    get_backbone,
    sample_file,
    sample_metadata,
)
from mpii_lib.models.weights import read_npz


def fixed_image() -> np.ndarray:
    """Coloured stripes that no renderer and no random generator can change, (1, 96, 96, 3) uint8."""
    return (np.indices((96, 96)).sum(axis=0)[None, ..., None] * [1, 2, 3] % 256).astype(np.uint8)


def features(name: str, images: np.ndarray, **options: object) -> np.ndarray:
    model = build_classifier(name, 2, images.shape[1:], head="pooled", seed=0, **options)
    return keras.Model(model.input, model.get_layer("features").output).predict(images, verbose=0)


def test_all_five_are_there_and_together_below_five_megabytes() -> None:
    assert sum(sample_file(name).stat().st_size for name in BACKBONES) <= 5_000_000


@pytest.mark.parametrize("name", BACKBONES)
def test_each_file_fits_its_backbone_and_says_how_it_was_made(name: str) -> None:
    arrays, metadata = read_npz(sample_file(name))
    assert sum(array.size for array in arrays) == BACKBONES[name].small_parameters
    assert all(np.isfinite(array).all() for array in arrays)
    assert metadata == sample_metadata(name.upper())
    assert (metadata["backbone"], metadata["width"]) == (name, SMALL_WIDTH)
    assert {"images", "sizes", "seed", "seconds", "held_out_accuracy", "made_by", "probe"} <= set(metadata)


def test_all_five_learned_equally_long_what_is_in_the_images_and_no_category() -> None:
    recipes = [sample_metadata(name) for name in BACKBONES]
    assert len({(one["images"], *one["sizes"], *one["labels"]) for one in recipes}) == 1
    assert {"thing", "kinds", "scene", "people"} <= set(recipes[0]["labels"])
    assert not {"category", "activity"} & set(recipes[0]["labels"])
    assert all(set(one["held_out_accuracy"]) == set(one["labels"]) for one in recipes)


@pytest.mark.parametrize("name", ["VGG16", "Xception"])
def test_sample_weights_give_the_recorded_features(name: str) -> None:
    check_probe(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VGG19", "ResNet50", "InceptionResNetV2"])
def test_the_other_sample_weights_give_the_recorded_features(name: str) -> None:
    check_probe(name)


def check_probe(name: str) -> None:
    probe = np.array(sample_metadata(name)["probe"])
    found = features(name, fixed_image(), weights="sample")[0, : len(probe)]
    np.testing.assert_allclose(found, probe, rtol=0.01, atol=0.01 * np.abs(probe).max())


def test_sample_weights_make_a_network_of_an_eighth_of_the_width() -> None:
    model = build_classifier("vgg16", 16, (96, 96, 3), "sample")
    assert model.get_layer("backbone").count_params() == 230_568
    assert model.provenance["weights"] == "sample"
    assert model.get_layer("backbone").output_shape == (None, 3, 3, 64)


def test_missing_sample_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("mpii_lib.models.weights.resources.files", lambda _: tmp_path)
    with pytest.raises(ModelError, match="sample weights of VGG16 are missing; install the package again"):
        sample_file(get_backbone("VGG16"))


@pytest.mark.slow
def test_frozen_vgg16_gains_fifteen_points_on_videos_it_never_saw() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    images, category, _, video = render_classification(400, 96, seed=77, frames_per_video=2)
    test = video % 2 == 1
    scores = {}
    for weights, options in {
        "random": {"weights": None, "width": SMALL_WIDTH},
        "sample": {"weights": "sample"},
    }.items():
        found = features("VGG16", images, **options)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
        scores[weights] = classifier.fit(found[~test], category[~test]).score(found[test], category[test])
    assert scores["sample"] - scores["random"] >= 0.15, scores
