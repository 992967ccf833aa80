"""What Keras' own training lacks: runs that survive a kill and leave a record, features kept on disk, pose losses.

The names that need Keras are loaded when they are first used: a report that only reads records starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mpii_lib.errors import TrainingError
from mpii_lib.training.records import add_scores, read_predictions, read_record, read_records, write_record
from mpii_lib.training.runs import attempt, run_folder

if TYPE_CHECKING:
    from mpii_lib.training.callbacks import EpochSeeds, ResumeRun, RunRecord, run_callbacks
    from mpii_lib.training.features import Features, cached_features
    from mpii_lib.training.losses import HeatmapMSE, SpatialCrossEntropy
    from mpii_lib.training.pose_callback import PCKhCallback

# No module here is called like a name of this table: importing it would hide the name behind the module.
_NEEDS_KERAS = {
    **dict.fromkeys(("EpochSeeds", "ResumeRun", "RunRecord", "run_callbacks"), "callbacks"),
    **dict.fromkeys(("Features", "cached_features"), "features"),
    **dict.fromkeys(("HeatmapMSE", "SpatialCrossEntropy"), "losses"),
    "PCKhCallback": "pose_callback",
}

__all__ = [
    "EpochSeeds",
    "Features",
    "HeatmapMSE",
    "PCKhCallback",
    "ResumeRun",
    "RunRecord",
    "SpatialCrossEntropy",
    "TrainingError",
    "add_scores",
    "attempt",
    "cached_features",
    "read_predictions",
    "read_record",
    "read_records",
    "run_callbacks",
    "run_folder",
    "write_record",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_KERAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_NEEDS_KERAS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
