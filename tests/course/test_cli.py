import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from scipy.io import savemat

from mpii_course.cli import main

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(path: Path, *cells: str, parameters: str = "EPOCHS = 3  # passes") -> Path:
    parts = [new_code_cell(parameters, metadata={"tags": ["parameters"]}), *map(new_code_cell, cells)]
    nbformat.write(new_notebook(cells=parts, metadata=KERNEL), path)
    return path


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A very small sample, drawn by the command."""
    folder = tmp_path_factory.mktemp("data") / "sample"
    assert main(["sample", str(folder), "--images", "40", "--size", "96x72"]) == 0
    return folder


def fails(capsys, *arguments, status=2):
    """Run a command that has to fail: its one line on standard error."""
    assert main([str(a) for a in arguments]) == status
    output = capsys.readouterr().err.strip().splitlines()
    complaint = [line for line in output if line.startswith("mpii: ")]
    assert len(complaint) == 1, output
    assert not any("Traceback" in line for line in output)
    return complaint[0]


@pytest.mark.parametrize("command", ["sample", "fetch", "shards", "info", "run", "report"])
def test_each_command_has_help_with_an_example(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: mpii {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["paint"], ["sample"], ["sample", "x", "--images", "0"], ["sample", "x", "--seed", "-1"],
     ["sample", "x", "--size", "big"], ["sample", "x", "--test-videos", "-1"], ["fetch", "imagenet"],
     ["run"], ["run", "x.ipynb", "-p", "EPOCHS"],
     ["report", "--data", "imagenet"], ["shards"], ["shards", "x", "--size", "256"], ["shards", "x", "-j", "0"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_writes_nothing(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and not list(tmp_path.iterdir())


def test_help_does_not_wait_for_tensorflow_or_nbclient():
    heavy = "{'tensorflow', 'nbclient', 'matplotlib'}"
    code = f"import sys, mpii_course.cli as c; c._parser(); sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["mpii"], ("fetch_mpii", Path("data/mpii"), True)),
        (["mpii", "a", "--annotations-only"], ("fetch_mpii", Path("a"), False)),
        (["coco", "b", "--split", "train"], ("fetch_coco", Path("b"), "train", True)),
    ],
)
def test_fetch_asks_for_what_is_wanted(monkeypatch, capsys, arguments, called):
    from mpii_lib import datasets

    calls = []
    for name in ("fetch_mpii", "fetch_coco"):
        monkeypatch.setattr(
            datasets, name, lambda *given, images, name=name: calls.append((name, *given, images)), raising=False
        )
    assert main(["fetch", *arguments]) == 0
    assert calls == [called] and f"DATA = '{arguments[0]}'" in capsys.readouterr().out


def test_info_counts_the_sample_as_mpii_and_as_coco(sample, capsys):
    assert main(["info", str(sample), "--check"]) == 0
    output = capsys.readouterr().out
    assert "(MPII)" in output and "(COCO train)" in output
    for words in ("images", "train", "persons", "with joints", "categories", "activities", "without a label"):
        assert words in output
    assert main(["info", str(sample / "annotations/person_keypoints_val2017.json")]) == 0


def test_info_reads_what_annotations_saved(sample, tmp_path, capsys):
    from mpii_lib.annotations import read_mpii

    read_mpii(sample).save(tmp_path / "a.parquet")
    assert main(["info", str(tmp_path / "a.parquet")]) == 0
    assert "40" in capsys.readouterr().out


def test_a_picture_that_is_not_one_is_named_and_the_rest_is_read(sample, tmp_path, capsys):
    import shutil

    folder = shutil.copytree(sample, tmp_path / "sample")
    broken = sorted((folder / "images").iterdir())[3]
    broken.write_text("no image")
    mat = folder / "mpii_human_pose_v1_u12_1.mat"
    output = fails(capsys, "info", mat, "--check", status=1)
    assert f"{broken}: cannot be read as an image" in output
    assert "no annotation file" in fails(capsys, "info", broken)


def test_shards_are_written_checked_and_kept(sample, tmp_path, capsys):
    folder = tmp_path / "small"
    for _ in range(2):
        assert main(["shards", str(sample), str(folder), "--size", "40x30"]) == 0
        assert "40 images of 30 x 40 pixels" in capsys.readouterr().out
    assert main(["shards", "--check", str(folder)]) == 0 and "whole" in capsys.readouterr().out
    assert "one folder" in fails(capsys, "shards", "--check", sample, folder)
    assert "holds shards of another size, (30, 40)" in fails(capsys, "shards", sample, folder)

    (file,) = folder.glob("*.npy")
    data = bytearray(file.read_bytes())
    data[1000] ^= 1
    file.write_bytes(data)
    assert f"{file}: its bytes have changed" in fails(capsys, "shards", "--check", folder, status=1)
    file.unlink()
    assert f"{file}: is missing; run `mpii shards` again" in fails(capsys, "shards", "--check", folder)
    assert "there is no such file" in fails(capsys, "shards", "--check", tmp_path / "nowhere")


def test_shards_name_the_pictures_they_leave_out(sample, tmp_path, capsys):
    import shutil

    folder = shutil.copytree(sample, tmp_path / "sample")
    images = sorted((folder / "images").iterdir())
    images[3].write_text("no image")
    assert f"{images[3]}: cannot be read as an image" in fails(capsys, "shards", folder, status=1)
    assert (tmp_path / "sample-256x256" / "shards.json").is_file()
    for image in images[4:30]:
        image.unlink()
    assert main(["shards", str(folder), str(tmp_path / "few")]) == 1
    output = capsys.readouterr()
    assert output.err.count("cannot be read as an image") == 20 and "and 7 more" in output.err
    assert "13 images" in output.out and "27 images could not be read" in output.out


def bad_files(folder: Path):
    (folder / "text.mat").write_text("hello, I am no MATLAB file\n" * 20)
    savemat(folder / "empty.mat", {"OTHER": 1})
    savemat(folder / "whole.mat", {"RELEASE": {"annolist": list(range(500))}})
    (folder / "cut.mat").write_bytes((folder / "whole.mat").read_bytes()[:200])
    (folder / "bad.json").write_text("{")
    (folder / "bad.parquet").write_text("x")


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone.mat", "is not there"), ("text.mat", ""), ("empty.mat", "RELEASE"), ("cut.mat", ""), ("bad.json", ""),
     ("bad.parquet", ""), ("", "holds no annotations")],
)  # fmt: skip
def test_annotations_that_cannot_be_read_are_one_line(tmp_path, capsys, name, words):
    files = tmp_path / "files"
    files.mkdir()
    if name:
        bad_files(files)
        before = {path.name: path.read_bytes() for path in files.iterdir()}
    output = fails(capsys, "info", files / name)
    assert str(files / name) in output and words in output
    if name:
        assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_a_file_where_a_folder_should_be(tmp_path, capsys):
    (tmp_path / "mine").write_text("mine")
    course = tmp_path / "nb"
    course.mkdir()
    path = notebook(course / "00_start_here.ipynb")
    for arguments in (
        ["sample", tmp_path / "mine", "--images", "5"],
        ["fetch", "mpii", tmp_path / "mine"],
        ["fetch", "coco", tmp_path / "mine"],
        ["run", path, "-o", tmp_path / "mine"],
        ["report", "--notebooks", course, "--folder", tmp_path / "mine"],
    ):
        assert str(tmp_path / "mine") in fails(capsys, *arguments)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_folder_without_permission(tmp_path, capsys):
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.access(tmp_path / "closed", os.W_OK):
        pytest.skip("permissions do not stop this user (root, or Windows)")
    assert "closed" in fails(capsys, "sample", tmp_path / "closed/sample", "--images", "5")
    assert "closed" in fails(capsys, "run", notebook(tmp_path / "a.ipynb"), "-o", tmp_path / "closed/out")


def test_what_is_wrong_with_a_run_is_one_line(tmp_path, capsys):
    path = notebook(tmp_path / "a.ipynb")
    out = tmp_path / "out"
    assert "No such file" in fails(capsys, "run", tmp_path / "b.ipynb", "-o", out)
    output = fails(capsys, "run", path, "-p", "EPOCH", "5", "-o", out)
    assert "unknown parameter EPOCH" in output and "EPOCHS = 3 (passes)" in output
    assert "'many' is not of type int" in fails(capsys, "run", path, "-p", "EPOCHS", "many", "-o", out)
    assert not out.exists()


def test_what_is_wrong_with_a_report_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "--notebooks" in fails(capsys, "report")
    (tmp_path / "notebooks").mkdir()
    notebook(tmp_path / "notebooks/21_xception.ipynb")
    assert "unknown backbone 'alexnet'" in fails(capsys, "report", "--backbones", "alexnet")
    assert "is not there" in fails(capsys, "report", "--backbones", "xception,vgg16")
    assert "needs --data-dir" in fails(capsys, "report", "--data", "mpii")
    assert "no such folder" in fails(capsys, "report", "--data", "mpii", "--data-dir", "gone")
    assert "unknown parameter" in fails(capsys, "report", "-p", "NO_SUCH", "1")
    assert [path.name for path in tmp_path.iterdir()] == ["notebooks"]


def test_missing_extras_are_one_line(tmp_path, capsys, monkeypatch):
    import mpii_course.report.run as run

    monkeypatch.setattr(run, "find_spec", lambda name: None)
    output = fails(capsys, "run", notebook(tmp_path / "a.ipynb"), "-o", tmp_path / "out")
    assert output.endswith("run: pip install 'mpii-notebooks[notebooks]'")


def test_ctrl_c_and_a_full_disk_are_no_traceback(tmp_path, capsys, monkeypatch):
    import mpii_course.sample

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    def full(*_, **__):
        raise OSError(28, "No space left on device", "x.jpg")

    monkeypatch.setattr(mpii_course.sample, "make_sample", interrupted)
    fails(capsys, "sample", tmp_path / "s", status=130)
    monkeypatch.setattr(mpii_course.sample, "make_sample", full)
    assert "x.jpg: No space left on device" in fails(capsys, "sample", tmp_path / "s")


def test_a_run_that_fails_ends_with_1_and_names_the_cell(tmp_path, capsys):
    """The size below the minimum is named by the library, inside the notebook."""
    small = (
        "from mpii_lib.models import build_classifier\n"
        "build_classifier('Xception', 3, input_shape=(SIZE, SIZE, 3), weights=None, width=1 / 8)"
    )
    bad = notebook(tmp_path / "small.ipynb", small, parameters="SIZE = 96")
    good = notebook(tmp_path / "good.ipynb", "print(EPOCHS)")
    status = main(["run", str(bad), str(good), "-p", "SIZE", "16", "-p", "EPOCHS", "2", "-o", str(tmp_path / "out")])
    output = capsys.readouterr()
    assert status == 1
    line = next(line for line in output.err.splitlines() if line.startswith("mpii: "))
    assert line.startswith("mpii: small: failed at code cell 2") and "ModelError" in line and "71" in line
    assert output.out.split() == [str(tmp_path / "out/good.ipynb")]
    assert json.loads((tmp_path / "out/good.ipynb").read_text())["metadata"]["mpii_run"]["parameters"] == {"EPOCHS": 2}


@pytest.mark.parametrize(
    "given", [["info", "d\udcdcr"], ["sample", "d\udcdcr"], ["run", "{nb}", "-p", "EPOCHS", "\ud800"]]
)
def test_bytes_that_are_no_text_are_named_before_anything_starts(tmp_path, monkeypatch, capsys, given):
    monkeypatch.chdir(tmp_path)
    path = notebook(tmp_path / "a.ipynb")
    assert "holds what UTF-8 cannot write" in fails(capsys, *(text.replace("{nb}", str(path)) for text in given))
    assert [each.name for each in tmp_path.iterdir()] == ["a.ipynb"]


def test_a_terminal_that_lacks_letters_gets_them_escaped(sample, tmp_path):
    (tmp_path / "wüst").symlink_to(sample)
    command = [sys.executable, "-m", "mpii_course.cli", "info", "wüst"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0 and "w\\xfcst (MPII)" in run.stdout and not run.stderr


@pytest.mark.parametrize(
    ("given", "limit"),
    [([], 3600), (["-p", "DATA", "sample"], 3600), (["-p", "DATA", "mpii"], 86400), (["--timeout", "7"], 7)],
)
def test_a_run_has_a_limit(tmp_path, monkeypatch, given, limit):
    import mpii_course.report

    limits = []
    monkeypatch.setattr(mpii_course.report, "run_notebooks", lambda *_, timeout, **__: limits.append(timeout) or [])
    assert main(["run", str(tmp_path / "a.ipynb"), *given]) == 0 and limits == [limit]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)])
def test_an_interrupted_sample_leaves_nothing(tmp_path, number):
    command = [sys.executable, "-m", "mpii_course.cli", "sample", str(tmp_path / "sample"), "--images", "20000"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob(".sample-*.part/images/*.jpg")) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(number)
    output = child.communicate(timeout=60)[1].splitlines()
    assert child.returncode == 130 and output[-1].startswith("mpii: stopped") and not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_that_comes_out_as_another_error_is_an_interrupt(monkeypatch, capsys, tmp_path):
    def interrupted(*_, **__):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        except KeyboardInterrupt:
            raise RuntimeError("release unlocked lock") from None

    monkeypatch.setattr("mpii_course.sample.make_sample", interrupted)
    assert main(["sample", str(tmp_path / "sample")]) == 130
    assert capsys.readouterr().err.startswith("mpii: stopped")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
