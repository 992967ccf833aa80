import base64
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_writer import KERNEL, Page, check_page, write_notebook

from mpii_course.report import ReportError, beside_report, build_report, original_rows, weights_in_words
from mpii_course.report.notebook_page import math_to_mathml, notebook_body, title_of
from mpii_lib.training import write_record

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAADklEQVR4nGP4z8DwHwQBEPgD/U6VwW8AAAAASUVORK5CYII="


def figure(alt=None):
    return new_output("display_data", {"image/png": PNG}, metadata={"image/png": {"alt": alt}} if alt else {})


def executed(folder, name, cells=(), ok=True, parameters=None, **run):
    """An executed notebook as `run_notebooks` leaves it, without running anything."""
    path = folder / "notebooks" / f"{name}{'' if ok else '.failed'}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    first = new_markdown_cell(
        f"[![Open in Colab](https://colab.example/badge.svg)](https://colab.example/x)\n\n# The {name}?"
    )
    values = new_code_cell('DATA = "sample"\nRUNS = ""', metadata={"tags": ["parameters"]})
    record = {
        "name": name, "source": str(folder / f"{name}.ipynb"), "output": str(path), "ok": ok, "seconds": 61.0,
        "cells": 3, "failed_cell": None, "error": None, "peak_mb": 512.0, "parameters": parameters or {},
    }  # fmt: skip
    metadata = KERNEL | {"mpii_run": record | run}
    nbformat.write(new_notebook(cells=[first, values, *cells], metadata=metadata), path)
    return path


def training(folder, backbone, accuracy, **more):
    record = {
        "status": "complete", "hyperparameters": {}, "training": {"optimizer": "adam", "batch_size": 30, "epochs": 2},
        "model": {"backbone": backbone, "weights": "sample", "freeze": "all"}, "kept_epoch": 2, "best": {"epoch": 2},
        "history": {"epoch": [1, 2], "accuracy": [0.5, 0.9], "val_accuracy": [0.4, accuracy]}, "seconds": 90.0,
        "scores": {"test": {"accuracy": accuracy - 0.04, "majority": 0.25}}, "peak_memory_mib": 1024.0,
    }  # fmt: skip
    write_record(folder / "runs" / f"{backbone}-{accuracy}", record | more)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "local.png").write_bytes(b"\x89PNG not really")
    cells = [
        new_markdown_cell(
            "## Twice\n\n$x^2$ and [next](23_vgg16.ipynb#twice), [away](https://example.org), "
            "[here](#twice), [nowhere](#gone), [dead](../docs/x.md)"
        ),
        new_markdown_cell(
            "## Twice\n\n#### Too deep\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![Local](local.png) ![Far](//x.org/y.png)"
        ),
        new_code_cell("show()", outputs=[figure("Two bars."), figure("Three bars."), figure("Four bars.")]),
    ]
    executed(folder, "21_xception", cells, parameters={"EPOCHS": 2})
    executed(
        folder, "23_vgg16", ok=False, error="ValueError: <b>no</b>",
        failed_cell={"number": 3, "id": "train", "line": "run = fit(model)"},
    )  # fmt: skip
    tagged = new_code_cell("x", metadata={"tags": ["report"]}, outputs=[figure("The scores.")])
    executed(folder, "90_report", [new_code_cell("y", outputs=[figure("Not chosen.")]), tagged])
    training(folder, "Xception", 0.6)
    training(folder, "Xception", 0.7)
    training(folder, "VGG19", 0.5)
    (folder / "runs/broken").mkdir()
    (folder / "runs/broken/run.json").write_text("{")
    build_report(folder)
    return folder


def test_every_page_is_whole_valid_and_offline(report):
    pages = [report / "index.html", *(report / "pages").glob("*.html")]
    assert len(pages) == 4
    for page in pages:
        check_page(page)


def test_the_sample_is_never_mistaken_for_mpii(report, tmp_path):
    assert "Scores from the drawn sample, not MPII scores." in Page((report / "index.html").read_text()).words
    executed(tmp_path, "11_data_exploration", parameters={"DATA": "mpii"})
    words = Page(build_report(tmp_path).read_text()).words
    assert "drawn sample" not in words and "data: MPII Human Pose" in words


def test_the_best_training_is_chosen_without_a_look_at_the_test(tmp_path):
    executed(tmp_path, "00_start_here")
    training(tmp_path, "Xception", 0.7)
    training(tmp_path, "VGG16", 0.6, scores={"test": {"accuracy": 0.99}})
    text = " ".join(Page(build_report(tmp_path).read_text("utf-8")).text)
    card = text.partition("At a glance")[2].partition("Trainings")[0]
    assert "66" in card and "Xception" in card and "99" not in card


