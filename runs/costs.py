"""What was assumed of the costs of a run, and what did they take?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters.costs import BORROW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from adapters.costs import Costs
    from runs.analysis import Analysis
    from runs.record import Row, RunRecord

ZERO = Decimal(0)
BASIS_POINTS = 10_000
_MOST_NAMES = 3
BROKERS_OWN = "the broker's own, as its fills and statements say"


@dataclass(frozen=True)
class CostsTaken:
    """What was assumed, in words, and what it took (account currency).

    preset: `costs=NAME`, `own` for those of the venue's file, None where a broker filled the orders; free: nothing
    costs anything; fees: all commissions; slippage: what fills were worse than the data's prices, by the model (None: a
    broker's fills, of which no price without slippage is known); borrow, interest: what holding cost; total: all of it;
    bps: the total in basis points of the value traded (None: nothing was traded).
    """

    preset: str | None
    assumed: str
    free: bool
    fees: Decimal
    slippage: Decimal | None
    borrow: Decimal
    interest: Decimal
    total: Decimal
    bps: float | None


def costs_of(analysis: Analysis) -> CostsTaken:
    """What the costs of a run were taken to be, and what they came to."""
    record, unit = analysis.record, Decimal(1).scaleb(-analysis.equity.precision)
    doubt = None if record.costs is None else of_another_class(record.costs, record.market.instruments)
    made_for = "" if doubt is None else f"; {doubt}"
    fees = analysis.fees.quantize(unit)
    slippage = None if record.costs is None else slipped(analysis).quantize(unit)
    borrow = sum((row["amount"] for row in record.carried if row["kind"] == BORROW), ZERO)
    interest = sum((row["amount"] for row in record.carried), ZERO) - borrow
    total = fees + (slippage or ZERO) + borrow + interest
    return CostsTaken(
        preset=None if record.costs is None else record.costs.costs,
        assumed=BROKERS_OWN
        if record.costs is None
        else assumed(record.costs, quoted=record.market.kind == "quotes") + made_for,
        free=record.costs is not None and record.costs.free and record.market.kind == "bars",
        fees=fees,
        slippage=slippage,
        borrow=borrow.quantize(unit),
        interest=interest.quantize(unit),
        total=total.quantize(unit),
        bps=float(total) / analysis.traded * BASIS_POINTS if analysis.traded else None,
    )


def of_another_class(costs: Costs, instruments: Iterable[Any]) -> str | None:
    """What to doubt where costs were gathered for other asset classes than those of these instruments; else None."""
    others: dict[str, list[str]] = {}
    for each in instruments:
        own = each.asset_class.name.lower().replace("cryptocurrency", "crypto")
        if costs.costs_for and own not in costs.costs_for:
            others.setdefault(own, []).append(str(each.id))
    if not others:
        return None
    told = " and ".join(
        f"{', '.join(names[:_MOST_NAMES])}{', ...' if len(names) > _MOST_NAMES else ''} ({own})"
        for own, names in others.items()
    )
    return f"costs={costs.costs} is for {' and '.join(costs.costs_for)}, not for {told}"


def slipped(analysis: Analysis) -> Decimal:
    """What fills cost more than at the prices there would have been without slippage, in the account's currency."""
    record, total = analysis.record, ZERO
    ticks = _ticks(record)
    for fill in record.fills:
        own, price = analysis.prices[fill["instrument"]], fill["price"]
        base = _base(record, fill, ticks.get(fill["instrument"], ZERO))
        worse = own.value(price) - own.value(base)
        cost = worse if fill["side"] == "BUY" else -worse
        total += own.in_base(cost * fill["quantity"], fill["ts"])
    return total


def _base(record: RunRecord, fill: Row, tick: Decimal) -> Decimal:
    price: Decimal = fill["price"]
    if fill["liquidity"] == "TAKER" and fill["client_order_id"] in record.expected:
        return record.expected[fill["client_order_id"]]
    return price - tick if fill["side"] == "BUY" else price + tick


def _ticks(record: RunRecord) -> dict[str, Decimal]:
    """Instrument id -> how far the engine itself moved each of its fills."""
    if record.costs is None or not record.costs.slippage_ticks:
        return {}
    return {str(each.id): each.price_increment.as_decimal() for each in record.market.instruments}


def assumed(costs: Costs, *, quoted: bool) -> str:
    """The assumptions in one line of plain words. quoted: the data has bid and ask."""
    parts = [
        *_fees(costs),
        *_prices(costs, quoted=quoted),
        f"orders arrive after {costs.latency_ms} ms" if costs.latency_ms else "orders arrive at once",
    ]
    if costs.fill_probability < 1:
        parts.append(f"a limit order that is touched fills with {costs.fill_probability:.0%}")
    free = ["FREE OF COSTS"] if costs.free and not quoted else []
    return "; ".join([*free, *parts, *_holding(costs)])


def _fees(costs: Costs) -> list[str]:
    said = []
    if costs.maker_fee or costs.taker_fee:
        same = costs.maker_fee == costs.taker_fee
        resting = f"{_bp(costs.maker_fee)} of a resting fill, {_bp(costs.taker_fee)} of any other"
        said.append(f"{_bp(costs.taker_fee)} of each fill" if same else resting)
    if costs.fee_per_unit:
        said.append(f"{_plain(costs.fee_per_unit)} a unit")
    if costs.min_fee:
        said.append(f"at least {_plain(costs.min_fee)} an order")
    if costs.max_fee_pct:
        said.append(f"at most {_pct(costs.max_fee_pct)} of it")
    if costs.sale_fee or costs.sale_fee_per_unit:
        levies = [_bp(costs.sale_fee)] if costs.sale_fee else []
        if costs.sale_fee_per_unit:
            most = f" (at most {_plain(costs.sale_fee_per_unit_max)})" if costs.sale_fee_per_unit_max else ""
            levies.append(f"{_plain(costs.sale_fee_per_unit)} a unit{most}")
        said.append(f"sales {' and '.join(levies)}")
    return [", ".join(said) or "no fee"]


def _prices(costs: Costs, *, quoted: bool) -> list[str]:
    said = ["bid and ask of the data"] if quoted else []
    if costs.spread_bps and not quoted:
        said.append(f"a spread of {_plain(costs.spread_bps)} bp")
    if costs.slippage_vol:
        said.append(f"slippage of {_plain(costs.slippage_vol)} x daily volatility")
    if costs.impact:
        said.append(f"impact of {_plain(costs.impact)} x daily volatility x (quantity / bar volume)^0.6")
    if costs.slippage_ticks:
        said.append("one tick of slippage")
    return said or ["no slippage"]


def _holding(costs: Costs) -> list[str]:
    if not costs.financed:
        return ["borrowing free"]
    shorts = f"borrowing {_pct(costs.borrow_rate)} a year" if costs.borrow_rate else "borrowing shares free"
    debt = f"cash below zero {_pct(costs.margin_rate)} a year" if costs.margin_rate else "borrowing cash free"
    return [shorts, debt]


def _bp(fraction: Decimal) -> str:
    return f"{_plain(fraction * BASIS_POINTS)} bp"


def _pct(fraction: Decimal) -> str:
    return f"{_plain(fraction * 100)}%"


def _plain(number: Decimal) -> str:
    """Without exponent and closing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
