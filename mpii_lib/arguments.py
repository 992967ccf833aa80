"""Arguments are of the kind that a function's signature names, or one line says which one is not."""

from __future__ import annotations

import functools
import inspect
import math
import os
import reprlib
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np
from numpy.typing import ArrayLike

from mpii_lib.errors import ArgumentError

F = TypeVar("F", bound=Callable[..., Any])

PLAIN = ("builtins", "numpy")  # where the types of numbers, texts, lists, functions and arrays come from
WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a finite number",
    str: "text",
    type(None): "None",
    ArrayLike: "an array of numbers",
}


def checked(function: F) -> F:
    """Decorate a function so that an argument of another kind than its annotation is an ArgumentError of one line.

    A class, such as a dataclass, is checked where it is made.

    Looked at are numbers (finite ones), text, paths, Literal, arrays of numbers, functions, and sequences and tuples
    with what they hold. NumPy's numbers count as numbers, lists as tuples. For a class, an object with the same
    attributes will do; None, a number, text, a list, an array or a function will not.

    Shapes too, where they are annotated: with `Annotated[ArrayLike, "N K 2"]` and `Annotated[ArrayLike, "N K"]` for
    two arguments, N and K are the same in both; "... 2" ends with 2. And ranges: `Annotated[int, 1, 50]`.
    """
    if isinstance(function, type):  # a dataclass, whose __init__ stands nowhere
        function.__init__ = checked(function.__init__)  # type: ignore[misc]
        return function
    signature = inspect.signature(function)

    @functools.cache
    def hint(name: str) -> Any:
        written = signature.parameters[name].annotation
        if written is inspect.Parameter.empty:  # self
            return object
        try:
            return eval(written, getattr(function, "__globals__", {})) if isinstance(written, str) else written
        except NameError:  # imported for type checkers only, as Keras is
            return object if any(mark in written for mark in "|[") else written

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        sizes: dict[str, int] = {}
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            kind = signature.parameters[name].kind
            named = [*value.values()] if kind is kind.VAR_KEYWORD else [value]
            for each in value if kind is kind.VAR_POSITIONAL else named:
                if not accepts(hint(name), each, sizes):
                    caller = function.__qualname__.removesuffix(".__init__")
                    given = f"an array {each.shape}" if getattr(each, "shape", ()) else reprlib.repr(each)
                    raise ArgumentError(f"{caller}: {name} is {given}; give {words(hint(name), sizes)}")
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def accepts(hint: Any, value: Any, sizes: dict[str, int] | None = None) -> bool:
    """Tell whether `value` is of the kind `hint`; what is not known here is accepted. `sizes` learns named ones."""
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if hint == ArrayLike:
        return is_numeric(value)
    if origin is Annotated:
        if not isinstance(inner[1], str):
            return accepts(inner[0], value) and inner[1] <= value <= inner[2]
        return accepts(inner[0], value) and has_shape(inner[1], np.shape(value), {} if sizes is None else sizes)
    if origin in (Union, types.UnionType):
        return any(accepts(each, value, sizes) for each in members(hint))
    if origin is Literal:
        return isinstance(value, str | int | type(None)) and value in inner
    if origin is bool:
        return isinstance(value, bool | np.bool_)
    if origin is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if origin is float:
        return isinstance(value, Real) and not isinstance(value, bool) and is_finite(value)
    if origin is Callable:
        return callable(value)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        sized = isinstance(value, list | tuple | np.ndarray) and len(value) == len(inner)
        return sized and all(map(accepts, inner, value))
    if origin in (Iterable, Sequence):
        if isinstance(value, np.ndarray):  # all that it holds is of one kind
            return value.ndim > 0 and all(accepts(inner[0], each) for each in value[:1] if inner)
        holds = value if isinstance(value, list | tuple) and inner else ()
        many = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
        return many and all(accepts(inner[0], each) for each in holds)
    if isinstance(origin, str) or (isinstance(origin, type) and origin.__module__.startswith("mpii_")):
        return type(value).__module__ not in PLAIN
    return hint is Any or not isinstance(origin, type) or isinstance(value, origin)


def has_shape(wanted: str, shape: tuple[int, ...], sizes: dict[str, int]) -> bool:
    """Tell whether a shape is as `wanted` says, such as "N K 2"; a name stands for the same size wherever it is met."""
    names = wanted.removeprefix("...").split()
    ending = shape[-len(names) :] if wanted.startswith("...") else shape
    return len(ending) == len(names) and all(
        size == (int(name) if name.isdigit() else sizes.setdefault(name, size))
        for name, size in zip(names, ending, strict=True)
    )


def is_finite(number: Real) -> bool:
    """Tell whether a number is finite, and one that an array can hold."""
    return abs(number) < 2**63 if isinstance(number, int) else math.isfinite(number)


def members(union: Any) -> list[Any]:
    """What a union takes; ArrayLike, itself a union of text, lists and more, stays one."""
    inner, arrays = get_args(union), get_args(ArrayLike)
    return [ArrayLike, *(each for each in inner if each not in arrays)] if set(arrays) <= set(inner) else list(inner)


def is_numeric(value: Any) -> bool:
    """Tell whether NumPy makes an array of numbers of `value`."""
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except (TypeError, ValueError):  # ragged
        return False


def words(hint: Any, sizes: Mapping[str, int] | None = None) -> str:
    """Say what a hint asks for, with the sizes that are known by now."""
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if hint in WORDS:
        return WORDS[hint]
    if origin is Annotated and not isinstance(inner[1], str):
        return f"{words(inner[0])} from {inner[1]:g} to {inner[2]:g}"
    if origin is Annotated:
        names = (f"{name} = {sizes[name]}" if sizes and name in sizes else name for name in inner[1].split())
        return f"{words(inner[0])} of shape ({', '.join(names)})"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(each, sizes) for each in members(hint)))
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return f"({', '.join(words(each) for each in inner)})"
    if origin in (Iterable, Sequence):
        return f"a list, each of it {words(inner[0])}" if inner else "a list"
    if isinstance(origin, type) and issubclass(origin, os.PathLike):
        return "a path"
    if origin in (np.ndarray, Callable):
        return "an array" if origin is np.ndarray else "a function"
    return f"an object of {origin if isinstance(origin, str) else getattr(origin, '__name__', origin)}"
