"""What is known about the images: tables of images and of people, and the joints; MPII, COCO and sample alike.

`read_mpii` and `read_coco` read the official files into `Annotations`; everything after them uses that one form.
"""

from mpii_lib.annotations.coco import read_coco
from mpii_lib.annotations.mpii import read_mpii
from mpii_lib.annotations.table import IMAGE_COLUMNS, PEOPLE_COLUMNS, Annotations
from mpii_lib.errors import AnnotationError

__all__ = ["IMAGE_COLUMNS", "PEOPLE_COLUMNS", "AnnotationError", "Annotations", "read_coco", "read_mpii"]
