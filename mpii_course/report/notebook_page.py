"""An executed notebook as one HTML page that needs no network: mathematics as MathML, no script at all.

nbconvert's own pages fetch require.js, MathJax and mermaid, so only its cell markup is used; of this, `safe` leaves
what is allowed, and `offline` mends what a reader with a screen reader or a phone would stumble on.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import functools
import html
import io
import logging
import mimetypes
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

NO_ALT = "A figure without a description"
_REMOTE = re.compile(r"^\s*(https?:)?//", re.I)
#: What of these stands between their tags is no text either.
_SILENT = ["script", "style", "template", "noscript", "iframe", "object", "textarea", "select", "noembed", "noframes"]


@dataclass(frozen=True)
class Figure:
    """An image among a notebook's outputs: a data address, its alternative text, its size in pixels."""

    source: str
    alt: str
    size: tuple[int, int]


def _operator(found: re.Match[str]) -> str:
    """The name of an operator without star and thin spaces, which the converter does not know there."""
    return "\\operatorname{" + re.sub(r"\\[,;: ]", "", found[1]) + "}"


def math_to_mathml(tex: str, display: bool = False) -> str:
    """Turn TeX into MathML, which browsers show without any script; TeX that is not understood stays as it is."""
    from latex2mathml.converter import convert

    known = re.sub(r"\\(begin|end)\{(aligned|split|equation\*?|gather\*?)\}", r"\\\1{align*}", tex.strip())
    known = re.sub(r"\\(tag|label)\{[^}]*\}", "", known)
    known = re.sub(r"\\operatorname\*?\{([^}]*)\}", _operator, known)
    try:
        result = convert(known, display="block" if display else "inline")
    except Exception:  # the converter raises many kinds for TeX that it cannot read
        result = ""
    if not result or re.search(r"<m[io]>(\\|&</)", result):
        return f'<code class="tex">{html.escape(tex.strip())}</code>'
    return result


