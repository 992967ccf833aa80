"""Call a student's code, compare what comes out, and put into words what is wrong with it.

What goes wrong everywhere is recognised here: no `return`, dots left, an exception, the wrong order, shape or sign, NaN,
a transposed table, a constant factor. The checks of the exercises list only the mistakes of their subject.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import reprlib
import traceback
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from mpii_lib.errors import one_line

_SHOWN = 8  # a list of more numbers than these is named by its shape
_calls: list[str] = []  # what the student's function was called with, and what it returned


class NotAttempted(Exception):
    """The stub is still in place."""


class Hint(Exception):
    """Ends a check early; its text is the hint."""


class CodeStops(Hint):
    """The student's code raised `error`; the text names the line."""

    def __init__(self, function: Any, error: BaseException) -> None:
        space = getattr(inspect.unwrap(function), "__globals__", None)
        own = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_globals is space]
        where = ""
        if own:
            frame, number = own[-1]
            text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
            where = f' in line {number}, "{text}",' if text else f" in line {number}"
        super().__init__(f"Your code stops{where} with {type(error).__name__}: {one_line(error)}")
        self.error = error


def start(answer: Any) -> None:
    """Begin a check: NotAttempted or a Hint where the answer is dots or nothing."""
    _calls.clear()
    if answer is None:
        raise Hint("Your answer is None: it has no value yet, or that of something without one, like print(...).")
    _no_dots(answer)


def call(function: Any, *arguments: Any, returns: Sequence[str] = (), unchanged: bool = False) -> Any:
    """Call a student's function with copies of the arguments and return its result.

    Parameters
    ----------
    function
        The student's answer.
    *arguments
        Passed on.
    returns
        Names of what it returns, where that is several things.
    unchanged
        The exercise asks to leave the arguments as they are.

    Raises
    ------
    NotAttempted
        The function returns dots.
    Hint
        It is no function, raises (`CodeStops`), returns nothing or another number of things than `returns` names, or
        changes an argument against `unchanged`.
    """
    if not callable(function):
        raise Hint(f"Give the function itself, by its name and without brackets; you give {_kind(function)}.")
    given = copy.deepcopy(arguments)
    try:
        result = function(*given)
    except Hint:  # of a function that the check handed over
        raise
    except (Exception, SystemExit) as error:
        raise CodeStops(function, error) from error
    if result is None:
        raise Hint("Your function returns None: `return` is missing, or what it returns has no value, like print(...).")
    _no_dots(result, returns)
    if returns and not (isinstance(result, tuple | list | np.ndarray) and len(result) == len(returns)):
        raise Hint(f"Return {len(returns)} things, in this order: {' and '.join(returns)}. You return {_kind(result)}.")
    names = _names(function, len(arguments))
    for name, before, after in zip(names, arguments, given, strict=True) if unchanged else ():
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Hint(
                f"Your function changes the array {name} that it was given (`-=` works in place). Make a new one."
            )
    told = [f"{name} = {_short(value)}".removeprefix(" = ") for name, value in zip(names, arguments, strict=True)]
    _calls.append(f"for {', '.join(told)} you return {_short(result)}")
    return result


def call_each(function: Any, *cases: Sequence[Any]) -> list[float]:
    """Call a student's function once for each case, a tuple of arguments; each result has to be one number."""
    results = []
    for case in cases:
        result = _numbers(call(function, *case))
        if result is None or result.ndim:
            raise Hint(f"One number is expected; {_calls[-1]}.")
        results.append(float(result))
    return results


def close(got: Any, wanted: Any, tolerance: float = 1e-6) -> bool:
    """Whether numbers or arrays agree in shape and value (absolute and relative tolerance); False for anything else."""
    left, right = _numbers(got), _numbers(wanted)
    if left is None or right is None or left.shape != right.shape:
        return False
    return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))


def diagnose(
    got: Any,
    right: Any,
    mistakes: Mapping[str, Any],
    otherwise: str = "",
    *,
    tolerance: float = 1e-6,
    name: str = "",
) -> str | None:
    """Compare an answer with the right one, with those of usual mistakes, and with what goes wrong everywhere.

    Parameters
    ----------
    got, right
        The student's number or array, and the right one. Lists, tuples and arrays count alike.
    mistakes
        From a hint to what comes out when the mistake is made of which it speaks; the first that agrees counts.
    otherwise
        What is said besides to any other answer, which the hint shows; it has to be true whatever the answer is.
    tolerance
        As for `close`.
    name
        What this is, where the answer is several things.

    Returns
    -------
    str or None
        None when the answer is right, else a hint.
    """
    if close(got, right, tolerance):
        return None
    for hint, wrong in mistakes.items():
        if close(got, wrong, tolerance):
            return hint
    hint = _general(_numbers(got), np.asarray(right, dtype=float), tolerance)
    if not hint:
        told = f"you have {_short(got)}" if name or not _calls else "; ".join(_calls)
        hint = f"Not right yet: {told}. {otherwise}".strip()
    elif _numbers(got) is None:
        hint = f"{hint} {_kind(got)}."
    return f"{name[0].upper()}{name[1:]}: {hint}" if name else hint


