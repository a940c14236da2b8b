"""How does a list of rows fit the width of a terminal?"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2  # blanks between two columns, one of them the line of the box
PROSE = 24  # characters that a column of sentences needs at least
PIPED_WIDTH = 160  # where nobody says how wide a file is
GOOD, BAD = "green", "red"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `rank` above 0 may be left out where it is narrow, the highest first; `prose` may wrap.

    tone: +1 good, -1 bad, 0 neither; colours only repeat what the text says.
    """

    title: str
    text: Callable[[Row], str]
    right: bool = False
    rank: int = 0
    prose: bool = False
    tone: Callable[[Row], int] | None = None


def console() -> Console:
    """Standard output; as wide as the terminal, as COLUMNS says, or wide."""
    found = Console(highlight=False)
    if found.is_terminal or "COLUMNS" in os.environ:
        return found
    return Console(highlight=False, width=PIPED_WIDTH)


def fitted(columns: Sequence[Column], rows: Sequence[Row], width: int) -> tuple[Table, list[str]]:
    """A table of at most this width, and the titles of the columns that were left out of it."""
    texts = [[column.text(row) for row in rows] for column in columns]
    wide = [_width(column, own) for column, own in zip(columns, texts, strict=True)]
    kept = list(range(len(columns)))
    while sum(wide[at] + GAP for at in kept) - GAP > width:
        may_go = [at for at in kept if columns[at].rank]
        if not may_go:
            break
        kept.remove(max(may_go, key=lambda at: columns[at].rank))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), show_edge=False)
    for at in kept:
        column = columns[at]
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.prose,
            overflow="fold" if column.prose else "ellipsis",
        )
    for place, row in enumerate(rows):
        table.add_row(*(Text(texts[at][place], style=_style(columns[at], row)) for at in kept))
    return table, [column.title for at, column in enumerate(columns) if at not in kept]


def _width(column: Column, texts: Sequence[str]) -> int:
    longest = max([cell_len(column.title), *map(cell_len, texts)])
    return max(cell_len(column.title), min(longest, PROSE)) if column.prose else longest


def _style(column: Column, row: Row) -> str:
    tone = 0 if column.tone is None else column.tone(row)
    return {1: GOOD, -1: BAD}.get(tone, "")
