"""Checks for notebook 03: one step of RMSProp, of momentum and of Adam, and the length of RMSProp's first step."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpii_course.exercises import call, close, exercise

_THETA, _G = np.array([1.0, -2.0]), np.array([0.5, -3.0])


def _shape_hint(result: Any, parts: int, names: str) -> str | None:
    """A hint when the answer is not a tuple of `parts` arrays of shape (2,)."""
    if not isinstance(result, tuple) or len(result) != parts:
        return f"Give back {parts} things, in this order: {names}."
    wrong = next((np.shape(part) for part in result if np.shape(part) != (2,)), None)
    return (
        f"Each of {names} has the shape of theta, here (2,); one of yours has {wrong}." if wrong is not None else None
    )


@exercise("03-1")
def rmsprop_step(answer: Any) -> str | None:
    """One step of algorithm 2."""
    eta, rho, delta, past = 0.1, 0.8, 0.01, np.array([0.04, 1.0])
    result = call(answer, _THETA.copy(), _G.copy(), past.copy(), eta, rho, delta)
    if hint := _shape_hint(result, 2, "theta and r"):
        return hint
    theta, r = result
    wanted = rho * past + (1 - rho) * _G**2
    memories = {
        "You accumulate g itself. The square, g * g, is what has a size without a sign.": rho * past + (1 - rho) * _G,
        "The decay rates are swapped: rho keeps the past, 1 - rho lets the new square in.": (1 - rho) * past
        + rho * _G**2,
        "The new square enters with the weight 1 - rho; without it r is no mean and grows.": rho * past + _G**2,
        "You add up all squares and forget nothing (that is AdaGrad). The past is multiplied by rho.": past + _G**2,
        "r is still the old one. Accumulate first, then divide.": past,
        "The past is gone: r is made from the newest square alone.": (1 - rho) * _G**2,
    }
    if not close(r, wanted):
        fits = next((hint for hint, value in memories.items() if close(r, value)), None)
        return fits or "Your r is not rho * r + (1 - rho) * g * g."
    updates = {
        "The step goes uphill: the update has a minus.": eta / np.sqrt(delta + wanted) * _G,
        "delta stands outside the root. The thesis has it inside: sqrt(delta + r).": -eta
        / (delta + np.sqrt(wanted))
        * _G,
        "The root is missing: you divide by the mean square, not by its root.": -eta / (delta + wanted) * _G,
        "You divide with the old r. Accumulate first, then compute the update.": -eta / np.sqrt(delta + past) * _G,
        "delta is missing. When r is zero this divides by zero.": -eta / np.sqrt(wanted) * _G,
    }
    step = np.asarray(theta) - _THETA
    if close(step, -eta / np.sqrt(delta + wanted) * _G):
        return None
    fits = next((hint for hint, value in updates.items() if close(step, value)), None)
    return fits or "r is right; the update is not -eta / sqrt(delta + r) * g."


@exercise("03-2")
def momentum_step(answer: Any) -> str | None:
    """One step with momentum."""
    eta, mu, past = 0.1, 0.9, np.array([0.2, 0.4])
    result = call(answer, _THETA.copy(), _G.copy(), past.copy(), eta, mu)
    if hint := _shape_hint(result, 2, "theta and v"):
        return hint
    theta, v = result
    wanted = mu * past - eta * _G
    step = np.asarray(theta) - _THETA
    if close(v, wanted) and close(step, wanted):
        return None
    if close(v, wanted) and close(step, mu * wanted - eta * _G):
        return "This is Nesterov's momentum in Keras' form. Plain momentum moves by v."
    if close(v, wanted) and close(step, past):
        return "theta moves with the old velocity. Compute the new one first."
    velocities = {
        "The gradient enters with a plus: the ball would roll uphill.": mu * past + eta * _G,
        "The velocity forgets its past: mu * v is missing.": -eta * _G,
        "You multiply the gradient by 1 - mu as well (a running mean). Here the velocity is a sum.": mu * past
        - (1 - mu) * eta * _G,
        "The whole past is kept: multiply v by mu, or the ball never slows down.": past - eta * _G,
        "In your form v collects plain gradients and eta comes later (PyTorch does so). Here v includes -eta.": mu
        * past
        + _G,
        "mu multiplies the gradient too. It damps the past only.": mu * (past - eta * _G),
    }
    fits = next((hint for hint, value in velocities.items() if close(v, value)), None)
    return fits or "The velocity should be mu * v - eta * g, and theta should move by it."


@exercise("03-3")
def adam_step(answer: Any) -> str | None:
    """One step of Adam, t > 1, so that a forgotten power of t shows."""
    eta, rho1, rho2, delta, t = 0.1, 0.9, 0.99, 1e-3, 3
    s0, r0 = np.array([0.1, -0.2]), np.array([0.05, 0.5])
    result = call(answer, _THETA.copy(), _G.copy(), s0.copy(), r0.copy(), t, eta, rho1, rho2, delta)
    if hint := _shape_hint(result, 3, "theta, s and r"):
        return hint
    theta, s_kept, r_kept = result
    s, r = rho1 * s0 + (1 - rho1) * _G, rho2 * r0 + (1 - rho2) * _G**2
    step = np.asarray(theta) - _THETA

    def update(power1: float, power2: float, inside: bool = False) -> Any:
        mean, square = s / (1 - power1), r / (1 - power2)
        return -eta * mean / (np.sqrt(square + delta) if inside else np.sqrt(square) + delta)

    if close(s_kept, s / (1 - rho1**t)) or close(r_kept, r / (1 - rho2**t)):
        return "Keep s and r as they are, without the correction: corrected ones would be corrected again next time."
    if close(s_kept, rho2 * s0 + (1 - rho2) * _G):
        return "The decay rates are swapped: rho1 belongs to s (the gradient), rho2 to r (its square)."
    if not close(s_kept, s):
        return "s should be rho1 * s + (1 - rho1) * g."
    if not close(r_kept, r):
        return "r should be rho2 * r + (1 - rho2) * g * g."
    if close(step, update(rho1**t, rho2**t)):
        return None
    mistakes = {
        "The bias correction is missing: divide s by 1 - rho1**t and r by 1 - rho2**t.": update(0, 0),
        "You correct with 1 - rho. It has to be 1 - rho**t, which fades as t grows.": update(rho1, rho2),
        "t counts from 1 and is the number of this step; you are one off.": update(rho1 ** (t + 1), rho2 ** (t + 1)),
        "t counts from 1 and is the number of this step; yours is one too low.": update(
            rho1 ** (t - 1), rho2 ** (t - 1)
        ),
        "Only s is corrected. r starts at zero as well.": update(rho1**t, 0),
        "Only r is corrected. s starts at zero as well.": update(0, rho2**t),
        "In Adam delta stands outside the root.": update(rho1**t, rho2**t, inside=True),
        "The step goes uphill: the update has a minus.": -update(rho1**t, rho2**t),
    }
    fits = next((hint for hint, value in mistakes.items() if close(step, value, 1e-9)), None)
    return fits or "s and r are right; look at the correction and at the update."


@exercise("03-4")
def first_move(answer: Any) -> str | None:
    """Length of RMSProp's first step: eta / sqrt(1 - rho)."""
    mistakes = {
        0.001: "That would be so if r were g squared already. But r starts at 0: after one step it is (1 - rho) g^2.",
        0.005: "That is eta times g, a step of plain gradient descent.",
        0.1: "Almost: you divided by 1 - rho, and forgot the root.",
        0.0001: "You multiplied by the root of 1 - rho. It stands below.",
        0.05: "The g is still in your answer. It cancels: g / sqrt((1 - rho) g^2).",
        -0.01: "Right, as an update. The question is how far it moves: a positive number.",
    }
    if close(answer, 0.01, 1e-5):
        return None
    for value, hint in mistakes.items():
        if close(answer, value, 1e-6):
            return hint
    return "Write r after the first step, starting from r = 0, and put it into eta / sqrt(r) * g."
