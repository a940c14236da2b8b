"""Makes market data and records of runs by hand, so that a test can say what every number should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from nautilus_trader.model import Currency, CurrencyPair, Equity, InstrumentId, Price, Quantity, Symbol

from market.rates import NO_RATES, Rates
from runs.analysis import Analysis, analyse
from runs.record import Row, RunRecord

if TYPE_CHECKING:
    from market.catalog import MarketData

DAY = 86_400_000_000_000
T0 = 1_704_229_200_000_000_000  # 2024-01-02 16:00 in New York
NEW_YORK = "America/New_York"
USD = Currency.from_str("USD")


@dataclass(frozen=True)
class FixedMarket:
    """What the reports ask of market data: instruments, and a frame for each symbol."""

    frames: dict[str, pd.DataFrame]
    instruments: tuple[Equity | CurrencyPair, ...]
    kind: str = "bars"
    version: str = "0123456789ab"
    zone: str = NEW_YORK
    days_per_year: int = 252
    rates: Rates = NO_RATES

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.frames)

    def frame(self, symbol: str) -> pd.DataFrame:
        return self.frames[symbol]


def share(symbol: str, currency: Currency = USD) -> Equity:
    """A share on XNAS, priced in cents."""
    return Equity(
        InstrumentId.from_str(f"{symbol}.XNAS"), Symbol(symbol), currency, 2, Price(0.01, 2), 0, 0,
        lot_size=Quantity(1, 0),
    )  # fmt: skip


def pair(symbol: str, multiplier: int = 1) -> CurrencyPair:
    """Euros in dollars on XNAS, to five decimals, traded in hundredths."""
    return CurrencyPair(
        InstrumentId.from_str(f"{symbol}.XNAS"), Symbol(symbol), Currency.from_str("EUR"), USD, 5, 2,
        Price(0.00001, 5), Quantity(0.01, 2), 0, 0, multiplier=Quantity(multiplier, 0),
    )  # fmt: skip


def stamp(bar: float) -> int:
    """End of the bar with this number, from 0: one a day."""
    return T0 + int(bar * DAY)


def bars(closes: Sequence[float], first: int = 0) -> pd.DataFrame:
    """Daily bars with these closes, beginning at bar number `first`."""
    ts = [stamp(first + number) for number in range(len(closes))]
    columns = {name: list(closes) for name in ("open", "high", "low", "close")}
    return pd.DataFrame({"ts": pd.Series(ts, dtype="int64"), **columns, "volume": 1.0})


def market_of(**closes: Sequence[float]) -> FixedMarket:
    """Shares by symbol, with their closes."""
    frames = {symbol: bars(series) for symbol, series in closes.items()}
    return FixedMarket(frames, tuple(share(symbol) for symbol in frames))


def fill(
    bar: float,
    side: str,
    quantity: str,
    price: str,
    *,
    fee: str = "0",
    symbol: str = "AAPL",
    strategy: str = "EMA-001",
    currency: str = "USD",
) -> Row:
    """A fill at the end of the bar with this number."""
    return {
        "ts": stamp(bar),
        "strategy": strategy,
        "instrument": f"{symbol}.XNAS",
        "client_order_id": f"O-{bar}",
        "trade_id": f"T-{bar}",
        "side": side,
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "commission": Decimal(fee),
        "currency": currency,
        "liquidity": "TAKER",
    }


def order(bar: float, side: str = "BUY", quantity: str = "10") -> Row:
    """A market order sent at the end of the bar with this number."""
    return {
        "ts": stamp(bar),
        "strategy": "EMA-001",
        "instrument": "AAPL.XNAS",
        "client_order_id": f"O-{bar}",
        "side": side,
        "type": "MARKET",
        "quantity": Decimal(quantity),
        "price": None,
        "trigger_price": None,
        "tif": "GTC",
        "reduce_only": False,
        "status": "FILLED",
        "filled": Decimal(quantity),
    }


def refusal(
    bar: float,
    limit: str = "MAX_LEVERAGE",
    symbol: str = "AAPL",
    *,
    side: str = "BUY",
    quantity: str = "500",
) -> Row:
    """An order that a limit refused."""
    return {
        "ts": stamp(bar),
        "strategy": "EMA-001",
        "instrument": f"{symbol}.XNAS",
        "client_order_id": f"R-{bar}",
        "side": side,
        "quantity": Decimal(quantity),
        "limit": limit,
        "reason": f"{limit}: {symbol}.XNAS would be too much at bar {bar}",
    }


def trip(bar: float, breaker: str = "DRAWDOWN", scope: str = "book") -> Row:
    """A breaker that went off."""
    return {
        "ts": stamp(bar),
        "breaker": breaker,
        "scope": scope,
        "reason": f"{breaker}: equity 700.00 USD is 30% below its peak 1,000.00 USD",
        "equity": Decimal(700),
        "reference": Decimal(1000),
    }


def notice(bar: float, kind: str = "WARNING", scope: str = "book", reason: str = "look at AAPL.XNAS") -> Row:
    """Something a person should see."""
    return {"ts": stamp(bar), "kind": kind, "scope": scope, "reason": reason}


def record_of(
    market: FixedMarket,
    fills: Sequence[Row] = (),
    *,
    starting: str = "1000",
    final: str | None = None,
    currency: str = "USD",
    halted: bool = False,
    **rows: Sequence[Row],
) -> RunRecord:
    """The record of a run. `final` is the engine's ledger; without it, nothing was gained."""
    return RunRecord(
        market=cast("MarketData", market),
        starting_equity=Decimal(starting),
        final_equity=Decimal(final if final is not None else starting),
        currency=currency,
        halted=halted,
        fills=list(fills),
        **cast("dict[str, Any]", {name: list(given) for name, given in rows.items()}),
    )


def analysis_of(record: RunRecord, until_ns: int | None = None) -> Analysis:
    """A record analysed with the zone and the year of its market."""
    market = record.market
    return analyse(record, zone=market.zone, days_per_year=market.days_per_year, until_ns=until_ns)
