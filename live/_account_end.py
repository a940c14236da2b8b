"""What is shown when a run on an account ends that a venue keeps?

What such a run earned is measured by the account's own snapshots, not by playing its fills against recorded prices: it
may have begun with positions, and its prices were the venue's. The rest of the account is `python -m live report`.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from live._run_rows import with_rows
from risk import measures
from runs.artifacts import write_record
from runs.folder import SUMMARY
from runs.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live._journal import RunJournal
    from live._node import LiveRun
    from runs.folder import RunFolder
    from runs.prepare import Prepared

CENT = Decimal("0.01")


def finish_account(ready: Prepared, result: LiveRun, journal: RunJournal, folder: RunFolder) -> Summary:
    """Write the run's files and show its result, as the config asks."""
    result = replace(result, record=with_rows(result.record, journal.engine, journal.run_id))
    write_record(folder, result.record)
    summary = _summary(result, journal, folder)
    folder.write(SUMMARY, summary.to_json() + "\n")
    if ready.config.output == "json":
        sys.stdout.write(summary.to_json() + "\n")
    else:
        _show(Console(), summary, result, journal)
    return summary


def _summary(result: LiveRun, journal: RunJournal, folder: RunFolder) -> Summary:
    record, trades = result.record, journal.witness.closed
    points = np.array([float(equity) for _, equity in journal.points])
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
            "max_drawdown": measures.max_drawdown(points) if len(points) else None,
            "trades": len(trades),
            "open_trades": len(journal.witness.trips.open),
            "win_rate": measures.win_rate(pnls),
            "profit_factor": measures.profit_factor(pnls),
            "bars": 0,
            "data_version": record.market.version,
            "run_dir": str(folder.path),
        }
    )


def _show(console: Console, summary: Summary, result: LiveRun, journal: RunJournal) -> None:
    money = summary.currency
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows: Sequence[tuple[str, str]] = (
        ("Starting equity", f"{summary.starting_equity:,.2f} {money}"),
        ("Final equity", f"{summary.final_equity:,.2f} {money}"),
        ("Result", f"{summary.final_equity - summary.starting_equity:+,.2f} {money}"),
        ("Fees", f"{summary.fees:,.2f} {money}"),
        ("Orders / fills / refusals", f"{summary.orders} / {summary.fills} / {summary.refusals}"),
        ("Trades closed / open", f"{summary.trades} / {summary.open_trades}"),
        ("Halted at the end", "yes" if summary.halted else "no"),
        ("Run", journal.run_id),
        ("Journal", journal.config.journal.shown),
        ("Run folder", summary.run_dir),
    )
    for name, value in rows:
        table.add_row(name, value)
    console.print(table, highlight=False)
    for limit, count in summary.refusals_by_limit.items():
        console.print(f"Refused: {count} by {limit}", highlight=False)
    for trip in result.record.trips:
        console.print(f"Tripped: {trip['reason']}", highlight=False)
    console.print(f"Stopped: {result.stopped}", highlight=False)
    for left in result.left:
        console.print(f"Left open: {left}", highlight=False)
    venue = journal.account.venue
    console.print(f"More: python -m live report venue={venue}", highlight=False, soft_wrap=True)