def title_of(notebook: Any, name: str) -> str:
    """The notebook's first heading in plain words, else its file name."""
    for cell in notebook.cells:
        found = re.search(r"^#\s+(.+?)\s*#*$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if found:
            return re.sub(r"[*_`]|!?\[|\]\([^)]*\)", "", found[1]).strip()
    return name


def figures_of(notebook: Any, most: int = 2) -> list[Figure]:
    """The figures of cells tagged `report`; where no cell has the tag, the first ones, `most` at most."""
    tagged = [c for c in notebook.cells if "report" in c.metadata.get("tags", [])]
    found = []
    for cell in tagged or notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get("image/png")
            if data:
                alt = output.metadata.get("image/png", {}).get("alt") or cell.metadata.get("alt") or NO_ALT
                with contextlib.suppress(Exception):  # Pillow raises many kinds for what is no image
                    found.append(_small(base64.b64decode(data), alt))
    return found if tagged else found[:most]


def _small(png: bytes, alt: str, width: int = 960) -> Figure:
    """A figure no wider than `width` pixels, as WebP: a fifth of the bytes. The notebook's own page has it in full."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        colours = image.convert("RGBA" if image.mode in ("P", "LA", "RGBA") else "RGB")
        colours.thumbnail((width, 4 * width))
        buffer = io.BytesIO()
        colours.save(buffer, "WEBP", quality=85)
    return Figure(f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}", alt, colours.size)


def notebook_body(notebook: Any, source: Path, pages: Collection[str] = ()) -> str:
    """Return an executed notebook's cells as HTML without script or remote asset.

    Parameters
    ----------
    notebook
        The notebook (nbformat 4).
    source
        Where it came from: images with a relative address are looked up beside it and put inside.
    pages
        Names of notebooks that have a page in the same folder, so that links between them work.
    """
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from traitlets.config import Config

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return math_to_mathml(body)

        def block_math(self, body: str) -> str:
            return math_to_mathml(body, display=True)

        def latex_environment(self, name: str, body: str) -> str:
            return math_to_mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)

    class Exporter(HTMLExporter):
        def default_filters(self) -> Any:
            yield from super().default_filters()
            yield "markdown2html", _markdown

    def _markdown(text: str) -> str:
        return str(MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(text))

    order = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]
    config = Config(NbConvertBase={"display_data_priority": order})
    exporter = Exporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True, config=config)
    exporter.log.setLevel(logging.ERROR)
    body, _ = exporter.from_notebook_node(_static(notebook))
    return offline(body, source, pages)


def _static(notebook: Any) -> Any:
    """A copy whose outputs hold only what a page can show."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for name, files in (cell.get("attachments") or {}).items():
            for kind, data in files.items():
                cell.source = cell.source.replace(f"attachment:{name}", f"data:{kind};base64,{''.join(data)}")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            tex = data.pop("text/latex", None)
            if tex and "text/html" not in data:
                data["text/html"] = math_to_mathml("".join(tex).strip().strip("$"), display=True)
    return notebook


def offline(fragment: str, source: Path, pages: Collection[str] = ()) -> str:
    """Return HTML that loads nothing from elsewhere: allowed tags only, images inside or replaced by their text."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(safe(fragment), "html.parser")
    for image in soup.find_all("img"):
        _image(soup, image, source.parent)
    _tables(soup)
    _headings(soup)
    _unique_ids(soup)
    anchors = {_plain(str(tag["id"])): str(tag["id"]) for tag in reversed(soup.find_all(id=True))}
    for link in soup.find_all("a"):
        _link(link, pages, anchors)
    for block in soup.find_all("pre"):
        block["tabindex"] = "0"
    return str(soup)


def safe(fragment: str) -> str:
    """Return HTML of which only the allowed tags, attributes and styles are left, and no comment."""
    from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, ALLOWED_SVG_PROPERTIES, CSSSanitizer
    from bleach.sanitizer import Cleaner
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(fragment, "html.parser")
    for tag in soup.find_all(_SILENT):
        tag.decompose()
    styles = CSSSanitizer([*ALLOWED_CSS_PROPERTIES, *ALLOWED_SVG_PROPERTIES, *_names("style")])
    protocols = ["http", "https", "mailto", "data"]
    cleaner = Cleaner(_names("tag"), _allowed, protocols, strip=True, css_sanitizer=styles)
    return str(cleaner.clean(str(soup)))


@functools.cache
def _names(kind: Literal["tag", "attribute", "style"]) -> frozenset[str]:
    """What a page may hold: HTML, MathML and SVG that show something, and nothing that runs, loads or asks."""
    lines = Path(__file__).with_name("allowed.csv").read_text(encoding="utf-8").split()
    return frozenset(line.partition(",")[2] for line in lines if line.startswith(f"{kind},"))


def _allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether a tag may have this attribute; where it leads, `_image` and `_link` look at."""
    if name == "src":
        return tag == "img"
    if name == "href":  # that of SVG, xlink:href, too
        return tag in ("a", "use") or (tag == "image" and value.startswith("data:image/"))
    if name == "style":
        return not re.search(r"url|image|\\", value, re.I)
    return name in _names("attribute") or name.startswith("aria-")


def _image(soup: Any, image: Any, folder: Path) -> None:
    address = image.get("src") or ""
    image["alt"] = image.get("alt") or NO_ALT
    if address.startswith("data:image/"):
        return
    file = folder / address
    kind = mimetypes.guess_type(address)[0]
    if not _REMOTE.match(address) and kind and kind.startswith("image/") and os.path.isfile(file):
        image["src"] = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
        return
    text = soup.new_tag("span")
    text.string = image["alt"]
    image.replace_with(text)


def _plain(anchor: str) -> str:
    """An anchor without what Jupyter, Colab and GitHub write differently."""
    return re.sub(r"[\W_]+", "-", anchor.lower()).strip("-")


def _link(link: Any, pages: Collection[str], anchors: Mapping[str, str]) -> None:
    address = link.get("href") or ""
    target, _, fragment = address.partition("#")
    if address.startswith("mailto:") or _REMOTE.match(address):
        return
    if not target and _plain(fragment) in anchors:
        link["href"] = "#" + anchors[_plain(fragment)]
    elif target.removesuffix(".ipynb") in pages:
        link["href"] = target.removesuffix(".ipynb") + ".html" + (f"#{fragment}" if fragment else "")
    else:  # a file of the repository, which does not travel with the report
        link.name = "span"
        link.attrs = {}


def _tables(soup: Any) -> None:
    for table in soup.find_all("table"):
        for head in table.find_all("th"):
            head["scope"] = head.get("scope") or ("col" if head.find_parent("thead") else "row")
        caption = table.find("caption")
        label = caption.get_text(" ", strip=True) if caption else "Table"
        table.wrap(
            soup.new_tag("div", attrs={"class": "scroll", "role": "group", "tabindex": "0", "aria-label": label})
        )


def _headings(soup: Any) -> None:
    """The page has its own h1: the notebook's first goes, and no level is skipped."""
    level = 1
    for number, heading in enumerate(soup.find_all(re.compile(r"^h[1-6]$"))):
        if number == 0 and heading.name == "h1":
            heading.decompose()
            continue
        level = min(max(int(heading.name[1]), 2), level + 1)
        heading.name = f"h{level}"
        heading["id"] = re.sub(r"\s+", "-", heading.get_text().strip()) or f"section-{number}"


def _unique_ids(soup: Any) -> None:
    seen = {"main"}  # taken by the page itself
    for tag in soup.find_all(id=True):
        wanted, number = re.sub(r"\s+", "-", tag["id"]), 1
        name = wanted
        while name in seen:
            number += 1
            name = f"{wanted}-{number}"
        seen.add(name)
        tag["id"] = name
