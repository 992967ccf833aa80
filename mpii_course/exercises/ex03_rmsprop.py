"""Checks of notebook 03: one step of RMSProp, of momentum and of Adam, and the length of RMSProp's first step."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import Hint, call, close, diagnose, exercise

_THETA, _G = np.array([1.0, -2.0]), np.array([0.5, -3.0])


def _step(answer: Any, *arguments: Any, returns: tuple[str, ...]) -> tuple[Any, ...]:
    """What the optimizer adds to theta, and its other results; all of the shape of theta."""
    results = call(answer, _THETA.copy(), _G.copy(), *arguments, returns=returns)
    for name, value in zip(returns, results, strict=True):
        if np.shape(value) != (2,):
            raise Hint(f"{name} has the shape of theta, here (2,); yours has {np.shape(value)}.")
    return np.asarray(results[0]) - _THETA, *results[1:]


@exercise("03-1")
def rmsprop_step(answer: Any) -> str | None:
    """One step of algorithm 2."""
    eta, rho, delta, past, square = 0.1, 0.8, 0.01, np.array([0.04, 1.0]), _G**2
    step, got = _step(answer, past.copy(), eta, rho, delta, returns=("theta", "r"))
    r = rho * past + (1 - rho) * square
    swapped = (1 - rho) * past + rho * square
    sums = {
        "You accumulate g itself. Its square is what has a size without a sign.": rho * past + (1 - rho) * _G,
        "The decay rates are swapped: rho keeps the past, 1 - rho lets the new square in.": swapped,
        "The new square enters with the weight 1 - rho; without it r is no mean and grows.": rho * past + square,
        "You add up all squares and forget nothing (AdaGrad). The past is multiplied by rho.": past + square,
        "r is still the old one. Accumulate first, then divide.": past,
        "The past is gone: r is made from the newest square alone.": (1 - rho) * square,
    }
    updates = {
        "The step goes uphill: the update has a minus.": eta / np.sqrt(delta + r) * _G,
        "delta stands outside the root. The thesis has it inside: sqrt(delta + r).": -eta * _G / (delta + np.sqrt(r)),
        "The root is missing: you divide by the mean square, not by its root.": -eta / (delta + r) * _G,
        "You divide with the old r. Accumulate first, then compute the update.": -eta / np.sqrt(delta + past) * _G,
        "delta is missing. When r is zero this divides by zero.": -eta / np.sqrt(r) * _G,
    }
    wanted = -eta / np.sqrt(delta + r) * _G
    hint = diagnose(got, r, sums, "Your r is not rho * r + (1 - rho) * g * g.")
    return hint or diagnose(step, wanted, updates, "r is right; the update is not -eta / sqrt(delta + r) * g.")


@exercise("03-2")
def momentum_step(answer: Any) -> str | None:
    """One step with momentum."""
    eta, mu, past = 0.1, 0.9, np.array([0.2, 0.4])
    step, got = _step(answer, past.copy(), eta, mu, returns=("theta", "v"))
    v = mu * past - eta * _G
    velocities = {
        "The gradient enters with a plus: the ball would roll uphill.": mu * past + eta * _G,
        "The velocity forgets its past: mu * v is missing.": -eta * _G,
        "You multiply the gradient by 1 - mu too. Here the velocity is a sum.": mu * past - (1 - mu) * eta * _G,
        "The whole past is kept: multiply v by mu, or the ball never slows down.": past - eta * _G,
        "Here v includes -eta. Yours collects plain gradients, and eta comes later (as in PyTorch).": mu * past + _G,
        "mu multiplies the gradient too. It damps the past only.": mu * (past - eta * _G),
    }
    steps = {
        "This is Nesterov's momentum in Keras' form. Plain momentum moves by v.": mu * v - eta * _G,
        "theta moves with the old velocity. Compute the new one first.": past,
    }
    otherwise = "The velocity should be mu * v - eta * g, and theta should move by it."
    return diagnose(got, v, velocities, otherwise) or diagnose(step, v, steps, otherwise)


@exercise("03-3")
def adam_step(answer: Any) -> str | None:
    """One step of Adam, t > 1, so that a forgotten power of t shows."""
    eta, rho1, rho2, delta, t = 0.1, 0.9, 0.99, 1e-3, 3
    s0, r0 = np.array([0.1, -0.2]), np.array([0.05, 0.5])
    names = ("theta", "s", "r")
    step, s_kept, r_kept = _step(answer, s0.copy(), r0.copy(), t, eta, rho1, rho2, delta, returns=names)
    s, r = rho1 * s0 + (1 - rho1) * _G, rho2 * r0 + (1 - rho2) * _G**2

    def update(power1: float, power2: float, inside: bool = False) -> Any:
        mean, square = s / (1 - power1), r / (1 - power2)
        return -eta * mean / (np.sqrt(square + delta) if inside else np.sqrt(square) + delta)

    kept = "Keep s and r as they are, without the correction: corrected ones would be corrected again next time."
    swapped = "The decay rates are swapped: rho1 belongs to s (the gradient), rho2 to r (its square)."
    means = {kept: s / (1 - rho1**t), swapped: rho2 * s0 + (1 - rho2) * _G}
    mistakes = {
        "The bias correction is missing: divide s by 1 - rho1**t and r by 1 - rho2**t.": update(0, 0),
        "You correct with 1 - rho. It has to be 1 - rho**t, which fades as t grows.": update(rho1, rho2),
        "t counts from 1 and is the number of this step; you are one off.": update(rho1 ** (t + 1), rho2 ** (t + 1)),
        "t counts from 1 and is this step's number; yours is one too low.": update(rho1 ** (t - 1), rho2 ** (t - 1)),
        "Only s is corrected. r starts at zero as well.": update(rho1**t, 0),
        "Only r is corrected. s starts at zero as well.": update(0, rho2**t),
        "In Adam delta stands outside the root.": update(rho1**t, rho2**t, inside=True),
        "The step goes uphill: the update has a minus.": -update(rho1**t, rho2**t),
    }
    otherwise = "s and r are right; look at the correction and at the update."
    hint = diagnose(s_kept, s, means, "s should be rho1 * s + (1 - rho1) * g.")
    hint = hint or diagnose(r_kept, r, {kept: r / (1 - rho2**t)}, "r should be rho2 * r + (1 - rho2) * g * g.")
    return hint or diagnose(step, update(rho1**t, rho2**t), mistakes, otherwise, tolerance=1e-9)


@exercise("03-4")
def first_move(answer: Any) -> str | None:
    """Length of RMSProp's first step: eta / sqrt(1 - rho)."""
    mistakes = {
        "That would be so if r were g squared already. But r starts at 0: after one step it is (1 - rho) g^2.": 0.001,
        "That is eta times g, a step of plain gradient descent.": 0.005,
        "Almost: you divided by 1 - rho, and forgot the root.": 0.1,
        "You multiplied by the root of 1 - rho. It stands below.": 0.0001,
        "The g is still in your answer. It cancels: g / sqrt((1 - rho) g^2).": 0.05,
        "Right, as an update. The question is how far it moves: a positive number.": -0.01,
    }
    otherwise = "Write r after the first step, starting from r = 0, and put it into eta / sqrt(r) * g."
    return None if close(answer, 0.01, 1e-5) else diagnose(answer, 0.01, mistakes, otherwise)
