"""Networks: the registry of backbones and the classifiers built on them."""

from mpii_lib.errors import ModelError
from mpii_lib.models.backbones import BACKBONES, SMALL_WIDTH, build_backbone, get_backbone
from mpii_lib.models.classifier import build_classifier
from mpii_lib.models.freezing import freeze_backbone, frozen_layers
from mpii_lib.models.hourglass import SAMPLE_HOURGLASS, build_hourglass
from mpii_lib.models.weights import (
    sample_file,
    sample_metadata,
    save_backbone_weights,
)

__all__ = [
    "BACKBONES",
    "SAMPLE_HOURGLASS",
    "SMALL_WIDTH",
    "ModelError",
    "build_backbone",
    "build_classifier",
    "build_hourglass",
    "freeze_backbone",
    "frozen_layers",
    "get_backbone",
    "sample_file",
    "sample_metadata",
    "save_backbone_weights",
]
