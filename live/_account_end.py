"""What is shown when a run on an account ends that a venue keeps?

What such a run earned is measured by the account's own snapshots, not by playing its fills against recorded prices: it
may have begun with positions, and its prices were the venue's. Result and risk are those of the whole account;
`python -m live report` tells more of it.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from live._run_rows import with_rows
from risk import measures
from runs.artifacts import write_record
from runs.folder import SUMMARY
from runs.sentences import minute
from runs.summary import Summary
from runs.table import show_measures

if TYPE_CHECKING:
    from live._journal import RunJournal
    from live._node import LiveRun
    from runs.folder import RunFolder
    from runs.prepare import Prepared

CENT = Decimal("0.01")


def finish_account(
    ready: Prepared, result: LiveRun, journal: RunJournal, folder: RunFolder, bars: int
) -> Summary:
    """Write the run's files and show its result, as the config asks. bars: how many came."""
    result = replace(result, record=with_rows(result.record, journal.engine, journal.run_id))
    write_record(folder, result.record)
    summary = _summary(result, journal, folder, bars)
    folder.write(SUMMARY, summary.to_json() + "\n")
    if ready.config.output == "json":
        sys.stdout.write(summary.to_json() + "\n")
    else:
        _show(Console(), ready, summary, result, journal)
    return summary


def _summary(result: LiveRun, journal: RunJournal, folder: RunFolder, bars: int) -> Summary:
    record, trades = result.record, journal.witness.closed
    market = record.market
    multipliers = {str(one.id): float(one.multiplier.as_decimal()) for one in market.instruments}
    measured = journal.seen.figures(
        record.starting_equity, record.fills, multipliers, market.zone, market.days_per_year
    )
    pnls = np.array([float(trade["pnl"]) for trade in trades])
    fees = sum((fill["commission"] for fill in record.fills), Decimal(0))
    nothing: dict[str, Any] = dict.fromkeys(
        name for name, kind in Summary.__annotations__.items() if "None" in str(kind)
    )
    return Summary(
        **{
            **nothing,
            "orders": len(record.orders),
            "fills": len(record.fills),
            "refusals": len(record.refusals),
            "refusals_by_limit": dict(Counter(row["limit"] for row in record.refusals).most_common()),
            "refusals_detail": [],
            "trips": len(record.trips),
            "trips_detail": [],
            "notices_by_kind": dict(Counter(row["kind"] for row in record.notices).most_common()),
            "halted": record.halted,
            "currency": record.currency,
            "starting_equity": record.starting_equity.quantize(CENT),
            "final_equity": record.final_equity.quantize(CENT),
            "fees": fees.quantize(CENT),
            "total_return": float(record.final_equity / record.starting_equity - 1),
            "trades": len(trades),
            "open_trades": len(journal.witness.trips.open),
            "win_rate": measures.win_rate(pnls),
            "profit_factor": measures.profit_factor(pnls),
            "bars": bars,
            "data_version": record.market.version,
            "run_dir": str(folder.path),
            **measured,
        }
    )


def _show(console: Console, ready: Prepared, summary: Summary, result: LiveRun, journal: RunJournal) -> None:
    market = result.record.market
    names = ", ".join(str(one.id) for one in market.instruments)
    console.print(f"[bold]{ready.config.venue.name}[/bold]  {names}", highlight=False)
    if summary.first_bar and summary.last_bar:
        spans = f"{minute(summary.first_bar)} to {minute(summary.last_bar)} ({market.zone})"
        console.print(f"[dim]{spans}, {summary.bars:,} bars[/dim]", highlight=False)
    show_measures(console, summary)
    for name, value in (("Run", journal.run_id), ("Journal", journal.config.journal.shown)):
        console.print(f"[bold]{name:<12}[/bold]{value}", highlight=False, soft_wrap=True)
    console.print(f"[bold]Run folder  [/bold]{summary.run_dir}", highlight=False, soft_wrap=True)
    for limit, count in summary.refusals_by_limit.items():
        console.print(f"Refused: {count} by {limit}", highlight=False)
    for trip in result.record.trips:
        console.print(f"Tripped: {trip['reason']}", highlight=False)
    console.print(f"Stopped: {result.stopped}", highlight=False)
    for left in result.left:
        console.print(f"Left open: {left}", highlight=False)
    venue = journal.account.venue
    console.print(f"More: python -m live report venue={venue}", highlight=False, soft_wrap=True)
