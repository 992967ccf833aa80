"""The sample: images of people that the course draws itself, in the official file formats of MPII and COCO."""

from __future__ import annotations

from mpii_course.sample.activities import ACTIVITIES, CATEGORIES
from mpii_course.sample.classification import render_classification, render_images
from mpii_course.sample.make import VERSION, make_sample

__all__ = ["ACTIVITIES", "CATEGORIES", "VERSION", "make_sample", "render_classification", "render_images"]
