"""Call a student's code, compare what comes out, and put into words what is wrong with it.

What goes wrong everywhere is recognised here: no `return`, dots left, an exception, the wrong order, shape or sign,
NaN, a transposed table, a constant factor. The checks of the exercises list only the mistakes of their subject.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import reprlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from mpii_lib.errors import one_line

Checker = Callable[[Any], str | None]
CHECKERS: dict[str, Checker] = {}
_SHOWN = 8  # of more numbers than these, only the shape is named
_calls: list[str] = []  # what the student's function was called with in this check, and what it returned


class Hint(Exception):
    """Ends a check early; its text is the hint."""


class NotAttempted(Hint):
    """The stub is still in place."""


def exercise(number: str) -> Callable[[Checker], Checker]:
    """Register the decorated function as the check of exercise `number` ("NN-k")."""

    def register(checker: Checker) -> Checker:
        CHECKERS[number] = checker
        return checker

    return register


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
        It is no function, raises, returns nothing or another number of things than `returns` names, or changes an
        argument against `unchanged`.
    """
    if not callable(function):
        raise Hint(f"Give the function itself, by its name and without brackets; you give {_short(function)}.")
    names, given = _names(function, len(arguments)), copy.deepcopy(arguments)
    seen = ", ".join(f"{name} = {_short(it)}".removeprefix(" = ") for name, it in zip(names, arguments, strict=True))
    seen = f"for {seen} " if len(seen) < 100 else ""
    try:
        result = function(*given)
    except Hint:  # of a function that the check handed over
        raise
    except (Exception, SystemExit) as error:
        problem = f"with {type(error).__name__}: {one_line(error)}" + (f" ({seen.strip()})" if seen else "")
        raise Hint(f"Your code stops {_own_line(function, error)}{problem}.") from error
    if result is None:
        raise Hint("Your function returns None: `return` is missing, or what it returns has no value, like print(...).")
    _no_dots(result, returns)
    if returns and not (isinstance(result, tuple | list | np.ndarray) and len(result) == len(returns)):
        raise Hint(f"Return {len(returns)} things, in this order: {_list(returns)}. You return {_short(result)}.")
    for name, before, after in zip(names, arguments, given, strict=True) if unchanged else ():
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=True):
            raise Hint(f"Your function changes {name or 'the array'} that it was given. Work on a copy.")
    _calls.append(f"{seen}you return {_short(result)}")
    return result


def call_each(function: Any, *cases: Sequence[Any]) -> list[float]:
    """Call a student's function once for each case, a tuple of arguments; each result has to be one number."""
    results = []
    for case in cases:
        result = _numbers(call(function, *case))
        if result is None or result.ndim:
            raise Hint(f"A single number is expected; {_calls[-1]}.")
        results.append(float(result))
    return results


def row_numbers(value: Any, count: int) -> np.ndarray:
    """Take a value for numbers of rows, from 0 to `count` - 1 in one dimension; a Hint for anything else."""
    rows = _numbers(value)
    if rows is None or rows.ndim != 1:
        raise Hint(f"Row numbers in one dimension are expected; you give {_short(value)}.")
    if not ((rows % 1 == 0) & (rows >= 0) & (rows < count)).all():
        raise Hint(f"Row numbers are whole, from 0 to {count - 1}; yours go from {rows.min():g} to {rows.max():g}.")
    return rows.astype(int)


def close(got: Any, wanted: Any, tolerance: float = 1e-6) -> bool:
    """Whether numbers or arrays agree in shape and value (absolute and relative tolerance); False for anything else.

    Lists, tuples and arrays count alike, and so do two NaN. Whole numbers have to be met to a ten thousandth.
    """
    left, right = _numbers(got), _numbers(wanted)
    if left is None or right is None or left.shape != right.shape:
        return False
    whole = np.asarray(wanted).dtype.kind in "biu"  # a count of millions is not right when it is one off
    relative, absolute = (1e-9, 1e-4) if whole else (tolerance, tolerance)
    return bool(np.allclose(left, right, relative, max(absolute, tolerance), equal_nan=True))


