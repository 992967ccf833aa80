"""Checks of notebook 05: sliding a kernel, sizes, counting parameters, receptive field."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise


def _slide(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return np.einsum("rcuv,uv->rc", windows, kernel)


@exercise("05-1")
def slide(answer: Any) -> str | None:
    """Cross-correlation, valid: (H - a + 1, W - b + 1)."""
    rng = np.random.default_rng(5)
    picture, kernel = rng.normal(size=(6, 8)), rng.normal(size=(3, 3))
    wanted = _slide(picture, kernel)
    got = call(answer, picture, kernel)
    if close(got, _slide(picture, kernel[::-1, ::-1])):
        return "Your kernel is turned by half a turn, a convolution in the strict sense. Use I(r + u, c + v) K(u, v)."
    if close(got, _slide(picture, kernel.T)):
        return "Your kernel is transposed: u counts its rows and goes with the picture's rows."
    if close(got, wanted / kernel.size):
        return "You take the mean of the products. The formula adds them up; a division belongs into the kernel."
    if close(got, wanted[:-1, :-1]):
        return "The last row and column are missing: a window of 3 stops 6 - 3 + 1 = 4 times in 6 rows."
    if np.shape(got) == picture.shape:
        return "The result has the size of the picture. Without padding it has 6 - 3 + 1 rows and 8 - 3 + 1 columns."
    if np.shape(got) == wanted.T.shape and close(np.transpose(got), wanted):
        return "Rows and columns of the result are exchanged."
    if not close(got, wanted):
        return (
            f"For a picture (6, 8) and a kernel (3, 3) your result, shape {np.shape(got)}, is not the sum of products."
        )
    try:
        tall = np.shape(call(answer, picture, rng.normal(size=(2, 5))))
    except ValueError as error:
        return f"Right for a square kernel; one of shape (2, 5) stops it ({error}). Use both of its sides."
    if tall != (5, 4):
        return f"For a kernel (2, 5) on a picture (6, 8) the shape is (5, 4), not {tall}: use both of its sides."
    return None


@exercise("05-2")
def output_side(answer: Any) -> str | None:
    """Floor((n + 2p - k) / s) + 1."""
    cases = [(6, 3, 0, 1), (7, 3, 0, 2), (8, 3, 1, 2), (11, 4, 2, 3), (256, 7, 3, 2)]
    got = [call(answer, *case) for case in cases]

    def agrees(formula: Any) -> bool:
        return all(close(value, formula(*case)) for value, case in zip(got, cases, strict=True))

    if agrees(lambda n, k, p, s: (n + 2 * p - k) // s + 1):
        return None
    if agrees(lambda n, k, p, s: (n + 2 * p - k) / s + 1):
        return "A side is a whole number of pixels: a step that does not fit is not made. Round down, // in Python."
    if agrees(lambda n, k, p, s: (n + 2 * p - k) // s):
        return "One too few: a window makes one stop more than it takes steps."
    if agrees(lambda n, k, p, s: (n + p - k) // s + 1):
        return "The padding stands on both sides, so it counts twice."
    if agrees(lambda n, k, p, s: -(-(n + 2 * p - k) // s) + 1):
        return "You round up. The window may not hang over the border: a step that does not fit is not made."
    if agrees(lambda n, k, p, s: n + 2 * p - k + 1):
        return "The stride is not used: with s = 2 the window makes about half as many steps."
    if agrees(lambda n, k, p, s: (n + 2 * p - k + 1) // s):
        return "The 1 stands outside the division: first count the steps, then add the first stop."
    return f"For n = 7, k = 3, p = 0, s = 2 the window stops at 0, 2 and 4: three times. You get {got[1]}."


@exercise("05-3")
def trainable(answer: Any) -> str | None:
    """BN 48, 1x1 48->32, BN 32, 3x3 32->32, BN 32, 1x1 32->64, skip 1x1 48->64: 16,288."""
    norms, biases = 2 * (48 + 32 + 32), 32 + 32 + 64 + 64
    weights = 48 * 32 + 9 * 32 * 32 + 32 * 64 + 48 * 64
    right = norms + weights + biases
    wide = 2 * (48 + 64 + 64) + 48 * 64 + 9 * 64 * 64 + 64 * 64 + 48 * 64 + 4 * 64
    wrong = {
        right - 48 * 64 - 64: "48 channels cannot be added to 64: the skip needs its own 1 x 1 convolution here.",
        right - 64: "The convolution on the skip has biases too, one for each of its 64 kernels.",
        right - biases: "The biases of the convolutions are missing: one for each kernel.",
        right - norms: "Batch normalization has parameters too: gamma and beta for each channel that goes in.",
        right - norms // 2: "Batch normalization has two trainable numbers a channel, gamma and beta; you count one.",
        right + norms: "The moving averages are kept, not trained: two numbers a channel, not four.",
        right + 32: "BatchNorm comes before each convolution and counts what goes in: 48, 32 and 32 channels.",
        weights: "These are the weights of the convolutions. Biases and batch normalization are missing.",
        wide: "The middle of the module works on half of the 64 channels, 32.",
        right - 8 * 32 * 32: "The middle kernel is 3 x 3: nine weights for each pair of channels.",
    }
    if close(answer, right):
        return None
    for value, hint in wrong.items():
        if close(answer, value):
            return hint
    return f"Not {answer}. Count three times BatchNorm and convolution (48 to 32, 32 to 32, 32 to 64), then the skip."


@exercise("05-4")
def receptive_field(answer: Any) -> str | None:
    """Field: r += (k - 1) * jump before the jump is multiplied by the stride."""
    layers = [(7, 2), (3, 1), (2, 2), (3, 1)]

    def field(start: int, early: bool, use_jump: bool, full: bool) -> int:
        r, jump = start, 1
        for k, s in layers:
            jump *= s if early else 1
            r += (k - (0 if full else 1)) * (jump if use_jump else 1)
            jump *= 1 if early else s
        return r

    got = call(answer, layers)
    if close(got, field(0, False, True, False)):
        return "Start at 1: without any layer, an output sees its own pixel."
    if close(got, field(1, True, True, False)):
        return (
            "A stride only spreads the layers after it. Add (k - 1) times the old jump first, then multiply the jump."
        )
    if close(got, field(1, False, False, False)):
        return "The strides are not used: after a stride of 2, neighbours are two pixels apart. Add (k - 1) * jump."
    if close(got, field(0, False, True, True)) or close(got, field(1, False, True, True)):
        return "A kernel of k adds k - 1, not k: one of its pixels was seen already."
    if not close(got, field(1, False, True, False)):
        return f"For 7x7 stride 2, 3x3, pooling 2, 3x3 an output sees 21 pixels, not {got}."
    return None if close(call(answer, []), 1) else "Without any layer, an output sees one pixel."
