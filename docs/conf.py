"""Sphinx configuration: builds offline, runs no notebook, and leaves no remote asset in the pages."""

import re
import shutil
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PROJECT = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]

project = "mpii-notebooks"
author = "The mpii-notebooks authors"
version = release = PROJECT["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx-mathjax-offline"]
exclude_patterns = ["_build"]
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_theme_options = {"repository_url": PROJECT["urls"]["Repository"], "use_repository_button": True}

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "literal"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_use_ivar = True
# A notebook's links to its neighbours are files here as there; the shared `$x$` in titles is no cross-reference.
suppress_warnings = ["mystnb.unknown_mime_type", "misc.highlighting_failure"]

BADGE = re.compile(r"\[!\[([^\]]+)\]\(https://colab[^)]*\.svg\)\]")


def copy_notebooks() -> None:
    """Put the notebooks beside the guides, so that their links to these hold; a badge's remote image becomes a link."""
    target = DOCS / "notebooks"
    shutil.rmtree(target, ignore_errors=True)
    for path in (DOCS.parent / "notebooks").rglob("*.ipynb"):
        if ".ipynb_checkpoints" in path.parts:
            continue
        copy = target / path.relative_to(DOCS.parent / "notebooks")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(BADGE.sub(r"[\1]", path.read_text()).replace("../docs/", "../"))


copy_notebooks()
