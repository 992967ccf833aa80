"""One line that shows how far a training is, where someone is looking, and that leaves nothing behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

_SECONDS_BETWEEN = 0.25

Show = Callable[[str, float], None]


@contextmanager
def progress_line(wanted: bool = True) -> Iterator[Show]:
    """Give a function `show(text, fraction)`, which updates one line.

    In a terminal it is a tqdm bar on standard error, cleared at the end. In a notebook that a person has open it is
    one updating output, emptied at the end. Under papermill, nbconvert and nbclient, and with standard error in a
    file, nothing is shown: control characters and bars would stay in the saved notebook.
    """
    if wanted and _person_in_notebook():
        yield from _in_notebook()
    elif wanted and not _in_kernel() and sys.stderr is not None and sys.stderr.isatty():
        with tqdm(total=1.0, leave=False, bar_format="{desc} |{bar}| {percentage:3.0f}%") as bar:

            def show(text: str, fraction: float) -> None:
                bar.set_description_str(text, refresh=False)
                bar.n = min(fraction, 1.0)
                bar.refresh()

            yield _at_most_every(_SECONDS_BETWEEN, show)
    else:
        yield lambda text, fraction: None


def _in_notebook() -> Iterator[Show]:
    from IPython.display import display

    handle: Any = display({"text/plain": ""}, raw=True, display_id=True)

    def show(text: str, fraction: float) -> None:
        done = round(20 * min(fraction, 1.0))
        handle.update({"text/plain": f"{text} [{'#' * done}{'.' * (20 - done)}]"}, raw=True)

    try:
        yield _at_most_every(_SECONDS_BETWEEN, show)
    finally:
        handle.update({"text/plain": ""}, raw=True)


def _at_most_every(seconds: float, show: Show) -> Show:
    last = -seconds

    def limited(text: str, fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= seconds:
            last = now
            show(text, fraction)

    return limited


def _in_kernel() -> bool:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def _person_in_notebook() -> bool:
    """Tell a page that a person has open from an automatic run: only the page sends the id of the cell along."""
    if not _in_kernel():
        return False
    if "google.colab" in sys.modules:
        return True
    parent = sys.modules["IPython"].get_ipython().kernel.get_parent() or {}
    return "cellId" in parent.get("metadata", {})
