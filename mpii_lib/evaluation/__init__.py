"""Scores and what they are worth: classification metrics from scikit-learn, with bootstrap intervals."""

from mpii_lib.evaluation.classification import ClassificationResult, Interval, evaluate_classifier

__all__ = ["ClassificationResult", "Interval", "evaluate_classifier"]
