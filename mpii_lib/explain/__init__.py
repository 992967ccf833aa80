"""Where a classifier looks: Grad-CAM and occlusion maps, and how well they agree."""

from mpii_lib.explain.classifiers import grad_cam, occlusion_map, split_classifier
from mpii_lib.explain.measures import boxes_mask, map_agreement, people_boxes, readable, share_inside
from mpii_lib.explain.overlay import overlay

__all__ = [
    "boxes_mask",
    "grad_cam",
    "map_agreement",
    "occlusion_map",
    "overlay",
    "people_boxes",
    "readable",
    "share_inside",
    "split_classifier",
]
