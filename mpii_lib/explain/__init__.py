"""Where a network looks: Grad-CAM and occlusion maps of classifiers, and the inside of an hourglass.

The names that need Keras are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpii_lib.explain.measures import boxes_mask, map_agreement, people_boxes, readable, share_inside
from mpii_lib.explain.overlay import overlay

if TYPE_CHECKING:
    from mpii_lib.explain.classifiers import grad_cam, occlusion_map, probabilities, split_classifier
    from mpii_lib.explain.gradients import gradient
    from mpii_lib.explain.hourglass import latent_decoder, latent_features, latent_model, run_decoder

_NEEDS_KERAS = {
    "grad_cam": "classifiers",
    "occlusion_map": "classifiers",
    "probabilities": "classifiers",
    "split_classifier": "classifiers",
    "gradient": "gradients",
    "latent_decoder": "hourglass",
    "latent_features": "hourglass",
    "latent_model": "hourglass",
    "run_decoder": "hourglass",
}

__all__ = [
    "boxes_mask",
    "grad_cam",
    "gradient",
    "latent_decoder",
    "latent_features",
    "latent_model",
    "map_agreement",
    "occlusion_map",
    "overlay",
    "people_boxes",
    "probabilities",
    "readable",
    "run_decoder",
    "share_inside",
    "split_classifier",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_KERAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NEEDS_KERAS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
