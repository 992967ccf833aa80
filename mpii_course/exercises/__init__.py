"""Exercises that tell the student whether the answer is right, and if not, which mistake it looks like.

A notebook says `check("01-1", answer)`. The checks of notebook NN stand in the module `exNN_<topic>` of this package:
one function for each exercise, which returns None when the answer is right and a hint when it is not::

    @exercise("01-1")
    def squared_error(answer):
        "Mean squared error, and the steps of the hint as below."
        mistakes = {"That is the sum of the squares. Divide by their number n.": 9.0}
        return diagnose(call(answer, np.array([1.0, 2.0]), np.array([1.0, 5.0])), 4.5, mistakes)

What goes wrong everywhere (no `return`, the wrong shape, NaN, a turned sign) is recognised by `call` and `diagnose`
themselves. The numbered lines of the function's docstring are what `check(..., hint=1)`, `hint=2` and so on say too;
the last is the formula or the idea of the solution::

    1. Errors above and below must not cancel.
    2. np.mean((y - predicted) ** 2)
"""

from __future__ import annotations

import html
import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass
from typing import Any

from mpii_course.exercises import progress
from mpii_course.exercises.diagnosis import CHECKERS, Checker, Hint, NotAttempted, start
from mpii_lib.errors import one_line

_LOOK = {"correct": ("#00664A", "✔"), "hint": ("#8A4B00", "➜"), "not attempted": ("#444444", "○")}


@dataclass(frozen=True)
class Verdict:
    """What `check` returns: `state` is "not attempted", "hint" or "correct"; `more` the next step of the hint, or 0."""

    exercise: str
    state: str
    message: str
    more: int = 0

    def __repr__(self) -> str:
        return f"{self.exercise} {self.state}: {self.message}"

    def _repr_html_(self) -> str:
        colour, mark = _LOOK[self.state]
        more = (
            f"<br><em>check(&quot;{self.exercise}&quot;, &hellip;, hint={self.more}) says more.</em>"
            if self.more
            else ""
        )
        return (
            f'<p style="border-left:4px solid {colour};padding-left:.6em"><strong style="color:{colour}">{mark} '
            f"{self.exercise} {self.state}</strong>: {html.escape(self.message)}{more}</p>"
        )


def check(number: str, answer: Any, hint: int = 0) -> Verdict:
    """Say whether an answer is right. Never raises.

    Parameters
    ----------
    number
        The exercise, "NN-k": notebook and position in it.
    answer
        A value or a function, as the exercise asks. `...` (or a function that returns it) means not attempted.
    hint
        How much to say besides: 1 for the first step of the hint, 2 for the next; the last is the formula.

    Returns
    -------
    Verdict
        "not attempted", "hint" with a sentence about the mistake, or "correct". Shows itself in a notebook.
    """
    number = str(number)
    known = exercise_numbers(number[:2])
    if number not in known:
        there = ", ".join(known) or "none in this notebook"
        return Verdict(number, "hint", f"There is no exercise of this number; there is {there}.")
    checker = CHECKERS[number]
    steps = _steps(checker)
    state, message = _judge(checker, answer)
    step = min(hint, len(steps)) if isinstance(hint, int) else 0
    if state != "correct" and step > 0:
        message = f"{message} Hint {step} of {len(steps)}: {steps[step - 1]}"
    progress.note(number, state, step)
    return Verdict(number, state, message, more=step + 1 if state == "hint" and step < len(steps) else 0)


def _judge(checker: Checker, answer: Any) -> tuple[str, str]:
    """The state of an answer and a sentence about it."""
    try:
        start(answer)
        hint = checker(answer)
    except NotAttempted:
        return "not attempted", "replace the dots (...) with your answer and run the cell again."
    except Hint as early:
        hint = str(early)
    except Exception as error:  # what the check cannot take apart is a hint, not a crash in front of the class
        hint = f"Your answer is not of the kind that is expected here ({type(error).__name__}: {one_line(error)})."
    return ("hint", hint) if hint else ("correct", "well done.")


def _steps(checker: Checker) -> list[str]:
    """The numbered lines of a check's docstring."""
    lines = re.findall(r"^\d\. (.+(?:\n .+)*)", inspect.getdoc(checker) or "", flags=re.M)
    return [" ".join(line.split()) for line in lines]


def exercise_numbers(notebook: str = "") -> list[str]:
    """The numbers of a notebook's exercises, or of all of the course, in their order."""
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith(f"ex{notebook}"):
            importlib.import_module(f"{__name__}.{module.name}")
    return sorted(number for number in CHECKERS if number.startswith(notebook))


def summary(name: str = "") -> progress.Progress:
    """Show which exercises are solved, and write a small file about it that a teacher can collect.

    Parameters
    ----------
    name
        Yours, as the teacher knows you; it is remembered. Before it is given, "student".

    Returns
    -------
    Progress
        Shows itself as a table, one row a notebook, and says where the file is.
    """
    return progress.summary(name, exercise_numbers())
