"""Where people are, and what can be read from features."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.errors import ModelError
from mpii_lib.explain import people_boxes, readable


@pytest.fixture
def annotated(tmp_path):
    """Two images of 200 x 100 pixels; in the first a person without an annotated joint, and one without any joint."""
    path = tmp_path / "a.png"
    Image.new("RGB", (200, 100)).save(path)
    joints = np.array([[[50, 20], [90, 80], [199, 99]], [[0, 0]] * 3, [[-30, 10], [10, 50], [0, 20]]], float)
    return SimpleNamespace(
        people=pd.DataFrame({"image_id": [1, 1, 2]}),
        joints=joints,
        visibility=np.array([[2, 1, 0], [0, 0, 0], [2, 2, 2]]),
        image_path=lambda image_id: path,
    )


def test_a_box_is_scaled_to_the_classifiers_image_and_has_room_on_each_side(annotated):
    assert people_boxes(annotated, 1, (50, 50), margin=0).tolist() == [[10, 40, 12, 22]]
    assert people_boxes(annotated, 1, (100, 200), margin=0.1).tolist() == [[14, 86, 44, 96]]


def test_a_box_ends_where_the_image_ends_and_nobody_has_no_box(annotated):
    assert people_boxes(annotated, 2, (100, 200), margin=0).tolist() == [[10, 50, 0, 10]]
    assert people_boxes(annotated, 3, (100, 200)).shape == (0, 4)


def test_what_lies_in_a_straight_line_can_be_read_and_noise_cannot():
    generator = np.random.default_rng(0)
    features, groups = generator.normal(size=(300, 4)), np.repeat(np.arange(30), 10)
    fact = features @ [1.0, -2.0, 0.5, 0.0]
    assert readable(features, fact, groups) > 0.99
    assert readable(features, generator.normal(size=300), groups) < 0.1
    fact[::7] = np.nan
    assert readable(features, fact, groups) > 0.99


def test_a_fact_that_only_tells_the_group_cannot_be_read_on_other_groups():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 15)
    features = generator.normal(size=(20, 25))[groups] + 0.01 * generator.normal(size=(300, 25))
    fact = generator.normal(size=20)[groups]
    assert readable(features, fact, groups) < 0.5 < 0.9 < readable(features, fact, np.arange(300))


def test_probing_refuses_what_does_not_belong_together():
    with pytest.raises(ModelError, match="give .N, D."):
        readable(np.zeros((4, 2)), np.zeros(3), np.zeros(4))
    with pytest.raises(ModelError, match="at least 2"):
        readable(np.zeros((4, 2)), np.zeros(4), np.zeros(4))
