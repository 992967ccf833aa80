"""What Keras' own training lacks: runs that survive a kill and leave a record, features kept on disk, pose losses.

Names are looked up on first use: a report that only reads records starts at once.
"""

from mpii_lib._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "callbacks": "EpochSeeds ResumeRun RunRecord run_callbacks",
        "features": "Features cached_features",
        "losses": "HeatmapMSE SpatialCrossEntropy",
        "pose_callback": "PCKhCallback",
        "records": "TrainingError add_scores read_predictions read_record read_records write_record",
        "runs": "attempt run_folder",
    },
)
