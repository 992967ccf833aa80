"""Checks of notebook 20: weights of a head, what learns when layers are frozen, and when kept features pay."""

from __future__ import annotations

from typing import Any

from mpii_course.exercises import call, close, exercise


@exercise("20-1")
def head_weights(answer: Any) -> str | None:
    """Weights of Flatten, Dense(hidden), Dropout, Dense(classes): h w c H + H + H K + K."""
    got = call(answer, 3, 4, 50, 16, 7)
    flat = 3 * 4 * 50
    if close(got, flat * 16 + 16 * 7):
        return "The biases are missing: one for each output of each Dense layer."
    if close(got, flat * 7 + 7):
        return "That is Flatten, Dense without the layer between."
    if close(got, flat * 16 + 16):
        return "The last Dense layer is missing: it takes the hidden numbers to the classes."
    if close(got, 50 * 16 + 16 + 16 * 7 + 7):
        return "That is a pooled head. Flatten keeps the place: h times w times c numbers go in."
    if close(got, flat * 16 + 16 + flat * 7 + 7):
        return "The last layer gets the hidden numbers, not the flattened maps."
    wanted = flat * 16 + 16 + 16 * 7 + 7
    return None if close(got, wanted) else f"For maps of 3 x 4 x 50, 16 hidden and 7 classes you get {got}."


@exercise("20-2")
def learning(answer: Any) -> str | None:
    """Weights of the last n layers, batch normalization left out."""
    weights, is_norm = [100, 8, 200, 12, 300, 0, 400], [False, True, False, True, False, False, False]
    got = [call(answer, list(weights), list(is_norm), n) for n in (4, 2, 7)]
    if close(got, [700, 400, 1000]):
        return None
    if close(got, [712, 400, 1020]):
        return "The batch normalization is counted. It is frozen wherever it is."
    if close(got, [300, 600, 0]) or close(got, [308, 620, 0]):
        return "These are the frozen ones: layers[:-n] are all but the last n."
    if close(got, [300, 100, 1000]) or close(got, [320, 108, 1020]):
        return "Those are the first n layers; the last n are the ones that learn."
    return f"For layers of {weights} weights and n = 4, 2 and 7 you get {got}."


@exercise("20-3")
def pays_after(answer: Any) -> str | None:
    """The smallest n with extract + n cached < n whole: floor(extract / (whole - cached)) + 1."""
    got = [call(answer, *values) for values in ((20.0, 1.0, 11.0), (21.0, 1.0, 11.0), (5.0, 1.0, 11.0))]
    if close(got, [3, 3, 1]):
        return None
    if close(got, [2, 3, 1]):
        return "After 20 / 10 = 2 epochs both ways have taken the same time. When are the features faster?"
    if close(got, [2, 2.1, 0.5]) or close(got, [2, 2, 0]):
        return "Epochs come in whole numbers, and at the crossing itself nothing is gained yet."
    if close(got, [2, 2, 1]):
        return "An epoch on the features is not free: what each epoch saves is whole - cached."
    return f"For 20 s of features, 1 s and 11 s an epoch the answer is 3; you get {got[0]}."
