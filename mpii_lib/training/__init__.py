"""Training that can be resumed: fit, cached features, K-fold, devices, and the run records that reports read.

The names that need Keras are loaded when they are first used: a report that only reads records starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpii_lib.errors import TrainingError
from mpii_lib.training.grid import PlannedRun, combine, plan_grid, read_grid, run_grid, vary
from mpii_lib.training.places import run_folder, runs_folder
from mpii_lib.training.records import add_scores, read_predictions, read_record, read_records, write_record
from mpii_lib.training.spread import compare_settings, spread_table, weights_note

if TYPE_CHECKING:
    from mpii_lib.training.classifier_runs import ClassifierTrainer
    from mpii_lib.training.compiling import LEARNING_RATES
    from mpii_lib.training.features import Features, extract_features, fit_head
    from mpii_lib.training.folds import kfold
    from mpii_lib.training.loop import TrainingRun, fit
    from mpii_lib.training.pose import fit_pose
    from mpii_lib.training.pose_losses import POSE_LOSSES, HeatmapMSE, SpatialCrossEntropy, pose_loss
    from mpii_lib.training.strategy import distribution_strategy

# No module here is called like a function of this table: importing it would hide the function behind the module.
_NEEDS_KERAS = {
    "ClassifierTrainer": "classifier_runs",
    "LEARNING_RATES": "compiling",
    "HeatmapMSE": "pose_losses",
    "POSE_LOSSES": "pose_losses",
    "SpatialCrossEntropy": "pose_losses",
    "pose_loss": "pose_losses",
    "fit_pose": "pose",
    "Features": "features",
    "extract_features": "features",
    "fit_head": "features",
    "kfold": "folds",
    "TrainingRun": "loop",
    "fit": "loop",
    "distribution_strategy": "strategy",
}

__all__ = [
    "ClassifierTrainer",
    "PlannedRun",
    "combine",
    "plan_grid",
    "read_grid",
    "run_grid",
    "vary",
    "compare_settings",
    "spread_table",
    "weights_note",
    "LEARNING_RATES",
    "POSE_LOSSES",
    "Features",
    "HeatmapMSE",
    "SpatialCrossEntropy",
    "TrainingError",
    "TrainingRun",
    "add_scores",
    "distribution_strategy",
    "extract_features",
    "fit",
    "fit_head",
    "fit_pose",
    "kfold",
    "pose_loss",
    "read_predictions",
    "read_record",
    "read_records",
    "run_folder",
    "runs_folder",
    "write_record",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_KERAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NEEDS_KERAS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
