"""Checks of notebook 20: weights of a head, what learns when layers are frozen, and when kept features pay."""

from mpii_course.exercises.diagnosis import call, call_each, diagnose, exercise


@exercise("20-1")
def head_weights(answer: object) -> str | None:
    """Weights of Flatten, Dense(hidden), Dropout, Dense(classes): h w c H + H + H K + K.

    1. A Dense layer has one weight for each pair of an input and an output, and one bias for each output.
    2. inputs = h * w * c; inputs * hidden + hidden + hidden * classes + classes
    """
    flat = 3 * 4 * 50
    mistakes = {
        "The biases are missing: one for each output of each Dense layer.": flat * 16 + 16 * 7,
        "That is Flatten, Dense without the layer between.": flat * 7 + 7,
        "The last Dense layer is missing: it takes the hidden numbers to the classes.": flat * 16 + 16,
        "That is a pooled head. Flatten keeps the place: h times w times c numbers go in.": 50 * 16 + 16 + 16 * 7 + 7,
        "The last layer gets the hidden numbers, not the flattened maps.": flat * 16 + 16 + flat * 7 + 7,
    }
    return diagnose(call(answer, 3, 4, 50, 16, 7), flat * 16 + 16 + 16 * 7 + 7, mistakes)


@exercise("20-2")
def learning(answer: object) -> str | None:
    """Weights of the last n layers, batch normalization left out.

    1. Which layers are the last n? And which of them stay frozen all the same?
    2. last = list(zip(weights, is_norm))[-n:]; sum the weights of those that are no batch normalization.
    """
    weights, is_norm = [100, 8, 200, 12, 300, 0, 400], [False, True, False, True, False, False, False]
    frozen = "These are the frozen ones: layers[:-n] are all but the last n."
    first = "Those are the first n layers; the last n are the ones that learn."
    mistakes = {
        "The batch normalization is counted. It is frozen wherever it is.": [712, 400, 1020],
        frozen: [300, 600, 0],
        f"{frozen} And batch normalization never learns.": [308, 620, 0],
        first: [300, 100, 1000],
        f"{first} And batch normalization never learns.": [320, 108, 1020],
    }
    return diagnose(call_each(answer, *((weights, is_norm, n) for n in (4, 2, 7))), [700, 400, 1000], mistakes)


@exercise("20-3")
def pays_after(answer: object) -> str | None:
    """The smallest n with extract + n cached < n whole: floor(extract / (whole - cached)) + 1.

    1. What does each epoch on the features save? How many of these savings are needed to make up for `extract`?
    2. math.floor(extract / (whole - cached)) + 1
    """
    mistakes = {
        "After 20 / 10 = 2 epochs both ways have taken the same time. When are the features faster?": [2, 3, 1],
        "Epochs come in whole numbers, and at the crossing itself nothing is gained yet.": [2, 2.1, 0.5],
        "At the crossing itself, or before it, nothing is gained yet.": [2, 2, 0],
        "An epoch on the features is not free: what each epoch saves is whole - cached.": [2, 2, 1],
    }
    return diagnose(call_each(answer, *((extract, 1.0, 11.0) for extract in (20.0, 21.0, 5.0))), [3, 3, 1], mistakes)
