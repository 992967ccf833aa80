"""Wrong arguments of every public function of `mpii_lib.pose` and `mpii_lib.plots` get one clear line."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from wrong_arguments import assert_clear

from mpii_lib import plots, pose
from mpii_lib.annotations import Annotations
from mpii_lib.errors import MpiiError
from mpii_lib.skeletons import COCO, MPII

JOINTS = np.random.default_rng(0).uniform(20, 200, (4, 16, 2))
SEEN = np.full((4, 16), 2)
MAPS = np.random.default_rng(0).random((4, 8, 8, 16)).astype(np.float32)
IMAGE = np.zeros((30, 40, 3), np.uint8)
BOXES = np.array([[10, 20, 100, 90.0]] * 4)
SIZES = np.full((4, 2), 300.0)
MATRIX = pose.crop_matrix((10, 20, 100), 64)


class Network:
    """Stands for a network that knows nothing."""

    input_shape, name = (None, 32, 32, 3), "network"

    def predict(self, images, batch_size, verbose):
        return [MAPS[:1].repeat(len(images), 0)]


CALLS = [
    (pose.square_crop, dict(box=BOXES[0], joints=JOINTS[0], visibility=SEEN[0], image_size=(300, 400), margin=0.1)),
    (pose.square_crops, dict(boxes=BOXES, joints=JOINTS, visibility=SEEN, image_sizes=SIZES, margin=0.1)),
    (pose.centre_crop, dict(center=(100, 90), scale=1.5, margin=1.25, shift=15.0)),
    (pose.crop_matrix, dict(square=(10, 20, 100), size=64)),
    (pose.resize_matrix, dict(old=64, new=32)),
    (pose.apply_matrix, dict(matrix=MATRIX, joints=JOINTS, inverse=True)),
    (pose.crop_image, dict(image=IMAGE, matrix=MATRIX, size=64)),
    (pose.encode_heatmaps, dict(joints=JOINTS, visibility=SEEN, size=(16, 16), input_size=(256, 256), sigma=2.0)),
    (pose.joint_mask, dict(joints=JOINTS, visibility=SEEN, input_size=(256, 256))),
    (pose.decode_heatmaps, dict(heatmaps=MAPS, input_size=(32, 32), method="dark", smooth=1.0)),
    (pose.flip_heatmaps, dict(heatmaps=MAPS, order=MPII.flip_order, offset=0.5)),
    (
        pose.head_size,
        dict(people=pd.DataFrame({f"head_{axis}": [float(axis[1])] for axis in ("x1", "y1", "x2", "y2")})),
    ),
    (
        pose.pckh,
        dict(predicted=JOINTS, truth=JOINTS, head_size=np.ones(4), threshold=0.5, skeleton=MPII, visibility=SEEN),
    ),
    (pose.oks, dict(predicted=JOINTS, truth=JOINTS, visibility=SEEN, area=np.ones(4), sigmas=np.ones(16))),
    (
        pose.predict_heatmaps,
        dict(model=Network(), images=IMAGE[None, :30, :30], stack=0, from_logits=True, batch_size=2),
    ),
    (
        pose.predict_poses,
        dict(model=Network(), crops=IMAGE[None, :30, :30], flip_test=True, decode="dark", stack=0, batch_size=2),
    ),
    (pose.find_pose, dict(model=Network(), image=IMAGE, box=(2, 3, 10, 12), threshold=0.3, flip_test=True)),
    (pose.PoseAugmentation, dict(scale=0.1, rotation=10.0, rotated=0.5, flip=0.5, shift=0.1, colour=0.1)),
    (plots.draw_pose, dict(axes=plt.figure().add_subplot(), joints=JOINTS[0], visibility=SEEN[0], width=2.0)),
    (plots.blank, dict(axes=plt.figure().add_subplot(), title="a")),
    (plots.image_grid, dict(images=[IMAGE, IMAGE], titles=["a", "b"], columns=2, size=1.0, heading="a")),
    (plots.confusion_figure, dict(confusion=pd.DataFrame([[3, 1], [0, 2]]), title="a")),
    (plots.learning_curves, dict(history={"loss": [2, 1], "accuracy": [0.1, 0.2]}, title="a", chance=0.1)),
    (pose.ring, dict(axes=plt.figure().add_subplot(), centre=(3, 4), radius=2.0, colour="red")),
]
SCORE = pose.pckh(JOINTS, JOINTS + 1, np.ones(4), visibility=SEEN)
CALLS += [
    (SCORE.at, dict(threshold=0.4)),
    (SCORE.curve, dict(thresholds=[0.1, 0.2])),
    (SCORE.interval, dict(groups=[1, 2, 3, 4], seed=0)),
    (SCORE.scores, dict(groups=[1, 2, 3, 4], seed=0)),
    (pose.joint_bars, dict(score=SCORE, title="a")),
    (pose.threshold_curves, dict(scores={"a": SCORE}, title="a", upto=0.5)),
]


@pytest.mark.parametrize(("function", "valid"), CALLS, ids=[function.__qualname__ for function, _ in CALLS])
def test_wrong_arguments_get_one_line(function, valid):
    assert_clear(function, valid)


@pytest.mark.parametrize(("function", "valid"), CALLS, ids=[function.__qualname__ for function, _ in CALLS])
def test_absurd_numbers_are_named_or_bring_a_result_without_a_warning(function, valid):
    for name, value in valid.items():
        if np.ndim(value) and np.asarray(value).dtype.kind in "if":
            for absurd in (np.nan, np.inf, -np.inf, 1e30, -1e30, 1e308, -1e308, 1e-308, 0.0, -1.0):
                for all_of_them in (True, False):
                    numbers = np.array(value, float)
                    numbers[... if all_of_them else (0,) * numbers.ndim] = absurd
                    try:
                        function(**(valid | {name: numbers}))
                    except MpiiError as error:
                        assert len(str(error)) < 400 and "\n" not in str(error)
                    plt.close("all")


def test_wrong_arguments_of_what_reads_annotations_get_one_line(people, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *bundle, **options: None)
    axes = plt.figure().add_subplot()
    grid = dict(joints=people.joints[:1], predicted=people.joints[:1], titles=["a"], columns=2, size=1.0)
    mistakes = pd.DataFrame({"position": [0], "true": ["a"], "predicted": ["b"], "probability": [0.5]})
    coco = Annotations(
        people.images,
        people.people.assign(area=900.0),
        np.zeros((4, 17, 2), np.float32),
        np.full((4, 17), 2, np.int8),
        COCO,
    )
    crops = pose.person_crops(people, [1, 2], 16)
    assert_clear(pose.keypoint_ap, dict(predicted=coco.joints, annotations=coco, scores=np.ones(4), image_ids=[10] * 4))
    assert_clear(pose.person_panel, dict(axes=axes, annotations=people, image_id=10, joints=JOINTS[0], room=0.2))
    assert_clear(pose.pose_gallery, dict(annotations=people, image_ids=[10], **grid))
    assert_clear(plots.show_image, dict(axes=axes, annotations=people, image_id=10, title="a", poses=True))
    assert_clear(plots.mistakes_figure, dict(annotations=people, image_ids=[10], mistakes=mistakes, most=2))
    assert_clear(
        pose.PoseDataset, dict(crops=crops, heatmap_size=4, size=16, batch_size=2, seed=1, sigma=1.0, workers=1)
    )
    with plt.ioff():
        assert_clear(plots.show, dict(figure=plt.figure(), alt="A figure with nothing in it."))
