"""What was the account worth at the end of every bar?

The cash ledger is stepped per fill and positions are valued at closes, all in integers of one common
scale, so that every value is exact; only then is it rounded to the currency's smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from nautilus_trader.model import Currency

from runs.errors import RunError
from runs.prices import stamps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.prices import FloatArray, IntArray, Prices
    from runs.record import Row, RunRecord

# Digits for exact products of prices, quantities and multipliers (16 decimals each at most in the engine).
EXACT_DIGITS = 100

# int64 or, where int64 has no room, Python integers (dtype object): exact either way.
type ExactArray = npt.NDArray[Any]
# The cash and each position stay below this in int64, so that a sum of more than a hundred of them fits too.
_INT64_ROOM = 2**56


@dataclass(frozen=True)
class Equity:
    """Balance plus open positions at the close, after each distinct bar stamp, in the account's currency.

    ts: shape (n,), UTC ns; units: shape (n,), equity in the currency's smallest unit (cents of a dollar);
    gross: shape (n,), the sum of the absolute values of all positions, an amount. n is 0 without a bar.
    """

    currency: str
    precision: int
    starting: Decimal
    ts: IntArray
    units: IntArray
    gross: FloatArray

    @property
    def amounts(self) -> FloatArray:
        """Equity as floats, shape (n,), for statistics and plots."""
        amounts: FloatArray = self.units / 10.0**self.precision
        return amounts

    @property
    def final(self) -> Decimal:
        """Equity after the last bar and every fill, exact; starting equity without a bar."""
        return Decimal(int(self.units[-1])).scaleb(-self.precision) if len(self.units) else self.starting


def equity_of(record: RunRecord, prices: dict[str, Prices]) -> Equity:
    """Rebuild equity from the fills of a run and the closes of its instruments.

    A fill counts from the first bar that ends at or after it; fills after the last bar count at that bar.
    Raises RunError for what cannot be valued in the account's currency, and when the series ends elsewhere
    than the engine's own ledger (`record.final_equity`) by more than a smallest unit a fill.
    """
    _refuse_foreign_amounts(record, prices)
    with localcontext(prec=EXACT_DIGITS):
        equity = _rebuild(record, prices)
    _compare_with_ledger(equity, record)
    return equity


def _rebuild(record: RunRecord, prices: dict[str, Prices]) -> Equity:
    ts = stamps(prices)
    precision = Currency.from_str(record.currency).precision
    fills = sorted(record.fills, key=lambda fill: fill["ts"])
    flows = [_cash_flow(fill, prices[fill["instrument"]].multiplier) for fill in fills]
    held = {name: [fill for fill in fills if fill["instrument"] == name] for name in prices}
    scale = max(
        precision,
        _decimals([record.starting_equity, *flows]),
        *(_value_decimals(own, prices[name]) for name, own in held.items()),
    )
    total = _at_stamps(fills, [_scaled(flow, scale) for flow in flows], ts) + _scaled(
        record.starting_equity, scale
    )
    gross = np.zeros(len(ts))
    for name, own in held.items():
        value = _position_value(own, prices[name], ts, scale)
        total = total + value
        gross += np.abs(value.astype(np.float64)) / 10.0**scale
    unit = 10 ** (scale - precision)
    units = ((total + unit // 2) // unit).astype(np.int64)
    return Equity(record.currency, precision, record.starting_equity, ts, units, gross)


def _cash_flow(fill: Row, multiplier: Decimal) -> Decimal:
    """Money into the account: the price paid or received, less commission."""
    price: Decimal = fill["price"]
    commission: Decimal = fill["commission"]
    return -_signed(fill) * price * multiplier - commission


def _signed(fill: Row) -> Decimal:
    quantity: Decimal = fill["quantity"]
    return quantity if fill["side"] == "BUY" else -quantity


def _position_value(fills: Sequence[Row], prices: Prices, ts: IntArray, scale: int) -> ExactArray:
    """Value of one position at each stamp, times 10**scale: what closing it would have brought."""
    decimals = _decimals([fill["quantity"] for fill in fills])
    quantities = _at_stamps(fills, [_scaled(_signed(fill), decimals) for fill in fills], ts)
    per_tick = _scaled(prices.multiplier, scale - decimals - prices.precision)
    bid, ask = (_ticks_at_stamps(fills, prices, ticks, ts) for ticks in (prices.bid, prices.ask))
    ticks = np.where(quantities > 0, bid, ask)
    largest = _largest(quantities) * _largest(ticks) * abs(per_tick)
    return _exact(quantities, largest) * _exact(ticks, largest) * per_tick


def _ticks_at_stamps(fills: Sequence[Row], prices: Prices, ticks: IntArray, ts: IntArray) -> IntArray:
    """Last of `ticks` at or before each stamp; before an instrument's first price that of its last fill."""
    early = [fill for fill in fills if not len(prices.ts) or fill["ts"] < prices.ts[0]]
    paid = [_scaled(fill["price"], prices.precision) for fill in early]
    seen = np.concatenate([np.array([fill["ts"] for fill in early], np.int64), prices.ts])
    known = np.concatenate([np.array([0, *paid], np.int64), ticks])
    return known[np.searchsorted(seen, ts, side="right")]


