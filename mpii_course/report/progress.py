"""What a person sees while notebooks run: a block that is redrawn in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO

MARKS = {"waiting": "·", "running": "▸", "ok": "✓", "failed": "✗"}


class RunDisplay:
    """Progress for `run_notebooks`: call it with (name, state, cells done, cells in all).

    Parameters
    ----------
    names
        The notebooks, in the order of the lines.
    stream
        Where to write; standard error when left out, so that standard output stays for results.
    """

    def __init__(self, names: Sequence[str], stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.redraw = self.stream.isatty()
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        self.marks = (
            MARKS if encoding.lower().startswith("utf") else {"waiting": ".", "running": ">", "ok": "+", "failed": "x"}
        )
        self.width = max(map(len, names), default=0)
        self.lines = {name: self._line(name, "waiting", 0, 0, 0.0) for name in names}
        self.started: dict[str, float] = {}
        self.quarter: dict[str, int] = {}
        self.lock = threading.Lock()
        self.drawn = 0

    def _line(self, name: str, state: str, done: int, total: int, seconds: float) -> str:
        cells = f"{done:>3} of {total:>2} cells {seconds:>5.0f} s" if state != "waiting" else ""
        return f"{self.marks[state]} {name:<{self.width}}  {state:<8}{cells}".rstrip()

    def __call__(self, name: str, state: str, done: int, total: int) -> None:
        """Show a notebook's new state ("running", "ok" or "failed") and how many of its code cells are done."""
        with self.lock:
            now = time.monotonic()
            seconds = now - self.started.setdefault(name, now)
            line = self._line(name, state, done, total, seconds)
            if self.redraw:
                self.lines[name] = line
                self._draw()
                return
            # Without a terminal: one line at the start, one for each quarter, one at the end.
            quarter = 4 * done // total if total else 0
            if state != "running" or self.quarter.get(name) != quarter:
                print(line, file=self.stream, flush=True)
            self.quarter[name] = quarter

    def _draw(self) -> None:
        up = f"\x1b[{self.drawn}A" if self.drawn else ""
        self.stream.write(up + "".join(f"\r\x1b[2K{line}\n" for line in self.lines.values()))
        self.stream.flush()
        self.drawn = len(self.lines)
