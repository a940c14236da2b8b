"""What does a terminal show of a report?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.table import Table as Grid
from rich.text import Text

from live._report_cells import Cell, Facts, Section, Table
from live._report_sections import attention, details, figures, headline, title
from live._show import Bar, mode_badge, state_badge, table

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from live._report_numbers import Report

STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "": ""}
BAR = 12


def show(console: Console, report: Report, path: str) -> None:
    """Print a report; path: where its page is."""
    about = report.about
    line = Text.assemble(mode_badge(about["mode"]), " ", (clean(about["venue"]), "bold"), "  ")
    if report.state is not None:
        line.append_text(state_badge(report.state))
    console.print(line)
    console.print(Text(title(report), style="bold"))
    console.print(Text(headline(report)))
    for cell in attention(report):
        console.print(Text(f"! {clean(cell.text)}", style=STYLES[cell.tone]))
    console.print()
    top = figures(report)
    if top:
        console.print(Columns([_facts(each) for each in top], padding=(0, 3)))
        for line in _unknown(top):
            console.print(line)
        console.print()
    for section in details(report):
        console.print(_section(section))
        if section.note:
            console.print(Text(clean(section.note), style="dim"))
        console.print()
    console.print(Text.assemble(("Page  ", "bold"), path), soft_wrap=True)


def _section(section: Section) -> RenderableType:
    return _facts(section) if isinstance(section, Facts) else _table(section)


def _facts(facts: Facts) -> Grid:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.title, grid.title_justify, grid.title_style = facts.title, "left", "bold"
    for name, cell in facts.rows:
        grid.add_row(Text(name, style="dim"), _cell(cell))
    return grid


def _unknown(found: Sequence[Facts]) -> Iterator[Text]:
    """Why figures are n/a: a line a reason."""
    names: dict[str, list[str]] = {}
    for facts in found:
        for name, cell in facts.rows:
            if cell.hint:
                names.setdefault(cell.hint, []).append(name)
    for why, of in names.items():
        yield Text(f"{', '.join(of)}: n/a, {clean(why)}", style="dim")


def _table(found: Table) -> Grid:
    right = tuple(name for place, name in enumerate(found.columns) if place in found.right)
    made = table(*found.columns, right=right, title=found.title)
    for place, column in enumerate(made.columns):
        column.overflow = "fold"
        column.no_wrap = bool(found.wide) and place not in found.wide
    for row in found.rows:
        made.add_row(*(_cell(cell) for cell in row))
    return made


def _cell(cell: Cell) -> RenderableType:
    if cell.bar is not None:
        return Bar(cell.bar, BAR)
    return Text(clean(cell.text), style=STYLES[cell.tone])


def clean(text: str) -> str:
    """Text from the journal without what a terminal or a browser would act on: control and direction characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in " ".join(text.split()))
