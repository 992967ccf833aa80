"""Checks of notebook 06: updates and epochs, batch normalization with moving averages, early stopping."""

from typing import Any

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, diagnose_each, exercise


@exercise("06-1")
def updates(answer: object) -> str | None:
    """Sixteen batches an epoch, ten epochs.

    1. How many batches of 64 are there in 1,000 images? The last one may be smaller.
    2. 10 * math.ceil(1000 / 64)
    """
    mistakes = {
        "That is one epoch. There are ten.": 16,
        "The last batch of an epoch is smaller, and an update nevertheless: round up in each epoch.": 156.25,
        "Each epoch begins anew, so round up in each epoch, before you multiply.": 157,
        "The last 40 images of each epoch make an update as well: round up.": 150,
        "An update takes a batch of 64 images, not one image.": 10_000,
    }
    return diagnose(answer, 160, {**mistakes, "Round up in each epoch, before you multiply.": 156})


@exercise("06-2")
def epochs(answer: object) -> str | None:
    """As many epochs as the others make updates, because an epoch is one update.

    1. With all observations in one batch, how many updates does an epoch have?
    2. Batches of 16 make math.ceil(200 / 16) = 13 updates an epoch.
    3. 200 * 13
    """
    mistakes = {
        "An epoch has 13 updates, not 12.5: the last batch is smaller.": 2500,
        "An epoch has 200 / 16 updates, rounded up, not 16.": 3200,
        "That many epochs make 200 updates. The batches of 16 make 13 in each epoch.": 200,
        "The last eight observations make an update as well: 13, not 12.": 2400,
    }
    return diagnose(answer, 2600, mistakes)


@exercise("06-3")
def batch_norm_step(answer: object) -> str | None:
    """Normalize by the batch, and let the averages follow slowly.

    1. Mean and variance of each unit are taken over the batch, axis=1; keepdims=True keeps the column.
    2. The averages keep the share `momentum` of their past.
    3. (z - mean) / np.sqrt(variance + 1e-3); momentum * moving_mean + (1 - momentum) * mean; the variance likewise
    """
    z, momentum = np.random.default_rng(4).normal(2, 3, (4, 6)), 0.9
    old_mean, old_variance = np.full((4, 1), 0.5), np.full((4, 1), 2.0)
    mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
    unbiased = z.var(axis=1, ddof=1, keepdims=True)

    def normalized(mean: Any, variance: Any) -> Any:
        return (z - mean) / np.sqrt(variance + 1e-3)

    def moved(old: Any, new: Any) -> Any:
        return momentum * old + (1 - momentum) * new

    batches = {
        "Your variance is divided by B - 1; here it is B (NumPy's default, ddof=0).": normalized(mean, unbiased),
        "You normalize over the units. It is each unit over the batch: axis=1.": normalized(z.mean(0), z.var(0)),
        "One mean for the whole array. Each unit has its own: axis=1, keepdims=True.": normalized(z.mean(), z.var()),
        "Epsilon is missing: a unit that never changes would divide by zero.": (z - mean) / np.sqrt(variance),
        "Epsilon belongs inside the root: sqrt(variance + epsilon).": (z - mean) / (np.sqrt(variance) + 1e-3),
        "You divide by the variance. Divide by its root.": (z - mean) / (variance + 1e-3),
        "That is inference mode. Training uses the batch's own mean and variance.": normalized(old_mean, old_variance),
    }
    turned = "The momentum is the weight of the old average: momentum * old + (1 - momentum) * new."
    forgets = "It forgets everything before this batch. It moves only by 1 - momentum."
    parts = {
        "the normalized batch": (normalized(mean, variance), batches),
        "the moving mean": (moved(old_mean, mean), {turned: moved(mean, old_mean), forgets: mean}),
        "the moving variance": (
            moved(old_variance, variance),
            {"It is divided by B - 1; here, as in Keras, by B.": moved(old_variance, unbiased), forgets: variance},
        ),
    }
    got = call(answer, z, old_mean, old_variance, momentum, returns=list(parts))
    return diagnose_each(got, parts)


@exercise("06-4")
def stop_early(answer: object) -> str | None:
    """Remember the best epoch, and stop when it lies `patience` epochs back.

    1. Go through the losses one by one, as training would. Later losses are not known yet.
    2. Keep the index of the lowest loss so far. An equal loss is not lower.
    3. Stop after epoch e when e - best == patience; then e + 1 epochs were trained.
    """
    losses = [1.0, 0.8, 0.7, 0.75, 0.72, 0.71, 0.6, 0.5]
    ahead = {"You look at all losses. After the stop there are none: a later one cannot be the best.": 7}
    counts = {
        "An epoch has an index from 0, and their number counts from 1: one more.": 5,
        "One epoch too many: with a patience of 3, training ends with the third epoch that is not lower.": 7,
        "All epochs were trained. Training ends when the loss was not lower for 3 epochs in a row.": 8,
    }
    best = {**ahead, "The index counts from 0; yours counts from 1.": 3, "That is where training ended.": 5}
    parts = {"the epoch kept": (2, best), "the number of epochs": (6, counts)}
    if hint := diagnose_each(call(answer, losses, 3, returns=list(parts)), parts):
        return hint
    for more, patience, right in ((losses, 4, (7, 8)), ([0.5, 0.5, 0.5], 2, (0, 3)), ([3.0, 2.0, 1.0], 1, (2, 3))):
        if not np.array_equal(call(answer, more, patience), right):
            return f"Right for a first series. For losses {more} and a patience of {patience} it is {right}."
    return None
