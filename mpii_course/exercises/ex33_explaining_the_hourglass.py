"""Checks of notebook 33: how many components, a step along one of them, and how pure groups are."""

import numpy as np

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("33-1")
def needed(answer: object) -> str | None:
    """Smallest number of components that hold a share of the variance.

    1. Add the variances up from the largest on, and divide by the sum of all. Where is the share reached?
    2. int(np.argmax(np.cumsum(variances) / np.sum(variances) >= share)) + 1
    """
    variances = np.array([5.0, 3.0, 1.0, 0.5, 0.5])
    mistakes = {
        "The first two hold 0.8 exactly, and that is enough: at least the share, not more than it.": [3, 3, 3, 1],
        "That is one too few: positions count from 0, components from 1.": [1, 2, 2, 0],
        "Compare shares: divide the running sum by the sum of all variances.": [1, 5, 1, 1],
    }
    got = call_each(answer, (variances, 0.8), (variances / 10, 0.85), (4 * variances, 0.85), (variances, 0.2))
    return diagnose(got, [2, 3, 3, 1], mistakes, "The first two of the five variances hold 0.8 of their sum.")


@exercise("33-2")
def move(answer: object) -> str | None:
    """A flat bottleneck moved along one component by so many standard deviations.

    1. A component is a direction of length 1, a row of `components`. How long is one standard deviation along it?
    2. latent + amount * np.sqrt(variances[k]) * components[k]
    """
    generator = np.random.default_rng(0)
    components = np.linalg.qr(generator.normal(size=(4, 4)))[0][:3]
    variances, latent = np.array([9.0, 4.0, 0.25]), generator.normal(size=4)
    step = 3 * components[1]
    mistakes = {
        "That is three variances. A standard deviation is the root of the variance.": latent + 4 * step,
        "That moves by 3 lengths of 1. Multiply by the standard deviation of the component.": latent + step,
        "That is the step alone. Add it to the bottleneck.": 2 * step,
        "That is the first component: k counts from 0, so k = 1 is the second.": latent + 9 * components[0],
    }
    return diagnose(call(answer, latent, components, variances, 1, 3.0), latent + 2 * step, mistakes)


@exercise("33-3")
def gain(answer: object) -> str | None:
    """Purity of groups minus the purity of one single group.

    1. Purity: which share of all persons has the most frequent label of their own group?
    2. (sum of the largest label count of each group - largest label count of all) / len(labels)
    """
    groups = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    labels = np.array(["run", "run", "sit", "sit", "sit", "row", "sit", "run"])
    pure, single = 5 / 8, 4 / 8
    over_groups = "You average over groups. Then a group of one person counts as much as a large one; count members."
    mistakes = {
        "That is the purity. One single group has a purity too: subtract it.": pure,
        "That is the purity of one single group. Subtract it from the purity of the groups.": single,
        over_groups: np.mean([2 / 3, 2 / 3, 1 / 2]) - single,
        "One single group has the share of the most frequent label, not one over the number of labels.": pure - 1 / 3,
    }
    return diagnose(call(answer, groups, labels), pure - single, mistakes)
