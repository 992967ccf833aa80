"""Setup, skeletons and figures: what every notebook leans on."""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mpii_course import setup
from mpii_lib import plots
from mpii_lib.errors import MpiiError
from mpii_lib.skeletons import COCO, MPII


def test_setup_seeds_numpy_and_shows_the_seed():
    info = setup(seed=7)
    first = np.random.rand()  # noqa: NPY002
    setup(seed=7)
    assert np.random.rand() == first  # noqa: NPY002
    assert ("seed", "7") in info.rows
    assert ">This session</caption>" in info._repr_html_()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_setup_says_which_seeds_there_are(seed):
    with pytest.raises(MpiiError, match=f"SEED is {seed}; give"):
        setup(seed=seed)


@pytest.mark.parametrize("skeleton", [MPII, COCO], ids=lambda s: s.name)
def test_mirroring_twice_is_the_identity_and_swaps_sides(skeleton):
    order = skeleton.flip_order
    assert (order[order] == np.arange(len(skeleton))).all()
    swapped = {"left": "right", "right": "left", "middle": "middle"}
    assert [swapped[s] for s in skeleton.side] == [skeleton.side[i] for i in order]


def test_sides_are_the_persons_own():
    assert MPII.side[MPII.index("r_wrist")] == "right"
    assert MPII.side[MPII.index("l_hip")] == "left"
    assert MPII.side[MPII.index("head_top")] == "middle"
    assert all(COCO.side[i] == name.split("_")[0] for i, name in enumerate(COCO.joints) if "_" in name)


def test_limbs_join_real_joints_and_every_joint_is_drawn():
    for skeleton in (MPII, COCO):
        drawn = {joint for limb in skeleton.limbs for joint in limb}
        assert drawn == set(range(len(skeleton)))
    assert COCO.sigmas is not None and len(COCO.sigmas) == 17


def test_an_unknown_joint_is_named():
    with pytest.raises(MpiiError, match="knee_of_a_horse"):
        MPII.index("knee_of_a_horse")


def test_show_stores_the_alternative_text_and_closes_the_figure(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append((a, k)))
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    plots.show(figure, alt="A line that rises from one to two.")
    (bundle,), options = shown[0]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert options["metadata"]["image/png"]["alt"] == "A line that rises from one to two."
    assert not plt.get_fignums()


def test_show_refuses_a_figure_without_words():
    figure, _ = plt.subplots()
    with pytest.raises(MpiiError, match="describe"):
        plots.show(figure, alt="figure")
    plt.close(figure)


def test_a_pose_is_drawn_without_the_joints_that_are_not_annotated():
    joints = np.random.default_rng(0).uniform(0, 100, (16, 2))
    joints[0] = np.nan
    figure, axes = plt.subplots()
    plots.draw_pose(axes, joints, np.where(np.arange(16) == 0, 0, 2))
    points = [line for line in axes.lines if line.get_linestyle() == "None" or len(line.get_xdata()) == 1]
    assert len(points) == 15
    limbs = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(limbs) == 2 * (len(MPII.limbs) - 1)
    plt.close(figure)


@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
def test_learning_curves_are_drawn_from_what_fit_returns(kind):
    history = {"loss": [1.0, 0.5, 0.4], "accuracy": [0.2, 0.5, 0.9], "val_loss": [1.0, 0.9, None]}
    figure = plots.learning_curves(kind(history), chance=0.25)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert loss.lines[1].get_xdata().tolist() == [1, 2, 3] and np.isnan(loss.lines[1].get_ydata()[2])
    assert [line.get_label() for line in accuracy.lines] == ["training", "largest class always"]
    plt.close(figure)


def test_images_in_a_grid_have_their_titles_and_empty_places_stay_blank():
    images = [np.zeros((4, 6, 3), np.uint8), np.ones((4, 6))]
    figure = plots.image_grid(images, ["first", "second"], columns=3)
    assert [axes.get_title("left") or axes.get_title() for axes in figure.axes] == ["first", "second", ""]
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 0]
    plt.close(figure)


def test_the_palette_keeps_left_and_right_apart_in_more_than_colour():
    (_, left), (_, right) = plots.SIDES["left"], plots.SIDES["right"]
    assert left != right
