"""Mistakes that the solutions notebooks do not show, and right answers written in another way."""

import numpy as np
import pytest

from mpii_course.exercises import check


def _descend(grad, x, eta, tolerance, maximum):
    for updates in range(maximum):
        if np.linalg.norm(grad(x)) <= tolerance:
            return x, updates
        x = x - eta * grad(x)
    return x, maximum


def _folds(count, folds, rng):
    order = rng.permutation(count)
    return [(np.delete(order, np.arange(k, count, folds)), order[k::folds]) for k in range(folds)]


def _adam(correct_s=True, correct_r=True, sign=-1, inside=False):
    def step(theta, g, s, r, t, eta, rho1, rho2, delta):
        s, r = rho1 * s + (1 - rho1) * g, rho2 * r + (1 - rho2) * g * g
        mean = s / (1 - rho1**t) if correct_s else s
        square = r / (1 - rho2**t) if correct_r else r
        return theta + sign * eta * mean / (np.sqrt(square + delta) if inside else np.sqrt(square) + delta), s, r

    return step


def _rmsprop(accumulate, root=np.sqrt, sign=-1):
    def step(theta, g, r, eta, rho, delta):
        r = accumulate(r, g, rho)
        return theta + sign * eta / root(delta + r) * g, r

    return step


def _mean(r, g, rho):
    return rho * r + (1 - rho) * g * g


RIGHT = {
    "01-1": lambda y, p: ((p - y) @ (p - y)) / len(y),
    "01-2": _folds,
    "01-3": lambda a, b: tuple((part - a.mean(0)) / a.std(0) for part in (a, b)),
    "01-4": lambda s: (s.mean(), np.sqrt(s.var(ddof=1) / len(s))),
    "02-1": lambda X, y, theta: 2 * (X @ theta - y) @ X / len(X),
    "02-2": _descend,
    "02-3": 0.5,
    "02-4": lambda count, size, rng: np.split(rng.permutation(count), range(size, count, size)),
    "03-1": _rmsprop(_mean),
    "03-2": lambda theta, g, v, eta, mu: (theta + mu * v - eta * g, mu * v - eta * g),
    "03-3": _adam(),
    "03-4": 1e-2,
}


@pytest.mark.parametrize("number", RIGHT)
def test_another_way_to_be_right_is_accepted(number):
    assert check(number, RIGHT[number]).state == "correct", check(number, RIGHT[number])


@pytest.mark.parametrize("number", RIGHT)
@pytest.mark.parametrize("stub", [..., lambda *arguments: ..., lambda *arguments: (..., ...)])
def test_a_stub_is_not_attempted(number, stub):
    if not callable(stub) or number not in ("02-3", "03-4"):
        assert check(number, stub).state == "not attempted"


