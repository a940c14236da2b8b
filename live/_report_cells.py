"""How is a value of a report shown, on a terminal and on a page alike?

A cell that says n/a tells why in its hint. Nothing is told by colour alone: a tone stands beside a sign or a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from live._amounts import held_text, money_text, percent_text, price_text, quantity_text
from runs.times import short
from runs.wording import UNDEFINED

type Tone = Literal["", "good", "bad", "warn", "dim"]
MOST = 25
"""Lines of a table; `live history` lists them all."""
NANOS = 1_000_000_000
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is shown. hint: why it is not known; bar: a share to draw, 1 is full."""

    text: str
    tone: Tone = ""
    hint: str = ""
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values."""

    title: str
    rows: Sequence[tuple[str, Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns. right: columns that hold numbers; wide: those that hold sentences."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[int] = frozenset()
    wide: frozenset[int] = frozenset()
    note: str = ""


type Section = Facts | Table


class Cells:
    """Makes cells of one report. `why` names the number in its reasons, or is the reason itself."""

    def __init__(self, currency: str, zone: str, reasons: Mapping[str, str]) -> None:
        """Amounts are in `currency`, times in `zone`."""
        self._currency = currency
        self._zone = zone
        self._reasons = reasons

    def unknown(self, why: str) -> Cell:
        """n/a."""
        return Cell(UNDEFINED, "dim", self._reasons.get(why, why))

    def money(self, amount: Decimal | None, why: str = "", *, signed: bool = False) -> Cell:
        """An amount, with its sign and a tone where that matters."""
        if amount is None:
            return self.unknown(why)
        tone: Tone = "" if not signed or not amount else "good" if amount > 0 else "bad"
        return Cell(money_text(amount, self._currency, signed=signed), tone)

    def percent(self, part: float | None, why: str = "", *, signed: bool = False) -> Cell:
        """A fraction."""
        if part is None:
            return self.unknown(why)
        is_zero = round(part, 4) == 0
        tone: Tone = "" if not signed or is_zero else "good" if part > 0 else "bad"
        return Cell(percent_text(0.0 if is_zero else part, signed=signed and not is_zero), tone)

    def ratio(self, number: float | None, why: str = "", unit: str = "") -> Cell:
        """A pure number."""
        return self.unknown(why) if number is None else Cell(f"{number:,.2f}{unit}")

    def cost(self, amount: Decimal | None, why: str) -> Cell:
        """What something cost; below zero it is a gain."""
        if amount is None:
            return self.unknown(why)
        return Cell(money_text(amount, self._currency, signed=True), "good" if amount < 0 else "")

    def basis_points(self, number: float | None, why: str) -> Cell:
        """A cost in basis points."""
        if number is None:
            return self.unknown(why)
        shown = round(number, 1) + 0.0  # never -0.0
        return Cell(f"{shown:+,.1f}" if shown else "0.0", "good" if shown < 0 else "")

    def secs(self, secs: float | None, why: str = "") -> Cell:
        """How long something took."""
        if secs is None:
            return self.unknown(why)
        if secs < 1:
            return Cell(f"{secs * 1000:,.0f} ms")
        return Cell(f"{secs:,.1f} s" if secs < MINUTE else held_text(int(secs * NANOS)))

    def when(self, ts: int | None, missing: str = "") -> Cell:
        """A moment (UTC ns)."""
        return Cell(missing if ts is None else short(ts, self._zone), "dim")

    def price(self, price: Decimal | None, why: str = "") -> Cell:
        """A price."""
        return self.unknown(why) if price is None else Cell(price_text(price))

    def quantity(self, quantity: Decimal) -> Cell:
        """A quantity, with all its digits."""
        return Cell(quantity_text(quantity))


def many(count: int, what: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def more(count: int, what: str) -> str:
    """What a table says that shows only the newest."""
    if count <= MOST:
        return ""
    return f"The newest {MOST} of {count:,}; python -m live history what={what} lists all."
