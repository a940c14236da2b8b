"""How are refusals and trips told in a sentence, in the terminal and on the tear sheet alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk.scopes import BOOK

if TYPE_CHECKING:
    from decimal import Decimal

    from runs.explain import BreakerTrip, LimitRefusals

_WHOLE_FROM = 1_000  # an estimate this large needs no decimals


def refused_text(refused: LimitRefusals, currency: str) -> str:
    """What one limit refused: when and about how much, then the arithmetic of the largest on its own line."""
    reason = refused.largest_reason.removeprefix(f"{refused.limit}: ")
    largest, total = refused.largest_notional, refused.notional
    size = "" if largest is None else f", about {_roughly(largest, currency)}"
    if refused.count == 1:
        return f"{minute(refused.first)}{size}:\n{reason}"
    which = "the first"
    if largest is not None and total is not None:
        which = f"about {_roughly(total, currency)} in all, the largest {_roughly(largest, currency)}"
    span = f"{minute(refused.first)} to {minute(refused.last)}"
    return f"{span},\n{which}:\n{minute(refused.largest_at)}  {reason}"


def trip_text(trip: BreakerTrip) -> str:
    """Why a breaker went off, for whom where that is not the whole book, and how long it halted."""
    reason = trip.reason.removeprefix(f"{trip.breaker}: ")
    whom = "" if trip.scope == BOOK or trip.scope in reason else f"{trip.scope}: "
    return f"{whom}{reason}{_halted(trip)}"


def _halted(trip: BreakerTrip) -> str:
    """How long the halt of a trip lasted; nothing where that is not known."""
    if trip.halt_ended is None:
        return ""
    if trip.halt_ended == "END_OF_RUN":
        return "; halted to the end of the run"
    by = "its session day ended" if trip.halt_ended == "SESSION_DAY" else "a person resumed"
    return f"; halted until {by}" + (f", {minute(trip.halted_until)}" if trip.halted_until else "")


def minute(stamp: str) -> str:
    """Write an ISO 8601 time as a person reads it: `2008-10-01 16:00`."""
    return stamp[:16].replace("T", " ")


def _roughly(amount: Decimal, currency: str) -> str:
    """Write an estimate as `76,541 USD`, with decimals only where it is small."""
    return f"{amount:,.0f} {currency}" if amount >= _WHOLE_FROM else f"{amount:,f} {currency}"
