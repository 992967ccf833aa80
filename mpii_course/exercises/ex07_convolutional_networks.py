"""Checks of notebook 07: sliding a kernel, sizes, counting parameters, receptive field."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, diagnose, exercise


def _slide(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("rcuv,uv->rc", windows, kernel)


@exercise("07-1")
def slide(answer: Any) -> str | None:
    """Cross-correlation, valid: (H - a + 1, W - b + 1)."""
    rng = np.random.default_rng(5)
    image, kernel = rng.normal(size=(6, 8)), rng.normal(size=(3, 3))
    wanted, turned = _slide(image, kernel), _slide(image, kernel[::-1, ::-1])
    got = call(answer, image, kernel)
    if np.shape(got) == image.shape:
        return "The result has the size of the image. Without padding it has 6 - 3 + 1 rows and 8 - 3 + 1 columns."
    mistakes = {
        "Your kernel is turned by half a turn, a convolution in the strict sense. Use I(r + u, c + v) K(u, v).": turned,
        "Your kernel is transposed: u counts its rows and goes with the image's rows.": _slide(image, kernel.T),
        "You take the mean of the products. The formula adds them up, and does not divide.": wanted / kernel.size,
        "The last row and column are missing: a window of 3 stops 6 - 3 + 1 = 4 times in 6 rows.": wanted[:-1, :-1],
        "Rows and columns of the result are exchanged.": wanted.T,
    }
    otherwise = (
        f"For an image (6, 8) and a kernel (3, 3) your result, shape {np.shape(got)}, is not the sum of products."
    )
    if hint := diagnose(got, wanted, mistakes, otherwise):
        return hint
    try:
        tall = np.shape(call(answer, image, rng.normal(size=(2, 5))))
    except ValueError as error:
        return f"Right for a square kernel; one of shape (2, 5) stops it ({error}). Use both of its sides."
    hint = f"For a kernel (2, 5) on an image (6, 8) the shape is (5, 4), not {tall}: use both of its sides."
    return None if tall == (5, 4) else hint


@exercise("07-2")
def output_side(answer: Any) -> str | None:
    """Floor((n + 2p - k) / s) + 1."""
    cases = [(6, 3, 0, 1), (7, 3, 0, 2), (8, 3, 1, 2), (11, 4, 2, 3), (256, 7, 3, 2)]
    got = [call(answer, *case) for case in cases]
    n, k, p, s = np.transpose(cases)
    way = n + 2 * p - k
    mistakes = {
        "A side is a whole number: a step that does not fit is not made. Round down, // in Python.": way / s + 1,
        "One too few: a window makes one stop more than it takes steps.": way // s,
        "The padding stands on both sides, so it counts twice.": (n + p - k) // s + 1,
        "You round up. The window may not hang over the border: a step that does not fit is not made.": -(-way // s)
        + 1,
        "The stride is not used: with s = 2 the window makes about half as many steps.": way + 1,
        "The 1 stands outside the division: first count the steps, then add the first stop.": (way + 1) // s,
    }
    otherwise = f"For n = 7, k = 3, p = 0, s = 2 the window stops at 0, 2 and 4: three times. You get {got[1]}."
    return diagnose(got, way // s + 1, mistakes, otherwise)


@exercise("07-3")
def trainable(answer: Any) -> str | None:
    """BN 48, 1x1 48->32, BN 32, 3x3 32->32, BN 32, 1x1 32->64, skip 1x1 48->64: 16,288."""
    norms, biases = 2 * (48 + 32 + 32), 32 + 32 + 64 + 64
    weights = 48 * 32 + 9 * 32 * 32 + 32 * 64 + 48 * 64
    right = norms + weights + biases
    wide = 2 * (48 + 64 + 64) + 48 * 64 + 9 * 64 * 64 + 64 * 64 + 48 * 64 + 4 * 64
    mistakes = {
        "48 channels cannot be added to 64: the skip needs its own 1 x 1 convolution here.": right - 48 * 64 - 64,
        "The convolution on the skip has biases too, one for each of its 64 kernels.": right - 64,
        "The biases of the convolutions are missing: one for each kernel.": right - biases,
        "Batch normalization has parameters too: gamma and beta for each channel that goes in.": right - norms,
        "Batch normalization has two trainable numbers a channel; you count one.": right - norms // 2,
        "The moving averages are kept, not trained: two numbers a channel, not four.": right + norms,
        "BatchNorm comes before each convolution and counts what goes in: 48, 32 and 32 channels.": right + 32,
        "These are the weights of the convolutions. Biases and batch normalization are missing.": weights,
        "The middle of the module works on half of the 64 channels, 32.": wide,
        "The middle kernel is 3 x 3: nine weights for each pair of channels.": right - 8 * 32 * 32,
    }
    otherwise = f"Not {answer}. Count BatchNorm and convolution for 48 to 32, 32 to 32, 32 to 64, and then the skip."
    return diagnose(answer, right, mistakes, otherwise)


@exercise("07-4")
def receptive_field(answer: Any) -> str | None:
    """Field: r += (k - 1) * jump before the jump is multiplied by the stride."""
    layers = [(7, 2), (3, 1), (2, 2), (3, 1)]

    def field(start: int = 1, early: bool = False, use_jump: bool = True, full: bool = False) -> int:
        r, jump = start, 1
        for k, s in layers:
            jump *= s if early else 1
            r += (k - (0 if full else 1)) * (jump if use_jump else 1)
            jump *= 1 if early else s
        return r

    got = call(answer, layers)
    mistakes = {
        "Start at 1: without any layer, an output sees its own pixel.": field(start=0),
        "A stride spreads the layers after it. Add (k - 1) times the old jump, then multiply it.": field(early=True),
        "The strides are not used: after one of 2, neighbours are 2 apart. Add (k - 1) * jump.": field(use_jump=False),
        "A kernel of k adds k - 1, not k: one of its pixels was seen already.": field(full=True),
    }
    otherwise = f"For 7x7 stride 2, 3x3, pooling 2, 3x3 an output sees 21 pixels, not {got}."
    if hint := diagnose(got, field(), mistakes, otherwise):
        return hint
    return None if close(call(answer, []), 1) else "Without any layer, an output sees one pixel."
