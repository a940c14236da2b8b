"""Which quantities and prices does an instrument take?

What a venue does not take it refuses, and a refused close leaves a position open: quantities are cut down to what can
be traded, prices are put on the tick. Every number is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any

from risk.numbers import ZERO

EXACT = Context(prec=60, rounding=ROUND_DOWN)
"""More digits than any product of an order's figures needs, and never rounded up."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What quantities an instrument can be traded in; fields an instrument does not name set no bound."""

    step: Decimal
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    min_notional: Decimal = ZERO
    max_notional: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    inverse: bool = False

    @classmethod
    def of(cls, instrument: Any, most: Decimal | None = None) -> Lot:
        """The lot of any of the engine's instruments; `most` is a notional above which an order is denied elsewhere."""
        bounds = [v for v in (_exact(instrument.max_notional), most) if v is not None]
        step = instrument.lot_size or instrument.size_increment
        return cls(
            step=step.as_decimal(),
            minimum=_exact(instrument.min_quantity) or ZERO,
            maximum=_exact(instrument.max_quantity),
            min_notional=_exact(instrument.min_notional) or ZERO,
            max_notional=min(bounds, default=None),
            multiplier=instrument.multiplier.as_decimal(),
            inverse=bool(instrument.is_inverse),
        )

    def cut(self, quantity: Decimal, price: Decimal | None) -> Decimal:
        """The largest quantity of one order that is not above the one given; zero when no order can be that small.

        Without a price, and for inverse contracts, notionals are the venue's to judge.
        """
        unit = ZERO if price is None or self.inverse else abs(price) * self.multiplier
        with localcontext(EXACT):
            if self.maximum is not None:
                quantity = min(quantity, self.maximum)
            if self.max_notional is not None and unit:
                quantity = min(quantity, self.max_notional / unit)
            cut = max(quantity, ZERO) // self.step * self.step
            small = cut < self.minimum or (unit > ZERO and cut * unit < self.min_notional)
            return ZERO if small else cut

    def __str__(self) -> str:
        """The smallest order, for a person."""
        parts = [f"{max(self.step, self.minimum)}"]
        if self.min_notional:
            parts.append(f"notional {self.min_notional}")
        return ", ".join(parts)


def stop_trigger(entry: Decimal, share: Decimal, tick: Decimal, *, is_long: bool) -> Decimal:
    """Where a stop-loss `share` of the entry price away triggers: on the tick nearer to the entry.

    So the loss to the stop is never larger than asked for, but for one tick: it is never at the entry itself.
    """
    with localcontext(EXACT):
        away = abs(entry) * share
        if is_long:
            ticks = _up((entry - away) / tick)
            ticks = min(ticks, _up(entry / tick) - 1)
        else:
            ticks = _down((entry + away) / tick)
            ticks = max(ticks, _down(entry / tick) + 1)
        return _positive(ticks, entry) * tick


def profit_limit(entry: Decimal, share: Decimal, tick: Decimal, *, is_long: bool) -> Decimal:
    """The limit price that takes a profit of `share` of the entry price: on the tick that gives no less."""
    with localcontext(EXACT):
        away = abs(entry) * share
        ticks = _up((entry + away) / tick) if is_long else _down((entry - away) / tick)
        return _positive(ticks, entry) * tick


def _positive(ticks: Decimal, entry: Decimal) -> Decimal:
    """At least one tick where prices are above zero."""
    return max(ticks, Decimal(1)) if entry > ZERO else ticks


def _up(ticks: Decimal) -> Decimal:
    return ticks.to_integral_value(rounding=ROUND_CEILING)


def _down(ticks: Decimal) -> Decimal:
    return ticks.to_integral_value(rounding=ROUND_FLOOR)


def _exact(value: Any) -> Decimal | None:
    """The Decimal of one of the engine's numbers; None when there is none, or a zero that sets no bound."""
    exact: Decimal | None = None if value is None else value.as_decimal()
    return exact or None
