"""Which tables does a report show?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from live._amounts import held_text, quantity_text
from live._report_cells import MOST, Cell, Cells, Table, Tone, more
from live._report_events import URGENT, Asked, Event
from risk.scopes import BOOK

if TYPE_CHECKING:
    from live._report_limits import Distance
    from live._report_numbers import Report
    from live._report_trades import Trades

NEAR, REACHED = 0.8, 1.0


def days(report: Report, cells: Cells) -> Table:
    """A line a session day, or a month where there are many days; nothing for a single one."""
    value = report.value
    name = "Month" if value.by_month else "Day"
    flow = ["Paid in or out"] if value.flows else []
    columns = [name, "Start", "End", *flow, "Profit and loss", "Return"]
    rows = []
    for day in value.steps if len(value.days) > 1 else ():
        paid = [Cell(cells.money(day.flow, signed=True).text if day.flow else "")] if value.flows else []
        row = [
            Cell(f"{day.day:%Y-%m}" if value.by_month else f"{day.day:%a} {day.day}"),
            cells.money(day.start),
            cells.money(day.end),
            *paid,
        ]
        rows.append([*row, cells.money(day.pnl, signed=True), cells.percent(day.part, signed=True)])
    return Table(f"{name}s", columns, rows, frozenset(range(1, len(columns))))


def distances(report: Report, cells: Cells) -> Table:
    """How close each limit of the book came to being reached."""
    rows = [
        [
            Cell(each.key),
            _in_unit(each, each.worst, cells),
            _in_unit(each, each.limit, cells),
            used(each, cells),
            cells.when(each.at),
        ]
        for each in report.distances
    ]
    note = "The worst of all snapshots, and of the last closed trades, against the limit in force then."
    columns = ["Limit", "Worst", "Limit at", "Used", "When"]
    return Table("How close limits came", columns, rows, frozenset({1, 2}), note=note)


def used(distance: Distance, cells: Cells) -> Cell:
    """How much of a limit was used up."""
    if distance.used is None:
        return cells.unknown("nothing to compare in this period")
    reached: Tone = "bad" if distance.is_breaker else "warn"
    tone: Tone = reached if distance.used >= REACHED else "warn" if distance.used >= NEAR else ""
    return Cell(f"{distance.used:.0%}", tone, bar=distance.used)


def _in_unit(distance: Distance, number: Decimal | None, cells: Cells) -> Cell:
    if number is None:
        return cells.unknown("nothing to compare in this period")
    if distance.unit == "{currency}":
        return cells.money(number)
    if distance.unit.startswith("of "):
        return cells.percent(float(number))
    return cells.ratio(float(number), unit="x") if distance.unit == "times equity" else cells.price(number)


def refusals(report: Report, cells: Cells) -> Table:
    """What the gate refused, by the code of the limit."""
    rows = [
        [Cell(each.code), Cell(f"{each.count:,}"), cells.when(each.at), Cell(each.newest)]
        for each in report.refused
    ]
    columns = ["Code", "Orders", "Newest", "Its arithmetic"]
    return Table("Refused by the gate", columns, rows, frozenset({1}), frozenset({3}))


def tripped(report: Report, cells: Cells) -> Table:
    """Which breakers went off."""
    rows = [
        [
            cells.when(each.at),
            Cell(each.breaker, "bad"),
            Cell("account" if each.scope == BOOK else each.scope),
            Cell(each.reason),
        ]
        for each in report.tripped
    ]
    return Table("Breaker trips", ["When", "Breaker", "Of", "Why"], rows, wide=frozenset({3}))


def round_trips(report: Report, cells: Cells) -> Table:
    """The newest trades that ended."""
    trips = report.trips
    rows = [
        [
            cells.when(row["closed_ns"]),
            Cell(row["instrument"]),
            Cell(row["strategy"]),
            Cell(f"{row['side'].lower()} {quantity_text(row['quantity'])}"),
            cells.price(row["entry_price"]),
            cells.price(row["exit_price"]),
            Cell(held_text(row["holding_ns"])),
            cells.money(row["pnl"], signed=True),
            cells.percent(float(row["pnl_pct"]), signed=True),
        ]
        for row in trips[-MOST:]
    ]
    columns = [
        "Closed", "Instrument", "Strategy", "Side", "In", "Out", "Held", "Profit and loss", "Return",
    ]  # fmt: skip
    right = frozenset({4, 5, 6, 7, 8})
    return Table("Closed trades", columns, rows, right, note=more(len(trips), "trades"))


def grouped(title: str, name: str, groups: Mapping[str, Trades], cells: Cells) -> Table:
    """Closed trades by instrument or by strategy, where there are several."""
    rows = [
        [
            Cell(key),
            Cell(f"{each.count:,}"),
            cells.percent(each.win_rate),
            cells.ratio(each.profit_factor, "no trade lost"),
            cells.money(each.commission),
            cells.money(each.pnl, signed=True),
        ]
        for key, each in list(groups.items())[:MOST]
    ]
    columns = [name, "Trades", "Win rate", "Profit factor", "Commission", "Profit and loss"]
    return Table(title, columns, rows if len(rows) > 1 else [], frozenset(range(1, 6)))


def slippage(report: Report, cells: Cells) -> Table:
    """How well the orders of each instrument were filled."""
    none = "no fill has a decision price"
    rows = [
        [
            Cell(name),
            Cell(f"{each.fills:,}"),
            cells.money(each.traded, "no fresh rate of its currency"),
            cells.money(each.commission, "no fresh rate of its currency"),
            cells.cost(each.cost, none),
            cells.basis_points(each.bps, none),
            cells.basis_points(each.worst_bps, none),
        ]
        for name, each in list(report.fills_by_instrument.items())[:MOST]
    ]
    columns = ["Instrument", "Fills", "Traded", "Commission", "Slippage", "in bp", "Dearest fill, bp"]
    return Table("Fill quality", columns, rows, frozenset(range(1, 7)))


def rejects(report: Report) -> Table:
    """What the venue rejected, and why."""
    reasons = list(report.orders.reject_reasons.items())[:MOST]
    rows = [[Cell(f"{count:,}"), Cell(reason)] for reason, count in reasons]
    return Table("Rejected by the venue", ["Orders", "Its reason"], rows, frozenset({0}), frozenset({1}))


def positions(report: Report, cells: Cells) -> Table:
    """What was held at the end."""
    why = "positions.pnl"
    rows = [
        [
            Cell(each.instrument),
            Cell(each.strategy),
            cells.quantity(each.quantity),
            cells.price(each.average_price, "nobody told it"),
            cells.price(each.mark, why),
            cells.money(each.value, why),
            cells.money(each.pnl, why, signed=True),
            cells.when(each.opened_at),
        ]
        for each in report.held
    ]
    columns = ["Instrument", "Strategy", "Quantity", "Average price", "Price", "Value", "Open P&L", "Since"]
    reason = report.reasons.get(why)
    note = f"Price, value and open P&L are n/a: {reason}." if reason else ""
    return Table("Open positions at the end", columns, rows, frozenset({2, 3, 4, 5, 6}), note=note)


def commands(report: Report, cells: Cells) -> Table:
    """What people asked for, and what became of it."""
    rows = [
        [cells.when(each.at), Cell(_asked(each)), Cell(each.who), Cell(each.why), _answer(each)]
        for each in report.asked[-MOST:]
    ]
    columns = ["When", "What", "Who", "Why", "Answer"]
    note = more(len(report.asked), "commands")
    return Table("What people asked for", columns, rows, wide=frozenset({1, 3, 4}), note=note)


def _asked(each: Asked) -> str:
    return " ".join([each.verb, *_given(each.args)])


def _given(args: Mapping[str, object]) -> Iterator[str]:
    for key, value in args.items():
        if isinstance(value, Mapping):
            yield from _given(value)
        elif value not in (None, "", []):
            yield f"{key}={value}"


def _answer(each: Asked) -> Cell:
    if each.outcome is None:
        return Cell("no answer", "warn")
    return Cell(f"{each.outcome}: {each.answer}", "" if each.outcome == "DONE" else "warn")


def events(report: Report, cells: Cells) -> Table:
    """Notices of the desk."""
    note = more(len(report.events), "events")
    return Table(
        "Notices", ["When", "Kind", "What"], _told(report.events, cells), wide=frozenset({2}), note=note
    )


def alerts(report: Report, cells: Cells) -> Table:
    """What somebody had to be told."""
    counts = ", ".join(f"{count:,} {level}" for level, count in report.alert_counts.items())
    return Table(
        "Alerts", ["When", "Kind", "What"], _told(report.alerts, cells), wide=frozenset({2}), note=counts
    )


def _told(told: Sequence[Event], cells: Cells) -> list[list[Cell]]:

    return [
        [cells.when(each.at), Cell(each.kind, "bad" if each.kind in URGENT else ""), Cell(each.text)]
        for each in told[-MOST:]
    ]


def runs(report: Report, cells: Cells) -> Table:
    """The runs of the period, and what each ran with."""
    rows = [
        [
            Cell(each.run_id),
            cells.when(each.started_at),
            cells.when(each.ended_at, "runs, or was killed"),
            Cell(each.ended_why or ""),
            Cell(each.config_version),
            Cell(each.limits_version),
            Cell(each.code_version),
        ]
        for each in report.runs[-MOST:]
    ]
    columns = ["Run", "Started", "Ended", "Why", "Config", "Limits", "Keel"]
    return Table("Runs", columns, rows, wide=frozenset({3, 6}), note=more(len(report.runs), "runs"))
