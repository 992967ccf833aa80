"""An argument of another kind than a signature names is said so on one line; all that fits is let through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray

from mpii_lib.annotations import Annotations
from mpii_lib.arguments import checked
from mpii_lib.errors import ArgumentError, MpiiError

if TYPE_CHECKING:
    import keras


@checked
def everything(
    number: int = 1,
    share: float = 0.5,
    columns: Annotated[int, 1, 50] = 4,
    edges: tuple[Annotated[float, 0, 1], Annotated[float, 0, 1]] | None = None,
    kind: Literal["a", "b"] = "a",
    flag: bool = False,
    joints: ArrayLike = 0,
    box: ArrayLike | None = None,
    path: str | Path = "",
    size: tuple[int, int] = (1, 2),
    names: Sequence[str] | None = None,
    ids: Iterable[int] | None = None,
    settings: Mapping[str, Any] | None = None,
    function: Callable[[int], int] = abs,
    table: pd.DataFrame | None = None,
    image: NDArray[np.uint8] | None = None,
    annotations: Annotations | None = None,
    model: keras.Model | None = None,
    anything: Any = None,
    **more,
):
    return number


class Alike:
    images = ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", np.int64(3)),
        ("share", 1),
        ("share", np.float32(0.1)),
        ("columns", np.int64(50)),
        ("edges", (0, 0.5)),
        ("flag", np.bool_(True)),
        ("joints", [[1, 2], [3, 4.5]]),
        ("joints", pd.Series([1.0])),
        ("path", Path("a")),
        ("size", [3, 4]),
        ("size", np.array([3, 4])),
        ("names", ("a", "b")),
        ("names", pd.Index(["a"])),
        ("ids", (number for number in range(3))),
        ("ids", pd.Index([3])),
        ("ids", np.array([], np.int64)),
        ("ids", np.array([3])),
        ("settings", {"a": 1}),
        ("table", pd.DataFrame()),
        ("image", np.zeros((2, 2), np.uint8)),
        ("annotations", Alike()),
        ("model", Alike()),
        ("anything", 1j),
        ("more", None),
    ],
)
def test_what_fits_is_let_through(name, value):
    assert everything(**{name: value}) in (1, 3)


@pytest.mark.parametrize(
    ("name", "value", "asked"),
    [
        ("number", True, "a whole number"),
        ("number", 1.0, "a whole number"),
        ("share", float("nan"), "a finite number"),
        ("columns", 51, "a whole number from 1 to 50"),
        ("columns", 2.0, "a whole number from 1 to 50"),
        ("columns", float("nan"), "a whole number from 1 to 50"),
        ("edges", (0, 1.5), "(a finite number from 0 to 1, a finite number from 0 to 1) or None"),
        ("share", 2**70, "a finite number"),
        ("share", float("-inf"), "a finite number"),
        ("share", 10**400, "a finite number"),
        ("kind", "c", "one of 'a', 'b'"),
        ("kind", [], "one of 'a', 'b'"),
        ("flag", 1, "True or False"),
        ("joints", "12", "an array of numbers"),
        ("joints", [[1], [1, 2]], "an array of numbers"),
        ("box", "nonsense", "an array of numbers or None"),
        ("box", [[1], [1, 2]], "an array of numbers or None"),
        ("path", 3, "text or a path"),
        ("size", (1, 2, 3), "(a whole number, a whole number)"),
        ("size", (1, 2.5), "(a whole number, a whole number)"),
        ("names", "abc", "a list, each of it text or None"),
        ("names", ["a", 3], "a list, each of it text or None"),
        ("ids", [1, "2"], "a list, each of it a whole number or None"),
        ("ids", np.array(["2"]), "a list, each of it a whole number or None"),
        ("ids", np.array([True]), "a list, each of it a whole number or None"),
        ("ids", np.array(3), "a list, each of it a whole number or None"),
        ("settings", [1], "Mapping"),
        ("function", 3, "a function"),
        ("table", [1], "DataFrame"),
        ("image", [1], "an array"),
        ("annotations", "file.mat", "Annotations"),
        ("annotations", object(), "Annotations"),
        ("annotations", np.zeros(3), "Annotations"),
        ("model", "VGG16", "keras.Model"),
    ],
)
def test_what_does_not_fit_is_named_on_one_line(name, value, asked):
    if name == "model":  # such a hint stays text, as Keras is imported for type checkers only

        @checked
        def function(model: keras.Model):
            return model

    else:
        function = everything
    with pytest.raises(ArgumentError) as caught:
        function(**{name: value})
    text = str(caught.value)
    assert text.startswith(f"{function.__qualname__}: {name} is ") and asked in text and "\n" not in text


def test_a_long_value_is_cut():
    with pytest.raises(MpiiError) as caught:
        everything(number="x" * 10_000)
    assert len(str(caught.value)) < 200


def test_the_error_is_a_type_error_too_and_a_missing_argument_stays_pythons():
    @checked
    def function(number: int):
        return number

    with pytest.raises(TypeError):
        function("1")
    with pytest.raises(TypeError, match="missing"):
        function()


def test_a_dataclass_is_checked_where_it_is_made():
    @checked
    @dataclass(frozen=True)
    class Point:
        x: float
        name: str = ""

    assert Point(1.5).x == 1.5 and isinstance(Point, type)
    with pytest.raises(ArgumentError, match="Point: name is 3; give text"):
        Point(1.5, 3)


def test_each_of_several_is_checked():
    @checked
    def function(*numbers: int, **texts: str):
        return numbers, texts

    assert function(1, 2, a="b") == ((1, 2), {"a": "b"}) and function() == ((), {})
    with pytest.raises(ArgumentError, match="numbers is 'c'; give a whole number"):
        function(1, "c")
    with pytest.raises(ArgumentError, match="texts is 3; give text"):
        function(a=3)


@checked
def shaped(
    poses: Annotated[ArrayLike, "N K 2"],
    visibility: Annotated[ArrayLike, "N K"] | None = None,
    image: Annotated[NDArray[np.uint8], "H W 3"] | None = None,
    points: Annotated[ArrayLike, "... 2"] = (0, 0),
):
    return True


def test_shapes_are_checked_and_a_name_is_one_size():
    poses = np.zeros((3, 16, 2))
    assert shaped(poses, np.ones((3, 16)), np.zeros((4, 5, 3), np.uint8), np.zeros((7, 8, 2)))
    assert shaped(poses.tolist())
    for wrong, words in (
        ({"poses": np.zeros((16, 2))}, r"poses is an array (16, 2); give an array of numbers of shape (N, K, 2)"),
        ({"visibility": np.ones((3, 14))}, "of shape (N = 3, K = 16) or None"),
        ({"image": np.zeros((4, 5), np.uint8)}, "give an array of shape (H, W, 3) or None"),
        ({"points": [1, 2, 3]}, "of shape (..., 2)"),
        ({"points": 1.0}, "of shape (..., 2)"),
    ):
        with pytest.raises(ArgumentError) as caught:
            shaped(**({"poses": poses} | wrong))
        assert words in str(caught.value)
