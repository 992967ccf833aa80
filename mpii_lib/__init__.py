"""mpii_lib: the small, tested library that the notebooks of mpii-notebooks import.

The packages stand in one order, and each imports only from those on its left::

    annotations -> datasets -> pose / models -> training -> evaluation / explain -> report

Beside them stand `plots`, `skeletons`, `exercises` and `theory`. Importing `mpii_lib` does not import TensorFlow.
"""

from mpii_lib.environment import SetupInfo, load_keras, setup

__all__ = ["SetupInfo", "load_keras", "setup"]
