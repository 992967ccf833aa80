"""What all tests share: quiet, single-threaded libraries, and the place of the real data."""

import os
import signal
import sys
from pathlib import Path

import pytest

for name, value in {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "2",  # with one, a tf.data stream that calls Python waits for itself, half a minute
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "Agg",
    "MPII_STATIC": "1",  # the kernels of nbval inherit it: sliders are drawn as static figures
}.items():
    os.environ.setdefault(name, value)

# A shell that starts the tests in the background has these ignored, which children inherit; some tests send them.
for name, usual in {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}.items():
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_IGN:
        signal.signal(getattr(signal, name), usual)

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that in the end no process is left alone with one of them."""
    long = ("notebooks", "training", "models", "report")
    items.sort(key=lambda item: next((n for n, name in enumerate(long) if name in item.path.parts), len(long)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real data (mpii/, coco/); tests that ask for it are skipped where it is absent."""
    folder = Path(os.environ.get("MPII_SHARED_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set MPII_SHARED_DATA to a folder with mpii/ and coco/")
    return folder


@pytest.fixture(autouse=True)
def figures_of_one_test():
    """Close what a test drew and take back the style it set, so that no test hangs on the one before it."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot as plt

        plt.close("all")
        plt.rcdefaults()
