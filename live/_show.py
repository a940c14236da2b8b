"""How do the verbs show what they found: on a terminal, in a pipe, without colours, in a narrow window?

Nothing is told by colour alone: every colour stands beside a word or a bar that says the same.
"""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from live._amounts import NONE, money_text, percent_text, price_text, quantity_text

PIPE_WIDTH = 120
WIDE = 110
"""Columns from which tables have room for more."""
MODE_STYLES = {"live": "bold white on red", "paper": "bold black on yellow", "sandbox": "bold black on cyan"}
MODE_WORDS = {"live": "LIVE: REAL MONEY", "paper": "PAPER", "sandbox": "SANDBOX", "rehearsal": "REHEARSAL"}
STATE_STYLES = {"ACTIVE": "bold green", "REDUCING": "bold yellow", "HALTED": "bold white on red"}
NEAR, REACHED, VISIBLE = 0.8, 1.0, 0.005


def console() -> Console:
    """Standard output: colours only on a terminal, and a pipe gets lines that are not cut at 80.

    What the terminal's encoding does not have is shown as a question mark, never as an error.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stdout.isatty():
        return Console(highlight=False)
    width = os.environ.get("COLUMNS", "")
    return Console(highlight=False, width=int(width) if width.isdigit() else PIPE_WIDTH)


def print_json(document: Any) -> None:
    """Print one JSON document and nothing else."""
    sys.stdout.write(f"{json.dumps(document)}\n")


# -- words -------------------------------------------------------------------------------------------------------------


def money(value: str | None, currency: str, *, signed: bool = False) -> str:
    """An amount of the document as `1,234.50 USD`; a dash while it is not known."""
    if value is None:
        return NONE
    return f"{money_text(Decimal(value), currency, signed=signed)} {currency}"


def number(value: str | None) -> str:
    """A price of the document."""
    return price_text(None if value is None else Decimal(value))


def quantity(value: str | None) -> str:
    """A quantity of the document, with all its digits."""
    return quantity_text(None if value is None else Decimal(value))


def percent(value: float | None, *, signed: bool = False) -> str:
    """A fraction of the document as `1.23%`; what rounds to nothing has no sign."""
    if value is None:
        return NONE
    if round(value, 4) == 0:
        return percent_text(0.0)
    return percent_text(value, signed=signed)


def age(secs: float | None) -> str:
    """How long ago, as a person says it: `0.4 s`, `12 s`, `3m 20s`, `2h 5m`, `3d 4h`."""
    if secs is None:
        return NONE
    if secs < 10:  # noqa: PLR2004 - a tenth of a second matters there
        return f"{secs:.1f} s"
    whole = int(secs)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3_600
    if hours == 0:
        return f"{minutes}m {whole % 60}s"
    if hours < 24:  # noqa: PLR2004 - hours of a day
        return f"{hours}h {minutes % 60}m"
    return f"{hours // 24}d {hours % 24}h"


def when(stamp: str | None, *, with_day: bool = True) -> str:
    """An ISO stamp as `2024-01-11 14:30:00`, in UTC."""
    if stamp is None:
        return NONE
    found = datetime.fromisoformat(stamp).astimezone(UTC)
    return f"{found:%Y-%m-%d %H:%M:%S}" if with_day else f"{found:%H:%M:%S}"


def mode_badge(mode: str) -> Text:
    """The mode, as loud as the money in it."""
    return Text(f" {MODE_WORDS.get(mode, mode.upper())} ", style=MODE_STYLES.get(mode, "bold reverse"))


def state_badge(state: str) -> Text:
    """ACTIVE, REDUCING or HALTED."""
    return Text(f" {state} " if state == "HALTED" else state, style=STATE_STYLES.get(state, "bold"))


def gain(value: str | None, text: str) -> Text:
    """A text about an amount, green above zero and red below; the sign is in the text."""
    amount = Decimal(0) if value is None else Decimal(value)
    return Text(text, style="green" if amount > 0 else "red" if amount < 0 else "")


def limit_value(row: dict[str, Any], value: Any, *, signed: bool = False) -> str:
    """A value of a limit's row, in its unit."""
    unit = row["unit"]
    if value is None:
        return NONE
    if isinstance(value, str):
        return money(value, unit, signed=signed)
    if unit == "times equity":
        return f"{value:,.2f}x"
    if unit in ("of equity", "of trades"):
        return percent_text(value)
    if unit == "seconds":
        return age(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


# -- bars --------------------------------------------------------------------------------------------------------------


class Bar:
    """How much of a limit is used up, as a bar and a percentage. Only characters of the terminal's own encoding."""

    def __init__(self, used: float | None, width: int = 16) -> None:
        """`used`: a fraction, 1 and more is all of it; None is not known."""
        self.used = used
        self.width = width

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """One line."""
        full, empty = ("#", ".") if options.ascii_only else ("■", "·")
        if self.used is None:
            yield Segment(f"{'?' * self.width}    -")
            return
        filled = min(self.width, max(0, round(self.used * self.width)))
        if self.used >= VISIBLE and not filled:
            filled = 1
        style = Style.parse(
            "bold red" if self.used >= REACHED else "yellow" if self.used >= NEAR else "green"
        )
        yield Segment(full * filled, style)
        yield Segment(empty * (self.width - filled), Style.parse("dim"))
        percentage = f"{min(self.used, 9.99):.0%}"
        yield Segment(f" {percentage:>4}", style if self.used >= NEAR else None)

    def __rich_measure__(self, _console: Console, _options: ConsoleOptions) -> Measurement:
        """Its width never changes."""
        return Measurement(self.width + 5, self.width + 5)


# -- tables ------------------------------------------------------------------------------------------------------------


def table(*columns: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """A table with these columns; those in `right` hold numbers."""
    made = Table(
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(name, justify=justify, no_wrap=name in right, overflow="fold")  # nothing is cut off
    return made
