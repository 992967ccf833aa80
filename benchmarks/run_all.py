"""Run every benchmark, one after the other, and print its ratios: `make bench`.

`python benchmarks/run_all.py NAME ...` runs only those named.

Each `bench_<name>.py` measures one claim: both sides of a ratio in one run on one machine. It writes its numbers to
`benchmarks/results/<name>.json` and prints a table.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    """Run the benchmarks named, or all, each in a process of its own; exit status 1 when one failed."""
    known = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, str(known[name])]).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
