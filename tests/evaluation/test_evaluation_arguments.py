"""Arguments of another kind are one clear line, in every public function of the package."""

import numpy as np
import pandas as pd
import pytest
from wrong_arguments import assert_clear

from mpii_lib import evaluation
from mpii_lib.errors import MpiiError
from mpii_lib.evaluation.resampling import weighted_mean

LABELS = np.array([0, 1, 2, 0, 1, 2, 0])
SHARES = np.random.default_rng(0).dirichlet(np.ones(3), 7)
RESULT = evaluation.evaluate_classifier(LABELS, SHARES, ["a", "b", "c"])
RUNS = pd.DataFrame(
    {"size": [1, 1, 2, 2], "seed": [0, 1, 0, 1], "val_accuracy": [0.1, 0.2, 0.3, 0.4], "name": list("abcd")}
)
CALLS = {
    "bootstrap": {"statistic": weighted_mean(LABELS), "count": 7, "groups": LABELS, "seed": 0, "repeats": 3},
    "compare": {
        "first": RESULT, "second": RESULT, "metric": "accuracy", "groups": LABELS, "seed": 0, "level": 0.9
    },
    "compare_settings": {
        "table": RUNS, "baseline": {"size": 1}, "metric": "val_accuracy", "pair": "seed", "level": 0.9
    },
    "evaluate_calibration": {"labels": LABELS, "probabilities": SHARES, "bins": 4, "strategy": "uniform"},
    "evaluate_classifier": {"labels": LABELS, "probabilities": SHARES, "classes": ["a", "b", "c"]},
    "evaluate_multilabel": {"labels": RESULT.hot, "probabilities": SHARES, "classes": list("abc"), "threshold": 0.5},
    "fit_temperature": {"labels": LABELS, "probabilities": SHARES},
}  # fmt: skip


def test_no_public_function_is_left_out():
    functions = {name for name in evaluation.__all__ if not isinstance(getattr(evaluation, name), type)}
    assert functions == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_of_a_function_is_one_clear_line(name):
    assert_clear(getattr(evaluation, name), CALLS[name])


def test_a_wrong_argument_of_a_method_is_one_clear_line():
    options = {"metric": "accuracy", "groups": LABELS, "seed": 0, "level": 0.9}
    assert_clear(RESULT.interval, options)
    assert_clear(RESULT.class_intervals, options | {"metric": "recall"})
    assert_clear(RESULT.top_k, {"k": 2})
    assert_clear(RESULT.mistakes, {"groups": LABELS})


def test_columns_that_hold_no_numbers_and_no_columns_are_named():
    for call in (
        lambda: evaluation.compare_settings(RUNS, {"size": 1}, "name"),
        lambda: evaluation.compare_settings(RUNS, {}),
    ):
        with pytest.raises(MpiiError, match="table of runs"):
            call()
