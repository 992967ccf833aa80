"""Checks of notebook 07: sliding a kernel, sizes, counting parameters, receptive field."""

import numpy as np

from mpii_course.exercises.diagnosis import call, diagnose, exercise


def _slide(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("rcuv,uv->rc", windows, kernel)


@exercise("07-1")
def slide(answer: object) -> str | None:
    """Sum of products at every place where the kernel fits.

    1. A kernel of a rows stops H - a + 1 times on the way down, one of b columns W - b + 1 times across.
    2. S[r, c] = np.sum(image[r : r + a, c : c + b] * kernel)
    """
    rng = np.random.default_rng(5)
    image, kernel = rng.normal(size=(6, 8)), rng.normal(size=(3, 3))
    wanted = _slide(image, kernel)
    turned = "Your kernel is turned by half a turn, a convolution in the strict sense. Use I(r + u, c + v) K(u, v)."
    mistakes = {
        turned: _slide(image, kernel[::-1, ::-1]),
        "Your kernel is transposed: u counts its rows and goes with the image's rows.": _slide(image, kernel.T),
        "You take the mean of the products. The formula adds them up, and does not divide.": wanted / kernel.size,
        "The last row and column are missing: a window of 3 stops 6 - 3 + 1 = 4 times in 6 rows.": wanted[:-1, :-1],
    }
    if hint := diagnose(call(answer, image, kernel), wanted, mistakes):
        return hint
    kernel = rng.normal(size=(2, 5))
    return diagnose(
        call(answer, image, kernel), _slide(image, kernel), {}, "Right for a square kernel; this is (2, 5)."
    )


@exercise("07-2")
def side(answer: object) -> str | None:
    """From 96 to 48, to 24, to 22.

    1. Take the layers one by one. The first window has 96 + 6 - 7 pixels left to travel, in steps of 2.
    2. A window makes one stop more than it takes steps, and a step that does not fit is not made.
    3. (96 + 6 - 7) // 2 + 1 = 48, then 48 // 2 = 24, then 24 - 3 + 1 = 22
    """
    mistakes = {
        "The last layer has no padding, so it loses two pixels.": 24,
        "Both the first stride and the pooling halve the side; you halve it once.": 46,
        "The padding of the first layer stands on both sides, so it counts twice.": 21,
        "The first layer has a padding of 3 on each side.": 20,
    }
    return diagnose(answer, 22, mistakes)


@exercise("07-3")
def trainable(answer: object) -> str | None:
    """BN 48, 1x1 48->32, BN 32, 3x3 32->32, BN 32, 1x1 32->64, skip connection 1x1 48->64: 16,288.

    1. Go through the diagram: three times batch normalization and convolution, then the skip connection.
    2. The middle has 32 channels: 48 to 32, 32 to 32, 32 to 64. The skip connection goes from 48 to 64.
    3. k * k * M * F + F for each convolution, 2 * M for each batch normalization of M channels
    """
    norms, biases = 2 * (48 + 32 + 32), 32 + 32 + 64 + 64
    weights = 48 * 32 + 9 * 32 * 32 + 32 * 64 + 48 * 64
    right = norms + weights + biases
    wide = 2 * (48 + 64 + 64) + 48 * 64 + 9 * 64 * 64 + 64 * 64 + 48 * 64 + 4 * 64
    mistakes = {
        "48 channels cannot be added to 64: the skip connection needs its own 1 x 1 convolution here.": right
        - 48 * 64
        - 64,
        "The convolution on the skip connection has biases too, one for each of its 64 kernels.": right - 64,
        "The biases of the convolutions are missing: one for each kernel.": right - biases,
        "Batch normalization has parameters too: gamma and beta for each channel that goes in.": right - norms,
        "Batch normalization has two trainable numbers a channel; you count one.": right - norms // 2,
        "The moving averages are kept, not trained: two numbers a channel, not four.": right + norms,
        "BatchNorm comes before each convolution and counts what goes in: 48, 32 and 32 channels.": right + 32,
        "These are the weights of the convolutions. Biases and batch normalization are missing.": weights,
        "The middle of the module works on half of the 64 channels, 32.": wide,
        "The middle kernel is 3 x 3: nine weights for each pair of channels.": right - 8 * 32 * 32,
    }
    return diagnose(answer, right, mistakes)


@exercise("07-4")
def field(answer: object) -> str | None:
    """The first layer still adds 6; all later layers add half as much.

    1. Which numbers in the table change when the first stride is 1: those of the first layer, or those after it?
    2. Every jump after the first layer is half as large: 7 + (329 - 7) / 2
    """
    mistakes = {
        "That is the old number. Write 1 for the stride in the first entry and run the cell again.": 329,
        "The first layer sees 7 pixels whatever its stride is. Only what comes after it is halved.": 164.5,
        "That is the growth after the first layer; its own 7 pixels belong to it.": 161,
        "A stride spreads the layers after it: with a smaller one they see less, not more.": 651,
    }
    return diagnose(answer, 168, mistakes)
