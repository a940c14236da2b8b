"""Bars and quotes made from a seed: the same ones in every process, inside the hours of a real exchange."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import exchange_calendars
import numpy as np
from nautilus_trader.model import (
    Bar,
    BarType,
    Currency,
    Equity,
    InstrumentId,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
)
from numpy.typing import NDArray

from market.rates import NO_RATES, Rates

CONFIGS = Path(__file__).parent / "configs"
SEED = 7
SYMBOLS = ("MADE",)
SECOND = 1_000_000_000
STEP = {"bars": 60 * SECOND, "quotes": SECOND}  # nanoseconds from one update to the next
WALK = {"bars": 0.2, "quotes": 0.02}  # standard deviation of one step, in money
FIRST_YEAR = 2015
SESSION_SECS = 200 * 6 * 3600  # of a year's sessions: fewer than there are
FLOOR = 50  # prices are reflected here, far from zero
HALF_SPREAD = 0.01
WICK = 0.02  # how far high and low lie outside open and close
Prices = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """Updates made from a seed, with what a run asks of its market data."""

    rows: list[Bar] | list[QuoteTick]
    symbols: tuple[str, ...]
    kind: str = "bars"
    version: str = f"seed-{SEED}"
    doubts: tuple[str, ...] = ()
    zone: str = "America/New_York"
    at_hand: bool = True
    rates: Rates = NO_RATES

    @property
    def instruments(self) -> tuple[Equity, ...]:
        """A share each."""
        return tuple(equity(symbol) for symbol in self.symbols)

    @property
    def bar_types(self) -> tuple[BarType, ...]:
        """Minute bars of each."""
        return tuple(minute_bars(symbol) for symbol in self.symbols)

    @property
    def start_ns(self) -> int:
        """First stamp."""
        return self.rows[0].ts_event

    @property
    def end_ns(self) -> int:
        """Last stamp."""
        return self.rows[-1].ts_event

    def updates(self) -> list[Bar] | list[QuoteTick]:
        """All of them."""
        return self.rows

    def history(self) -> list[Bar]:
        """Nothing came before."""
        return []

    def past(self, bar_type: BarType) -> list[Bar]:  # noqa: ARG002 - as MarketData asks
        """Nothing came before, of any type."""
        return []


def equity(symbol: str) -> Equity:
    """A share in USD with two decimals, its whole price as margin."""
    return Equity(
        InstrumentId.from_str(f"{symbol}.XNAS"), Symbol(symbol), Currency.from_str("USD"), 2, Price(0.01, 2), 0, 0,
        lot_size=Quantity(1, 0), margin_init=Decimal(1), margin_maint=Decimal(1),
    )  # fmt: skip


def minute_bars(symbol: str) -> BarType:
    """The type of a symbol's bars."""
    return BarType.from_str(f"{symbol}.XNAS-1-MINUTE-LAST-EXTERNAL")


def made(kind: str, count: int, drift: float = 0.0, a_second: int = 1) -> Made:
    """`count` minute bars or quotes, `a_second` of them, of one share: a random walk from 500.00, about 16% a year.

    `drift` is added to every step, in standard deviations of one: with 0.05 a new high every 15 steps or so.
    """
    size = WALK[kind]
    prices = 500 + np.cumsum(np.random.default_rng(SEED).normal(drift * size, size, count))
    prices = np.round(np.where(prices < FLOOR, 2 * FLOOR - prices, prices), 2)
    moments = stamps(count, STEP[kind] // a_second)
    rows = _bars(prices, moments) if kind == "bars" else _quotes(prices, moments)
    return Made(rows, SYMBOLS, kind)


def stamps(count: int, step: int) -> list[int]:
    """The first `count` moments, `step` nanoseconds apart, at which XNYS was open since 2015; UTC nanoseconds."""
    years = count * step // (SESSION_SECS * SECOND) + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of pandas releases to come
        calendar = exchange_calendars.get_calendar(
            "XNYS", start=f"{FIRST_YEAR}-01-02", end=f"{FIRST_YEAR + years}-01-02"
        )
        opens, closes = calendar.opens_nanos, calendar.closes_nanos
    sessions = [np.arange(first + step, last + 1, step) for first, last in zip(opens, closes, strict=True)]
    moments: list[int] = np.concatenate(sessions)[:count].tolist()
    return moments


def _bars(closes: Prices, moments: list[int]) -> list[Bar]:
    opens = np.concatenate([closes[:1], closes[:-1]])
    highs, lows = np.maximum(opens, closes) + WICK, np.minimum(opens, closes) - WICK
    kind, volume = minute_bars(SYMBOLS[0]), Quantity(100_000, 0)
    columns = [_priced(prices) for prices in (opens, highs, lows, closes)]
    return [
        Bar(kind, o, h, low, c, volume, ts, ts) for ts, o, h, low, c in zip(moments, *columns, strict=True)
    ]


def _quotes(middles: Prices, moments: list[int]) -> list[QuoteTick]:
    instrument, size = InstrumentId.from_str(f"{SYMBOLS[0]}.XNAS"), Quantity(10_000, 0)
    bids, asks = _priced(middles - HALF_SPREAD), _priced(middles + HALF_SPREAD)
    return [
        QuoteTick(instrument, bid, ask, size, size, ts, ts)
        for ts, bid, ask in zip(moments, bids, asks, strict=True)
    ]


def _priced(prices: Prices) -> list[Price]:
    """The engine's prices; each level is made once, which takes a third of the time."""
    cents, level_of = np.unique(np.rint(prices * 100).astype(np.int64), return_inverse=True)
    levels = [Price(cent / 100, 2) for cent in cents.tolist()]
    return [levels[number] for number in level_of.tolist()]
