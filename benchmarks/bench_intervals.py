"""How often intervals hold what they claim, and how often equal models are called different.

Run: python benchmarks/bench_intervals.py [tests]

Simulated tests of 5 to 200 videos: eight categories from frequent to rare, four images a video on average (from one to
twenty), and images of one video that are right or wrong together. "ordinary" is a classifier that is right in seven of
ten images, "nearly perfect" one that is right in 99 of 100. An interval is to hold the average score of such tests. Of
two models of the same law `compare` should call 5 % different, and so should `compare_settings` of settings that differ
in nothing. Beside it the percentile bootstrap, the middle 95 % of what drawn videos give.
"""

import sys
import time

import numpy as np
import pandas as pd
from _results import save_result

from mpii_lib.evaluation import (
    bootstrap,
    compare,
    compare_settings,
    evaluate_calibration,
    evaluate_classifier,
    evaluate_multilabel,
)

VIDEOS = (5, 10, 25, 50, 200)
SHARES = np.array([0.3, 0.2, 0.14, 0.1, 0.1, 0.06, 0.06, 0.04])  # of the videos, by category
SIGNAL = {"ordinary": 2.0, "nearly perfect": 4.0}
NAMES = [f"category {number}" for number in range(len(SHARES))]
METRICS = {
    "classifier": ("accuracy", "balanced_accuracy", "macro_f1", "mean_average_precision"),
    "calibration": ("expected_calibration_error", "brier", "log_loss"),
    "several labels": ("mean_average_precision", "micro_f1"),
}
TWICE = ("accuracy", "mean_average_precision", "expected_calibration_error")  # compared, and beside the percentiles


def draw(rng, videos: int, signal: float, models: int = 1) -> tuple[list[dict], np.ndarray]:
    """Results of one test for models of the same law, and the video of each image."""
    video = np.repeat(np.arange(videos), rng.geometric(1 / 4, videos))
    labels = rng.choice(len(SHARES), videos, p=SHARES)[video]
    hot = np.maximum(labels[:, None] == np.arange(len(SHARES)), (rng.random((videos, len(SHARES))) < 0.15)[video])
    found = []
    for _ in range(models):
        shape = (videos, len(SHARES))
        noise = np.sqrt(0.3) * rng.standard_normal(hot.shape) + np.sqrt(0.7) * rng.standard_normal(shape)[video]
        logits = 1.5 * (noise + signal * (labels[:, None] == np.arange(len(SHARES))))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        each = 1 / (1 + np.exp(signal / 2 - noise - signal * hot))
        found.append({
            "classifier": evaluate_classifier(labels, shares, NAMES),
            "calibration": evaluate_calibration(labels, shares),
            "several labels": evaluate_multilabel(hot.astype(int), each, NAMES),
        })  # fmt: skip
    return found, video


def coverage(videos: int, signal: float, tests: int) -> pd.DataFrame:
    """By score: its average, the share of intervals that hold it, and how often two models are called different."""
    rng = np.random.default_rng(videos)
    scores = [(kind, metric) for kind, metrics in METRICS.items() for metric in metrics]
    first = (draw(rng, videos, signal)[0][0] for _ in range(2000))
    average = np.mean([[found[kind].value(metric) for kind, metric in scores] for found in first], axis=0)
    rows = []
    for number in range(tests):
        (one, other), video = draw(rng, videos, signal, 2)
        for (kind, metric), truth in zip(scores, average, strict=True):
            value, low, high, _ = one[kind].interval(metric, video)
            assert low <= value <= high, f"{metric} does not hold its own value"
            row = {"score": f"{kind}: {metric}", "average": truth, "held": low <= truth <= high, "width": high - low}
            if metric in TWICE:
                row["called different"] = compare(one[kind], other[kind], metric, video).decided
            if metric in TWICE and number < tests // 2:
                draws = bootstrap(one[kind].statistic(metric), len(video), video, number, repeats=200)
                left, right = np.quantile(draws, [0.025, 0.975])
                row["percentile held"] = left <= truth <= right
            rows.append(row)
    return pd.DataFrame(rows).set_index("score").astype(float).groupby("score", sort=False).mean()


def settings_called_different(seeds: int, tables: int) -> float:
    """Share of tables without a true difference, four batch sizes a seed, with a verdict."""
    rng, false = np.random.default_rng(seeds), 0
    for _ in range(tables):
        effect = rng.normal(0, 0.02, (2, seeds))  # of optimizer and seed
        rows = [
            {"optimizer": o, "batch_size": b, "seed": s, "val_accuracy": 0.7 + effect[o, s] + rng.normal(0, 0.004)}
            for o in range(2) for b in (10, 20, 50, 100) for s in range(seeds)
        ]  # fmt: skip
        verdict = compare_settings(pd.DataFrame(rows), {"optimizer": 0}).verdict.iloc[0]
        false += verdict in ("higher", "lower")
    return false / tables


def main(tests: int = 400) -> dict:
    """Simulate, write the JSON, print the tables."""
    started, result = time.perf_counter(), {"tests": tests}
    for name, signal in SIGNAL.items():
        tables = {videos: coverage(videos, signal, tests) for videos in VIDEOS}
        for column in ("held", "percentile held", "called different"):
            table = pd.DataFrame({videos: found[column] for videos, found in tables.items()}).dropna()
            print(f"\n{name}: {column}, by videos\n{table.round(3).to_string()}", flush=True)
            result[f"{name}: {column}"] = table.round(3).T.to_dict()
        result[f"{name}: average"] = tables[VIDEOS[-1]]["average"].round(3).to_dict()
    result["settings called different, by seeds"] = {n: settings_called_different(n, tests) for n in (3, 5, 10)}
    print("\nsettings called different, by seeds:", result["settings called different, by seeds"])
    result["seconds"] = round(time.perf_counter() - started)
    save_result("intervals", result, "numpy", "scipy")
    return result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
