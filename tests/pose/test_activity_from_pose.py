"""Notebook 35's sentence about real people, measured again with the notebook's own cells."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "35_activity_from_pose.ipynb"


@pytest.mark.slow
@pytest.mark.shared
def test_the_pose_alone_names_36_per_cent_of_real_persons_against_22_of_always_sports(shared_data):
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    space = {}
    exec(cells["parameters"], space)
    space |= {"DATA": "mpii", "DATA_DIR": str(shared_data / "mpii"), "IMAGE_MODEL": False}
    cells_before = (
        "load",
        "one-a-picture-code",
        "known-and-test",
        "steps",
        "directions-code",
        "stages",
        "videos",
        "folds",
    )
    for name in (*cells_before, "out-of-fold"):
        exec(cells[name], space)
    # What cross validation chose on the real data (ten of them take minutes): faced poses, on components.
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(PCA(16, random_state=0), space["forest"])
    space |= {
        "model": model,
        "view": lambda joints: joints.reshape(len(joints), -1),
        "sources": {"pose": model},
        "numbers": {"pose": space["stages"]["direction"].reshape(len(space["known"]), -1)},
    }
    for name in ("test-code", "test-table"):
        exec(cells[name], space)
    assert (len(space["known"]), len(space["test"])) == (11739, 2090)
    result = space["results"]["pose"]
    assert result.accuracy == pytest.approx(0.364, abs=0.01)
    assert space["always"] == pytest.approx(0.224, abs=0.001)
    low, high = result.interval(seed=0)[1:3]
    assert np.allclose([low, high], [0.343, 0.385], atol=0.012)
