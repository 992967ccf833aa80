"""Checks of notebook 33: how many components, a step along one of them, and how pure groups are."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


@exercise("33-1")
def needed(answer: Any) -> str | None:
    """Smallest number of components that hold a share of the variance."""
    variances = np.array([5.0, 3.0, 1.0, 0.5, 0.5])
    got = call(answer, variances.copy(), 0.8)
    if close(got, 3):
        return "The first two hold 0.8 exactly, and that is enough: at least the share, not more than it."
    if close(got, 1):
        return "That is one too few: positions count from 0, components from 1."
    if close(got, 4):
        return "Count the variances of the components, largest first; you seem to count what is left over."
    if not close(got, 2):
        return f"For variances 5, 3, 1, 0.5, 0.5 and a share of 0.8 you say {got}; the first two hold 8 of 10."
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
    arguments = (latent.copy(), components.copy(), variances.copy(), 1, 3.0)
    got = np.asarray(call(answer, *arguments), dtype=float)
    step = 3 * components[1]
    if close(got, latent + 4 * step):
        return "That is three variances. A standard deviation is the root of the variance."
    if close(got, latent + step):
        return "That moves by 3 lengths of 1. Multiply by the standard deviation of the component."
    if close(got, 2 * step):
        return "That is the step alone. Add it to the bottleneck."
    if close(got, latent + 2 * 3 * components[0]) or close(got, latent + 3 * 3 * components[0]):
        return "That is the first component: k counts from 0, so k = 1 is the second."
    if got.shape != latent.shape:
        return f"The bottleneck has {len(latent)} numbers here, your result {got.shape}: one component stands in a row."
    return None if close(got, latent + 2 * step) else "Add amount times the root of the variance times components[k]."


@exercise("33-3")
def gain(answer: Any) -> str | None:
    """Purity of groups minus the purity of one single group."""
    groups = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    labels = np.array(["run", "run", "sit", "sit", "sit", "row", "sit", "run"])
    got = call(answer, groups.copy(), labels.copy())
    pure, single = 6 / 8, 4 / 8
    if close(got, pure):
        return "That is the purity. One single group has a purity too: subtract it."
    if close(got, single):
        return "That is the purity of one single group. Subtract it from the purity of the groups."
    if close(got, single - pure):
        return "The sign is turned: the purity of the groups comes first."
    if close(got, np.mean([2 / 3, 3 / 4, 1.0]) - single):
        return "You average over groups. Then a group of one person counts as much as a large one; count members."
    if close(got, pure - 1 / 3):
        return "One single group has the share of the most frequent label, not one over the number of labels."
    return (
        None if close(got, pure - single) else f"For the test groups the answer is {pure} - {single}; you return {got}."
    )
