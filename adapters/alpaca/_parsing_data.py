"""What do Alpaca's rows of market data say in the engine's own words? Pure: rows in, the engine's data out.

Rows are those of the streams (msgpack, stamps as its own type) and of REST (JSON, stamps as text) alike.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from msgpack import Timestamp
from nautilus_trader.model import (
    AggressorSide,
    Bar,
    BarType,
    InstrumentStatus,
    MarketStatusAction,
    Price,
    Quantity,
    QuoteTick,
    TradeId,
    TradeTick,
)

Row = dict[str, Any]
NANOS = 1_000_000_000
TAKERS = {"B": AggressorSide.BUY, "S": AggressorSide.SELL}
HALTS = {"H": MarketStatusAction.HALT, "P": MarketStatusAction.PAUSE, "T": MarketStatusAction.TRADING}
"""Codes of the UTP tapes (C and O) that change whether a share trades."""
HALTS_CTA = {"2": MarketStatusAction.HALT, "3": MarketStatusAction.TRADING}
"""The same on the CTA tapes (A and B)."""


class Candle(NamedTuple):
    """A bar in plain values, of whatever length; `start` and `end` are UTC nanoseconds."""

    start: int
    end: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def nanos_of(stamp: Any) -> int:
    """A stamp of either kind in UTC nanoseconds. Raises ValueError for one that cannot be read."""
    if isinstance(stamp, Timestamp):
        return int(stamp.seconds) * NANOS + int(stamp.nanoseconds)
    if not isinstance(stamp, str):
        raise ValueError(f"{stamp!r} is no time stamp")  # noqa: TRY004 - whatever it is, the row cannot be read
    whole, point, rest = stamp.partition(".")
    if not point:
        return int(datetime.fromisoformat(stamp).timestamp()) * NANOS
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    seconds = int(datetime.fromisoformat(whole + rest[len(digits) :]).timestamp())
    return seconds * NANOS + int(digits[:9].ljust(9, "0"))


def text_of(ts: int) -> str:
    """A stamp as Alpaca takes it in a query: RFC 3339 with nanoseconds where there are any."""
    seconds, nanos = divmod(ts, NANOS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos:09d}Z" if nanos else f"{text}Z"


def exact(number: Any) -> Decimal:
    """A number of JSON or msgpack as it was written. Raises ValueError for what is none, or not finite."""
    if isinstance(number, bool) or not isinstance(number, int | float | str):
        raise ValueError(f"{number!r} is no number")  # noqa: TRY004 - as in nanos_of
    value = Decimal(str(number)) if str(number).strip().lstrip("+-")[:1].isdigit() else None
    if value is None or not value.is_finite():
        raise ValueError(f"{number!r} is no number")
    return value


def candle_of(row: Row, nanos: int) -> Candle:
    """A bar of this length, from its start. Raises KeyError or ValueError for a row that cannot be read."""
    start = nanos_of(row["t"])
    opened, high, low, close = (exact(row[key]) for key in ("o", "h", "l", "c"))
    return Candle(start, start + nanos, opened, high, low, close, exact(row["v"]))


def price_of(value: Decimal, instrument: Any) -> Price:
    """A price with exactly the instrument's decimals."""
    return Price.from_decimal(_rounded(value, instrument.price_precision))


def size_of(value: Decimal, instrument: Any) -> Quantity:
    """A size with exactly the instrument's decimals."""
    return Quantity.from_decimal(_rounded(value, instrument.size_precision))


def bar_of(candle: Candle, bar_type: BarType, instrument: Any, now: int) -> Bar:
    """A bar of the engine's, stamped with its end."""
    return Bar(
        bar_type,
        price_of(candle.open, instrument),
        price_of(candle.high, instrument),
        price_of(candle.low, instrument),
        price_of(candle.close, instrument),
        size_of(candle.volume, instrument),
        candle.end,
        now,
    )


def quote_of(row: Row, instrument: Any, now: int) -> QuoteTick | None:
    """A quote; None for one without a bid or without an ask, which Alpaca writes as 0."""
    bid, ask = exact(row["bp"]), exact(row["ap"])
    if bid <= 0 or ask <= 0:
        return None
    return QuoteTick(
        instrument.id,
        price_of(bid, instrument),
        price_of(ask, instrument),
        size_of(exact(row["bs"]), instrument),
        size_of(exact(row["as"]), instrument),
        nanos_of(row["t"]),
        now,
    )


def trade_of(row: Row, instrument: Any, now: int) -> TradeTick | None:
    """A trade; None for one smaller than the instrument can say: a fraction of a share."""
    size = size_of(exact(row["s"]), instrument)
    if not size.raw:
        return None
    return TradeTick(
        instrument.id,
        price_of(exact(row["p"]), instrument),
        size,
        TAKERS.get(row.get("tks", ""), AggressorSide.NO_AGGRESSOR),
        TradeId(str(row["i"])),
        nanos_of(row["t"]),
        now,
    )


def status_of(row: Row, instrument: Any, now: int) -> InstrumentStatus:
    """A halt or its end, of a share; other codes keep what they say in `reason`."""
    code, tape = str(row.get("sc", "")), row.get("z", "")
    action = (HALTS_CTA if tape in ("A", "B") else HALTS).get(code, MarketStatusAction.NONE)
    said = [str(row.get(key) or "") for key in ("sm", "rc", "rm")]
    changed = action != MarketStatusAction.NONE
    return InstrumentStatus(
        instrument.id,
        action,
        nanos_of(row["t"]),
        now,
        reason=": ".join(each for each in said if each) or code,
        trading_event=code,
        is_trading=action == MarketStatusAction.TRADING if changed else None,
    )


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
