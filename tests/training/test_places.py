from pathlib import Path

from mpii_lib.training.places import run_folder, runs_folder


def test_runs_go_where_the_parameter_says_and_else_into_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MPII_CACHE_DIR", str(tmp_path))
    assert runs_folder("") == tmp_path / "runs"
    assert runs_folder("somewhere/else") == Path("somewhere/else")


def test_the_same_parameters_share_a_folder_and_others_do_not(tmp_path):
    about = {"size": 128, "weights": "sample"}
    folder = run_folder(tmp_path, "vgg16", about)
    assert folder == run_folder(tmp_path, "vgg16", dict(reversed(about.items())))
    assert folder.name.startswith("vgg16-")
    assert folder != run_folder(tmp_path, "vgg16", about | {"size": 160})
    assert not folder.exists()
