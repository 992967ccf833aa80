"""People as single pictures and joints as heatmaps: crops, heatmaps and back, flipping, and how wrong a pose is.

Names are looked up on first use, so that `import mpii_lib.pose` stays light: OpenCV is loaded when a picture is cut,
and Keras only by the functions for the training graph.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Square": "crops",
    "apply_matrix": "crops",
    "centre_crop": "crops",
    "crop_matrix": "crops",
    "crop_picture": "crops",
    "square_crop": "crops",
    "square_crops": "crops",
    "decode_heatmaps": "heatmaps",
    "encode_heatmaps": "heatmaps",
    "joint_mask": "heatmaps",
    "flip_heatmaps": "flip",
    "flip_joints": "flip",
    "flip_test": "flip",
    "decode_heatmaps_graph": "graph",
    "encode_heatmaps_graph": "graph",
    "joint_bars": "figures",
    "person_panel": "figures",
    "pose_gallery": "figures",
    "ring": "figures",
    "threshold_curves": "figures",
    "visibility_bars": "figures",
    "PoseScore": "metrics",
    "pck": "metrics",
    "pckh": "metrics",
    "KeypointAP": "similarity",
    "keypoint_ap": "similarity",
    "oks": "similarity",
    "box_size": "sizes",
    "head_size": "sizes",
    "torso_size": "sizes",
    "PersonCrops": "persons",
    "PoseAugmentation": "batches",
    "PoseBatches": "batches",
    "join_crops": "persons",
    "person_crops": "persons",
    "FoundPose": "own",
    "find_pose": "own",
    "PredictedPoses": "predict",
    "predict_heatmaps": "predict",
    "predict_poses": "predict",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
