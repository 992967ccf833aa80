"""Exercises that tell the student whether the answer is right, and if not, which mistake it looks like.

A notebook says `check("04-2", answer)`. The checks of notebook NN stand in the module `exNN_<topic>` of this package:
one function for each exercise, which returns None when the answer is right and a hint when it is not::

    @exercise("04-2")
    def mean_squared_error(answer):
        got = call(answer, [1.0, 2.0], [1.0, 4.0])
        mistakes = {"That is the sum of the squares. Divide by their number n.": 4.0}
        return diagnose(got, 2.0, mistakes, f"For y = [1, 2] and p = [1, 4] you get {got}, not the mean of 0 and 4.")
"""

from __future__ import annotations

import html
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Checker = Callable[[Any], str | None]
_CHECKERS: dict[str, Checker] = {}
_LOOK = {"correct": ("#00664A", "✔"), "hint": ("#8A4B00", "➜"), "not attempted": ("#444444", "○")}


class NotAttempted(Exception):
    """The stub is still in place."""


class Hint(Exception):
    """Ends a check early; its text is the hint."""


@dataclass(frozen=True)
class Verdict:
    """What `check` returns: `state` is "not attempted", "hint" or "correct"."""

    exercise: str
    state: str
    message: str

    def __repr__(self) -> str:
        return f"{self.exercise} {self.state}: {self.message}"

    def _repr_html_(self) -> str:
        colour, mark = _LOOK[self.state]
        return (
            f'<p style="border-left:4px solid {colour};padding-left:.6em"><strong style="color:{colour}">{mark} '
            f"{self.exercise} {self.state}</strong>: {html.escape(self.message)}</p>"
        )


def exercise(number: str) -> Callable[[Checker], Checker]:
    """Register the decorated function as the check of exercise `number` ("NN-k")."""

    def register(checker: Checker) -> Checker:
        _CHECKERS[number] = checker
        return checker

    return register


def check(number: str, answer: Any) -> Verdict:
    """Say whether an answer is right. Never raises.

    Parameters
    ----------
    number
        The exercise, "NN-k": notebook and position in it.
    answer
        A value or a function, as the exercise asks. `...` (or a function that returns it) means not attempted.

    Returns
    -------
    Verdict
        "not attempted", "hint" with a sentence about the mistake, or "correct". Shows itself in a notebook.
    """
    checker = _find(number)
    if checker is None:
        known = ", ".join(sorted(name for name in _CHECKERS if name[:2] == number[:2])) or "none in this notebook"
        return Verdict(number, "hint", f"There is no exercise of this number; there is {known}.")
    try:
        _stop_at_stub(answer)
        hint = checker(answer)
    except (NotAttempted, NotImplementedError):
        return Verdict(number, "not attempted", "replace the dots (...) with your answer and run the cell again.")
    except Hint as early:
        hint = str(early)
    except Exception as error:  # whatever a student's code raises is a hint, not a crash in front of the class
        hint = f"Your code stops with {type(error).__name__}: {error}"
    return Verdict(number, "hint", hint) if hint else Verdict(number, "correct", "well done.")


def call(function: Any, *arguments: Any, returns: Sequence[str] = ()) -> Any:
    """Call a student's function and return its result.

    Parameters
    ----------
    function
        The student's answer: NotAttempted when it gives back `...` or None, TypeError when it is no function.
    *arguments
        Passed on.
    returns
        Names of what it returns, where that is several things: any other number of them is a hint.
    """
    if not callable(function):
        raise TypeError(f"a function is expected here, not {type(function).__name__}")
    result = function(*arguments)
    _stop_at_stub(result)
    for value in result if isinstance(result, tuple) else ():
        _stop_at_stub(value)
    if returns and not (isinstance(result, tuple | list) and len(result) == len(returns)):
        raise Hint(f"Return {len(returns)} things, in this order: {' and '.join(returns)}.")
    return result


def close(got: Any, wanted: Any, tolerance: float = 1e-6) -> bool:
    """Whether numbers or arrays agree in shape and value (absolute and relative tolerance); False for anything else."""
    try:
        left, right = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    except (TypeError, ValueError):
        return False
    return left.shape == right.shape and bool(np.allclose(left, right, rtol=tolerance, atol=tolerance))


def diagnose(
    got: Any, right: Any, mistakes: Mapping[str, Any], otherwise: str, *, tolerance: float = 1e-6
) -> str | None:
    """Compare an answer with the right one and with those of usual mistakes, as `close` does.

    Parameters
    ----------
    got, right
        The student's number or array, and the right one.
    mistakes
        From a hint to what comes out when the mistake is made of which it speaks; the first that agrees counts.
    otherwise
        The hint for any other answer.
    tolerance
        As for `close`.

    Returns
    -------
    str or None
        None when the answer is right, else a hint.
    """
    if close(got, right, tolerance):
        return None
    return next((hint for hint, wrong in mistakes.items() if close(got, wrong, tolerance)), otherwise)


def _stop_at_stub(value: Any) -> None:
    if value is None or value is ...:
        raise NotAttempted


def _find(number: str) -> Checker | None:
    if number not in _CHECKERS:
        for module in pkgutil.iter_modules(__path__):
            if module.name.startswith(f"ex{number[:2]}_"):
                importlib.import_module(f"{__name__}.{module.name}")
    return _CHECKERS.get(number)
