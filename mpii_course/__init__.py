"""mpii_course: what makes the course run, on top of the library `mpii_lib`.

The drawn sample, the checks of the exercises, theory's networks and figures, the report, and the command `mpii`. It
imports `mpii_lib`; never the other way round. Importing it does not import TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpii_course.data import open_data
    from mpii_course.session import SessionInfo, setup

__all__ = ["SessionInfo", "open_data", "setup"]


def __getattr__(name: str) -> Any:
    # `mpii --help` should not wait for Matplotlib, which the figure style of `setup` needs.
    if name in ("SessionInfo", "setup"):
        from mpii_course import session

        return getattr(session, name)
    if name == "open_data":
        from mpii_course.data import open_data

        return open_data
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
