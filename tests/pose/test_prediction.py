"""From heatmaps of a network to joints in the image, and how sure it is."""

import numpy as np
import pytest

from mpii_lib.errors import ModelError
from mpii_lib.pose import person_crops, predict_heatmaps, predict_poses


class Spots:
    """Stands for a network: heatmaps with the top where the image is brightest, and before them empty ones."""

    input_shape, name = (None, 32, 32, 3), "spots"

    def predict(self, images, batch_size, verbose):
        maps = np.asarray(images, np.float32)[..., :1].reshape(len(images), 16, 2, 16, 2, 1).max(axis=(2, 4))
        return [np.zeros_like(maps).repeat(16, -1), maps.repeat(16, -1)]


def test_predictions_come_back_to_the_image(people):
    spots = person_crops(people, size=32, crop="thesis")
    spots.images[:] = 0
    spots.images[:, 20:22, 6:8] = 200
    found = predict_poses(Spots(), spots, decode="argmax", from_logits=False)
    np.testing.assert_allclose(found.joints, np.broadcast_to([6.5, 20.5], (3, 16, 2)))
    np.testing.assert_allclose(found.image_joints, spots.to_image(found.joints))
    assert found.scores.min() == 200 and found.confidence.shape == (3,)
    flipped = predict_poses(Spots(), spots, flip_test=True, decode="argmax", from_logits=False)
    np.testing.assert_allclose(flipped.joints, found.joints)
    first = predict_poses(Spots(), spots, stack=0, from_logits=False)
    assert np.isnan(first.joints).all()  # an empty map shows no place


def test_the_flip_test_averages_both_views_with_the_sides_swapped():
    class Sides:
        """Joint 0 is where the left half is bright, and its partner, joint 5, where the right one is."""

        input_shape, name = (None, 8, 8, 3), "sides"

        def predict(self, images, batch_size, verbose):
            maps = np.zeros((len(images), 8, 8, 16), np.float32)
            maps[..., 0], maps[..., 5] = images[..., 0], images[..., 1]
            return maps

    images = np.zeros((1, 8, 8, 3), np.uint8)
    images[0, 2, 3, 0], images[0, 6, 1, 1] = 100, 60
    joints = predict_poses(Sides(), images, flip_test=True, decode="argmax", from_logits=False).joints[0]
    np.testing.assert_allclose(joints[0], [3, 2])
    np.testing.assert_allclose(joints[5], [3, 2])  # seen as joint 0 in the mirror, and brighter than its own spot


def test_larger_crops_are_brought_to_the_networks_size_and_joints_back():
    images = np.zeros((1, 64, 64, 3), np.uint8)
    images[:, 40:44, 12:16] = 200
    assert predict_poses(Spots(), images, decode="argmax").joints[0, 0] == pytest.approx([13.5, 41.5])


def test_scores_of_logits_are_probabilities():
    images = np.zeros((1, 32, 32, 3), np.uint8)
    sure = images.copy()
    sure[:, 20:22, 6:8] = 30
    low, high = (predict_poses(Spots(), one).scores[0, 0] for one in (images, sure))
    assert 0 < low < 0.05 and 0.95 < high <= 1.0001
    np.testing.assert_allclose(predict_heatmaps(Spots(), sure).sum(axis=(1, 2)), 1, rtol=1e-5)
    assert predict_heatmaps(Spots(), sure, from_logits=False).max() == 30


def test_what_is_no_crop_is_refused():
    for wrong in (np.zeros((4, 32, 32)), np.zeros((1, 32, 48, 3)), np.zeros((0, 32, 32, 3))):
        with pytest.raises(ModelError, match="crops"):
            predict_poses(Spots(), wrong)
    with pytest.raises(ModelError, match="stack 2"):
        predict_poses(Spots(), np.zeros((1, 32, 32, 3), np.uint8), stack=2)
