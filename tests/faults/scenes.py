"""Markets that break, and strategies that show what the desk does about it; on bars and on quotes alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nautilus_trader.model import Bar, OrderSide, Price, Quantity, QuoteTick

from tests.driving import DAY, MODES, T0, Driven, Scripted, bar_type, equity

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND
KINDS = ("bars", "quotes")
STEP = {"bars": DAY, "quotes": SECOND}
HALF_SPREAD = 0.01
HELD = 1_000  # shares; at a price of 100 that is the whole account

__all__ = ["DAY", "HELD", "HOUR", "KINDS", "MINUTE", "MODES", "SECOND", "STEP", "T0"]


def quote(
    mid: float, ts: int, symbol: str = "AAPL", size: int = 1_000_000, *, bid: float | None = None
) -> QuoteTick:
    """A quote of two cents around `mid`; `bid` instead of the lower one."""
    low, high = Price(mid - HALF_SPREAD if bid is None else bid, 2), Price(mid + HALF_SPREAD, 2)
    return QuoteTick(equity(symbol).id, low, high, Quantity(size, 0), Quantity(size, 0), ts, ts)


def bar(before: float, close: float, ts: int, symbol: str = "AAPL", *, ts_init: int | None = None) -> Bar:
    """A bar from one price to another."""
    high, low = max(before, close), min(before, close)
    opens, highest, lowest, closes = (Price(each, 2) for each in (before, high, low, close))
    arrives = ts if ts_init is None else ts_init
    return Bar(bar_type(symbol), opens, highest, lowest, closes, Quantity(10_000_000, 0), ts, arrives)


def market(
    kind: str,
    prices: Sequence[float],
    symbol: str = "AAPL",
    *,
    start: int = T0,
    step: int | None = None,
    gaps: bool = False,
) -> list[Any]:
    """Updates of one kind, `step` nanoseconds apart; bars open at the close before them, with `gaps` at their own."""
    apart, rows, before = STEP[kind] if step is None else step, list[Any](), prices[0]
    for number, price in enumerate(prices):
        ts = start + number * apart
        opens = price if gaps else before
        rows.append(bar(opens, price, ts, symbol) if kind == "bars" else quote(price, ts, symbol))
        before = price
    return rows


def merged(*series: Sequence[Any]) -> list[Any]:
    """Updates of several instruments in the order of their stamps; of one stamp in the order given."""
    return sorted((row for each in series for row in each), key=lambda row: int(row.ts_event))


def stamps(rows: Sequence[Any]) -> list[int]:
    """Market time of every update."""
    return [int(row.ts_event) for row in rows]


def kinds_of(driven: Driven) -> list[str]:
    """The kinds of the notices, in order."""
    return [notice["kind"] for notice in driven.record.notices]


def told(driven: Driven, kind: str) -> list[str]:
    """What the notices of a kind say, in order."""
    return [notice["reason"] for notice in driven.record.notices if notice["kind"] == kind]


class OnQuotes(Scripted):
    """Mixed in before a strategy on bars: the same on quotes."""

    def on_start(self) -> None:
        for instrument_id in self.settings.instrument_ids:
            self.subscribe_quotes(instrument_id)

    def on_quote(self, update: QuoteTick) -> None:
        self.n += 1
        self.at_bar(self.n, update)  # type: ignore[arg-type]  # what a test looks at is alike in both


class Probes(Scripted):
    """Asks for a share that nobody will sell, to see whether it is refused, and takes the order back."""

    def probe(self) -> None:
        order = self.limit(OrderSide.BUY, 1, 0.01)
        if self.cache.order(order.client_order_id) is not None:
            self.cancel_order(order.client_order_id)


class Holds(Probes):
    """Buys on the second update and probes after each later one."""

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 2:
            self.buy(HELD)
        elif n > 2:
            self.probe()


class HoldsOnQuotes(OnQuotes, Holds):
    pass


class HoldsBoth(Probes):
    """Buys 800 of the first and 200 of the second instrument once both have a price, then probes like `Holds`."""

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 4:
            self.buy(800)
            second = self.settings.instrument_ids[1]
            self.submit_order(self.order_factory.market(second, OrderSide.BUY, Quantity(200, 0)))
        elif n > 4:
            self.probe()


class HoldsBothOnQuotes(OnQuotes, HoldsBoth):
    pass


HOLDS: dict[str, type[Scripted]] = {"bars": Holds, "quotes": HoldsOnQuotes}
HOLDS_BOTH: dict[str, type[Scripted]] = {"bars": HoldsBoth, "quotes": HoldsBothOnQuotes}