def diagnose(
    got: Any, right: Any, mistakes: Mapping[str, Any], otherwise: str = "", tolerance: float = 1e-6, name: str = ""
) -> str | None:
    """Compare an answer with the right one, with those of usual mistakes, and with what goes wrong everywhere.

    Parameters
    ----------
    got, right
        The student's number or array, and the right one. Lists, tuples and arrays count alike.
    mistakes
        From a hint to what comes out when the mistake is made of which it speaks; the first that agrees counts.
    otherwise
        What is said besides where nothing is recognised; it has to be true whatever the answer is.
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
    if hint := next((hint for hint, wrong in mistakes.items() if close(got, wrong, tolerance)), ""):
        return hint
    hint = _general(got, np.asarray(right), tolerance)
    if not hint:
        seen = f"you have {_short(got)}" if name or not _calls else _calls[-1]
        if np.shape(right) == (len(_calls),):  # each call gave a number: the first that is wrong
            seen = next(
                seen for seen, *pair in zip(_calls, got, right, strict=True) if not close(pair[0], pair[1], tolerance)
            )
        hint = f"Not right yet: {seen}. {otherwise}".strip()
    return f"{name[0].upper()}{name[1:]}: {hint}" if name else hint


def diagnose_each(
    got: Any, parts: Mapping[str, tuple[Any, Mapping[str, Any]]], *, tolerance: float = 1e-6, last_first: bool = False
) -> str | None:
    """Diagnose an answer that is several things, and recognise the right ones in another order.

    Parameters
    ----------
    got
        As many things as `parts`, in that order.
    parts
        For each name the right value and the usual mistakes, as for `diagnose`.
    tolerance
        As for `close`.
    last_first
        Begin with the last, because the first hangs on it.
    """
    if isinstance(got, np.ndarray) and any(np.ndim(right) >= got.ndim for right, _ in parts.values()):
        return f"Return {len(parts)} things, in this order: {_list(parts)}. You return {_short(got)}."
    named = list(zip(parts.items(), got, strict=True))
    hints = [diagnose(value, *part, tolerance=tolerance, name=name) for (name, part), value in named]
    for order in permutations(right for right, _ in parts.values()) if any(hints) else ():
        if all(close(value, right, tolerance) for value, right in zip(got, order, strict=True)):
            return f"These are the right things in another order. Return {_list(parts)}."
    return next(filter(None, reversed(hints) if last_first else hints), None)


def _general(got: Any, right: np.ndarray, tolerance: float) -> str:
    """What is wrong with an answer whatever the exercise: its kind, then its shape, then its values."""
    wanted = f"numbers of shape {right.shape} are" if right.ndim else "a single number is"
    values = _numbers(got)
    if values is None:
        return f"{wanted[0].upper()}{wanted[1:]} expected; you give {_short(got)}."
    if right.ndim > 1 and close(values.T, right, tolerance):
        return "The numbers are right, but rows and columns are exchanged: this is the transpose."
    if values.shape != right.shape:
        shape = f"shape is {values.shape}, and {wanted} expected."
        alike = values.size == right.size and close(values.ravel(), right.ravel(), tolerance)
        return f"The numbers are right, but their {shape}" if alike else f"The {shape}"
    if (np.isnan(values) & ~np.isnan(right)).any():
        return (
            "Your result holds NaN: look for 0 / 0, the mean of nothing, or the root or logarithm of a negative number."
        )
    if close(-values, right, tolerance):
        return "The sign is turned."
    pairs = np.isfinite(values) & np.isfinite(right)
    mine, known = values[pairs], right[pairs].astype(float)
    if np.count_nonzero(known) < 2 or np.ptp(known) == 0:  # any number is a multiple of another
        return ""
    factor, gap = mine @ known / (known @ known), np.mean(mine - known)
    if close(values, factor * right, tolerance):
        return f"Each number is {factor:.4g} times what is expected."
    return f"Each number is off by {gap:+.4g}." if close(values, right + gap, tolerance) else ""


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
            name = names[place] if place < len(names) else f"number {place + 1}"
            raise Hint(f"Of what you give, {name} is {'still ...' if part is ... else 'None: it has no value.'}")


def _own_line(function: Any, error: BaseException) -> str:
    """Name the last line of the student's own code that an error came through."""
    space = getattr(inspect.unwrap(function), "__globals__", None)
    own = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_globals is space]
    if not own:
        return ""
    frame, number = own[-1]
    text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f'in line {number}, "{text}", ' if text else f"in line {number} "


def _names(function: Any, count: int) -> list[str]:
    """Names of a function's first `count` arguments; "" where it has none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = {}.values()
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return [*names, *[""] * count][:count]


def _list(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}"


def _short(value: Any) -> str:
    """A value in a few words: numbers with six digits, an array of many numbers by its shape."""
    numbers = _numbers(value)
    if numbers is None or isinstance(value, bool | np.bool):
        plain = getattr(value, "tolist", lambda: value)()
        if isinstance(plain, str | list | tuple | dict | bool):
            return reprlib.repr(plain)
        return "a function" if callable(value) else f"a {type(value).__name__}"  # a repr may hold an address
    if numbers.size > _SHOWN:
        return f"an array of shape {numbers.shape}"
    text = np.array2string(numbers, separator=", ", formatter={"float": lambda x: f"{x:.6g}" if x % 1 else f"{x:.0f}"})
    return " ".join(text.split())
