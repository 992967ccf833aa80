"""Which exercises a student has solved: a tally beside the notebooks, a file for the teacher, and the teacher's table.

The tally is kept only where a person sits at the notebook, so that automatic runs write nothing, and what `check` shows
never hangs on it. It cannot fail a cell: where the folder is read-only, it lasts as long as the session.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpii_lib._html import Summary
from mpii_lib.errors import MpiiError, one_line
from mpii_lib.files import replacing

if TYPE_CHECKING:
    import pandas as pd

FILE = Path("mpii-progress.json")  # in the working folder, which Jupyter sets to the notebook's
Tally = dict[str, Any]
_session: Tally = {"name": "", "exercises": {}}


def read(path: Path) -> Tally:
    """Read a tally: {"name": "Ada", "exercises": {"01-1": {"tries": 2, "hints": 0, "solved": true}}}.

    Raises OSError where there is none, and ValueError where the file is no tally.
    """
    try:
        tally = json.loads(path.read_text(encoding="utf-8"))
        name, done = filter(str.isprintable, str(tally["name"])), dict(tally["exercises"])
        return {"name": "".join(name)[:60], "exercises": {number: _entry(one) for number, one in done.items()}}
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"it is no progress file ({type(error).__name__}: {one_line(error)})") from None


def _entry(values: Any) -> dict[str, Any]:
    return {"tries": int(values["tries"]), "hints": int(values["hints"]), "solved": values["solved"] is True}


def note(number: str, state: str, hint: int) -> None:
    """Count a verdict, and the step of the hint that was asked for. Never raises."""
    if not _somebody_sits_there() or (state == "not attempted" and not hint):
        return
    try:
        tally = _current()
        one = tally["exercises"].setdefault(number, {"tries": 0, "hints": 0, "solved": False})
        if not one["solved"]:
            one["tries"] += state != "not attempted"
            one["hints"] = max(one["hints"], hint)
            one["solved"] = state == "correct"
        _write(FILE, tally)
    except (OSError, ValueError, MpiiError):  # a damaged file stays as it is: `summary` names it
        pass


def _somebody_sits_there() -> bool:
    """Whether this is a notebook with a person before it: only there may a cell ask for input."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


def _current() -> Tally:
    """The tally of the working folder, which another notebook may have written; else that of the session."""
    if FILE.exists():
        _session.update(read(FILE))
    return _session


def _write(path: Path, tally: Tally) -> None:
    with replacing(path, MpiiError) as temporary:
        temporary.write_text(json.dumps(tally, indent=1, ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True, repr=False)
class Progress(Summary):
    """What `summary` shows: a line for each notebook that was begun, and the file to hand in."""

    lines: dict[str, str]

    def _summary(self) -> dict[str, str]:
        return self.lines


def summary(name: str, numbers: Sequence[str]) -> Progress:
    """Show the tally and write the teacher's file; `numbers` are those of all exercises."""
    try:
        tally = _current()
        name = tally["name"] = str(name) or tally["name"] or "student"
        short = re.sub(r"\W+", "-", name.lower()).strip("-")[:40]
        path = FILE.with_stem(f"{FILE.stem}-{short}")
        _write(path, tally)
        _write(FILE, tally)
        place = str(path)
    except (OSError, ValueError, MpiiError) as error:
        tally = _session
        place = f"not written; {error if isinstance(error, MpiiError) else f'{FILE}: {one_line(error)}; delete it'}"
    solved = _solved(tally)
    lines = {}
    for notebook in sorted({number[:2] for number in tally["exercises"]}):
        own = [number for number in numbers if number[:2] == notebook]
        left = [number for number in own if number not in solved]
        lines[notebook] = f"{len(own) - len(left)} of {len(own)} solved" + (f", open: {' '.join(left)}" if left else "")
    lines["all"] = f"{len(solved & set(numbers))} of {len(numbers)} solved"
    return Progress(lines | {"file": place})


def table(folder: Path, numbers: Sequence[str]) -> tuple[pd.DataFrame, list[tuple[Path, str]]]:
    """Make one table of the files that students have handed in.

    Parameters
    ----------
    folder
        Holds the files, at any depth; several of one name are one student's.
    numbers
        Those of all exercises.

    Returns
    -------
    pd.DataFrame
        How many exercises there are and each student has solved: a row for each, a column for each notebook in which
        anybody has solved one, and the sum.
    list of (Path, str)
        Files that are no tallies, and why.

    Raises
    ------
    MpiiError
        There is no tally in the folder.
    """
    import pandas as pd

    students: dict[str, set[str]] = {}
    damaged = []
    for path in sorted(folder.rglob("*.json")):
        try:
            tally = read(path)
        except (OSError, ValueError) as error:
            damaged.append((path, one_line(error)))
        else:
            name = tally["name"] or str(path.relative_to(folder))
            students.setdefault(name, set()).update(_solved(tally) & set(numbers))
    if not students:
        raise MpiiError(f"{folder}: holds no progress files; students write them with summary()")
    rows = {"(exercises)": set(numbers)} | dict(sorted(students.items()))
    pairs = [(name, number[:2]) for name, solved in rows.items() for number in solved]
    counts = pd.crosstab(*map(pd.Series, zip(*pairs, strict=True))).reindex(list(rows), fill_value=0)
    begun = counts.columns[counts.drop("(exercises)").any()]
    return counts[begun].assign(solved=counts.sum(axis=1)).rename_axis(None).rename_axis(None, axis=1), damaged


def _solved(tally: Tally) -> set[str]:
    return {number for number, one in tally["exercises"].items() if one["solved"]}
