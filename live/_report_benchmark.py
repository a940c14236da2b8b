"""What did the market do meanwhile, and how much of the account's result does that explain?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from configs.errors import ConfigError
from live._report_found import Found
from live._report_market import BEFORE_NS, RunMarket
from live._report_period import Period
from live._report_rows import journal_prices
from live._report_value import Value
from live._whose import Whose
from market.errors import DataError
from risk import measures
from runs.growth import FloatArray
from runs.market_model import FEWEST, market_model

NO = "none"
type Line = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The price of one instrument. part: its change over the period, a fraction; source: where prices come from.

    line: (stamp, price) from the last one before the period on. alpha, beta, correlation: of `pairs` daily returns
    (runs/market_model.py), those that the Sharpe ratio is of; why: what is not known, and why not.
    """

    symbol: str
    source: str | None = None
    line: Line = ()
    part: float | None = None
    pairs: int = 0
    alpha: float | None = None
    beta: float | None = None
    correlation: float | None = None
    why: str | None = None


def benchmark_of(  # noqa: PLR0913 - two sources of prices, and what they are compared with
    asked: str | None,
    market: RunMarket,
    whose: Whose,
    found: Found,
    period: Period,
    measured: Value,
    days_per_year: int,
) -> Benchmark | None:
    """The instrument that was asked for, else the run's first; None where none was wanted or nothing is known.

    measured: the account's value on the days that alpha and beta are of.
    Raises ConfigError for a symbol that neither the data nor the journal has.
    """
    if asked == NO:
        return None
    symbol = asked or next(iter(market.symbols), None) or _first_instrument(found)
    if symbol is None:
        return None
    line, source, why = _prices(symbol, asked, market, whose, found, period)
    inside = [each for each in line if period.holds(each[0])]
    if not inside:
        return Benchmark(
            symbol,
            why=why or f"no price of {symbol} in this period, neither in the run's data nor in the journal",
        )
    base = [each for each in line if each[0] < period.from_ns][-1:]
    pairs = _pairs(line, measured, period)
    line = [*base, *inside]
    part = measures.total_return(np.array([price for _, price in line]))
    return _explained(symbol, source, line, part, pairs, days_per_year)


def _explained(  # noqa: PLR0913 - what a benchmark is made of
    symbol: str,
    source: str,
    line: Line,
    part: float | None,
    pairs: tuple[FloatArray, FloatArray],
    days_per_year: int,
) -> Benchmark:
    own, market = pairs
    model = market_model(own, market, days_per_year)
    if model is not None:
        return Benchmark(symbol, source, line, part, len(own), model.alpha, model.beta, model.correlation)
    if len(own) < FEWEST:
        why = f"{len(own)} daily returns of both; fewer than {FEWEST} say nothing"
    else:
        why = f"{symbol} did not move"
    return Benchmark(symbol, source, line, part, len(own), why=why)


def _pairs(line: Line, value: Value, period: Period) -> tuple[FloatArray, FloatArray]:
    """Returns of the account and of the benchmark over the same days: those that both measure from the day before."""
    nothing = np.empty(0), np.empty(0)
    if value.levels is None or value.unread:
        return nothing
    price_of = {period.days.day_of(ts): price for ts, price in line}
    days: list[Any] = [value.before, *value.trading_days]
    own, market = [], []
    for place, (before, after) in enumerate(pairwise(days)):
        known = before in price_of and after in price_of and value.levels[place] > 0
        if known and value.is_daily[place] and before != after:
            own.append(value.levels[place + 1] / value.levels[place] - 1.0)
            market.append(price_of[after] / price_of[before] - 1.0)
    return np.array(own), np.array(market)


def _prices(  # noqa: PLR0913 - as above
    symbol: str, asked: str | None, market: RunMarket, whose: Whose, found: Found, period: Period
) -> tuple[Line, str, str | None]:
    """From the run's data where it reaches, else from the journal: prices that decisions and fills saw."""
    why = None
    try:
        ts, closes = market.closes(symbol, period.look_back_ns, period.until_ns)
        if len(ts) and ts[-1] >= period.from_ns:
            return list(zip(ts.tolist(), closes.tolist(), strict=True)), "the run's data", None
    except DataError as error:
        why = str(error)
    names = [name for name in _instruments(found) if symbol in (name, name.rpartition(".")[0])]
    if not names and why is not None and asked is not None:
        raise ConfigError(f"benchmark={symbol}: {why}; benchmark=none leaves it out")
    line = journal_prices(whose, names[0], period.look_back_ns - BEFORE_NS, period.until_ns) if names else []
    return [(ts, float(price)) for ts, price in line], "prices in the journal", why


def _instruments(found: Found) -> list[str]:
    traded = [fill["instrument"] for fill in found.fills] + [
        order.instrument for order in found.orders.values()
    ]
    return list(dict.fromkeys([*traded, *(row["instrument"] for row in found.positions)]))


def _first_instrument(found: Found) -> str | None:
    return next(iter(_instruments(found)), None)
