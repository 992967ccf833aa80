"""Checks of notebook 04: logits, the loss before training, a stable cross-entropy, a false loss, class weights."""

import numpy as np

from mpii_course.exercises.choices import choose
from mpii_course.exercises.diagnosis import call, diagnose, exercise


@exercise("04-1")
def shift_and_scale(answer: object) -> str | None:
    """Only differences of logits count, and a factor changes them.

    1. Write softmax for z + 5: every exponential is multiplied by the same number.
    2. The ratio of two probabilities is exp of the difference of their logits.
    """
    hints = {
        "a": "The first step changes nothing. But a factor of 2 doubles the differences between the logits.",
        "c": "All cannot grow, their sum is 1. And a constant that is added cancels in the fraction of softmax.",
        "d": "Neither step changes the order of the logits, and the exponential keeps it.",
    }
    return choose(answer, "b", hints)


@exercise("04-2")
def first_loss(answer: object) -> str | None:
    """Minus the logarithm of a tenth.

    1. Ten equal logits: which probability does each class get?
    2. The loss is -ln of the probability of the true class, the same for every image.
    3. -ln(1/10) = ln(10)
    """
    mistakes = {
        "That is the probability of the true class. The loss is the negative logarithm of it.": 0.1,
        "That is the share of wrong answers by guessing. The loss is -ln of a probability.": 0.9,
        "That is the logarithm to the base 10. The natural one is meant.": 1.0,
        "That is the logarithm to the base 2 (bits). The natural one is meant.": np.log2(10),
        "The logits are 0, not the loss.": 0.0,
    }
    return diagnose(answer, np.log(10), mistakes, tolerance=2e-3)


@exercise("04-3")
def loss_from_logits(answer: object) -> str | None:
    """Logarithm of the sum of exponentials, minus the logit of the true class.

    1. -ln of the fraction is the logarithm of its denominator minus that of its numerator, which is z_y.
    2. With m for the largest logit, the logarithm of the denominator is m + ln(sum of exp(z - m)).
    3. np.mean(m + np.log(np.exp(z - m[:, None]).sum(axis=1)) - z[rows, labels]) with m = z.max(axis=1)
    """
    z, labels = np.array([[2.0, 1.0, 0.0], [0.5, -1.0, 3.0], [1.5, 0.2, -0.7]]), np.array([1, 2, 0])
    total, own = np.log(np.exp(z).sum(axis=1)), z[[0, 1, 2], labels]
    mistakes = {
        "That is the sum over the images. The loss is their mean.": (total - own).sum(),
        "One loss for each image is right so far. Return their mean.": total - own,
        "That is minus the mean logit of the true class. The logarithm of the sum is missing.": -own.mean(),
        "That is the logarithm of the sum alone. The logit of the true class is taken off.": total.mean(),
    }
    if hint := diagnose(call(answer, z, labels), (total - own).mean(), mistakes):
        return hint
    with np.errstate(all="ignore"):
        large = [call(answer, np.array([row]), np.array([1])) for row in ([3000.0, 0.0], [-2000.0, -2000.0])]
    far = "Right for small logits. Then the largest has to be taken off first, so that nothing overflows."
    return None if np.allclose(large, [3000.0, np.log(2)]) else far


@exercise("04-4")
def logits_as_probabilities(answer: object) -> str | None:
    """Keras takes the logits for probabilities and trains on.

    1. Run it, and compare the accuracy with the one of the cell that you copied.
    """
    hints = {
        "a": "Keras cannot know what your numbers mean. Try it: there is no error.",
        "c": "Keras does what the loss says, and this one expects probabilities. Try it.",
    }
    return choose(answer, "b", hints)


@exercise("04-5")
def weighted_gradient(answer: object) -> str | None:
    """Each row of p - y times the weight of the image's own class.

    1. The weight multiplies the loss of one image, so it multiplies the derivative of that image's loss.
    2. Row n of the result is a_y (p - y) / N, where y is the label of image n.
    3. weights[labels][:, None] * (softmax(z) - np.eye(K)[labels]) / N
    """
    z, labels, weights = np.random.default_rng(4).normal(size=(4, 3)), np.array([0, 2, 2, 1]), np.array([0.5, 2.0, 1.5])
    p, y = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), np.eye(3)[labels]
    own = weights[labels][:, None]
    mistakes = {
        "The weights are missing: this is the gradient without them.": (p - y) / 4,
        "The 1/N of the mean is missing.": own * (p - y),
        "You weigh column k by the weight of class k. A row has one weight, that of its label.": weights * (p - y) / 4,
        "You divide by the sum of the weights. Here, as in Keras, it is N.": own * (p - y) / own.sum(),
        "Only the label is weighted. The weight multiplies prediction minus label.": (p - own * y) / 4,
    }
    return diagnose(call(answer, z, labels, weights), own * (p - y) / 4, mistakes)
