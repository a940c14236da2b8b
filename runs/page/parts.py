"""Which tables does the page of a run have, section by section?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runs.page.html import escaped, folded, lines, pairs, paragraph, table
from runs.sentences import minute, refused_text, trip_text
from runs.table_portfolio import (
    COLUMNS,
    FREE,
    ROWS,
    capacity_text,
    contribution_cells,
    taken_text,
    together_text,
)
from runs.wording import UNDEFINED, money, percent, ratio, span, trading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runs.page.seen import Seen
    from runs.portfolio import Together
    from runs.summary import Summary

MOST_ROWS = 40
"""Of a table of refusals, trips or parts; the run's Parquet files have all."""


def headline(seen: Seen) -> str:
    """What ran, on what, when, and whether it was halted."""
    summary = seen.summary
    period = (
        "no bars" if not summary.first_bar else f"{summary.first_bar:.10} to {summary.last_bar or '':.10}"
    )
    names = seen.instruments
    own = seen.kept.strategies if seen.kept else []
    title = ", ".join(dict.fromkeys(path.rpartition(":")[2] for path in own)) or seen.title
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")  # noqa: PLR2004 - as many
    halted = (
        paragraph("HALTED: no new exposure was allowed from the halt to the end.", "bad") * summary.halted
    )
    free = paragraph(FREE, "bad") if summary.costs is not None and summary.costs.free else ""
    said = f"{shown}  ·  {period} ({seen.zone})  ·  {summary.bars:,} bars  ·  data {summary.data_version}"
    return f'<h1>{escaped(title)}</h1><p class="sub">{escaped(said)}</p>{halted}{free}'


def figures(summary: Summary) -> list[tuple[str, str, str]]:
    """The large ones: name, figure, what is to be said of it."""
    hold, currency = "buy and hold {}".format, summary.currency
    deepest = _interval(summary.max_drawdown_low, summary.max_drawdown_high, percent)
    return [
        ("Return", percent(summary.total_return, signed=True), hold(percent(summary.buy_and_hold_return, signed=True))),
        ("CAGR", percent(summary.cagr, signed=True), hold(percent(summary.buy_and_hold_cagr, signed=True))),
        ("Sharpe", ratio(summary.sharpe), _interval(summary.sharpe_low, summary.sharpe_high, ratio)),
        ("Max drawdown", percent(summary.max_drawdown), deepest),
        ("Final equity", money(summary.final_equity, currency), f"from {money(summary.starting_equity, currency)}"),
        ("Deflated Sharpe", percent(summary.deflated_sharpe), _after(summary)),
    ]  # fmt: skip


def measures_table(summary: Summary) -> str:
    """Risk and return beside buy-and-hold, with intervals where there are any."""
    sharpe = span(summary.sharpe_low, summary.sharpe_high, ratio)
    rows = [
        ("Return", percent(summary.total_return), percent(summary.buy_and_hold_return), ""),
        ("CAGR", percent(summary.cagr), percent(summary.buy_and_hold_cagr), ""),
        ("Volatility, a year", percent(summary.volatility), percent(summary.buy_and_hold_volatility), ""),
        ("Sharpe", ratio(summary.sharpe), ratio(summary.buy_and_hold_sharpe), sharpe),
        ("Sortino", ratio(summary.sortino), ratio(summary.buy_and_hold_sortino), ""),
        ("Max drawdown", percent(summary.max_drawdown), percent(summary.buy_and_hold_max_drawdown),
         span(summary.max_drawdown_low, summary.max_drawdown_high, percent)),
    ]  # fmt: skip
    return table(("", "Strategy", "Buy and hold", "90% of resamples"), rows)


def trading_table(summary: Summary) -> str:
    """The account and its trades."""
    *rows, last = trading(summary)
    return pairs([*rows, ("Breaker trips", f"{summary.trips:,}"), last])


def refusals_table(summary: Summary) -> str:
    """What each limit refused: how many orders, when, for about how much, and the arithmetic of the largest."""
    if not summary.refusals:
        return paragraph("No order was refused.", "note")
    rows = [
        (each.limit, f"{each.count:,}", refused_text(each, summary.currency))
        for each in summary.refusals_detail
    ] or [(limit, f"{count:,}", "") for limit, count in summary.refusals_by_limit.items()]
    return _shortened(
        ("Limit", "Count", "When, about how much, and the largest"), rows, "refusals.parquet", words=(0, 2)
    )


def trips_table(summary: Summary) -> str:
    """When each breaker went off, why, and how long it halted."""
    if not summary.trips:
        return paragraph("No breaker tripped.", "note")
    rows = [(minute(trip.at), trip.breaker, trip_text(trip)) for trip in summary.trips_detail]
    return _shortened(("When", "Breaker", "Why"), rows, "trips.parquet", words=(0, 1, 2))


