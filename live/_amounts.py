"""How are amounts, prices and times written, for people and for scripts?

For scripts exactly: amounts as text, ratios as numbers, times in ISO 8601. For people rounded to what can be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache
from typing import Any

from journal.tables import plain
from runs.times import iso

NONE = "-"
NANOS = 1_000_000_000
STAMPS = {
    "ts": "time",
    "at": "written_at",
    "opened_ns": "opened_at",
    "closed_ns": "closed_at",
    "until_ns": "until",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "sent_ns": "sent_at",
}
"""Column of UTC nanoseconds -> what scripts know it as."""
RATIOS = frozenset({"pnl_pct", "leverage", "drawdown"})
DOCUMENTS = frozenset({"args", "answer", "numbers", "strategies"})
PRICE_DIGITS, SMALL_PRICE_DIGITS = 4, 8
EXACT_DIGITS = 80


def row_for_scripts(row: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """All of a journal's row as JSON knows it; `zone` is the one of its times."""
    return {STAMPS.get(key, key): _for_scripts(key, value, zone) for key, value in row.items()}


def _for_scripts(key: str, value: Any, zone: str) -> Any:
    if value is None:
        return None
    if key in STAMPS:
        return iso(value, zone)
    if isinstance(value, Decimal):
        return float(value) if key in RATIOS else plain(value)
    return json.loads(value) if key in DOCUMENTS else value


def rounded(amount: Decimal, digits: int) -> Decimal:
    """An amount with so many decimals, exactly in between to the even one; never -0."""
    with localcontext(prec=EXACT_DIGITS):
        found = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    return found or abs(found)


@cache
def money_digits(currency: str) -> int:
    """Decimals that amounts of a currency are shown with."""
    from nautilus_trader.model import Currency  # noqa: PLC0415 - a quarter of a second: only where money is shown

    try:
        return int(Currency.from_str(currency).precision)
    except ValueError:
        return 2


def money_text(amount: Decimal | None, currency: str, *, signed: bool = False) -> str:
    """Write 1234.5 as `1,234.50`, with a plus where asked for."""
    if amount is None:
        return NONE
    shown = rounded(amount, money_digits(currency))
    return f"{shown:+,f}" if signed and shown else f"{shown:,f}"


def price_text(price: Decimal | None) -> str:
    """Write a price with the decimals it has: at most 4, below 1 at most 8."""
    if price is None:
        return NONE
    digits = PRICE_DIGITS if abs(price) >= 1 else SMALL_PRICE_DIGITS
    whole, point, rest = plain(rounded(price, digits)).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole != "-0" else f"{whole}{point}{rest}"


def quantity_text(quantity: Decimal | None) -> str:
    """Write a quantity with all its digits: a coin is held to the ninth decimal."""
    if quantity is None:
        return NONE
    whole, point, rest = plain(quantity).partition(".")
    return f"{int(whole):,}{point}{rest}" if whole != "-0" else f"{whole}{point}{rest}"


def percent_text(fraction: Decimal | float | None, *, signed: bool = False) -> str:
    """Write 0.0123 as `1.23%`."""
    if fraction is None:
        return NONE
    return f"{fraction:+.2%}" if signed else f"{fraction:.2%}"


def held_text(nanos: int | None) -> str:
    """Write how long something was held: `12d 4h`, `3h 10m`, `45s`."""
    if nanos is None:
        return NONE
    length = timedelta(seconds=nanos // NANOS)
    hours, rest = divmod(length.seconds, 3_600)
    if length.days:
        return f"{length.days}d {hours}h" if hours else f"{length.days}d"
    if hours:
        return f"{hours}h {rest // 60}m"
    return f"{rest // 60}m {rest % 60}s" if rest >= 60 else f"{rest}s"  # noqa: PLR2004 - seconds of a minute