def diagnose_each(got: Any, parts: Mapping[str, tuple[Any, Mapping[str, Any]]], tolerance: float = 1e-6) -> str | None:
    """Diagnose an answer that is several things: `parts` has for each name the right value and the usual mistakes.

    Things in another order than that of `parts` are recognised.
    """
    wanted = [right for right, _ in parts.values()]
    for order in permutations(range(len(parts))):
        if all(close(got[place], wanted[which], tolerance) for place, which in enumerate(order)):
            in_order = list(order) == sorted(order)
            return None if in_order else f"You return the right things in another order. Return {' and '.join(parts)}."
    for value, (name, (right, mistakes)) in zip(got, parts.items(), strict=True):
        if hint := diagnose(value, right, mistakes, tolerance=tolerance, name=name):
            return hint
    return None


def _general(values: np.ndarray | None, right: np.ndarray, tolerance: float) -> str:
    """What is wrong with numbers, whatever the exercise: kind, shape, NaN, then values."""
    if values is None:
        return f"{'Numbers are' if right.ndim else 'A number is'} expected; you give"
    alike = values.shape == right.shape
    if close(values.T, right, tolerance):
        return "The numbers are right, but rows and columns are exchanged: this is the transpose."
    if not alike:
        shape = f"the shape is {values.shape}, and {right.shape if right.ndim else 'a single number'} is expected."
        if values.size == right.size and close(values.ravel(), right.ravel(), tolerance):
            return f"The numbers are right, but {shape}"
        return shape[0].upper() + shape[1:]
    if (np.isnan(values) & ~np.isnan(right)).any():
        return (
            "Your result holds NaN: look for 0 / 0, the mean of nothing, or the root or logarithm of a negative number."
        )
    if np.isinf(values).any():
        return "Your result holds an infinite number: look for a division by zero, or for an overflow."
    if close(-values, right, tolerance):
        return "The sign is turned."
    if np.count_nonzero(np.nan_to_num(right)) < 2:
        return ""
    if not values.any():
        return "All your numbers are 0."
    factor = np.nansum(values * right) / np.nansum(right * right)
    if close(values, factor * right, tolerance):
        return f"Each number is {factor:.4g} times what is expected."
    gap = np.nanmean(values - right)
    if close(values, right + gap, tolerance):
        return f"Each number is {abs(gap):.4g} too {'large' if gap > 0 else 'small'}."
    return ""


def _numbers(value: Any) -> np.ndarray | None:
    """The value as floats; None for what is no number or array of numbers."""
    try:
        array = np.real_if_close(np.asarray(value))
        return array.astype(float) if array.dtype.kind in "biufO" and value is not None else None
    except (TypeError, ValueError):
        return None


def _no_dots(value: Any, names: Sequence[str] = ()) -> None:
    """NotAttempted for dots, or several things that are all dots; a Hint where some of them are dots or None."""
    parts = list(value) if isinstance(value, tuple | list) else []
    if value is ... or (parts and all(part is ... for part in parts)):
        raise NotAttempted
    for place, part in enumerate(parts):
        if part is ... or part is None:
            name = names[place] if place < len(names) else f"number {place + 1} of what you give"
            raise Hint(f"{name[0].upper()}{name[1:]} is {'still ...' if part is ... else 'None: it has no value.'}")


def _names(function: Any, count: int) -> list[str]:
    """Names of a function's first `count` arguments; "" where it has none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [*names, *[""] * count][:count]


def _kind(value: Any) -> str:
    """What a value is, for a sentence that says what was expected instead."""
    if callable(value):
        return "a function"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    return f"a {type(value).__name__} of {len(value)}" if isinstance(value, tuple | list) else _short(value)


def _short(value: Any) -> str:
    """A value in a few words: numbers with six digits, an array of many numbers by its shape."""
    numbers = _numbers(value)
    if numbers is None or isinstance(value, bool | np.bool):
        return reprlib.repr(value)
    if numbers.size > _SHOWN:
        return f"an array of shape {numbers.shape}"
    return " ".join(np.array2string(numbers, separator=", ", formatter={"float": lambda x: f"{x:.6g}"}).split())
