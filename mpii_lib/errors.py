"""The library's own errors: one line that says what is wrong, where, and what to do."""

from __future__ import annotations


class MpiiError(Exception):
    """Base of every error that the library raises on purpose; the command `mpii` prints its message and exits 2."""


class ArgumentError(MpiiError, TypeError):
    """An argument of a function is of another kind than its signature says."""


class AnnotationError(MpiiError):
    """An annotation file cannot be read, or what it says contradicts itself."""


class DatasetError(MpiiError):
    """Images, splits or downloads are not as they have to be."""


class ModelError(MpiiError):
    """A network cannot be built, or its weights cannot be had."""


class TrainingError(MpiiError):
    """A training cannot start, go on or be resumed."""


class ReportError(MpiiError):
    """A notebook cannot be run, or a report cannot be built."""


def one_line(error: BaseException) -> str:
    """Give the error's own words on one line, cut to what a message can hold."""
    return " ".join(str(error).split())[:120]
