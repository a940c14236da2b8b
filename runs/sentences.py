"""How are refusals, trips and luck told in a sentence, in the terminal and on the tear sheet alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk.scopes import BOOK
from runs.wording import percent, ratio, span

if TYPE_CHECKING:
    from decimal import Decimal

    from runs.explain import BreakerTrip, LimitRefusals
    from runs.summary import Summary

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


def luck_lines(summary: Summary) -> list[str]:
    """What of the result may be luck, a line a question; none where nothing can be said."""
    lines = []
    if summary.sharpe_low is not None:
        sharpe = span(summary.sharpe_low, summary.sharpe_high, ratio)
        drawdown = span(summary.max_drawdown_low, summary.max_drawdown_high, percent)
        lines.append(f"Sharpe {sharpe}, max drawdown {drawdown}: 90% of resamples")
    if summary.probabilistic_sharpe is not None:
        lines.append(f"{percent(summary.probabilistic_sharpe)} sure of a Sharpe above 0; {_needed(summary)}")
    if summary.deflated_sharpe is not None and summary.trials_ledger is not None:
        trials = "1 trial" if summary.trials_ledger == 1 else f"{summary.trials_ledger:,} trials"
        sure = percent(summary.deflated_sharpe)
        lines.append(f"{sure} after {trials} of it on this data (deflated Sharpe)")
    return lines


def _needed(summary: Summary) -> str:
    """How long a record it takes to be sure, beside the one there is."""
    needed, days = summary.min_track_record_years, summary.min_track_record_days
    if needed is None or not days or summary.track_record_days is None:
        return "no length of record would give 95%"
    return f"95% takes {needed:,.1f} years, this has {summary.track_record_days * needed / days:,.1f}"


def minute(stamp: str) -> str:
    """Write an ISO 8601 time as a person reads it: `2008-10-01 16:00`."""
    return stamp[:16].replace("T", " ")


def _roughly(amount: Decimal, currency: str) -> str:
    """Write an estimate as `76,541 USD`, with decimals only where it is small."""
    return f"{amount:,.0f} {currency}" if amount >= _WHOLE_FROM else f"{amount:,f} {currency}"