def test_the_best_training_stands_with_the_original_rows(report):
    words = Page((report / "index.html").read_text()).words.replace("\u202f", " ")
    ours = "This run 2 epochs, adam, batch size 30, frozen all sample 90 % 70 % 66 %"
    assert ours in words and words.index("Xception", words.index("Category of an image")) < words.index(ours)
    assert "66 % Xception; always the commonest category: 25 %" in words
    assert "VGG19 Original names it and gives no number ImageNet" in words and "did not train it" in words
    for number in ("83.5 %", "72.9 %", "67.2 %", "99.91 %", "56.66 %", "7.8 %", "47.75 %", "64.4 %"):
        assert number in words
    assert "Left out:" in words and "broken" in words


def test_the_backbones_stand_side_by_side_with_their_weights(report):
    words = Page((report / "index.html").read_text()).words.replace("\u202f", " ")
    table = words.partition("side by side")[2].partition("In brackets")[0]
    assert "Xception 2 epochs, adam, batch size 30, frozen all sample 70 % 66 %" in table
    assert "VGG19 2 epochs, adam, batch size 30, frozen all sample 50 % 46 %" in table
    assert "different weights" not in table  # both began with the sample's
    assert "This table mixes weights. The original's backbones started from ImageNet" in words


def test_a_test_on_too_few_videos_has_a_dash_in_the_place_of_its_interval(tmp_path):
    executed(tmp_path, "00_start_here")
    few = {"accuracy": 0.66, "accuracy_low": None, "accuracy_high": float("nan")}
    training(tmp_path, "Xception", 0.7, scores={"test": few})
    training(tmp_path, "VGG16", 0.6, scores={"test": {"accuracy": 0.5, "accuracy_low": 0.41, "accuracy_high": 0.59}})
    words = Page(build_report(tmp_path).read_text("utf-8")).words.replace("\u202f", " ")
    assert "70 % 66 % (–)" in words and "60 % 50 % (41 to 59)" in words and "nan" not in words
    assert "a dash where there are fewer than five" in words


def test_a_table_that_mixes_weights_says_so(tmp_path):
    executed(tmp_path, "00_start_here")
    small = {"weights": "sample", "width": 0.125, "freeze": "all"}
    training(tmp_path, "Xception", 0.7, model={"backbone": "Xception"} | small)
    training(tmp_path, "VGG16", 0.6, model={"backbone": "VGG16", "weights": "imagenet", "width": 1.0})
    words = Page(build_report(tmp_path).read_text("utf-8")).words
    warning = "mixes backbones that started from different weights : ImageNet; sample, 1/8 of the filters"
    assert words.count(warning) == 2  # of the best ones, and of all trainings
    assert "this run's from: ImageNet; sample, 1/8 of the filters" in words


def test_a_tested_training_counts_before_one_that_was_only_validated(tmp_path):
    executed(tmp_path, "00_start_here")
    training(tmp_path, "VGG16", 0.6)
    training(tmp_path, "VGG16", 0.8, scores={})
    words = Page(build_report(tmp_path).read_text("utf-8")).words.replace("\u202f", " ")
    assert "frozen all sample 90 % 60 % 56 %" in words


def test_the_parameter_table_compares_only_equal_recipes(report):
    text = (report / "index.html").read_text()
    table = text[text.index("Parameters of Xception") :]
    assert table[: table.index("</table>")].count("70\u202f%") == 1  # Adam with batch 30, and no other row


def test_a_failed_notebook_says_where_and_why(report):
    text = (report / "index.html").read_text()
    words = Page(text).words
    assert "23_vgg16.ipynb failed at code cell 3 run = fit(model)" in words
    assert "<b>no</b>" in words and "<b>no</b>" not in text
    assert "2 of 3" in words


def test_figures_keep_their_alternative_text(report):
    alts = [image["alt"] for image in Page((report / "index.html").read_text()).images]
    assert alts == ["Two bars.", "The scores.", "Three bars."]  # the first on top, then the summary, then the others


def test_links_between_notebooks_lead_to_pages(report):
    links = Page((report / "pages/21_xception.html").read_text()).links
    assert (
        "23_vgg16.html#twice" in links
        and "https://example.org" in links
        and "#Twice" in links
        and not any("docs" in link for link in links)
    )