def notices_line(summary: Summary) -> str:
    """How many of each kind of notice."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in summary.notices_by_kind.items())
    return paragraph(f"Notices: {counts} (notices.parquet)", "note") if counts else ""


def costs_part(summary: Summary) -> str:
    """What was assumed of costs, and what they took."""
    costs, currency = summary.costs, summary.currency
    if costs is None:
        return paragraph(f"Fees {money(summary.fees, currency)}; nothing else is known of costs.")
    rows = [
        ("Preset", costs.preset or UNDEFINED),
        ("Fees", money(costs.fees, currency)),
        ("Slippage", UNDEFINED if costs.slippage is None else money(costs.slippage, currency)),
        ("Borrowing shares", money(costs.borrow, currency)),
        ("Interest on cash below zero", money(costs.interest, currency)),
        ("All", money(costs.total, currency)),
        ("Of the value traded", UNDEFINED if costs.bps is None else f"{costs.bps:.1f} bp"),
        ("Of starting equity", percent(float(costs.total / summary.starting_equity))),
    ]  # fmt: skip
    said = [f"Assumed: {costs.assumed}.", f"Took {taken_text(costs, currency)}."]
    return (paragraph(FREE, "bad") if costs.free else "") + lines(said) + pairs(rows)


def account_parts(summary: Summary) -> str:
    """Each strategy and instrument: what it added, and how they moved together; capacity."""
    parts = []
    for kind, name in ROWS.items():
        rows = (summary.contributions or {}).get(kind, [])
        moved = (summary.correlation or {}).get(kind)
        if rows:
            largest = sorted(rows, key=lambda part: -abs(part.pnl)) if len(rows) > MOST_ROWS else rows
            cells = [
                (*contribution_cells(part), f"{part.fills:,}", f"{part.fees:,f}", f"{part.carried:,f}")
                for part in largest
            ]
            parts += [
                f"<h3>By {name.lower()}</h3>",
                _shortened((name, *COLUMNS, "Fills", "Fees", "Carried"), cells, "summary.json"),
            ]
        if moved is not None:
            parts += [paragraph(together_text(moved), "note"), _correlation(moved)]
    if summary.capacity is not None:
        capacity, currency = summary.capacity, summary.currency
        sizes = [
            (f"{size.participation:.0%}", money(size.median, currency), money(size.p95, currency))
            for size in capacity.sizes
        ]
        parts += [
            "<h3>Capacity</h3>",
            paragraph(capacity_text(capacity, currency)),
            table(("Of the bar's volume", "Equity, median fill", "Equity, 95th of a hundred"), sizes),
        ]
    return "".join(parts) or paragraph("Nothing was traded.", "note")


def config_part(seen: Seen) -> str:
    """The config as it was run, and the versions; secrets are replaced."""
    if seen.kept is None:
        return paragraph("No config is kept with this run.", "note")
    versions = [(str(name), _version(value)) for name, value in seen.kept.versions.items()]
    return folded("config.yaml", f"<pre>{escaped_lines(seen.kept.text)}</pre>") + folded(
        "Versions", pairs(versions)
    )


def escaped_lines(text: str) -> str:
    """Text for a place that keeps its line breaks."""
    return escaped(text).replace("<br>", "\n")


def _version(value: object) -> str:
    return UNDEFINED if value is None else "yes" if value is True else "no" if value is False else str(value)


def _correlation(moved: Together) -> str:
    if moved.correlation is None or len(moved.names) > MOST_ROWS:
        return ""
    rows = [
        (name, *(UNDEFINED if value is None else f"{value:.2f}" for value in row))
        for name, row in zip(moved.names, moved.correlation, strict=True)
    ]
    return folded("Correlation of days", table(("", *moved.names), rows))


def _shortened(
    head: Sequence[str], rows: Sequence[Sequence[str]], rest: str, *, words: Iterable[int] = (0,)
) -> str:
    """The first rows, and where the others are."""
    more = paragraph(f"and {len(rows) - MOST_ROWS:,} more in {rest}", "note") if len(rows) > MOST_ROWS else ""
    return table(head, rows[:MOST_ROWS], words=tuple(words), kind="told") + more


def _interval(low: float | None, high: float | None, written: Any) -> str:
    return "no interval" if low is None else f"90%: {span(low, high, written)}"


def _after(summary: Summary) -> str:
    if summary.trials_ledger is None:
        return "no trials counted"
    return f"after {summary.trials_ledger:,} trial" + "s" * (summary.trials_ledger != 1)
