"""What does a user read in the terminal when a run has ended?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from runs.sentences import luck_lines, minute, refused_text, trip_text
from runs.table_portfolio import (
    FREE,
    capacity_text,
    contributions_table,
    costs_lines,
    several,
    together_text,
    told,
)
from runs.times import short
from runs.wording import percent, ratio, trading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from runs.analysis import Analysis
    from runs.summary import Summary

_MAX_TRIPS = 5
_MAX_ALARMS = 5
_ALARMS = ("ALARM", "UNPROTECTED")  # kinds of notice that need a person


def show(
    console: Console, analysis: Analysis, summary: Summary, title: str, files: Sequence[str] = ()
) -> None:
    """Print the result of a run: measures beside buy-and-hold, refusals, trips, notices, and where its files are.

    files: the names in the run folder.
    """
    console.print(_headline(analysis, summary, title))
    console.print(_measures(summary))
    _print_costs(console, summary)
    _print_parts(console, summary)
    if summary.refusals:
        console.print(_refusals(summary))
    if summary.trips:
        console.print(_trips(summary))
    _print_luck(console, summary)
    _print_notices(console, analysis, summary)
    if summary.halted:
        console.print(
            Text(
                "HALTED: no new exposure was allowed from the halt to the end of this run.", style="bold red"
            )
        )
    # A path is for copying: never wrapped, never cut.
    console.print(Text.assemble(("Run folder  ", "bold"), summary.run_dir), soft_wrap=True)
    if files:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(Text("Files     ", style="bold"), Text(", ".join(files)))
        console.print(grid)


def show_measures(console: Console, summary: Summary) -> None:
    """Print only the measures beside buy-and-hold."""
    console.print(_measures(summary))


def _headline(analysis: Analysis, summary: Summary, title: str) -> Text:
    ts = analysis.equity.ts
    seen = "no bars"
    if len(ts):
        first, last = short(int(ts[0]), analysis.zone), short(int(ts[-1]), analysis.zone)
        seen = f"{first} to {last} ({analysis.zone}), {summary.bars:,} bars"
    return Text.assemble((title, "bold"), "  ", ", ".join(analysis.prices), "\n", (seen, "dim"))


def _measures(summary: Summary) -> Table:
    table = _table()
    table.caption = (
        "Buy and hold: starting equity split equally over the instruments at the first close, no costs"
    )
    table.add_column("")
    table.add_column("Strategy", justify="right")
    table.add_column("Buy and hold", justify="right", style="dim")
    for row in _beside_buy_and_hold(summary):
        table.add_row(*row)
    table.add_section()
    for name, value in trading(summary):
        table.add_row(name, value)
    return table


def _beside_buy_and_hold(summary: Summary) -> list[tuple[str, str, str]]:
    return [
        (
            "Return",
            percent(summary.total_return, signed=True),
            percent(summary.buy_and_hold_return, signed=True),
        ),
        ("CAGR", percent(summary.cagr, signed=True), percent(summary.buy_and_hold_cagr, signed=True)),
        ("Volatility, a year", percent(summary.volatility), percent(summary.buy_and_hold_volatility)),
        ("Sharpe", ratio(summary.sharpe), ratio(summary.buy_and_hold_sharpe)),
        ("Sortino", ratio(summary.sortino), ratio(summary.buy_and_hold_sortino)),
        ("Max drawdown", percent(summary.max_drawdown), percent(summary.buy_and_hold_max_drawdown)),
    ]


def _refusals(summary: Summary) -> Table:
    """What each limit refused: how many orders, when, for about how much, and the arithmetic of the largest."""
    table = _table("Refused orders")
    table.add_column("Limit", no_wrap=True)
    table.add_column("Count", justify="right")
    table.add_column("When, about how much, and the largest", overflow="fold")
    for refused in summary.refusals_detail:
        table.add_row(refused.limit, f"{refused.count:,}", Text(refused_text(refused, summary.currency)))
    return table


def _trips(summary: Summary) -> Table:
    """When each breaker went off, how much it took and how long it halted; the first few where they are many."""
    trips = summary.trips_detail
    table = _table("Breaker trips")
    table.add_column("When", no_wrap=True)
    table.add_column("Breaker", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for trip in trips[:_MAX_TRIPS]:
        table.add_row(minute(trip.at), trip.breaker, Text(trip_text(trip)))
    if len(trips) > _MAX_TRIPS:
        table.caption = f"and {len(trips) - _MAX_TRIPS:,} more in trips.parquet"
    return table


def _print_costs(console: Console, summary: Summary) -> None:
    lines = costs_lines(summary)
    if lines:
        console.print(told("Costs", lines))
    if summary.costs is not None and summary.costs.free:
        console.print(Text(FREE, style="bold red"))
    if summary.capacity is not None:
        console.print(told("Capacity", [capacity_text(summary.capacity, summary.currency)]))
    console.print()


def _print_parts(console: Console, summary: Summary) -> None:
    """Strategies and instruments by themselves, where there are several."""
    for kind, parts, moved in several(summary):
        console.print(contributions_table(kind, parts, _table))
        console.print(Text(together_text(moved), style="dim"))
        console.print()


def _print_luck(console: Console, summary: Summary) -> None:
    lines = luck_lines(summary)
    if lines:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(Text("Luck      ", style="bold"), Text("\n".join(lines)))
        console.print(grid)


def _print_notices(console: Console, analysis: Analysis, summary: Summary) -> None:
    """How many of each kind; those that need a person word for word, the last few where they are many."""
    if not summary.notices_by_kind:
        return
    counts = ", ".join(f"{count:,} {kind}" for kind, count in summary.notices_by_kind.items())
    console.print(Text.assemble(("Notices     ", "bold"), counts, " (notices.parquet)"))
    alarms = [row for row in analysis.record.notices if row["kind"] in _ALARMS]
    for row in alarms[-_MAX_ALARMS:]:
        said = f"{row['kind']}  {short(row['ts'], analysis.zone)}  {row['reason']}"
        console.print(Text(said, style="bold red"))


def _table(title: str | None = None) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=title,
        title_style="bold",
        title_justify="left",
        caption_style="dim",
        caption_justify="left",
    )
