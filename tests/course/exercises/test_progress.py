"""The tally beside the notebooks, the student's summary, and the teacher's table."""

import json
import queue
import re
from pathlib import Path

import jupyter_client
import nbformat
import pytest

from mpii_course.cli import main
from mpii_course.exercises import check, progress, summary


@pytest.fixture
def student(tmp_path, monkeypatch):
    """A folder in which somebody sits at a notebook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "_somebody_sits_there", lambda: True)
    monkeypatch.setattr(progress, "_session", {"name": "", "exercises": {}})
    return tmp_path


def solve():
    check("23-1", lambda n: 3 * n)
    check("23-1", lambda n: 3 * n, hint=2)
    check("23-1", lambda n: 2 * n + 1)
    check("23-1", lambda n: n)
    check("23-2", lambda *a: ...)
    check("23-2", lambda *a: ..., hint=1)


def test_check_keeps_a_tally_of_tries_hints_and_what_is_solved(student):
    solve()
    tally = json.loads((student / "mpii-progress.json").read_text())
    assert tally["exercises"] == {
        "23-1": {"tries": 3, "hints": 2, "solved": True},
        "23-2": {"tries": 0, "hints": 1, "solved": False},
    }


def test_summary_shows_what_is_solved_and_writes_the_file_for_the_teacher(student):
    solve()
    shown = repr(summary("Ada Lovelace"))
    assert "23 1 of 3 solved, open: 23-2 23-3" in shown and "file mpii-progress-ada-lovelace.json" in shown
    assert "<table>" in summary()._repr_html_()  # the name is remembered
    assert {path.name for path in student.iterdir()} == {"mpii-progress.json", "mpii-progress-ada-lovelace.json"}
    assert progress.read(student / "mpii-progress-ada-lovelace.json")["name"] == "Ada Lovelace"


def test_without_a_name_the_file_is_that_of_a_student(student):
    assert "mpii-progress-student.json" in repr(summary())


@pytest.mark.parametrize("name", ["../../x", "Łukasz", "  ", "a" * 500, "\x00\n", 7])
def test_any_name_gives_a_file_in_the_folder(student, name):
    solve()
    summary(name)
    assert all(path.parent == student and len(path.name) < 100 for path in student.rglob("*"))
    assert len(list(student.glob("mpii-progress-*.json"))) == 1


def test_two_notebooks_at_once_share_the_tally(student, monkeypatch):
    check("23-1", lambda n: 2 * n + 1)
    monkeypatch.setattr(progress, "_session", {"name": "", "exercises": {}})  # as another kernel begins
    check("21-3", lambda v, t: 0.70)
    assert set(progress.read(progress.FILE)["exercises"]) == {"23-1", "21-3"}


def test_a_folder_that_cannot_be_written_fails_no_cell_and_the_session_counts(student, monkeypatch):
    def refuse(*arguments):
        raise progress.MpiiError("the folder is read-only")

    monkeypatch.setattr(progress, "_write", refuse)
    assert check("23-1", lambda n: 2 * n + 1).state == "correct"
    assert "23 1 of 3 solved" in repr(summary("Ada")) and "not written; the folder is read-only" in repr(summary())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "Ada"}', '{"name": "Ada", "exercises": {"23-1": 5}}',
                                  '{"name": 1, "exercises": 2}', "[" * 100_000, "\xff"])  # fmt: skip
def test_a_damaged_tally_is_named_and_left_alone(student, text):
    (student / "mpii-progress.json").write_text(text, encoding="latin-1")
    assert check("23-1", lambda n: 2 * n + 1).state == "correct"
    assert "mpii-progress.json" in repr(summary("Ada")) and "delete it" in repr(summary("Ada"))
    assert (student / "mpii-progress.json").read_text(encoding="latin-1") == text


def test_a_script_and_a_test_write_no_tally(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solve()
    assert not list(tmp_path.iterdir())


def run_in_kernel(code, folder, allow_stdin):
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        reply = client.execute_interactive(code, allow_stdin=allow_stdin, stdin_hook=lambda _: None, timeout=60,
                                           output_hook=lambda _: None)  # fmt: skip
        assert reply["content"]["status"] == "ok", reply["content"]
    except queue.Empty:
        pytest.fail("the kernel does not answer")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("person", [True, False])
def test_a_kernel_keeps_a_tally_only_where_a_person_can_be_asked(tmp_path, person):
    run_in_kernel("from mpii_course.exercises import check\ncheck('23-1', lambda n: 2 * n + 1)", tmp_path, person)
    assert (tmp_path / "mpii-progress.json").exists() == person


def test_no_notebook_stores_a_summary():
    """Its output would be that of whoever made the outputs."""
    for path in (Path(__file__).resolve().parents[3] / "notebooks").rglob("*.ipynb"):
        code = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
        assert not re.search(r"(?<![.\w])summary\(", code), path.name


def hand_in(folder, name, *solved, file=None):
    tally = {"name": name, "exercises": {number: {"tries": 1, "hints": 0, "solved": True} for number in solved}}
    path = folder / (file or f"mpii-progress-{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tally))


def test_the_teacher_gets_one_table(tmp_path, capsys):
    hand_in(tmp_path, "Bo", "23-1", "23-2", "77-7")  # an exercise that is no more does not count
    hand_in(tmp_path, "Ada", "23-1", "21-1")
    hand_in(tmp_path, "Ada", "23-3", file="second/Ada.json")
    hand_in(tmp_path, "Cy")
    (tmp_path / "broken.json").write_text("{")
    assert main(["progress", str(tmp_path), "--csv", str(tmp_path / "solved.csv")]) == 1
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["21", "23", "solved"],
        ["(exercises)", "3", "3", out.splitlines()[1].split()[-1]],
        ["Ada", "1", "2", "3"],
        ["Bo", "0", "2", "2"],
        ["Cy", "0", "0", "0"],
    ]
    assert err.count("mpii: ") == 1 and "broken.json" in err
    assert (tmp_path / "solved.csv").read_text().splitlines()[0] == ",21,23,solved"


def test_whole_files_end_with_0_and_a_folder_without_any_is_said(tmp_path, capsys):
    hand_in(tmp_path, "Ada\n\x1b[2J" + "a" * 300, "23-1", file="ada.json")
    assert main(["progress", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["progress", str(tmp_path / "none")]) == 2
    assert "summary()" in capsys.readouterr().err
