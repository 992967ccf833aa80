"""What every notebook has, as CONTRIBUTING.md asks. Whether it teaches, a person has to judge."""

import ast
import base64
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|work|Users)/[\w./-]+")
FORBIDDEN_COLOURS = re.compile(r"""["'](jet|rainbow|hsv|nipy_spectral|gist_rainbow)["']""")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
each_file = pytest.mark.parametrize("path", NOTEBOOKS + SOLUTIONS, ids=lambda p: f"{p.parent.name}/{p.stem}")


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def prose(notebook):
    return "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def tagged(notebook, tag):
    return [c for c in code_cells(notebook) if tag in c.metadata.get("tags", [])]


def lines(cell):
    return sum(1 for line in cell.source.splitlines() if line.strip())


def python(source):
    """The cell without IPython's magic lines, so that ast can read it."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M)


def text_of(output):
    data = output.get("data", {})
    return str(output.get("text", "")) + "".join(str(v) for k, v in data.items() if k.startswith("text/"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@each_file
def test_format_is_valid_and_cell_ids_are_readable(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    ids = [c.id for c in notebook.cells]
    assert len(set(ids)) == len(ids)
    unreadable = [i for i in ids if not re.search("[a-z]{3}", i) or re.fullmatch(r"[0-9a-f]{8,}", i)]
    assert not unreadable, f"give these cells readable ids: {unreadable}"
    assert path.stat().st_size < 1_000_000


@each_notebook
def test_first_cell_says_what_one_needs_to_know(path):
    first = read(path).cells[0].source
    assert re.search(
        rf"\[!\[[^\]]+\]\([^)]+\)\]\(https://colab\.research\.google\.com/[^)]*/notebooks/{path.name}\)", first
    )
    title = re.search(r"^# (.+)$", first, flags=re.M)
    assert title and title.group(1).strip().endswith("?"), "the title is the question that the notebook answers"
    for wanted in ("You will be able to", "You need first", "Time", "Runs in"):
        assert f"**{wanted}" in first or wanted in first, f"the first cell does not say {wanted!r}"
    assert re.search(r"Runs in [\d.]+ (s|minutes) on two CPU cores", first), "`make notebooks` writes the measured time"


@each_notebook
def test_parameters_are_literals_with_a_comment_each(path):
    cells = tagged(read(path), "parameters")
    assert len(cells) == 1
    for statement in ast.parse(cells[0].source).body:
        assert isinstance(statement, ast.Assign | ast.AnnAssign)
        ast.literal_eval(statement.value)
        line = cells[0].source.splitlines()[statement.lineno - 1]
        assert "#" in line, f"say what it does: {line}"


@each_file
def test_setup_is_one_short_cell_that_is_the_same_everywhere(path):
    notebook = read(path)
    cells = [c for c in notebook.cells if c.id == "setup"]
    assert len(cells) == 1 and lines(cells[0]) <= 8
    assert "setup(seed=SEED" in cells[0].source and "--no-deps" in cells[0].source
    with_check = [c.id for c in code_cells(notebook) if "import check" in c.source]
    assert with_check == ["setup"], f"check is imported in the setup cell alone, not in {with_check}"
    reference = next(c.source for c in read(NOTEBOOKS[0]).cells if c.id == "setup")

    def plain(source):
        return source.replace(", keras=True", "")

    assert plain(cells[0].source) == plain(reference)


@each_notebook
def test_cells_are_short_and_prose_carries_the_argument(path):
    notebook = read(path)
    code = code_cells(notebook)
    lengths = sorted(map(lines, code))
    assert len(code) <= 35
    assert statistics.median(lengths) <= 6
    assert lengths[int(0.9 * (len(lengths) - 1))] <= 18
    assert lengths[-1] <= 30
    assert sum(c.cell_type == "markdown" for c in notebook.cells) >= len(code)
    text = prose(notebook)
    for heading in ("## Summary", "## Further reading"):
        assert heading in text, f"no section {heading!r}"
    assert re.search(r"https?://", text.split("## Further reading")[1]), "further reading gives real references"


@each_file
def test_committed_outputs_are_those_of_a_clean_run(path):
    code = [c for c in read(path).cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1)), "run `make notebooks`"
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error", f"{cell.id}: stored error"
            assert output.get("name") != "stderr", f"{cell.id}: stored standard error"
            text = text_of(output)
            assert not MACHINE_PATH.search(text), f"{cell.id}: {MACHINE_PATH.search(text).group(0)}"
            assert "\x08" not in text and "\r" not in text, f"{cell.id}: remains of a progress bar"


@each_notebook
def test_there_is_a_figure_and_each_has_alternative_text(path):
    notebook = read(path)
    figures = [
        (cell.id, output)
        for cell in code_cells(notebook)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert figures
    for cell_id, output in figures:
        alt = output.metadata.get("image/png", {}).get("alt", "")
        assert len(alt.split()) >= 5, f"{cell_id}: alternative text {alt!r} does not say what the figure shows"
        assert base64.b64decode(output.data["image/png"]).startswith(b"\x89PNG")
    assert not re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=)", prose(notebook)), "an image without alternative text"


@each_notebook
def test_sliders_are_stored_as_figures(path):
    for cell in code_cells(read(path)):
        if re.search(r"^explore\(", cell.source, flags=re.M):
            assert any("image/png" in output.get("data", {}) for output in cell.outputs), (
                f"{cell.id}: run `make notebooks`"
            )


@each_file
def test_code_keeps_the_palette_and_reads_no_network(path):
    for cell in code_cells(read(path)):
        assert not FORBIDDEN_COLOURS.search(cell.source), f"{cell.id}: use cividis or the palette"
        assert "plt.show()" not in cell.source, (
            f"{cell.id}: figures go through mpii_lib.plots.show with alternative text"
        )
        if cell.id != "setup":
            assert not re.search(r"https?://|!pip|%pip|wget|curl", cell.source), cell.id


def test_no_function_is_pasted_into_a_second_notebook():
    seen = {}
    for path in NOTEBOOKS:
        for cell in code_cells(read(path)):
            for node in ast.parse(python(cell.source)).body:
                if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 3:
                    key = ast.dump(ast.Module(node.body, []))
                    assert key not in seen, f"{node.name} in {path.name} stands in {seen[key]} too: move it to mpii_lib"
                    seen[key] = path.name


def test_what_trains_is_trained_by_keras_in_the_open():
    code = {path.stem: "\n".join(c.source for c in code_cells(read(path))) for path in NOTEBOOKS}
    training = {name: source for name, source in code.items() if "run_callbacks(" in source}
    assert len(training) >= 10
    for name, source in training.items():
        assert ".compile(" in source and ".fit(" in source, f"{name} trains without Keras' compile and fit in sight"


def exercise_numbers(notebook):
    return re.findall(r"^###+ Exercise (\d\d-\d)", prose(notebook), flags=re.M)


def test_exercises_stand_after_what_they_train_in_three_levels():
    """Of the theory chapter's second half; the other chapters follow."""
    for path in NOTEBOOKS:
        if "04" <= path.stem[:2] <= "08":
            headings = re.findall(r"^(###? .+)$", prose(read(path)), flags=re.M)
            kinds = [re.fullmatch(r"### Exercise \d\d-\d \((predict|change|build)\): .+", h) for h in headings]
            assert {kind.group(1) for kind in kinds if kind} == {"predict", "change", "build"}, path.stem
            assert "## Exercises" not in headings and not all(kinds[-4:-2]), f"{path.stem}: all stand at its end"


