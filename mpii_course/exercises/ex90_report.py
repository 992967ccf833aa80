"""Checks of notebook 90: intervals and baselines."""

from __future__ import annotations

from typing import Any

from mpii_course.exercises import call, close, exercise


@exercise("90-1")
def overlap(answer: Any) -> str | None:
    """Whether two intervals have a value in common."""
    cases = {
        "(0.5, 0.6) and (0.7, 0.8)": (((0.5, 0.6), (0.7, 0.8)), False),
        "(0.7, 0.8) and (0.5, 0.6)": (((0.7, 0.8), (0.5, 0.6)), False),
        "(0.5, 0.7) and (0.6, 0.8)": (((0.5, 0.7), (0.6, 0.8)), True),
        "(0.6, 0.8) and (0.5, 0.7)": (((0.6, 0.8), (0.5, 0.7)), True),
        "(0.2, 0.9) and (0.5, 0.6)": (((0.2, 0.9), (0.5, 0.6)), True),
        "(0.5, 0.6) and (0.2, 0.9)": (((0.5, 0.6), (0.2, 0.9)), True),
    }
    got = {name: bool(call(answer, *pair)) for name, (pair, _) in cases.items()}
    wrong = [name for name, (_, wanted) in cases.items() if got[name] != wanted]
    if not wrong:
        return None
    if len(wrong) == len(cases):
        return "You answer the opposite question: True means that they overlap."
    if wrong[0] in ("(0.7, 0.8) and (0.5, 0.6)", "(0.6, 0.8) and (0.5, 0.7)"):
        return f"For {wrong[0]} you say {got[wrong[0]]}: the second interval may also lie below the first."
    if "(0.2, 0.9)" in wrong[0]:
        return f"For {wrong[0]} you say {got[wrong[0]]}: one interval may lie inside the other."
    return f"For {wrong[0]} you say {got[wrong[0]]}."


@exercise("90-2")
def skill(answer: Any) -> str | None:
    """Share of the way from the baseline to 1, (a - b) / (1 - b)."""
    got = call(answer, 0.6, 0.2)
    if close(got, 0.4):
        return "That is the difference. Divide it by the most that could be gained, 1 minus the baseline."
    if close(got, 3.0):
        return "That is the ratio. Ask how much of the gap above the baseline was covered."
    if close(got, 2.0):
        return "You divide by the baseline. Divide by what lies above it, 1 minus the baseline."
    return None if close(got, 0.5) else f"From 0.2 to 1 the way is 0.8 long; 0.6 has covered half of it. You get {got}."
