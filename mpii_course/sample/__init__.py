"""The sample: pictures of people that the library draws itself, in the official file formats of MPII and COCO."""

from __future__ import annotations

from mpii_course.sample.activities import ACTIVITIES, CATEGORIES
from mpii_course.sample.classification import render_classification
from mpii_course.sample.make import VERSION, make_sample

__all__ = ["ACTIVITIES", "CATEGORIES", "VERSION", "make_sample", "render_classification"]
