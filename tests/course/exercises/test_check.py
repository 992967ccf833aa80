"""The machinery of the exercises, on an exercise of three lines."""

import re

import numpy as np
import pytest

from mpii_course.exercises import Verdict, check
from mpii_course.exercises.diagnosis import CHECKERS, Hint, call, close, diagnose, diagnose_each, exercise, row_numbers


@pytest.fixture(autouse=True)
def toy_exercise():
    @exercise("99-1")
    def mean(answer):
        """Mean of two numbers.

        1. Add them up.
        2. Then divide
           by two.
        3. sum(x) / 2
        """
        got = call(answer, [1.0, 3.0])
        if close(got, 4.0):
            return "divide by n"
        return None if close(got, 2.0) else f"you get {got}"

    yield
    del CHECKERS["99-1"]


def ends(x):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (..., "not attempted", "dots"),
        (None, "hint", "None"),
        (lambda x: ..., "not attempted", "dots"),
        (lambda x: (..., ...), "not attempted", "dots"),
        (lambda x: (..., 1), "hint", "number 1 is still ..."),
        (lambda x: [1, None], "hint", "number 2 is None"),
        (lambda x: None, "hint", "`return` is missing"),
        (lambda x: sum(x), "hint", "divide by n"),
        (lambda x: sum(x) / len(x), "correct", "well done"),
        (lambda x: 1 / 0, "hint", "ZeroDivisionError: division by zero"),
        (ends, "hint", "SystemExit"),
        (lambda x, y: 1, "hint", "TypeError"),
        (len, "correct", "well done"),
        (3.0, "hint", "you give 3"),
    ],
)
def test_check_gives_the_state_and_never_raises(answer, state, words):
    verdict = check("99-1", answer)
    assert verdict.state == state
    assert words in verdict.message
    assert state in verdict._repr_html_()


@pytest.mark.parametrize("number", ["99-7", 99, None, ("99-1",)])
def test_check_of_an_unknown_exercise_raises_nothing(number):
    assert "no exercise of this number" in check(number, 1).message


def test_check_of_an_unknown_exercise_lists_those_of_the_notebook():
    assert "99-1" in check("99-7", 1).message
    assert "none in this notebook" in check("98-1", 1).message


@pytest.mark.parametrize(("hint", "text"), [(1, "1 of 3: Add them up."), (2, "2 of 3: Then divide by two."),
                                            (3, "3 of 3: sum(x) / 2"), (4, "3 of 3: sum(x) / 2")])  # fmt: skip
def test_the_hint_comes_in_steps(hint, text):
    assert check("99-1", sum, hint).message == f"divide by n Hint {text}"
    assert check("99-1", ..., hint).message.endswith(f"Hint {text}")


@pytest.mark.parametrize("hint", [0, -1, None, "1", 1.5])
def test_without_a_step_the_formula_stays_away(hint):
    assert check("99-1", sum, hint).message == "divide by n"


def test_a_verdict_says_how_to_hear_more():
    assert "hint=1) says more" in check("99-1", sum)._repr_html_()
    assert "hint=3) says more" in check("99-1", sum, 2)._repr_html_()
    assert "says more" not in check("99-1", sum, 3)._repr_html_() + check("99-1", np.mean)._repr_html_()


def test_what_a_student_writes_is_shown_as_it_is():
    assert "&lt;b&gt;" in Verdict("99-1", "hint", "<b>")._repr_html_()


def test_close_wants_the_same_shape():
    assert close([1, 2], [1, 2]) and close((1, 2), np.array([1.0, 2.0]))
    assert not close([[1, 2]], [1, 2])
    assert not close("2", 2) and not close(None, 2) and not close([[1], [1, 2]], 2)


def test_close_wants_whole_numbers_met_however_large_they_are():
    assert not close(25_434_113, 25_434_112)
    assert close(np.float32(30.000002), 30) and close(0.6 * 50, 30)


def test_an_error_names_the_line_of_the_student_through_a_helper():
    def helper(x):
        return x.shape[5]

    def answer(x):
        return helper(np.array(x))

    assert "line" in check("99-1", answer).message and '"return x.shape[5]"' in check("99-1", answer).message


def test_a_hint_is_the_same_on_every_run():
    def answer(x):
        return x.no_such_thing

    with pytest.raises(Hint, match=r"\(for x = a Generator\)\.$"):
        call(answer, np.random.default_rng(0))
    with pytest.raises(Hint, match="you give a function"):
        row_numbers(len, 3)


def test_arguments_stay_as_they_are_and_a_change_is_named_where_the_exercise_asks():
    def doubles(x):
        x *= 2
        return x

    given = np.array([1.0, 2.0])
    assert close(call(doubles, given), [2.0, 4.0]) and close(given, [1.0, 2.0])
    with pytest.raises(Hint, match="changes x that it was given"):
        call(doubles, given, unchanged=True)


RIGHT = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (RIGHT.tolist(), None),
        (-RIGHT, "The sign is turned"),
        (RIGHT.T, "transpose"),
        (2.5 * RIGHT, "2.5 times"),
        (0 * RIGHT, "0 times"),
        (RIGHT - 1, "off by -1"),
        (RIGHT.ravel(), r"numbers are right, but their shape is \(6,\)"),
        (RIGHT[:, :2], r"shape is \(2, 2\), and numbers of shape \(2, 3\) are expected"),
        (RIGHT**2, "a list of squares"),
        (np.where(RIGHT > 2, RIGHT, np.nan), "holds NaN"),
        (RIGHT + 1j, "expected"),
        ([[1], [1, 2]], "expected"),
        (RIGHT.astype(str), "expected"),
        (RIGHT + [0, 0, 1], r"Not right yet: for x = 1 you return \[.*\]\. And that is all\."),
    ],
)
def test_what_goes_wrong_everywhere_is_recognised(answer, words):
    call(lambda x: answer, 1)
    hint = diagnose(answer, RIGHT, {"a list of squares": RIGHT**2}, "And that is all.")
    assert hint is None if words is None else re.search(words, hint), hint


def test_the_wrong_order_is_told_from_wrong_values():
    parts = {"the mean": (2.0, {}), "the spread": (3.0, {"that is the variance": 9.0}), "the count": (4, {})}
    assert diagnose_each((2.0, 3.0, 4), parts) is None and diagnose_each(np.array([2.0, 3.0, 4.0]), parts) is None
    assert diagnose_each((3.0, 2.0, 4), parts).startswith(
        "These are the right things in another order. Return the mean"
    )
    assert diagnose_each((2.0, 9.0, 5), parts) == "that is the variance"
    assert diagnose_each((2.0, 9.0, -4), parts, last_first=True) == "The count: The sign is turned."


@pytest.mark.parametrize("rows", [[0.5], [-1], [3], [[1, 2]], "12", [np.nan], 1])
def test_row_numbers_are_whole_and_in_range(rows):
    with pytest.raises(Hint, match="[Rr]ow numbers"):
        row_numbers(rows, 3)


def test_row_numbers_may_be_a_list_and_empty():
    assert row_numbers([2, 0], 3).tolist() == [2, 0] and row_numbers([], 3).size == 0
