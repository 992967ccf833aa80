"""mpii_lib: the small, tested library that the notebooks of mpii-notebooks import.

The packages stand in one order, and each imports only from those on its left::

    annotations -> datasets -> pose / models -> training -> evaluation / explain -> report

Beside them stand `errors`, `files`, `plots`, `skeletons`, `exercises` and `theory`. Importing `mpii_lib` does not
import TensorFlow.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpii_lib.environment import SetupInfo, load_keras, setup

__all__ = ["SetupInfo", "load_keras", "setup"]


def __getattr__(name: str) -> Any:
    # `mpii --help` should not wait for Matplotlib, which the figure style of `setup` needs.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mpii_lib import environment

    return getattr(environment, name)
