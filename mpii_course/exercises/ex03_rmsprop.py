"""Checks of notebook 03: one step of RMSProp, of momentum and of Adam, and the length of RMSProp's first step."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mpii_course.exercises.diagnosis import call, close, diagnose, diagnose_each, exercise

_THETA, _G = np.array([1.0, -2.0]), np.array([0.5, -3.0])
Part = tuple[Any, Mapping[str, Any]]


def _diagnose(answer: object, *arguments: Any, moves: Part, kept: Mapping[str, Part]) -> str | None:
    """Diagnose a step of an optimizer: what is added to theta, and what is kept for the next step."""
    right, mistakes = moves
    mistakes = {hint: _THETA + wrong for hint, wrong in mistakes.items()}
    parts = {"theta": (_THETA + right, {**mistakes, "This is the update alone. Add it to theta.": right}), **kept}
    got = call(answer, _THETA, _G, *arguments, returns=list(parts))
    return diagnose_each(got, parts, tolerance=1e-9, last_first=True)


@exercise("03-1")
def rmsprop_step(answer: object) -> str | None:
    """One step of algorithm 2.

    1. First bring r up to date: a running mean of g * g that keeps the share rho of its past. Then divide by its root.
    2. r = rho * r + (1 - rho) * g * g
    3. theta - eta / np.sqrt(delta + r) * g
    """
    eta, rho, delta, past, square = 0.1, 0.8, 0.01, np.array([0.04, 1.0]), _G**2
    r = rho * past + (1 - rho) * square
    swapped = (1 - rho) * past + rho * square
    sums = {
        "g itself is accumulated. Its square is what has a size without a sign.": rho * past + (1 - rho) * _G,
        "The decay rates are swapped: rho keeps the past, 1 - rho lets the new square in.": swapped,
        "The new square enters with the weight 1 - rho; without it r is no mean and grows.": rho * past + square,
        "All squares are added up and nothing is forgotten. The past is multiplied by rho.": past + square,
        "r is still the old one. Accumulate first, then divide.": past,
        "The past is gone: r is made from the newest square alone.": (1 - rho) * square,
    }
    updates = {
        "The step goes uphill: the update has a minus.": eta / np.sqrt(delta + r) * _G,
        "delta stands outside the root. Algorithm 2 has it inside.": -eta * _G / (delta + np.sqrt(r)),
        "The root is missing: you divide by the mean square, not by its root.": -eta / (delta + r) * _G,
        "You divide with the old r. Accumulate first, then compute the update.": -eta / np.sqrt(delta + past) * _G,
        "delta is missing. When r is zero this divides by zero.": -eta / np.sqrt(r) * _G,
    }
    moves = -eta / np.sqrt(delta + r) * _G, updates
    return _diagnose(answer, past, eta, rho, delta, moves=moves, kept={"r": (r, sums)})


@exercise("03-2")
def momentum_step(answer: object) -> str | None:
    """One step with momentum.

    1. The velocity is damped by mu, and the gradient pushes it downhill. Then theta moves by the new velocity.
    2. v = mu * v - eta * g; theta + v
    """
    eta, mu, past = 0.1, 0.9, np.array([0.2, 0.4])
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
    return _diagnose(answer, past, eta, mu, moves=(v, steps), kept={"v": (v, velocities)})


@exercise("03-3")
def adam_step(answer: object) -> str | None:
    """One step of Adam, t > 1, so that a forgotten power of t shows.

    1. s is a running mean of g, r one of g * g. Both begin at 0, so the step uses corrected ones; keep the uncorrected.
    2. The corrected ones are s / (1 - rho1**t) and r / (1 - rho2**t).
    3. theta - eta * corrected_s / (np.sqrt(corrected_r) + delta)
    """
    eta, rho1, rho2, delta, t = 0.1, 0.9, 0.99, 1e-3, 3
    s0, r0 = np.array([0.1, -0.2]), np.array([0.05, 0.5])
    s, r = rho1 * s0 + (1 - rho1) * _G, rho2 * r0 + (1 - rho2) * _G**2

    def update(power1: float, power2: float, inside: bool = False) -> Any:
        mean, square = s / (1 - power1), r / (1 - power2)
        return -eta * mean / (np.sqrt(square + delta) if inside else np.sqrt(square) + delta)

    kept = "Keep s and r as they are, without the correction: corrected ones would be corrected again next time."
    swapped = "The decay rates are swapped: rho1 belongs to s (the gradient), rho2 to r (its square)."
    means = {kept: s / (1 - rho1**t), swapped: rho2 * s0 + (1 - rho2) * _G}
    squares = {kept: r / (1 - rho2**t), swapped: rho1 * r0 + (1 - rho1) * _G**2}
    mistakes = {
        "The bias correction is missing: divide s by 1 - rho1**t and r by 1 - rho2**t.": update(0, 0),
        "You correct with 1 - rho. It has to be 1 - rho**t, which fades as t grows.": update(rho1, rho2),
        "t counts from 1 and is this step's number; yours is one too low.": update(rho1 ** (t - 1), rho2 ** (t - 1)),
        "Only s is corrected. r starts at zero as well.": update(rho1**t, 0),
        "Only r is corrected. s starts at zero as well.": update(0, rho2**t),
        "In Adam delta stands outside the root.": update(rho1**t, rho2**t, inside=True),
        "The step goes uphill: the update has a minus.": -update(rho1**t, rho2**t),
    }
    moves, kept_on = (update(rho1**t, rho2**t), mistakes), {"s": (s, means), "r": (r, squares)}
    return _diagnose(answer, s0, r0, t, eta, rho1, rho2, delta, moves=moves, kept=kept_on)


@exercise("03-4")
def first_move(answer: object) -> str | None:
    """Length of RMSProp's first step: eta / sqrt(1 - rho).

    1. r starts at 0. What is it after the first gradient?
    2. r = (1 - rho) * g**2, so g cancels in eta / sqrt(r) * g.
    3. eta / sqrt(1 - rho)
    """
    mistakes = {
        "That would be so if r were g squared already. But r starts at 0: after one step it is (1 - rho) g^2.": 0.001,
        "That is eta times g, a step of plain gradient descent.": 0.005,
        "That is eta / (1 - rho): the root is missing.": 0.1,
        "That is eta times the root of 1 - rho. The root stands below.": 0.0001,
        "The g is still in it. It cancels: g / sqrt((1 - rho) g^2).": 0.05,
        "Right, as an update. The question is how far it moves: a positive number.": -0.01,
    }
    return None if close(answer, 0.01, 1e-5) else diagnose(answer, 0.01, mistakes)
