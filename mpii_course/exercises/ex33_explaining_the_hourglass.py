"""Checks of notebook 33: how many components, a step along one of them, and how pure groups are."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


@exercise("33-1")
def needed(answer: Any) -> str | None:
    """Smallest number of components that hold a share of the variance."""
    variances = np.array([5.0, 3.0, 1.0, 0.5, 0.5])
    got = call(answer, variances.copy(), 0.8)
    mistakes = {
        "The first two hold 0.8 exactly, and that is enough: at least the share, not more than it.": 3,
        "That is one too few: positions count from 0, components from 1.": 1,
        "Count the variances of the components, largest first; you seem to count what is left over.": 4,
    }
    otherwise = f"For variances 5, 3, 1, 0.5, 0.5 and a share of 0.8 you return {got}; the first two hold 8 of 10."
    if hint := diagnose(got, 2, mistakes, otherwise):
        return hint
    if not close(call(answer, variances / 10, 0.85), 3):
        return "The variances need not sum to 10, or to 1: divide their running sum by the whole."
    if not close(call(answer, 4 * variances, 0.85), 3):
        return "Compare shares: divide the running sum by the sum of all variances."
    return None if close(call(answer, variances, 0.2), 1) else "For a share of 0.2 one component is enough."


@exercise("33-2")
def move(answer: Any) -> str | None:
    """A flat bottleneck moved along one component by so many standard deviations."""
    generator = np.random.default_rng(0)
    components = np.linalg.qr(generator.normal(size=(4, 4)))[0][:3]
    variances, latent = np.array([9.0, 4.0, 0.25]), generator.normal(size=4)
    got = np.asarray(call(answer, latent.copy(), components.copy(), variances.copy(), 1, 3.0), dtype=float)
    if got.shape != latent.shape:
        return f"The bottleneck has {len(latent)} numbers here, your result {got.shape}: one component stands in a row."
    step = 3 * components[1]
    mistakes = {
        "That is three variances. A standard deviation is the root of the variance.": latent + 4 * step,
        "That moves by 3 lengths of 1. Multiply by the standard deviation of the component.": latent + step,
        "That is the step alone. Add it to the bottleneck.": 2 * step,
        "That is the first component: k counts from 0, so k = 1 is the second.": latent + 9 * components[0],
    }
    otherwise = "Add amount times the root of the variance times components[k]."
    return diagnose(got, latent + 2 * step, mistakes, otherwise)


@exercise("33-3")
def gain(answer: Any) -> str | None:
    """Purity of groups minus the purity of one single group."""
    groups = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    labels = np.array(["run", "run", "sit", "sit", "sit", "row", "sit", "run"])
    got = call(answer, groups.copy(), labels.copy())
    pure, single = 6 / 8, 4 / 8
    over_groups = "You average over groups. Then a group of one person counts as much as a large one; count members."
    mistakes = {
        "That is the purity. One single group has a purity too: subtract it.": pure,
        "That is the purity of one single group. Subtract it from the purity of the groups.": single,
        "The sign is turned: the purity of the groups comes first.": single - pure,
        over_groups: np.mean([2 / 3, 3 / 4, 1.0]) - single,
        "One single group has the share of the most frequent label, not one over the number of labels.": pure - 1 / 3,
    }
    return diagnose(got, pure - single, mistakes, f"The purities are {pure} and {single}; you return {got}.")
