"""Writes small notebooks for the tests of `mpii_course.report`, and reads pages as strictly as a browser does not."""

from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
DATA = "sample"  # sample, mpii or coco
EPOCHS = 3  # passes over the data: more = longer
RATE = 0.1  # learning rate
SHUFFLE = True  # mix the order
SIZES = [32, 64]  # widths
NAMES = ("a", "b")
OPTIONS = {"a": 1}
LIMIT = None  # no limit
RUNS = ""  # folder of the run records
"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
FIGURE = """\
import matplotlib.pyplot as plt
from mpii_lib.plots import show
figure, axes = plt.subplots(figsize=(2, 1))
show(figure, alt="An empty pair of axes.")"""


def write_notebook(path: Path, *cells, parameters=PARAMETERS, title="What is this?") -> Path:
    """A notebook with a title, a `parameters` cell and `cells`: a cell, code, or a pair (id, code)."""
    parts = [new_markdown_cell(f"# {title}", id="title")]
    if parameters is not None:
        parts.append(new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}))
    for number, cell in enumerate(cells):
        name, text = cell if isinstance(cell, tuple) else (f"cell-{number}", cell)
        parts.append(new_code_cell(text, id=name) if isinstance(text, str) else text)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=parts, metadata=KERNEL), path)
    return path


class Page(HTMLParser):
    """What a page holds: ids, headings, images, addresses that a browser would load; and tags left open."""

    VOID = {"meta", "link", "img", "br", "hr", "input", "col", "wbr", "area"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.headings, self.images, self.loads, self.links, self.text = [], [], [], [], [], []
        self.tags, self.open, self.wrong, self.cells = [], [], [], []
        self.feed(text)
        self.wrong += [f"<{tag}> is never closed" for tag in self.open if tag != "p"]

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(found)
        if tag == "th":
            self.cells.append(found)
        if tag == "a":
            self.links.append(found.get("href"))
        elif tag != "a":
            self.loads += [found[name] for name in ("src", "href", "data", "poster", "srcset") if found.get(name)]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def check_page(path: Path) -> Page:
    """Everything that holds for each of our pages."""
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.wrong, page.wrong
    assert text.startswith("<!doctype html>")
    assert ("html", {"lang": "en"}) in page.tags
    assert any(tag == "meta" and found.get("name") == "viewport" for tag, found in page.tags)
    assert len(page.ids) == len(set(page.ids)), "ids repeat"
    assert page.headings.count(1) == 1 and page.headings[0] == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps), f"headings skip a level: {page.headings}"
    assert all(image.get("alt", "").strip() for image in page.images), "an image without alternative text"
    assert all(address.startswith("data:") for address in page.loads), [a[:80] for a in page.loads]
    assert not any(tag in ("script", "iframe") for tag, _ in page.tags)
    assert "@import" not in text and "url(http" not in text
    assert all(found.get("scope") for found in page.cells), "a header cell without scope"
    local = [link for link in page.links if link and not link.startswith(("#", "http", "mailto:"))]
    assert all((path.parent / link.partition("#")[0]).exists() for link in local), local
    assert all(link[1:] in page.ids for link in page.links if link and link.startswith("#"))
    return page
