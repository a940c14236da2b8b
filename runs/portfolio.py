"""Who earned what in an account that several strategies and instruments share, and how large may the account be?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from risk import measures, shares
from runs.equity import EXACT_DIGITS, rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runs.analysis import Analysis
    from runs.equity import Equity
    from runs.prices import FloatArray
    from runs.record import Row
    from runs.summary import Summary

ZERO = Decimal(0)
INTEREST = "interest"
"""Name of the part that is nobody's: interest on cash below zero."""
PARTICIPATIONS = (0.01, 0.05, 0.1)


@dataclass(frozen=True)
class Contribution:
    """What one strategy or instrument added to the account, in its currency; rows add up to the total to the cent.

    pnl: profit or loss after costs; contribution: pnl over starting equity, so that rows add up to the total return;
    risk: marginal contribution to yearly volatility, of session-day returns, which add up to it; risk_share: the same
    as a fraction of it; trades: round trips, closed or open; fees, carried: commissions, and what holding cost;
    exposure: average gross exposure over the account's equity.
    """

    name: str
    pnl: Decimal
    contribution: float | None
    risk: float | None
    risk_share: float | None
    trades: int
    fills: int
    fees: Decimal
    carried: Decimal
    exposure: float | None


@dataclass(frozen=True)
class Together:
    """How parts moved together. names: in the order of rows and columns; correlation: of their daily contributions."""

    names: list[str]
    correlation: list[list[float | None]] | None
    diversification_ratio: float | None
    effective_bets: float | None


@dataclass(frozen=True)
class SizeAt:
    """Starting equity, in whole units, at which a fill takes this share of its bar's volume.

    median: the middle fill does; p95: the 95th of a hundred, from the smallest.
    """

    participation: float
    median: Decimal
    p95: Decimal


@dataclass(frozen=True)
class Capacity:
    """How much of the volume of its bar each fill was, as a fraction, and the account it would take for more.

    fills: those whose bar had a volume; sizes: in proportion, as if every quantity grew with the account and no price
    moved, which is the most that can be said without a model of impact.
    """

    fills: int
    median: float
    p95: float
    largest: float
    sizes: list[SizeAt]


def with_portfolio(summary: Summary, analysis: Analysis) -> Summary:
    """The summary with contributions, correlation and capacity."""
    strategies = _names(analysis, "strategy")
    instruments = _names(analysis, "instrument")
    by_strategy = contributions(analysis, "strategy", strategies)
    by_instrument = contributions(analysis, "instrument", instruments)
    return replace(
        summary,
        contributions={"strategies": by_strategy[0], "instruments": by_instrument[0]},
        correlation={
            "strategies": together(strategies, by_strategy[1]),
            "instruments": together(instruments, by_instrument[1]),
        },
        capacity=capacity(analysis),
    )


def contributions(
    analysis: Analysis, key: str, names: Sequence[str]
) -> tuple[list[Contribution], FloatArray]:
    """A row for each name of `key` (strategy or instrument), and what each added to the returns of session days.

    The second has shape (days, len(names)); empty where the account's equity fell to nothing.
    """
    record, unit = analysis.record, Decimal(1).scaleb(-analysis.equity.precision)
    series = [_equity_of(analysis, key, name) for name in names]
    daily = _daily(analysis, series)
    risks = shares.risk_contributions(daily, analysis.days_per_year) if names else None
    volatility = None if risks is None else float(risks.sum())
    trades = Counter(getattr(trade, key) for trade in analysis.trades)
    rows = []
    for number, name in enumerate(names):
        fills = [fill for fill in record.fills if fill[key] == name]
        risk = None if risks is None else float(risks[number])
        rows.append(
            Contribution(
                name=name,
                pnl=series[number].final.quantize(unit),
                contribution=None,
                risk=risk,
                risk_share=risk / volatility if risk is not None and volatility else None,
                trades=trades[name],
                fills=len(fills),
                fees=_fees(analysis, fills).quantize(unit),
                carried=_carried(record.carried, key, name).quantize(unit),
                exposure=measures.exposure(series[number].gross, analysis.equity.amounts),
            )
        )
    interest = sum((row["amount"] for row in record.carried if row[key] is None), ZERO)
    if interest:
        rows.append(
            Contribution(INTEREST, -interest.quantize(unit), None, None, None, 0, 0, ZERO, interest, None)
        )
    return _adding_up(rows, analysis), daily


