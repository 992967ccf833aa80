"""Figures of pose scores show the numbers of the score."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mpii_lib.annotations import Annotations
from mpii_lib.plots import use_style
from mpii_lib.pose import joint_bars, pckh, person_panel, pose_gallery, ring, threshold_curves
from mpii_lib.skeletons import MPII


@pytest.fixture
def score():
    generator = np.random.default_rng(0)
    truth = generator.uniform(0, 200, (40, 16, 2))
    truth[:, 3] = np.nan
    visibility = generator.integers(1, 3, (40, 16))
    noise = generator.normal(scale=6, size=truth.shape)
    return pckh(truth + noise, truth, np.full(40, 20.0), visibility=visibility)


@pytest.fixture
def annotations(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    images = pd.DataFrame({"file_name": ["a.png"]}, index=[5])
    people = pd.DataFrame({"image_id": [5]})
    joints = np.random.default_rng(0).uniform(5, 40, (1, 16, 2)).astype("float32")
    return Annotations(images, people, joints, np.full((1, 16), 2, np.int8), MPII, tmp_path)


@pytest.fixture(autouse=True)
def styled():
    """As a notebook's setup cell leaves Matplotlib, whichever tests came before."""
    use_style()
    yield
    plt.close("all")


def test_all_joints_are_inside_a_square_panel(annotations):
    axes = plt.figure().add_subplot()
    joints = annotations.joints[0].copy()
    joints[0] = np.nan
    person_panel(axes, annotations, 5, joints, "who")
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(bottom - top) and axes.get_title("left") == "who"
    inside = joints[1:]
    assert ((inside > [left, top]) & (inside < [right, bottom])).all()


def test_a_ring_has_the_radius_that_it_is_given():
    axes = plt.figure().add_subplot()
    ring(axes, [3, 4], 2.5)
    assert axes.patches[0].get_radius() == 2.5 and axes.patches[0].center == (3, 4)


def test_the_gallery_has_a_panel_for_each_person_and_hides_the_rest(annotations):
    truth = np.repeat(annotations.joints, 3, axis=0)
    figure = pose_gallery(annotations, [5, 5, 5], truth, truth + 1, ["a", "b", "c"], columns=2, heading="Worst")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in shown] == ["a", "b", "c"] and figure.get_suptitle() == "Worst"
    assert all(len(axes.lines) >= len(MPII.limbs) * 3 for axes in shown)


def test_bars_are_the_rates_of_the_joints_and_lines_the_averages(score):
    axes = joint_bars(score, "By joint").axes[0]
    rates = {label.get_text(): bar.get_width() for label, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)}
    assert rates["r wrist"] == score.per_joint["r_wrist"] and "l hip" not in rates
    assert [line.get_xdata()[0] for line in axes.lines] == score.averages.tolist()
    grey = [bar.get_facecolor() for bar in axes.patches][list(rates).index("pelvis")]
    assert grey != [bar.get_facecolor() for bar in axes.patches][list(rates).index("r wrist")]


def test_curves_go_through_the_totals(score):
    axes = threshold_curves({"one": score, "other": score.at(0.5)}, upto=0.5).axes[0]
    line = axes.lines[0]
    assert line.get_xdata()[-1] == 0.5 and line.get_ydata()[-1] == score.total
    assert axes.get_legend().get_texts()[0].get_text() == f"one: {score.total:.2f}"
