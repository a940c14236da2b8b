"""How are words, tables and charts written as HTML?

Whatever comes from a run (reasons, names, configs) goes through `escaped` once.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runs.page.series import Chart


@dataclass
class Charts:
    """The charts of a page by the id of their place; rule: an id is given out once."""

    specs: dict[str, Chart] = field(default_factory=dict)

    def place(self, name: str, chart: Chart | None) -> str:
        """The place where a chart is drawn when the page opens; nothing without one."""
        if chart is None:
            return ""
        self.specs[name] = chart
        height = chart["layout"].get("height", 300)
        return f'<div class="chart" id="chart-{name}" style="min-height:{height}px"></div>'


def escaped(text: object) -> str:
    """Text as HTML shows it as it is between tags, line breaks kept."""
    return html.escape(str(text), quote=False).replace("\n", "<br>")


def section(name: str, title: str, *parts: str) -> str:
    """A part of the page that a link can lead to."""
    return f'<section id="{name}"><h2>{escaped(title)}</h2>{"".join(parts)}</section>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, words: Sequence[int] = (0,), kind: str = ""
) -> str:
    """A table of plain text; columns hold numbers but for those in `words` (their places)."""
    cells = [[escaped(cell) for cell in row] for row in rows]
    top = "".join(f"<th{_style(place, words)}>{escaped(name)}</th>" for place, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{_style(place, words)}>{cell}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in cells
    )
    shown = f"<thead><tr>{top}</tr></thead>" if any(head) else ""
    return f'<div class="wide"><table class="{kind}">{shown}<tbody>{body}</tbody></table></div>'


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what they are, beside each other."""
    return table(("", ""), rows, words=(0,), kind="pairs")


def lines(sentences: Iterable[str]) -> str:
    """A sentence a line."""
    return "<ul>" + "".join(f"<li>{escaped(each)}</li>" for each in sentences) + "</ul>"


def paragraph(text: str, kind: str = "") -> str:
    """One paragraph; kind: `note`, `bad` or nothing."""
    return f'<p class="{kind}">{escaped(text)}</p>'


def folded(title: str, inside: str) -> str:
    """Something that is opened with a click."""
    return f"<details><summary>{escaped(title)}</summary>{inside}</details>"


def tiles(rows: Iterable[tuple[str, str, str]]) -> str:
    """Large figures: (name, figure, what is to be said of it)."""
    return (
        '<div class="tiles">'
        + "".join(
            f"<div><span>{escaped(name)}</span><b>{escaped(figure)}</b><small>{escaped(more)}</small></div>"
            for name, figure, more in rows
        )
        + "</div>"
    )


def _style(place: int, words: Sequence[int]) -> str:
    return ' class="w"' if place in words else ""
