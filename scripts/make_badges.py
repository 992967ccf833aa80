"""Write the repository's address, from pyproject.toml, into every badge and install line (`make badges`).

With `--check` nothing is written; the exit status says whether something is out of step.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWNER_AND_NAME = r"[\w.-]+/[\w.-]+?"
COLAB = re.compile(rf"https://colab\.research\.google\.com/github/{OWNER_AND_NAME}/blob/main/")
INSTALL = re.compile(rf"git\+https://github\.com/{OWNER_AND_NAME}@v[\w.]+")


def address() -> tuple[str, str]:
    """(owner/name, version) as pyproject.toml gives them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/"), project["version"]


def rewritten(text: str) -> str:
    """The text with every Colab link and install line at the project's address and version."""
    repository, version = address()
    text = COLAB.sub(f"https://colab.research.google.com/github/{repository}/blob/main/", text)
    return INSTALL.sub(f"git+https://github.com/{repository}@v{version}", text)


def rewritten_notebook(text: str) -> str:
    """The same for a notebook's sources; its outputs stay as they are."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        source = cell["source"]
        cell["source"] = [rewritten(line) for line in source] if isinstance(source, list) else rewritten(source)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def files() -> list[Path]:
    """Everything that can hold a badge or an install line."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    return [p for p in [*pages, *(ROOT / "notebooks").rglob("*.ipynb")] if "_build" not in p.parts]


def main(arguments: list[str]) -> int:
    """Rewrite, or with --check only say what is out of step."""
    stale = []
    for path in files():
        text = path.read_text()
        new = rewritten_notebook(text) if path.suffix == ".ipynb" else rewritten(text)
        same = json.loads(new) == json.loads(text) if path.suffix == ".ipynb" else new == text
        if not same:
            stale.append(path.relative_to(ROOT))
            if "--check" not in arguments:
                path.write_text(new)
    print(
        "\n".join(f"out of step: {path}" for path in stale) or "all badges and install lines agree with pyproject.toml"
    )
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
