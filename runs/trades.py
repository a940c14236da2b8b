"""Which round trips, flat to flat, do the fills of a run make, and what did each earn?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np

from runs.equity import EXACT_DIGITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.prices import Prices
    from runs.record import Row

# Averages and shares of a commission are rounded here; the engine itself knows nothing finer.
_FINEST = Decimal("1e-16")


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip of one strategy in one instrument: from flat until flat again, or still open.

    side: LONG or SHORT; quantity: units entered, in all; prices: averages over the units entered and exited.
    pnl: profit (positive) or loss in the account's currency after commission, exact; an open trade is
    valued at the last close, so that the trades of a run add up to its change in equity. What was earned in another
    currency counts at the rate of the exit, a commission at that of its fill: what the currency did before or after
    is no part of any trade. pnl_pct: the profit as a fraction of the value entered, both in the instrument's own
    currency. bars: closes of the instrument after the entry, up to
    the exit. Times are UTC ns; exit time and price are None while open.
    """

    strategy: str
    instrument: str
    side: str
    quantity: Decimal
    entry_ts: int
    entry_price: Decimal
    exit_ts: int | None
    exit_price: Decimal | None
    pnl: Decimal
    pnl_pct: float
    commission: Decimal
    bars: int
    holding_ns: int

    @property
    def is_open(self) -> bool:
        """Whether the run ended before this trade did."""
        return self.exit_ts is None


def round_trips(fills: Sequence[Row], prices: dict[str, Prices]) -> list[Trade]:
    """Split the fills of a run into trades, in the order of their entries.

    A fill that turns a position around closes one trade and opens the next; its commission is shared
    by quantity.
    """
    open_trades: dict[tuple[str, str], _OpenTrade] = {}
    trades: list[Trade] = []
    with localcontext(prec=EXACT_DIGITS):
        for fill in sorted(fills, key=lambda fill: fill["ts"]):
            key = (fill["strategy"], fill["instrument"])
            trade = open_trades.get(key)
            own = prices[fill["instrument"]]
            rest, commission = fill["quantity"], own.in_base(fill["commission"], fill["ts"], fill["currency"])
            if trade is not None and trade.side != fill["side"]:
                rest, commission = trade.leave(fill, own, commission)
                if not trade.held:
                    trades.append(trade.finish(own, exit_ts=fill["ts"]))
                    trade = None
                    del open_trades[key]
            if rest:
                trade = trade or open_trades.setdefault(key, _OpenTrade(*key, fill["side"], fill["ts"]))
                trade.enter(rest, fill["price"], own, commission)
        trades.extend(trade.finish(prices[trade.instrument], exit_ts=None) for trade in open_trades.values())
    return sorted(trades, key=lambda trade: trade.entry_ts)


@dataclass(slots=True)
class _OpenTrade:
    """A round trip on its way: what went in and what came out so far. side: BUY or SELL, of the entry.

    entry_paid, exit_paid: quantities times prices, for averages; entry_value, exit_value: what they were worth, in the
    instrument's own currency (below zero for an inverse contract); commission: in the account's.
    """

    strategy: str
    instrument: str
    side: str
    entry_ts: int
    entered: Decimal = Decimal(0)
    entry_paid: Decimal = Decimal(0)
    entry_value: Decimal = Decimal(0)
    exited: Decimal = Decimal(0)
    exit_paid: Decimal = Decimal(0)
    exit_value: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)

    @property
    def held(self) -> Decimal:
        return self.entered - self.exited

    def enter(self, quantity: Decimal, price: Decimal, prices: Prices, commission: Decimal) -> None:
        self.entered += quantity
        self.entry_paid += quantity * price
        self.entry_value += quantity * prices.value(price)
        self.commission += commission

    def leave(self, fill: Row, prices: Prices, commission: Decimal) -> tuple[Decimal, Decimal]:
        """Take what closes this trade out of an opposite fill; return the quantity and commission left."""
        quantity, own = min(fill["quantity"], self.held), commission
        if quantity < fill["quantity"]:
            own = (commission * quantity / fill["quantity"]).quantize(_FINEST)
        self.exited += quantity
        self.exit_paid += quantity * fill["price"]
        self.exit_value += quantity * prices.value(fill["price"])
        self.commission += own
        return fill["quantity"] - quantity, commission - own

    def finish(self, prices: Prices, exit_ts: int | None) -> Trade:
        side = "LONG" if self.side == "BUY" else "SHORT"
        value = self.exit_value
        if self.held:
            last = prices.last(side)
            value += self.held * (prices.value(last) if last is not None else self.entry_value / self.entered)
        gain = (value - self.entry_value) if self.side == "BUY" else (self.entry_value - value)
        end = (
            exit_ts
            if exit_ts is not None
            else max(self.entry_ts, int(prices.ts[-1]) if len(prices.ts) else 0)
        )
        pnl = prices.in_base(gain, end) - self.commission
        first, last_bar = np.searchsorted(prices.ts, [self.entry_ts, end], side="right")
        return Trade(
            strategy=self.strategy,
            instrument=self.instrument,
            side=side,
            quantity=self.entered,
            entry_ts=self.entry_ts,
            entry_price=_average(self.entry_paid, self.entered),
            exit_ts=exit_ts,
            exit_price=_average(self.exit_paid, self.exited) if exit_ts is not None else None,
            pnl=pnl,
            pnl_pct=float(pnl / prices.in_base(abs(self.entry_value), end)),
            commission=self.commission,
            bars=int(last_bar - first),
            holding_ns=end - self.entry_ts,
        )


def _average(value: Decimal, quantity: Decimal) -> Decimal:
    """Round to the engine's finest price step and drop the zeros that brings."""
    average = (value / quantity).quantize(_FINEST).normalize()
    return average.quantize(Decimal(1)) if average == average.to_integral_value() else average
