"""What was the account worth at the end of every bar?

Cash is stepped per fill and positions are valued at closes, in each currency by itself and in integers of one common
scale; every currency is then converted at the rate in force. All of that is exact (the value of an inverse contract to
18 digits): only the sum is rounded, once, to the smallest unit of the account's currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from nautilus_trader.model import Currency

from market.rates import DECIMALS
from runs.errors import RunError
from runs.prices import INVERSE_DECIMALS, inverse_values, stamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from market.rates import Rates
    from runs.prices import FloatArray, IntArray, Prices
    from runs.record import Row, RunRecord

# Digits for exact products of prices, quantities, multipliers and rates (16 decimals each at most in the engine).
EXACT_DIGITS = 150

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
    than the engine's own ledger (`record.final_equity`) by more than a rounding a fill.
    """
    _refuse_what_has_no_rate(record, prices)
    with localcontext(prec=EXACT_DIGITS):
        equity = rebuilt(record, prices, stamps(prices))
        _compare_with_ledger(equity, record, prices)
    return equity


def rebuilt(record: RunRecord, prices: dict[str, Prices], ts: IntArray) -> Equity:
    """Equity of these fills and charges at the stamps `ts`, unchecked; under a context of EXACT_DIGITS."""
    precision = Currency.from_str(record.currency).precision
    fills = sorted(record.fills, key=lambda fill: fill["ts"])
    flows = _flows(fills, prices, record)
    held = {name: [fill for fill in fills if fill["instrument"] == name] for name in prices}
    scale = max(
        precision,
        _decimals([flow for steps in flows.values() for _, flow in steps]),
        *(_value_decimals(own, prices[name]) for name, own in held.items()),
        0,
    )
    amounts = {currency: _cash(steps, ts, scale) for currency, steps in flows.items()}
    gross = np.zeros(len(ts))
    for name, own in held.items():
        if own:
            value, currency = _position_value(own, prices[name], ts, scale), prices[name].currency
            amounts[currency] = amounts[currency] + value
            gross += (
                np.abs(value.astype(np.float64)) / 10.0**scale * _floats(record.market.rates, currency, ts)
            )
    total, decimals = _in_base(amounts, record, ts, scale)
    unit = 10 ** (decimals - precision)
    units = ((total + unit // 2) // unit).astype(np.int64)
    return Equity(record.currency, precision, record.starting_equity, ts, units, gross)


type _Steps = list[tuple[int, Decimal]]


def _flows(fills: Iterable[Row], prices: dict[str, Prices], record: RunRecord) -> dict[str, _Steps]:
    """Currency -> (stamp, money into the account): of fills, commissions, nights, and what was there first."""
    flows: dict[str, _Steps] = {record.currency: [(0, record.starting_equity)]}
    for fill in fills:
        own = prices[fill["instrument"]]
        traded = -_signed(fill) * own.value(fill["price"])
        flows.setdefault(own.currency, []).append((fill["ts"], traded))
        if fill["commission"]:
            flows.setdefault(fill["currency"], []).append((fill["ts"], -fill["commission"]))
    if record.carried:
        flows[record.currency] += [(row["ts"], -row["amount"]) for row in record.carried]
        flows[record.currency].sort(key=lambda step: step[0])
    return flows


def _cash(steps: _Steps, ts: IntArray, scale: int) -> ExactArray:
    return _at_stamps([stamp for stamp, _ in steps], [_scaled(flow, scale) for _, flow in steps], ts)


def _in_base(
    amounts: dict[str, ExactArray], record: RunRecord, ts: IntArray, scale: int
) -> tuple[ExactArray, int]:
    """The sum of all currencies in the account's at each stamp, and the digits after the point it is written with."""
    own = amounts[record.currency]
    if len(amounts) == 1:
        return own, scale
    total = own.astype(object) * 10**DECIMALS
    for currency, amount in amounts.items():
        if currency != record.currency:
            rates = record.market.rates.series[currency].scaled_at(ts)
            total = total + amount.astype(object) * rates
    return total, scale + DECIMALS


def _floats(rates: Rates, currency: str, ts: IntArray) -> FloatArray | float:
    series = rates.series.get(currency)
    return 1.0 if series is None else series.scaled_at(ts).astype(np.float64) / 10.0**DECIMALS


def _signed(fill: Row) -> Decimal:
    quantity: Decimal = fill["quantity"]
    return quantity if fill["side"] == "BUY" else -quantity


def _position_value(fills: Sequence[Row], prices: Prices, ts: IntArray, scale: int) -> ExactArray:
    """Value of one position at each stamp, times 10**scale: what closing it would have brought."""
    decimals = _decimals([fill["quantity"] for fill in fills])
    quantities = _at_stamps(
        [fill["ts"] for fill in fills], [_scaled(_signed(fill), decimals) for fill in fills], ts
    )
    bid, ask = (_ticks_at_stamps(fills, prices, ticks, ts) for ticks in (prices.bid, prices.ask))
    ticks = np.where(quantities > 0, bid, ask)
    if prices.inverse:
        values = inverse_values(prices.multiplier, ticks, prices.precision)
        inverse: ExactArray = quantities.astype(object) * values * 10 ** (scale - decimals - INVERSE_DECIMALS)
        return inverse
    per_tick = _scaled(prices.multiplier, scale - decimals - prices.precision)
    largest = _largest(quantities) * _largest(ticks) * abs(per_tick)
    return _exact(quantities, largest) * _exact(ticks, largest) * per_tick


def _ticks_at_stamps(fills: Sequence[Row], prices: Prices, ticks: IntArray, ts: IntArray) -> IntArray:
    """Last of `ticks` at or before each stamp; before an instrument's first price that of its last fill."""
    early = [fill for fill in fills if not len(prices.ts) or fill["ts"] < prices.ts[0]]
    paid = [_scaled(fill["price"], prices.precision) for fill in early]
    seen = np.concatenate([np.array([fill["ts"] for fill in early], np.int64), prices.ts])
    known = np.concatenate([np.array([0, *paid], np.int64), ticks])
    return known[np.searchsorted(seen, ts, side="right")]


def _at_stamps(moments: Sequence[int], steps: Sequence[int], ts: IntArray) -> ExactArray:
    """Sum of all steps up to each stamp; the last stamp has every step. moments: when each step was."""
    sums = [0, *accumulate(steps)]
    index = np.searchsorted(np.array(moments, np.int64), ts, side="right")
    index[-1:] = len(steps)
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
    if prices.inverse:
        return quantities + INVERSE_DECIMALS
    return quantities + prices.precision + max(0, _decimals([prices.multiplier]))


def _refuse_what_has_no_rate(record: RunRecord, prices: dict[str, Prices]) -> None:
    for name in dict.fromkeys(fill["instrument"] for fill in record.fills):
        if name not in prices:
            raise RunError(f"fills of {name}, but the run has prices only of {', '.join(prices)}")
    known = {record.currency, *record.market.rates.series}
    for fill in record.fills:
        own = prices[fill["instrument"]]
        needed = {f"{own.instrument} settles in {own.currency}": own.currency}
        if fill["commission"]:
            told = f"commission of {fill['commission']} {fill['currency']} on {own.instrument}"
            needed[told] = fill["currency"]
        for what, currency in needed.items():
            if currency not in known or record.market.rates.at(currency, fill["ts"]) is None:
                raise RunError(
                    f"{what}, of which no rate was known: equity in {record.currency} cannot be rebuilt"
                )


def _compare_with_ledger(equity: Equity, record: RunRecord, prices: dict[str, Prices]) -> None:
    """The engine rounds every profit and commission to a smallest unit of its currency."""
    last = int(equity.ts[-1]) if len(equity.ts) else 0
    smallest = Decimal(1).scaleb(-equity.precision)
    tolerance = Decimal(0)
    for fill in record.fills:
        own = prices[fill["instrument"]]
        unit = Decimal(1).scaleb(-Currency.from_str(own.currency).precision)
        tolerance += max(smallest, abs(own.in_base(unit, max(last, fill["ts"]))))
    if abs(equity.final - record.final_equity) > max(tolerance, smallest):
        raise RunError(
            f"equity rebuilt from fills and prices ends at {equity.final} {equity.currency}, the engine's "
            f"ledger at {record.final_equity} {record.currency}: more than a rounding a fill apart, so no "
            "measure of this run can be trusted"
        )