@pytest.mark.parametrize(
    ("number", "answer", "word"),
    [
        ("01-1", lambda y, p: (y - p) ** 2, "one number for each"),
        ("01-1", lambda y, p: abs(y - p).mean(), "absolute"),
        ("01-1", lambda y, p: (y - p).mean(), "cancel"),
        ("01-1", lambda y, p: ((y - p) ** 2).mean() / 2, "1/2"),
        ("01-2", lambda n, k, rng: _folds(n, k, rng)[:-1], "3 rounds"),
        ("01-2", lambda n, k, rng: [(v, t) for t, v in _folds(n, k, rng)], "other way round"),
        ("01-2", lambda n, k, rng: [(t[1:], v) for t, v in _folds(n, k, rng)], "neither trains nor validates"),
        ("01-2", lambda n, k, rng: [(t + 1, v + 1) for t, v in _folds(n, k, rng)], "from 0 to 10"),
        ("01-2", lambda n, k, rng: _folds(n, k, np.random.default_rng(0)), "same every time"),
        ("01-3", lambda a, b: np.concatenate([a, b]), "2 things"),
        ("01-3", lambda a, b: tuple((p - a.mean(0)) / a.std(0, ddof=1) for p in (a, b)), "n - 1"),
        ("01-3", lambda a, b: tuple(p - a.mean(0) for p in (a, b)), "division"),
        ("01-4", lambda s: s.mean(), "2 things"),
        ("01-4", lambda s: (s.sum(), 1.0), "The mean"),
        ("01-4", lambda s: (s.mean(), s.var(ddof=1) / 5), "variance of the mean"),
        ("01-4", lambda s: (s.mean(), s.std(ddof=1) / 2), "inside the deviation"),
        ("02-1", lambda X, y, theta: -2 / 3 * X.T @ (y - X @ theta), "number of parameters"),
        ("02-1", lambda X, y, theta: -2 * (y - X @ theta), "shape is (5,)"),
        ("02-2", lambda *a: _descend(*a)[0], "the last point and"),
        ("02-2", lambda g, x, eta, tol, most: _descend(g, x, eta, 0.0, most), "always uses all"),
        ("02-2", lambda g, x, eta, tol, most: _descend(g, x, eta, 1e3 * tol, most), "too early"),
        ("02-2", lambda g, x, eta, tol, most: _descend(g, x, eta, tol, most + 1), "exactly 7"),
        ("02-3", 4, "largest curvature"),
        ("02-3", 1 / 3, "fastest rate"),
        ("02-3", 0.9, "you have 0.9"),
        ("02-4", lambda n, size, rng: [np.arange(1, n + 1)], "from 0 to 9"),
        ("02-4", lambda n, size, rng: [rng.permutation(n)], "lengths"),
        ("02-4", lambda n, size, rng: np.split(np.random.default_rng(0).permutation(n), range(size, n, size)), "rng"),
        ("03-1", _rmsprop(lambda r, g, rho: rho * r + (1 - rho) * g, root=lambda x: 1.0), "g itself is accumulated"),
        ("03-1", _rmsprop(lambda r, g, rho: r + g * g), "nothing is forgotten"),
        ("03-1", _rmsprop(lambda r, g, rho: r), "still the old"),
        ("03-1", _rmsprop(lambda r, g, rho: (1 - rho) * g * g), "newest square alone"),
        ("03-1", _rmsprop(_mean, sign=1), "uphill"),
        ("03-1", lambda theta, g, r, *rates: theta, "2 things"),
        ("03-1", lambda theta, g, r, *rates: (theta, 1.0), "shape is ()"),
        ("03-2", lambda theta, g, v, eta, mu: (theta - eta * g, -eta * g), "forgets its past"),
        ("03-2", lambda theta, g, v, eta, mu: (theta - eta * (mu * v + g), mu * v + g), "PyTorch"),
        ("03-2", lambda theta, g, v, eta, mu: (theta + v - eta * g, v - eta * g), "whole past"),
        ("03-2", lambda theta, g, v, eta, mu: (theta + mu * (v - eta * g), mu * (v - eta * g)), "too"),
        ("03-3", _adam(correct_r=False), "Only s"),
        ("03-3", _adam(correct_s=False), "Only r"),
        ("03-3", _adam(sign=1), "uphill"),
        ("03-3", _adam(inside=True), "outside the root"),
        ("03-3", lambda th, g, s, r, t, e, a, b, d: _adam()(th, g, s, r, t, e, b, a, d), "swapped"),
        ("03-4", 0.005, "gradient descent"),
        ("03-4", 0.05, "cancels"),
        ("03-4", -0.01, "positive"),
        ("03-4", 0.7, "you have 0.7"),
    ],
)
def test_each_mistake_gets_its_own_hint(number, answer, word):
    verdict = check(number, answer)
    assert verdict.state == "hint"
    assert word in verdict.message


@pytest.mark.parametrize("number", sorted(set(RIGHT) - {"02-3", "03-4"}))
def test_nonsense_gets_a_hint_and_raises_nothing(number):
    for nonsense in (lambda *arguments: "text", lambda *arguments: np.zeros((3, 3)), lambda *arguments: 1 / 0, 5):
        assert check(number, nonsense).state == "hint"
