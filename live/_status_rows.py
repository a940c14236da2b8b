"""What does the status document say of one limit?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from configs.units import UNITS
from live._status_text import amount
from risk.numbers import ZERO
from risk.scopes import BOOK

Row = dict[str, Any]
MONEY = "{currency}"
COUNTED = ("instruments", "positions", "orders", "trades")


class LimitRows:
    """Makes rows of limits on an account in one currency."""

    def __init__(self, currency: str) -> None:
        """`currency` is the one of limits in money."""
        self._currency = currency

    def row(  # noqa: PLR0913 - what a row has
        self,
        key: str,
        now: Decimal | None,
        limit: Decimal,
        *,
        scope: str = BOOK,
        of: str | None = None,
        at: Decimal | None = None,
    ) -> Row:
        """A limit that the value must not go above; `now` and `limit` in its own unit, `at` where a breaker trips."""
        used = None
        if now is not None:
            used = round(float(now / limit), 4) if limit > ZERO else 1.0
        left = None if now is None else limit - now
        return self._made(key, scope, of, (limit, now, left), used, at=at, at_least=False)

    def floor(
        self, key: str, now: Decimal | None, limit: Decimal, *, scope: str = BOOK, top: Decimal | None = None
    ) -> Row:
        """A limit that the value must not go below; used up between `top`, the best there is, and the limit."""
        used = None
        if now is not None and top is not None:
            used = round(float((top - now) / (top - limit)), 4) if top > limit else 1.0
        left = None if now is None else now - limit
        return self._made(key, scope, None, (limit, now, left), used, at_least=True)

    def _made(  # noqa: PLR0913 - as row
        self,
        key: str,
        scope: str,
        of: str | None,
        numbers: tuple[Decimal, Decimal | None, Decimal | None],
        used: float | None,
        *,
        at: Decimal | None = None,
        at_least: bool,
    ) -> Row:
        unit = UNITS[key]
        limit, now, left = (_plain(unit, each) for each in numbers)
        return {
            "key": key,
            "scope": scope,
            "of": of,
            "unit": unit.format(currency=self._currency),
            "limit": limit,
            "now": now,
            "left": left,
            "used": used,
            "at": amount(at),
            "at_least": at_least,
        }


def _plain(unit: str, value: Decimal | None) -> Any:
    """Money as text, counts as whole numbers, ratios and times as numbers."""
    if value is None:
        return None
    if unit == MONEY:
        return amount(value)
    return int(value) if unit in COUNTED else round(float(value), 6)
