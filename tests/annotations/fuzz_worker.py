"""Reads annotation files whose paths come on standard input, and prints what became of each; see test_fuzz.py.

A process of its own, since a damaged file may end it: the file that it read at that time is then the last it named.
"""

import resource
import signal
import sys
import warnings
from pathlib import Path

from mpii_lib.annotations import read_coco, read_mpii
from mpii_lib.errors import MpiiError
from mpii_lib.training.records import peak_memory_mib

SECONDS, BYTES = 10, 2 << 30


def outcome(path: Path) -> str:
    """What reading gave: "valid", "error", or what is wrong with it."""
    read = read_mpii if path.suffix == ".mat" else read_coco
    try:
        annotations = read(path)
        again = read(path)  # from the copy beside it
    except MpiiError as error:
        text = str(error)
        if "\n" in text or len(text) > 400 or path.name not in text:
            return f"message {text!r}"
        return "error"
    except BaseException as error:
        return f"{type(error).__name__} {error}"
    return "valid" if annotations.fingerprint == again.fingerprint else "another value from the copy"


if __name__ == "__main__":
    warnings.simplefilter("error", RuntimeWarning)
    warnings.simplefilter("ignore", UserWarning)  # a file name that occurs twice
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        print(f"{line.strip()}: ", end="", flush=True)
        signal.alarm(SECONDS)
        result = " ".join(outcome(Path(line.strip())).split())
        signal.alarm(0)
        peak = (peak_memory_mib() or 0) * 2**20
        print(f"{peak / 1e9:.1f} GB" if peak > BYTES else result, flush=True)
