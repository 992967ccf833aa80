"""People as single images and joints as heatmaps: crops, heatmaps and back, flipping, and how wrong a pose is.

Names are looked up on first use, so that `import mpii_lib.pose` stays light: OpenCV is loaded when an image is cut,
and Keras only for `PoseDataset`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {
    "crops": "Square apply_matrix centre_crop crop_image crop_matrix resize_matrix square_crop square_crops",
    "heatmaps": "decode_heatmaps encode_heatmaps joint_mask",
    "flip": "flip_heatmaps flip_joints",
    "person_images": "PersonCrops join_crops person_crops",
    "pose_dataset": "PoseAugmentation PoseDataset",
    "prediction": "PredictedPoses predict_heatmaps predict_poses",
    "single_image": "FoundPose find_pose",
    "metrics": "PoseScore head_size pckh",
    "coco_metrics": "KeypointAP keypoint_ap oks",
    "score_plots": "joint_bars person_panel pose_gallery ring threshold_curves",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
