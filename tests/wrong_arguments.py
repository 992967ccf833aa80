"""Try each argument of a function with values of the wrong kind: it works, or one line of the library says why not."""

import inspect
import math

import numpy as np

from mpii_lib.errors import MpiiError

WRONG = [
    None, "", "nonsense", -1, 0, 2**70, math.nan, math.inf, 1.5, 1j, True, [], {}, [None], ["a", 3], [[1], [1, 2]],
    object(), b"bytes", "\ud800", np.array([]), np.full((2, 3), np.nan), np.array(["a"]), len,
]  # fmt: skip


def assert_clear(function, valid, skip=(), allowed=()):
    """Call `function(**valid)` again and again, one argument replaced by each wrong value.

    `skip` names arguments that are not tried; `allowed` are errors besides the library's own that are right here.
    """
    function(**valid)
    for name in inspect.signature(function).parameters:
        if name in skip or name in ("self", "kwargs", "options"):
            continue
        for wrong in WRONG:
            try:
                function(**(valid | {name: wrong}))
            except MpiiError as error:
                text = str(error)
                assert "\n" not in text and len(text) < 400, f"{name}={wrong!r}: {text!r}"
            except allowed:
                pass
            except Exception as error:
                raise AssertionError(f"{name}={wrong!r}: {type(error).__name__}: {error}") from error
