"""Which limits refused orders and which breakers halted trading: when, and how much was it about?"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal, localcontext
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from risk.scopes import BOOK, is_result
from runs.equity import EXACT_DIGITS
from runs.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.analysis import Analysis
    from runs.prices import Prices
    from runs.record import Row, RunRecord

HALT_ENDS = {
    "HALT_ENDED": "SESSION_DAY",
    "RESUMED": "RESUMED",
}  # kind of notice -> what ended a halt of its scope
DAILY_LOSS, DRAWDOWN = "DAILY_LOSS", "DRAWDOWN"  # the breakers that compare a reading with a reference


@dataclass(frozen=True)
class LimitRefusals:
    """All that one limit refused. Times are ISO 8601; amounts in the account's currency.

    notional: about how much, all refusals together: the quantity of each at the instrument's last price then, times
    its multiplier; an order that was tried again counts again. unpriced: refusals with no such price, which count
    nothing; notional is None where that is all of them. largest_*: the refusal with the highest notional.
    """

    limit: str
    count: int
    first: str
    last: str
    notional: Decimal | None
    unpriced: int
    largest_notional: Decimal | None
    largest_at: str
    largest_reason: str


@dataclass(frozen=True)
class BreakerTrip:
    """One trip of a breaker, and the halt that followed. Times are ISO 8601; amounts in the account's currency.

    equity, reference: what was read and what it was compared with; lost: how far below; lost_pct: as a fraction of
    the reference, None for one strategy's profit. halt_ended: SESSION_DAY, RESUMED or END_OF_RUN; halted_until: when.
    Both are None where nothing told.
    """

    at: str
    breaker: str
    scope: str
    reason: str
    equity: Decimal | None
    reference: Decimal | None
    lost: Decimal | None
    lost_pct: float | None
    halted_until: str | None
    halt_ended: str | None


@dataclass(frozen=True, slots=True)
class Halt:
    """A trip with the end of its halt: when (UTC ns; None where it is the run's end or not known), and by what."""

    trip: Row
    until: int | None
    ended: str | None


def refusals_explained(analysis: Analysis) -> list[LimitRefusals]:
    """What each limit refused, the most frequent first; ties by name."""
    by_limit: dict[str, list[tuple[Row, Decimal | None]]] = {}
    rows = analysis.record.refusals
    with localcontext(prec=EXACT_DIGITS):  # a fat finger may well be worth more than 28 digits
        for row, worth in zip(rows, notionals(rows, analysis), strict=True):
            by_limit.setdefault(row["limit"], []).append((row, worth))
        ordered = sorted(by_limit.items(), key=lambda item: (-len(item[1]), item[0]))
        return [_refusals_of(limit, own, analysis) for limit, own in ordered]


def trips_explained(analysis: Analysis) -> list[BreakerTrip]:
    """Each trip in the order they happened, with how much was lost and how long trading was halted."""
    with localcontext(prec=EXACT_DIGITS):
        return [_trip(halt, analysis) for halt in halts(analysis.record)]


def halts(record: RunRecord) -> list[Halt]:
    """Each trip with the end of its halt.

    A notice HALT_ENDED or RESUMED of the trip's scope tells it. Without one only a daily loss can have ended: it did
    where another one followed, or where the book was not halted in the end, and it did not where it was the book's last
    trip and the book was; of others nothing is said.
    """
    ends: dict[str, list[Row]] = {}
    for notice in record.notices:
        if notice["kind"] in HALT_ENDS:
            ends.setdefault(notice["scope"], []).append(notice)
    found: list[Halt] = []
    later: dict[str, set[str]] = {}  # scope -> breakers that tripped after this one
    for trip in reversed(record.trips):
        after = later.setdefault(trip["scope"], set())
        found.append(_halt(trip, ends.get(trip["scope"], []), after, halted=record.halted))
        after.add(trip["breaker"])
    return found[::-1]


def notionals(refusals: Sequence[Row], analysis: Analysis) -> list[Decimal | None]:
    """About how much each refusal was worth, in the account's currency; None without a price in it."""
    found: list[Decimal | None] = [None] * len(refusals)
    by_instrument: dict[str, list[int]] = {}
    for place, row in enumerate(refusals):
        by_instrument.setdefault(row["instrument"], []).append(place)
    for name, places in by_instrument.items():
        prices = analysis.prices.get(name)
        if prices is None or prices.inverse or prices.currency != analysis.record.currency:
            continue
        seen = np.searchsorted(prices.ts, [refusals[place]["ts"] for place in places], side="right")
        for place, known in zip(places, seen.tolist(), strict=True):
            if known:
                found[place] = _worth(refusals[place], prices, known - 1)
    return found


def _worth(row: Row, prices: Prices, at: int) -> Decimal:
    ticks = prices.ask if row["side"] == "BUY" else prices.bid
    quantity: Decimal = row["quantity"]
    return quantity * Decimal(int(ticks[at])).scaleb(-prices.precision) * prices.multiplier


def _refusals_of(limit: str, own: list[tuple[Row, Decimal | None]], analysis: Analysis) -> LimitRefusals:
    priced = [worth for _, worth in own if worth is not None]
    largest, most = max(own, key=lambda pair: Decimal(-1) if pair[1] is None else pair[1])
    return LimitRefusals(
        limit=limit,
        count=len(own),
        first=iso(own[0][0]["ts"], analysis.zone),
        last=iso(own[-1][0]["ts"], analysis.zone),
        notional=_rounded(sum(priced, Decimal(0)) if priced else None, analysis),
        unpriced=len(own) - len(priced),
        largest_notional=_rounded(most, analysis),
        largest_at=iso(largest["ts"], analysis.zone),
        largest_reason=largest["reason"],
    )


def _halt(trip: Row, ends: list[Row], later: set[str], *, halted: bool) -> Halt:
    """ends: notices of its scope, oldest first; later: what tripped in it afterwards; halted: the book, in the end."""
    place = bisect_right(ends, trip["ts"], key=itemgetter("ts"))
    if place < len(ends):
        return Halt(trip, ends[place]["ts"], HALT_ENDS[ends[place]["kind"]])
    is_book = trip["scope"] == BOOK
    if trip["breaker"] != DAILY_LOSS or (is_book and halted and not later):
        return Halt(trip, None, "END_OF_RUN")
    is_over = DAILY_LOSS in later or (is_book and not halted)
    return Halt(trip, None, "SESSION_DAY" if is_over else None)


def _trip(halt: Halt, analysis: Analysis) -> BreakerTrip:
    row = halt.trip
    equity, reference = row["equity"], row["reference"]
    lost = None
    if row["breaker"] in (DAILY_LOSS, DRAWDOWN) and equity is not None and reference is not None:
        lost = reference - equity
    is_share = lost is not None and reference > 0 and not is_result(row["scope"])
    return BreakerTrip(
        at=iso(row["ts"], analysis.zone),
        breaker=row["breaker"],
        scope=row["scope"],
        reason=row["reason"],
        equity=_rounded(equity, analysis),
        reference=_rounded(reference, analysis),
        lost=_rounded(lost, analysis),
        lost_pct=float(lost / reference) if is_share and lost is not None else None,
        halted_until=None if halt.until is None else iso(halt.until, analysis.zone),
        halt_ended=halt.ended,
    )


def _rounded(amount: Decimal | None, analysis: Analysis) -> Decimal | None:
    return None if amount is None else amount.quantize(Decimal(1).scaleb(-analysis.equity.precision))
