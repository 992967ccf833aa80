"""mpii_lib: a small library for human pose and activity on MPII and COCO, for one's own projects too.

The packages stand in one order, and each imports only from those on its left::

    annotations -> datasets -> pose / models -> training -> evaluation / explain

Beside them stand `errors`, `files`, `plots` and `skeletons`. Importing `mpii_lib` does not import TensorFlow.
"""