def test_building_again_replaces_the_page_and_a_foreign_page_stays(report, tmp_path):
    first = (report / "index.html").stat().st_ino
    build_report(report)
    assert (report / "index.html").stat().st_ino != first
    executed(tmp_path, "a")
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(ReportError, match="not a report of ours"):
        build_report(tmp_path)
    assert (tmp_path / "index.html").read_text() == "mine"


def test_a_folder_without_notebooks_is_said(tmp_path):
    with pytest.raises(ReportError, match="holds no executed notebook"):
        build_report(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def body(*cells, **options):
    return notebook_body(new_notebook(cells=list(cells), metadata=KERNEL), **options)


def test_what_would_load_from_elsewhere_is_taken_out(tmp_path):
    raw = (
        '<script src="https://x.org/a.js"></script><link rel="stylesheet" href="https://x.org/a.css">'
        '<iframe src="https://x.org"></iframe><img src="https://x.org/a.png" onerror="x()">'
        '<style>@import "https://x.org/a.css";</style><p style="background:url(https://x.org/a.png)" onclick="x()">'
        "kept</p>"
    )
    outputs = [
        new_output("display_data", {"text/html": raw}),
        new_output("display_data", {"application/javascript": "require()", "text/plain": "js"}),
        new_output(
            "display_data", {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "W()"}
        ),
        new_output("display_data", {"text/latex": "$x$", "text/plain": "x"}),
    ]
    text = body(new_markdown_cell(raw), new_code_cell("x", outputs=outputs), source=tmp_path / "a.ipynb")
    assert "x.org" not in text and "onclick" not in text and "require" not in text
    assert text.count("kept") == 2 and "<math" in text


def test_a_page_may_load_nothing(report):
    for path in (report / "index.html", report / "pages/21_xception.html"):
        (policy,) = [f["content"] for t, f in Page(path.read_text()).tags if t == "meta" and "http-equiv" in f]
        assert (
            policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'") and "script" not in policy
        )


def test_a_damaged_figure_and_a_strange_name_are_no_hindrance(tmp_path):
    broken = new_output("display_data", {"image/png": base64.b64encode(b"no image").decode()})
    executed(tmp_path, "50%{x}#1", [new_code_cell("x", outputs=[broken, figure("A good figure.")])])
    build_report(tmp_path)
    links = [unquote(link) for link in Page((tmp_path / "index.html").read_text()).links if link.startswith("pages/")]
    assert links and all((tmp_path / link).is_file() for link in links)


def test_a_picture_beside_the_notebook_is_put_inside(tmp_path):
    (tmp_path / "a.png").write_bytes(b"png")
    text = body(new_markdown_cell("![An a](a.png) ![gone](b.png)"), source=tmp_path / "a.ipynb")
    assert 'alt="An a"' in text and "data:image/png;base64,cG5n" in text and "<span>gone</span>" in text


@pytest.mark.parametrize(
    "tex",
    [
        r"\theta \leftarrow \theta - \epsilon \nabla_\theta J", r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}", r"f(x)=\begin{cases}1 & x>0\\0 & \text{else}\end{cases}",
        r"\operatorname*{arg\,max}_k p_k", r"\hat{y} = \frac{1}{n}\sum_{i=1}^{n} x_i",
    ],
)  # fmt: skip
def test_mathematics_becomes_mathml(tex):
    result = math_to_mathml(tex, display=True)
    assert result.startswith("<math") and 'display="block"' in result and not Page(result).wrong


@pytest.mark.parametrize("tex", [r"\frac{", r"\nosuchcommand x", "a & b"])
def test_tex_that_is_not_understood_stays_readable(tex):
    assert math_to_mathml(tex).startswith('<code class="tex">')


def test_the_title_is_the_first_heading_in_plain_words():
    cell = new_markdown_cell("[![b](x.svg)](y)\n\n# What is `it`, *really*?\n\ntext")
    assert title_of(new_notebook(cells=[cell]), "00_x") == "What is it, really?"
    assert title_of(new_notebook(), "00_x") == "00_x"


def test_the_original_rows_are_those_of_the_report():
    models = original_rows("models")
    assert len(original_rows()) == 18 and len(models) == 7
    best = models[(models["model"] == "Xception") & (models["epochs"] == 30)].iloc[0]
    assert (best["frozen"], best["train"], best["validation"]) == ("[-47]", 100, 81)
    assert original_rows("testing")["test"].tolist() == [83.5, 72.9, 67.2]
    assert original_rows("parameters")["accuracy"].tolist() == [86, 99, 78, 99, 100]
    with pytest.raises(ReportError, match="no table 'pose'"):
        original_rows("pose")


