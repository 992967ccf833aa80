"""Scores and what they are worth: metrics of classes, calibration, intervals, and repeats compared."""

from mpii_lib.evaluation.calibration import Calibration, Temperature, evaluate_calibration, fit_temperature
from mpii_lib.evaluation.classification import ClassificationResult, evaluate_classifier
from mpii_lib.evaluation.comparison import compare_settings
from mpii_lib.evaluation.multilabel import MultilabelResult, evaluate_multilabel
from mpii_lib.evaluation.resampling import Comparison, bootstrap, compare
from mpii_lib.intervals import Interval

__all__ = [
    "Calibration",
    "ClassificationResult",
    "Comparison",
    "Interval",
    "MultilabelResult",
    "Temperature",
    "bootstrap",
    "compare",
    "compare_settings",
    "evaluate_calibration",
    "evaluate_classifier",
    "evaluate_multilabel",
    "fit_temperature",
]