def _at_stamps(fills: Sequence[Row], steps: Sequence[int], ts: IntArray) -> ExactArray:
    """Sum of the steps of all fills up to each stamp; the last stamp has every fill."""
    sums = [0, *accumulate(steps)]
    index = np.searchsorted(np.array([fill["ts"] for fill in fills], np.int64), ts, side="right")
    index[-1:] = len(fills)
    return np.array(sums, np.int64 if max(map(abs, sums)) < _INT64_ROOM else object)[index]


def _exact(numbers: ExactArray, largest: int) -> ExactArray:
    return numbers if largest < _INT64_ROOM else numbers.astype(object)


def _largest(numbers: ExactArray) -> int:
    return int(np.abs(numbers).max()) if len(numbers) else 0


def _scaled(number: Decimal, scale: int) -> int:
    return int(number.scaleb(scale))


def _decimals(numbers: Sequence[Decimal]) -> int:
    """Return how many digits after the point write all of the numbers exactly."""
    return max((-int(number.as_tuple().exponent) for number in numbers), default=0)


def _value_decimals(fills: Sequence[Row], prices: Prices) -> int:
    quantities = max(0, _decimals([fill["quantity"] for fill in fills]))
    return quantities + prices.precision + max(0, _decimals([prices.multiplier]))


def _refuse_foreign_amounts(record: RunRecord, prices: dict[str, Prices]) -> None:
    for name in dict.fromkeys(fill["instrument"] for fill in record.fills):
        if name not in prices:
            raise RunError(f"fills of {name}, but the run has prices only of {', '.join(prices)}")
        own = prices[name]
        if own.inverse or own.currency != record.currency:
            kind = "an inverse instrument" if own.inverse else f"quoted in {own.currency}"
            raise RunError(
                f"{name} is {kind}; equity in {record.currency} can be rebuilt only from prices in it"
            )
    for fill in record.fills:
        if fill["commission"] and fill["currency"] != record.currency:
            raise RunError(
                f"commission of {fill['commission']} {fill['currency']} on {fill['instrument']}; equity in "
                f"{record.currency} can be rebuilt only from commissions in it"
            )


def _compare_with_ledger(equity: Equity, record: RunRecord) -> None:
    tolerance = Decimal(max(1, len(record.fills))).scaleb(-equity.precision)
    if abs(equity.final - record.final_equity) > tolerance:
        raise RunError(
            f"equity rebuilt from fills and prices ends at {equity.final} {equity.currency}, the engine's "
            f"ledger at {record.final_equity} {record.currency}: more than a rounding a fill apart, so no "
            "measure of this run can be trusted"
        )
