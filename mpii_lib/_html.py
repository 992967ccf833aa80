"""How results show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def html_table(rows: Mapping[str, str], caption: str = "") -> str:
    """Write a table of names and values in HTML."""
    left = 'style="text-align:left"'
    cells = "".join(
        f'<tr><th scope="row" {left}>{escape(name)}</th><td {left}>{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    head = f"<caption {left}>{escape(caption)}</caption>" if caption else ""
    return f"<table>{head}<tbody>{cells}</tbody></table>"


class Summary:
    """A result that shows itself, as text and as a table: `_summary` gives its names and values."""

    def _summary(self) -> dict[str, str]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self._summary().items())

    def _repr_html_(self) -> str:
        return html_table(self._summary())
