"""Where a classifier looks: Grad-CAM and occlusion maps, and where people are."""

from mpii_lib.explain.classifiers import grad_cam, occlusion_map, split_classifier
from mpii_lib.explain.measures import people_boxes, readable
from mpii_lib.explain.overlay import overlay

__all__ = [
    "grad_cam",
    "occlusion_map",
    "overlay",
    "people_boxes",
    "readable",
    "split_classifier",
]