def test_a_folder_of_other_notebooks_is_refused(tmp_path):
    write_notebook(tmp_path / "notebooks/a.ipynb")
    with pytest.raises(ReportError, match="was not made by run_notebooks"):
        build_report(tmp_path)


def test_the_rows_of_one_backbone_are_shown_without_holes():
    rows = original_rows(model="resnet50")
    assert rows.columns.tolist() == ["table", "epochs", "optimizer", "frozen", "train", "validation", "test", "note"]
    assert rows.loc[0, ["validation", "test"]].tolist() == [40, 83]
    assert original_rows(model="InceptionResNetV2")["train"].tolist() == [93, 94, ""]
    assert original_rows(model="VGG19").empty


def test_a_run_stands_beside_the_report_with_both_weights():
    run = {"data": "sample", "validation": 0.5, "test": 0.416}
    table = beside_report("xception", weights="sample", width=1 / 8, **run)
    assert table["the report"].tolist() == ["MPII", "random", "ImageNet", "74 to 81 %", "72.9 to 83.5 %"]
    assert table["this run"].tolist() == ["sample", "by video", "sample, 1/8 of the filters", "50.0%", "41.6%"]
    assert beside_report("ResNet50", weights="none", width=1, **run).loc["weights", "this run"] == "random"
    assert weights_in_words("sample", float("nan")) == "sample" and weights_in_words(None) == "not known"
    assert beside_report("VGG19", weights="imagenet", width=1, **run).loc["test", "the report"] == "none given"


def pose_run(folder, name, total, **more):
    scores = {
        "metric": "PCKh", "threshold": 0.5, "total": total, "total_low": total - 0.05, "total_high": total + 0.05,
        "mean": total - 0.01, "pooled_all": total + 0.02, "head": 0.9, "wrist": 0.6, "people": 120, "joints": 1500,
    }  # fmt: skip
    record = {
        "status": "evaluated", "history": {}, "hyperparameters": {"data": "sample"},
        "model": {"backbone": "hourglass", "weights": "sample", "stacks": 2, "channels": 48},
        "scores": {"test": scores, "mean_pose": {"total": 0.21}},
    }  # fmt: skip
    write_record(folder / "runs" / name, record | more)


def test_poses_have_a_section_beside_published_scores_that_are_marked_as_other_data(tmp_path):
    shown = new_code_cell("x", metadata={"tags": ["report"]}, outputs=[figure("The worst persons.")])
    executed(tmp_path, "00_start_here")
    executed(tmp_path, "32_pose_evaluation", [shown])
    pose_run(tmp_path, "hourglass-evaluated", 0.83)
    training(tmp_path, "Xception", 0.7)
    text = build_report(tmp_path).read_text("utf-8")
    check_page(tmp_path / "index.html")
    words = Page(text).words.replace("\u202f", " ")
    section = words.partition("Where are the joints?")[2].partition("The notebooks")[0]
    assert "2 stacks of 48 channels, weights sample 120 persons of the drawn sample 90 % – – 60 % – – – 83 %" in section
    assert "Published, on other data: MPII's 2,958 validation persons" in section
    assert "96.4 % 95.3 % 89 % 83.2 % 88.4 % 84 % 79.6 % 88.5 %" in section and "85.09 %" in section
    assert "were not measured on the same data" in section
    assert "hourglass-evaluated trained before 83 % (78 to 88) 82 % 85 % 21 %" in section
    assert text.count('alt="The worst persons."') == 1


def test_pose_networks_stay_out_of_the_tables_of_classifiers(tmp_path):
    executed(tmp_path, "00_start_here")
    pose_run(tmp_path, "hourglass", 0.83, status="complete", history={"epoch": [1], "loss": [2.0]})
    words = Page(build_report(tmp_path).read_text("utf-8")).words
    assert "Trainings 0 none in this run" in words and "Every training of this run" not in words
    assert "hourglass" not in words.partition("Category of an image")[2].partition("in the test contradict")[0]


def test_a_report_of_poses_alone_shows_each_figure_once(tmp_path):
    cells = [
        new_code_cell(alt, metadata={"tags": ["report"]}, outputs=[figure(alt)]) for alt in ("Curves here.", "Worst.")
    ]
    executed(tmp_path, "32_pose_evaluation", cells)
    text = build_report(tmp_path).read_text("utf-8")
    assert text.count('alt="Curves here."') == text.count('alt="Worst."') == 1


def test_without_poses_there_is_no_pose_section(report):
    assert "Where are the joints?" not in Page((report / "index.html").read_text()).words
