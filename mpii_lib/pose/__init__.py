"""People as single images and joints as heatmaps: crops, heatmaps and back, flipping, and how wrong a pose is.

Names are looked up on first use, so that `import mpii_lib.pose` stays light: OpenCV is loaded when an image is cut,
and Keras only for `PoseDataset`.
"""

from mpii_lib._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "crops": "Square apply_matrix centre_crop crop_image crop_matrix resize_matrix square_crop square_crops",
        "heatmaps": "decode_heatmaps encode_heatmaps joint_mask",
        "flip": "flip_heatmaps",
        "person_images": "PersonCrops join_crops person_crops",
        "pose_dataset": "PoseAugmentation PoseDataset",
        "prediction": "PredictedPoses predict_heatmaps predict_poses",
        "single_image": "FoundPose find_pose",
        "metrics": "PoseScore head_size pckh",
        "coco_metrics": "KeypointAP keypoint_ap oks",
        "score_plots": "joint_bars person_panel pose_gallery ring threshold_curves",
    },
)
