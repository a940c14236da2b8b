"""What does a report say first, and what after that?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from live import _report_facts as facts
from live import _report_tables as tables
from live._amounts import money_text, percent_text
from live._report_cells import Cell, Cells, Facts, Section, Table, many
from live._report_events import URGENT

if TYPE_CHECKING:
    from live._report_numbers import Report

NEWEST = 3


def cells_of(report: Report) -> Cells:
    """What writes the numbers of a report."""
    return Cells(report.currency, report.period.zone, report.reasons)


def figures(report: Report) -> list[Facts]:
    """What stands beside each other, at the top."""
    if report.is_empty:
        return []
    cells = cells_of(report)
    found = facts.result, facts.risk, facts.trades, facts.fills
    return [each(report, cells) for each in found]


def details(report: Report) -> list[Section]:
    """Everything below; a table without a line is left out."""
    cells = cells_of(report)
    found: list[Table] = [
        tables.tripped(report, cells),
        tables.distances(report, cells),
        tables.refusals(report, cells),
        tables.days(report, cells),
        tables.positions(report, cells),
        tables.round_trips(report, cells),
        tables.grouped("By instrument", "Instrument", report.trades_by_instrument, cells),
        tables.grouped("By strategy", "Strategy", report.trades_by_strategy, cells),
        tables.slippage(report, cells),
        tables.rejects(report),
        tables.commands(report, cells),
        tables.events(report, cells),
        tables.alerts(report, cells),
        tables.runs(report, cells),
    ]
    return [*(table for table in found if table.rows), facts.record(report)]


def title(report: Report) -> str:
    """What the report is, of which account and time."""
    word = {"day": "Daily report", "week": "Weekly report", "month": "Monthly report"}
    return f"{word.get(report.period.kind, 'Report')}: {report.period.title}"


def headline(report: Report) -> str:
    """The result in one sentence."""
    value, currency = report.value, report.currency
    if report.is_empty:
        return "Nothing was recorded in this period."
    if value.pnl is None or value.end is None:
        return f"The result is not known: {report.reasons.get('value.pnl', 'no snapshot')}."
    worth = f"the account is worth {money_text(value.end, currency)} {currency}."
    if not value.pnl:
        return f"Unchanged; {worth}"
    part = "" if value.part is None else f" ({percent_text(value.part, signed=True)})"
    word = "Up" if value.pnl > 0 else "Down"
    return f"{word} {money_text(abs(value.pnl), currency)} {currency}{part}; {worth}"


def attention(report: Report) -> list[Cell]:
    """What a person should look at first, the worst first."""
    orders = report.orders
    unanswered = sum(each.outcome is None for each in report.asked)
    urgent = [Cell(f"{each.kind}: {each.text}", "bad") for each in report.events if each.kind in URGENT]
    bad = [
        (report.health.sound is False, f"The journal is not sound: {report.health.told}"),
        (report.state == "HALTED", "Trading is halted at the end of the period."),
        (orders.unknown > 0, f"Nobody knows what became of {many(orders.unknown, 'order')}."),
    ]
    tripped = {each.breaker for each in report.tripped}
    near = [
        Cell(f"{each.key} came to {each.used:.0%} of its limit.", "warn")
        for each in report.distances
        if each.is_breaker and (each.used or 0.0) >= tables.NEAR and each.breaker not in tripped
    ]
    stretched, days = report.value.stretched, len(report.value.trading_days)
    late = (
        f"The snapshot before this day is of {report.value.before}: what was earned since then counts in it."
    )
    if days > 1:
        late = (
            f"{stretched} of {days} days have no snapshot on the day before: each counts what was earned since the "
            "last one."
        )
    warned = [
        (stretched > 0, late),
        (orders.rejected > 0, f"The venue rejected {many(orders.rejected, 'order')}."),
        (unanswered > 0, f"No node answered {many(unanswered, 'command')}."),
    ]
    return [
        *(Cell(text, "bad") for holds, text in bad if holds),
        *(Cell(f"{each.breaker} tripped: {each.reason}", "bad") for each in report.tripped[-NEWEST:]),
        *urgent[-NEWEST:],
        *near,
        *(Cell(text, "warn") for holds, text in warned if holds),
    ]