def verdicts(cells):
    """(exercise number, first word of the verdict) for the cells that end in check(...)."""
    found = []
    for cell in cells:
        for number in re.findall(r'check\("(\d\d-\d)"', cell.source):
            text = "".join(text_of(o) for o in cell.outputs)
            found.append((number, "correct" if f"{number} correct" in text else "hint" if f"{number} hint" in text else
                          "not attempted" if f"{number} not attempted" in text else text))  # fmt: skip
            assert "nbval-check-output" in cell.metadata.get("tags", []), f"{cell.id}: CI has to compare this verdict"
    return found


@each_notebook
def test_exercises_are_stubs_that_say_not_attempted(path):
    notebook = read(path)
    numbers = exercise_numbers(notebook)
    least = 3 if path.stem[0] == "0" and path.stem[:2] != "00" else 2
    assert least <= len(numbers) <= 5
    assert [n[:2] for n in numbers] == [path.stem[:2]] * len(numbers)
    assert verdicts(code_cells(notebook)) == [(n, "not attempted") for n in numbers]


@each_notebook
def test_every_exercise_has_a_solution_that_passes_and_a_mistake_that_gets_its_hint(path):
    solved = FOLDER / "solutions" / path.name
    assert solved.exists(), f"notebooks/solutions/{path.name} is missing"
    solution = read(solved)
    numbers = exercise_numbers(read(path))
    assert sorted(set(verdicts(tagged(solution, "solution")))) == [(n, "correct") for n in sorted(numbers)]
    mistakes = verdicts(tagged(solution, "wrong-answer"))
    assert {state for _, state in mistakes} == {"hint"}
    assert {n for n, _ in mistakes} == set(numbers), "each exercise shows a usual mistake"


def test_solutions_belong_to_notebooks():
    assert {p.name for p in SOLUTIONS} <= {p.name for p in NOTEBOOKS}


@each_notebook
def test_there_are_notes_for_the_teacher(path):
    notes = ROOT / "docs/teaching" / f"{path.stem}.md"
    assert notes.exists(), f"docs/teaching/{path.stem}.md is missing"
    assert "minute" in notes.read_text()


def test_links_between_notebooks_lead_somewhere():
    for path in NOTEBOOKS + SOLUTIONS:
        for target in re.findall(r"\]\(([\w./-]+\.(?:ipynb|md|png))", prose(read(path))):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_badges_and_install_lines_agree_with_pyproject():
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts/make_badges.py"), "--check"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


def test_readme_lists_every_notebook_with_its_badge():
    readme = (ROOT / "README.md").read_text()
    for path in NOTEBOOKS:
        assert f"notebooks/{path.name})" in readme, f"README's table lacks {path.name}"
        assert f"/blob/main/notebooks/{path.name})" in readme, f"README has no Colab badge for {path.name}"
