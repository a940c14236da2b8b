"""How well were orders filled: at which price, how completely and how fast?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from live._report_found import Found, Order, Row
from live._report_market import RunMarket
from runs.slippage import Slippage, slippage, together

ZERO = Decimal(0)
NANOS = 1_000_000_000
ENDED_SHORT = ("CANCELED", "EXPIRED", "REJECTED")


@dataclass(frozen=True, slots=True)
class Quality:
    """Fills of one instrument, or of all. Amounts are in the account's currency; None: no fresh rate is known.

    traded: bought and sold, at the prices of the fills. decided: how many of the fills have a decision price to be
    measured against. cost: against those prices, below zero is a gain; bps: the same in basis points; worst_bps: the
    dearest single fill. commission is not part of any of these.
    """

    fills: int
    traded: Decimal | None
    commission: Decimal | None
    decided: int
    cost: Decimal | None
    bps: float | None
    worst_bps: float | None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the intent on disk to the first fill (wall clock); half and 95% took at most so long."""

    orders: int
    p50_secs: float | None
    p95_secs: float | None


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders that changed in the period, as they were at its end; sent: those decided on in it.

    partly: filled in part at some time; cut_short: ended with some but not all of their quantity filled.
    """

    sent: int
    filled: int
    partly: int
    cut_short: int
    canceled: int
    rejected: int
    expired: int
    denied: int
    unknown: int
    not_sent: int
    working: int
    reject_reasons: Mapping[str, int]


def quality_of(fills: Sequence[Row], market: RunMarket) -> Quality:
    """Sum up fills."""
    measured = [(fill, _slippage(fill, market)) for fill in fills]
    decided = [(fill, one) for fill, one in measured if one is not None]
    costs = [market.in_base(_cost(fill, one), fill["instrument"], fill["ts"]) for fill, one in decided]
    bases = [market.in_base(one.decided, fill["instrument"], fill["ts"]) for fill, one in decided]
    total = None
    if None not in costs and None not in bases:
        total = together(
            Slippage(cost, base) for cost, base in zip(costs, bases, strict=True) if cost is not None and base
        )
    each = [one.bps for _, one in decided if one.bps is not None]
    return Quality(
        fills=len(fills),
        traded=_sum(
            market.in_base(
                fill["quantity"] * abs(market.worth(fill["instrument"], fill["price"])),
                fill["instrument"],
                fill["ts"],
            )
            for fill in fills
        ),
        commission=_sum(market.converted(fill["commission"], fill["currency"], fill["ts"]) for fill in fills),
        decided=len(decided),
        cost=total.cost if total is not None and decided else None,
        bps=None if total is None else total.bps,
        worst_bps=max(each, default=None),
    )


def by_instrument(fills: Iterable[Row], market: RunMarket) -> dict[str, Quality]:
    """Instrument -> its fills summed up, the dearest first."""
    groups: dict[str, list[Row]] = {}
    for fill in fills:
        groups.setdefault(fill["instrument"], []).append(fill)
    found = {name: quality_of(group, market) for name, group in groups.items()}
    return dict(sorted(found.items(), key=lambda each: (-(each[1].cost or ZERO), each[0])))


def timing_of(found: Found, *, market_orders_only: bool) -> Timing:
    """How long fills took. Fills that were found out about later (reconciled) say nothing of that and are left out."""
    first: dict[str, int] = {}
    for fill in found.fills:
        if fill["source"] == "engine":
            first.setdefault(fill["client_order_id"], fill["at"])
    secs = [
        (at - found.intents[name]) / NANOS
        for name, at in first.items()
        if name in found.intents and (not market_orders_only or _is_market(found.orders.get(name)))
    ]
    if not secs:
        return Timing(0, None, None)
    half, most = np.percentile(np.array(secs), [50, 95])
    return Timing(len(secs), float(half), float(most))


def orders_of(orders: Mapping[str, Order]) -> Orders:
    """Count orders by what became of them."""
    by_status = Counter(order.status for order in orders.values())
    over = ("FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED", "NOT_SENT", "UNKNOWN")
    rejected = [order for order in orders.values() if order.status == "REJECTED"]
    return Orders(
        sent=sum(order.intended for order in orders.values()),
        filled=by_status["FILLED"],
        partly=sum(order.partly for order in orders.values()),
        cut_short=sum(
            order.status in ENDED_SHORT and ZERO < order.filled < order.quantity for order in orders.values()
        ),
        canceled=by_status["CANCELED"],
        rejected=by_status["REJECTED"],
        expired=by_status["EXPIRED"],
        denied=by_status["DENIED"],
        unknown=by_status["UNKNOWN"],
        not_sent=by_status["NOT_SENT"],
        working=sum(count for status, count in by_status.items() if status not in over),
        reject_reasons=dict(Counter(order.reason or "no reason given" for order in rejected).most_common()),
    )


def _slippage(fill: Row, market: RunMarket) -> Slippage | None:
    """Against the decision price, in the currency the instrument settles in; None where there was none."""
    decided, paid = fill["decision_price"], fill["price"]
    if not decided or not paid:
        return None
    worth = market.worth(fill["instrument"], decided), market.worth(fill["instrument"], paid)
    return slippage(fill["side"], fill["quantity"], *worth)


def _cost(fill: Row, worked_out: Slippage) -> Decimal:
    """As the journal has it: the desk knew the contract when it was written."""
    written: Decimal | None = fill["slippage"]
    return worked_out.cost if written is None else written


def _is_market(order: Order | None) -> bool:
    return order is not None and order.type == "MARKET"


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None where one of them is not known."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
