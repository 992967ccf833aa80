"""K-fold cross validation of a network or a scikit-learn estimator, with or without groups."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from mpii_lib._keras import keras
from mpii_lib.errors import TrainingError
from mpii_lib.training.loop import fit


def kfold(
    make_model: Callable[[], Any],
    features: Any,
    labels: np.ndarray | None = None,
    *,
    groups: np.ndarray | None = None,
    folds: int = 5,
    seed: int = 0,
    folder: str | Path | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Train a new model for each fold and score it on the part that it did not see.

    The folds are scikit-learn's `StratifiedKFold`, shuffled with `seed`, or, with groups, `StratifiedGroupKFold`,
    which keeps each group (a video) on one side.

    Parameters
    ----------
    make_model
        Called once for each fold; gives a new Keras model, trained with `fit`, or a scikit-learn classifier.
    features, labels
        Inputs (N, ...) and integer classes (N,), or a `Features` without labels.
    groups
        One value for each example (N,), its video for instance.
    folds
        How many parts, at least 2.
    seed
        Of the folds, and of `fit`.
    folder
        Keeps the runs in `fold-1`, `fold-2`, ...; a broken off cross validation goes on there. Keras models only.
    settings
        As for `fit`: epochs, optimizer and so on. For Keras models only.

    Returns
    -------
    DataFrame
        A row a fold (index "1", "2", ...) and the rows "mean" and "std" (sample standard deviation over the folds);
        columns `train` and `held_out` (examples), `accuracy` and `macro_f1` (over the classes that the fold holds).

    Raises
    ------
    TrainingError
        When the arrays differ in length, or there are fewer groups or examples than folds.
    """
    if labels is None:
        features, labels = features.features, features.labels
    inputs, labels = np.asarray(features), np.asarray(labels)
    pieces = _pieces(len(inputs), labels, None if groups is None else np.asarray(groups), folds, seed)
    rows = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number, (train, held_out) in enumerate(pieces, start=1):
            model = make_model()
            if isinstance(model, keras.Model):
                where = Path(folder or scratch) / f"fold-{number}"
                fit(model, (inputs[train], labels[train]), folder=where, seed=seed, **settings)
                predicted = model.predict(inputs[held_out], verbose=0).argmax(axis=1)
            else:
                predicted = model.fit(inputs[train], labels[train]).predict(inputs[held_out])
            truth = labels[held_out]
            rows[str(number)] = {
                "train": len(train),
                "held_out": len(held_out),
                "accuracy": accuracy_score(truth, predicted),
                "macro_f1": f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0),
            }
    scores = pd.DataFrame.from_dict(rows, orient="index").rename_axis("fold")
    spread = pd.DataFrame({"mean": scores.mean(), "std": scores.std(ddof=1)}).T
    return pd.concat([scores.astype(float), spread]).rename_axis("fold")


def _pieces(
    count: int, labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    if labels.shape != (count,) or (groups is not None and groups.shape != (count,)):
        raise TrainingError(f"kfold: {count} inputs, labels {labels.shape}: give one label (and group) an example")
    units = count if groups is None else len(np.unique(groups))
    if not 2 <= folds <= units:
        raise TrainingError(f"kfold: folds is {folds}, there are {units} examples or groups: give 2 to {units}")
    largest = np.unique(labels, return_counts=True)[1].max()
    if largest < folds:
        raise TrainingError(f"kfold: no class has {folds} examples: give at most {largest} folds")
    splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # MPII's rare classes are rare
        return list(splitter.split(np.zeros(count), labels, groups))