def _adding_up(rows: list[Contribution], analysis: Analysis) -> list[Contribution]:
    """The rows so that they add up to what the account gained: the largest takes what rounding left over."""
    if not rows:
        return rows
    record, precision = analysis.record, analysis.equity.precision
    unit = Decimal(1).scaleb(-precision)
    left = (record.final_equity - record.starting_equity).quantize(unit) - sum(row.pnl for row in rows)
    largest = max(range(len(rows)), key=lambda number: abs(rows[number].pnl))
    made = []
    for number, row in enumerate(rows):
        pnl = row.pnl + left if number == largest else row.pnl
        made.append(replace(row, pnl=pnl, contribution=float(pnl / record.starting_equity)))
    return made


def together(names: Sequence[str], daily: FloatArray) -> Together | None:
    """How the named parts moved together; None where there is only one."""
    if len(names) <= 1:
        return None
    return Together(
        names=list(names),
        correlation=shares.correlation(daily),
        diversification_ratio=shares.diversification_ratio(daily),
        effective_bets=shares.effective_bets(daily),
    )


def capacity(analysis: Analysis) -> Capacity | None:
    """What share of the volume of their bars the fills were; None where the data has no volume, or nothing was filled.

    A fill's bar is the first that ends at or after it.
    """
    taken = participations(analysis)
    if not len(taken):
        return None
    median, p95 = (float(np.quantile(taken, share)) for share in (0.5, 0.95))
    return Capacity(
        fills=len(taken),
        median=median,
        p95=p95,
        largest=float(taken.max()),
        sizes=[
            SizeAt(target, _size(analysis, target / median), _size(analysis, target / p95))
            for target in PARTICIPATIONS
        ],
    )


def participations(analysis: Analysis) -> FloatArray:
    """Quantity of each fill over the volume of its bar: fractions, shape (fills whose bar has a volume,)."""
    record, found = analysis.record, [np.empty(0)]
    if record.market.kind != "bars":
        return found[0]
    symbols = dict(zip(map(_id, record.market.instruments), record.market.symbols, strict=True))
    for name in dict.fromkeys(fill["instrument"] for fill in record.fills):
        fills = [fill for fill in record.fills if fill["instrument"] == name]
        ends = analysis.prices[name].ts
        volumes = record.market.frame(symbols[name])["volume"].to_numpy(np.float64)[: len(ends)]
        at = np.searchsorted(ends, np.array([fill["ts"] for fill in fills], np.int64), side="left")
        seen = at < len(ends)
        volume = volumes[at[seen]]
        quantity = np.array([float(fill["quantity"]) for fill in fills])[seen]
        found.append(quantity[volume > 0] / volume[volume > 0])
    return np.concatenate(found)


def _size(analysis: Analysis, times: float) -> Decimal:
    return (analysis.record.starting_equity * Decimal(repr(times))).quantize(Decimal(1))


def _equity_of(analysis: Analysis, key: str, name: str) -> Equity:
    """What the fills and charges of one part came to at every stamp, from nothing."""
    record = analysis.record
    own = replace(
        record,
        starting_equity=ZERO,
        fills=[fill for fill in record.fills if fill[key] == name],
        carried=[row for row in record.carried if row[key] == name],
    )
    traded = {fill["instrument"] for fill in own.fills}
    prices = {instrument: prices for instrument, prices in analysis.prices.items() if instrument in traded}
    with localcontext(prec=EXACT_DIGITS):
        return rebuilt(own, prices, analysis.equity.ts)


def _daily(analysis: Analysis, series: Sequence[Equity]) -> FloatArray:
    bases = analysis.by_day[:-1]
    if not len(series) or not (bases > 0).all():
        return np.empty((0, len(series)))
    ends = [np.concatenate([[0.0], each.amounts[analysis.days]]) for each in series]
    made: FloatArray = np.column_stack([np.diff(each) / bases for each in ends])
    return made


def _names(analysis: Analysis, key: str) -> list[str]:
    """Who sent orders: instruments as the run has them, strategies by the number in their ids."""
    rows: Iterable[Row] = (*analysis.record.orders, *analysis.record.fills)
    found = {row[key] for row in rows}
    if key == "instrument":
        return [name for name in analysis.prices if name in found]
    return sorted(found, key=lambda name: (name.rpartition("-")[2].zfill(8), name))


def _fees(analysis: Analysis, fills: Iterable[Row]) -> Decimal:
    prices = analysis.prices
    return sum(
        (
            prices[fill["instrument"]].in_base(fill["commission"], fill["ts"], fill["currency"])
            for fill in fills
        ),
        ZERO,
    )


def _carried(rows: Iterable[Row], key: str, name: str) -> Decimal:
    return sum((row["amount"] for row in rows if row[key] == name), ZERO)


def _id(instrument: Any) -> str:
    return str(instrument.id)
