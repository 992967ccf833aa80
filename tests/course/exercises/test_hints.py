"""Whatever a student hands in, the hint is true: right answers and general mistakes, made from the solutions."""

import functools
import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from mpii_course.exercises import check, exercise_numbers

SOLUTIONS = Path(__file__).resolve().parents[3] / "notebooks/solutions"
NOTHING_KNOWN = "Not right yet"


def right_answers():
    """The answers of all solution cells, by exercise."""
    answers = {}
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        space = {"np": np, "math": math, "check": lambda number, answer: answers.setdefault(number, answer)}
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and "solution" in cell.metadata.get("tags", []):
                exec(compile(cell.source, f"{path.stem}-{cell.id}", "exec"), space)
    return answers


RIGHT = right_answers()
FUNCTIONS = [number for number, answer in RIGHT.items() if callable(answer)]
WORDS = [number for number, answer in RIGHT.items() if isinstance(answer, str)]
# Results that are lists of names, or of row numbers: their checks look at them in their own way.
NOT_NUMBERS = {"01-2", "02-4", "28-1", "29-1", "34-3", "90-1", *WORDS}
NUMBERS = [number for number in RIGHT if number not in NOT_NUMBERS]


def is_several(value):
    """A tuple that stands for several things."""
    return isinstance(value, tuple)


def each(change):
    """Change the number or array, or each of several."""
    return lambda value: tuple(map(change, map(np.asarray, value))) if is_several(value) else change(np.asarray(value))


def mutant(number, change):
    """The right answer, its result changed by a function."""
    answer = RIGHT[number]
    if not callable(answer):
        return change(answer)
    return functools.wraps(answer)(lambda *arguments: change(answer(*arguments)))


def result(number):
    """What a right function returned last when its check called it."""
    kept = []
    check(number, mutant(number, lambda value: kept.append(value) or value))
    return kept[-1] if kept else RIGHT[number]


def as_lists(value):
    if isinstance(value, tuple | list):
        return [as_lists(part) for part in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def as_tuples(value):
    lists = as_lists(value)
    return tuple(map(as_tuples, lists)) if isinstance(lists, list) else lists


def as_arrays(value):
    if is_several(value) or (isinstance(value, list) and any(map(is_several, value))):
        return [as_arrays(part) for part in value]
    if isinstance(value, list) and len(set(map(np.shape, value))) > 1:
        return [np.asarray(part) for part in value]
    return np.asarray(value)


def test_every_exercise_has_a_solution():
    assert sorted(RIGHT) == exercise_numbers()


@pytest.mark.parametrize("kind", [lambda value: value, as_lists, as_tuples, as_arrays])
@pytest.mark.parametrize("number", RIGHT)
def test_a_right_answer_is_right_as_a_list_a_tuple_and_an_array(number, kind):
    verdict = check(number, mutant(number, kind))
    assert verdict.state == "correct", verdict


@pytest.mark.parametrize("number", FUNCTIONS)
def test_a_missing_return_is_told_from_dots(number):
    verdict = check(number, mutant(number, lambda value: None))
    assert verdict.state == "hint" and "`return` is missing" in verdict.message
    assert check(number, mutant(number, lambda value: ...)).state == "not attempted"
    assert check(number, ...).state == "not attempted"


@pytest.mark.parametrize("number", RIGHT)
def test_no_value_is_not_taken_for_dots(number):
    verdict = check(number, None)
    assert verdict.state == "hint" and "None" in verdict.message


def stops(*arguments):
    distance = arguments[0]
    return distance.no_such_thing


@pytest.mark.parametrize("number", FUNCTIONS)
def test_an_error_is_named_with_the_line_of_the_student(number):
    message = check(number, stops).message
    assert "Your code stops" in message and "with AttributeError: " in message
    assert f'in line {stops.__code__.co_firstlineno + 2}, "return distance.no_such_thing", ' in message


@pytest.mark.parametrize("number", FUNCTIONS)
def test_a_value_in_place_of_the_function_is_named(number):
    assert "the function itself" in check(number, 5.0).message


SEVERAL = [number for number in FUNCTIONS if number in NUMBERS and is_several(result(number))]


@pytest.mark.parametrize("number", SEVERAL)
def test_the_wrong_order_and_the_wrong_number_of_things_are_named(number):
    message = check(number, mutant(number, lambda value: value[::-1])).message
    assert re.search("order|shape|comes first", message), message
    assert re.search("Return .* and", check(number, mutant(number, lambda value: value[0])).message)
    assert "things, in this order" in check(number, mutant(number, lambda value: (*value, 1.0))).message
    assert re.search(
        "is still ...", check(number, mutant(number, lambda value: (value[0], *[...] * (len(value) - 1)))).message
    )


def test_several_things_were_found():
    assert len(SEVERAL) >= 10


# A change, and what a true hint says of it. The numbers are such that no mistake of any list comes out by chance.
SHAPE = "shape|[Ss]ingle number|Return .* things|expected|it should be"
CHANGES = {
    "a factor": (each(lambda x: 1.37 * x), rf"Each number is 1.37 times|{NOTHING_KNOWN}|report|it should be"),
    "a constant": (each(lambda x: x + 0.7713), rf"off by \+0.7713|{NOTHING_KNOWN}|report|it should be"),
    "the sign": (
        each(lambda x: -np.asarray(x, float)),
        "sign|negative|positive|uphill|minus|turn|report|it should be|update|from the end|stands on the head|plus",
    ),
    "NaN": (each(lambda x: x * np.nan), "NaN|nan"),
    "too many": (each(lambda x: np.stack([x, x, x], axis=-1)), SHAPE),
    "one inside another": (each(lambda x: np.asarray(x)[None]), SHAPE),
    "text": (lambda value: "text", "'text'|expected|Return|shapes"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("number", NUMBERS)
def test_what_goes_wrong_everywhere_gets_a_true_hint(number, change):
    what, words = CHANGES[change]
    verdict = check(number, mutant(number, what))
    assert verdict.state == "hint"
    assert re.search(words, verdict.message), verdict.message


def has_a_table(value):
    return any(np.ndim(part) > 1 for part in (value if is_several(value) else [value]))


TABLES = [number for number in NUMBERS if has_a_table(result(number))]


@pytest.mark.parametrize("number", TABLES)
def test_a_transposed_table_is_named(number):
    message = check(number, mutant(number, each(np.transpose))).message
    assert re.search("transpose|exchanged|Rows are y|shape", message), message


@pytest.mark.parametrize("number", sorted(NOT_NUMBERS - set(WORDS)))
@pytest.mark.parametrize("nonsense", ["text", 5.0, [], [0.5], [[1, 2], [3]], np.zeros((3, 3)), {"a": 1}])
def test_nonsense_gets_a_hint(number, nonsense):
    assert check(number, lambda *arguments: nonsense).state == "hint"


@pytest.mark.parametrize("number", exercise_numbers())
def test_the_hint_comes_in_steps_and_the_last_stays(number):
    first, last, beyond = (check(number, ..., hint=step) for step in (1, 9, 99))
    assert first.state == "not attempted" and "Hint 1 of" in first.message
    steps = int(re.search(r"Hint 1 of (\d)", first.message).group(1))
    assert f"Hint {steps} of {steps}" in last.message and last.message == beyond.message
    assert "Hint" not in check(number, ...).message
    assert "Hint" not in check(number, RIGHT[number], hint=1).message
