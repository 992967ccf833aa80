"""Checks of notebook 90: intervals and baselines."""

from mpii_course.exercises.diagnosis import call, diagnose, exercise


@exercise("90-1")
def overlap(answer: object) -> str | None:
    """Whether two intervals have a value in common.

    1. When do they have none? One of them ends before the other begins.
    2. max(a[0], b[0]) <= min(a[1], b[1])
    """
    cases = {
        ((0.5, 0.6), (0.7, 0.8)): False,
        ((0.7, 0.8), (0.5, 0.6)): False,
        ((0.5, 0.7), (0.6, 0.8)): True,
        ((0.6, 0.8), (0.5, 0.7)): True,
        ((0.2, 0.9), (0.5, 0.6)): True,
        ((0.5, 0.6), (0.2, 0.9)): True,
    }
    got = {pair: bool(call(answer, *pair)) for pair in cases}
    wrong = [pair for pair, wanted in cases.items() if got[pair] != wanted]
    if not wrong:
        return None
    if len(wrong) == len(cases):
        return "That is the opposite question: True means that they overlap."
    a, b = wrong[0]
    hint = f"For {a} and {b} you return {got[a, b]}"
    if a[0] > b[0] and a[1] > b[1]:
        return f"{hint}: the second interval may also lie below the first."
    return f"{hint}: one interval may lie inside the other." if (0.2, 0.9) in (a, b) else f"{hint}."


@exercise("90-2")
def skill(answer: object) -> str | None:
    """Share of the way from the baseline to 1, (a - b) / (1 - b).

    1. From 0.2 to 1 the way is 0.8 long; 0.6 has covered half of it.
    2. (accuracy - baseline) / (1 - baseline)
    """
    mistakes = {
        "That is the difference. Divide it by the most that could be gained, 1 minus the baseline.": 0.4,
        "That is the ratio. Ask how much of the gap above the baseline was covered.": 3,
        "That is the difference over the baseline. Divide by what lies above it, 1 minus the baseline.": 2,
    }
    return diagnose(call(answer, 0.6, 0.2), 0.5, mistakes)
