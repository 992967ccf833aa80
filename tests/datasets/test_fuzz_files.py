"""No damaged image or archive brings anything but an array, an unpacked folder, or the library's own error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")


@pytest.mark.parametrize(("what", "count"), [("images", 500), ("archives", 100)])
def test_damaged_files_are_read_or_refused(tmp_path, what, count):
    """MPII_FUZZ=3000 tries as many."""
    count = int(os.environ.get("MPII_FUZZ", count))
    command = [sys.executable, Path(__file__).with_name("fuzz_files.py"), what, tmp_path, "0", str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{[path.name for path in tmp_path.glob('*.bin')]}: {done.stderr[-2000:]}"
    outcome = json.loads(done.stdout)
    print(outcome)
    assert outcome["read"] + outcome["refused"] == count and min(outcome["read"], outcome["refused"]) > count / 10
    assert outcome["seconds"] < 10 and outcome["MB"] < 2000
