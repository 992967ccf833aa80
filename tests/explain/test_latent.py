"""The bottleneck of an hourglass, read and replaced."""

import numpy as np
import pytest

from mpii_lib._keras import keras
from mpii_lib.errors import ModelError
from mpii_lib.explain import latent_decoder, latent_features, latent_model, run_decoder
from mpii_lib.models import build_hourglass
from mpii_lib.pose import predict_heatmaps


@pytest.fixture(scope="module")
def network():
    return build_hourglass(2, 8, 3, 5, 32, output_stride=2, seed=3)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")


@pytest.mark.parametrize(("stack", "place", "side"), [(1, "bottleneck", 2), (2, "bottleneck", 2), (2, "skip1", 16)])
def test_with_what_it_has_itself_the_network_says_what_it_says(network, pictures, stack, place, side):
    latents = latent_features(latent_model(network, stack, place), pictures, batch=2)
    assert latents.shape == (3, side, side, 8) and latents.std() > 0
    again = run_decoder(latent_decoder(network, stack, place), pictures, latents, batch=2)
    np.testing.assert_allclose(again, network(pictures, training=False)[-1], atol=1e-5)
    flat = run_decoder(latent_decoder(network, stack, place), pictures, latents.reshape(3, -1))
    np.testing.assert_allclose(flat, again, atol=1e-5)


def test_another_bottleneck_changes_the_heatmaps_and_one_picture_serves_for_all(network, pictures):
    latents = latent_features(latent_model(network), pictures)
    decoder = latent_decoder(network)
    one = run_decoder(decoder, pictures[:1], latents)
    np.testing.assert_allclose(one[0], run_decoder(decoder, pictures, latents)[0], atol=1e-5)
    assert np.abs(one[1:] - one[0]).max() > 1e-3
    assert np.abs(one[1] - network(pictures, training=False)[-1][1]).max() > 1e-3  # the skip branches are another's


def test_the_decoder_gives_the_heatmaps_of_its_stack_and_of_those_behind(network, pictures):
    latents = latent_features(latent_model(network), pictures)
    maps = latent_decoder(network, 1)([pictures, latents], training=False)
    assert len(maps) == 2
    np.testing.assert_allclose(maps[0], network(pictures, training=False)[0], atol=1e-5)


def test_logits_come_out_as_probabilities_as_from_predict_heatmaps(pictures):
    network = build_hourglass(1, 8, 2, 4, 32, output_stride=2, seed=1)
    network.provenance["maps"] = "logits"
    latents = latent_features(latent_model(network), pictures)
    maps = run_decoder(latent_decoder(network), pictures, latents)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(maps, predict_heatmaps(network, pictures), atol=1e-5)


def test_what_does_not_fit_is_said(network, pictures):
    with pytest.raises(ModelError, match="it has 2, counted from 1"):
        latent_model(network, 3)
    with pytest.raises(ModelError, match="no place 'skip9'"):
        latent_decoder(network, 1, "skip9")
    with pytest.raises(ModelError, match="build_hourglass"):
        latent_decoder(keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]))
    decoder = latent_decoder(network)
    with pytest.raises(ModelError, match="pictures of shape"):
        run_decoder(decoder, pictures[:, :16], np.zeros((3, 2, 2, 8)))
    with pytest.raises(ModelError, match="latents of shape"):
        run_decoder(decoder, pictures, np.zeros((3, 7)))
    with pytest.raises(ModelError, match="3 pictures and 2 latents"):
        run_decoder(decoder, pictures, np.zeros((2, 2, 2, 8)))
