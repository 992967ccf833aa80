"""Run notebooks and put what they found on one page, beside what the original report found."""

from mpii_course.report.original_report import beside_report, original_rows, weights_in_words
from mpii_course.report.page import build_report
from mpii_course.report.run import FailedCell, NotebookRun, run_notebooks
from mpii_lib.errors import ReportError

__all__ = [
    "FailedCell",
    "NotebookRun",
    "ReportError",
    "beside_report",
    "build_report",
    "original_rows",
    "run_notebooks",
    "weights_in_words",
]
