"""How does a run become one HTML page that needs no network: what it earned and risked, and is that luck?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runs.page import parts
from runs.page.charts import drawdown_chart, equity_chart, exposure_chart, rolling_chart
from runs.page.config_text import kept_in
from runs.page.honesty import honesty
from runs.page.html import Charts, escaped, paragraph, section, tiles
from runs.page.months import months_table
from runs.page.related import related_to
from runs.page.seen import seen_of
from runs.page.shell import page
from runs.page.trades import shown_instruments, trades_chart, trades_line

if TYPE_CHECKING:
    from runs.analysis import Analysis
    from runs.page.seen import Seen
    from runs.summary import Summary


def tear_sheet(analysis: Analysis, summary: Summary, title: str, folder: Path | None = None) -> str:
    """Return the page of a run that has just ended. Needs one bar.

    folder: the run folder, of whose config and versions the page tells, and beside which it looks for bias checks.
    """
    seen = seen_of(analysis, summary, title)
    if folder is not None:
        kept = kept_in(folder)
        market = analysis.record.market
        seen = seen.beside(kept, related_to(kept, market.symbols, market.version, folder))
    return page_of(seen)


def page_of(seen: Seen) -> str:
    """Return the page of a run. Needs one bar."""
    charts, summary = Charts(), seen.summary
    curves = charts.place("equity", equity_chart(seen)) + charts.place("drawdown", drawdown_chart(seen))
    made = (
        ("metrics", "Metrics", _metrics(seen)),
        ("equity", "Equity and drawdown", curves),
        ("months", "Months", months_table(seen)),
        ("rolling", "Rolling Sharpe", _rolling(seen, charts)),
        ("exposure", "Exposure", _exposure(seen, charts)),
        ("trades", "Trades", _trades(seen, charts)),
        ("refusals", "Refusals and trips", _refusals(summary)),
        ("costs", "Costs", parts.costs_part(summary)),
        ("parts", "Strategies and instruments", parts.account_parts(summary)),
        ("honesty", "Is it luck?", honesty(seen)),
        ("config", "Config", parts.config_part(seen)),
    )
    return page(
        title=f"{seen.title} {summary.first_bar or '':.10}",
        header=parts.headline(seen) + tiles(parts.figures(summary)),
        sections=[(name, title, section(name, title, inside)) for name, title, inside in made],
        charts=charts,
        summary=summary.to_json(),
    )


def _metrics(seen: Seen) -> str:
    note = (
        "Buy and hold: starting equity split equally over the instruments at the first close, no costs. "
        "Ratios are measured on session days, drawdowns on every bar."
    )
    both = f"<div>{parts.measures_table(seen.summary)}</div><div>{parts.trading_table(seen.summary)}</div>"
    return f'<div class="two">{both}</div>{paragraph(note, "note")}'


def _rolling(seen: Seen, charts: Charts) -> str:
    chart = charts.place("rolling", rolling_chart(seen))
    said = f"Sharpe ratio of the last 63, 126 and 252 session days, with {seen.days_per_year} of them a year."
    return (
        paragraph(said, "note") + chart
        if chart
        else paragraph("Too few session days for a rolling ratio.", "note")
    )


def _exposure(seen: Seen, charts: Charts) -> str:
    chart = charts.place("exposure", exposure_chart(seen))
    if not chart:
        return paragraph("Equity fell to nothing: exposure is not defined.", "note")
    return paragraph("Value of all positions, long and short, as a share of equity.", "note") + chart


def _trades(seen: Seen, charts: Charts) -> str:
    names = shown_instruments(seen)
    made = [paragraph(seen.no_prices, "note")] if seen.no_prices else []
    for number, name in enumerate(names):
        made.append(f"<h3>{escaped(name)}</h3>{paragraph(trades_line(seen, name), 'note')}")
        made.append(charts.place(f"trades-{number}", trades_chart(seen, name)))
    rest = len(seen.instruments) - len(names)
    made += [paragraph(f"and {rest:,} instruments that traded less; positions.parquet has all.", "note")] * (
        rest > 0
    )
    return "".join(made)


def _refusals(summary: Summary) -> str:
    return "".join(
        [
            "<h3>Refused orders</h3>",
            parts.refusals_table(summary),
            "<h3>Breaker trips</h3>",
            parts.trips_table(summary),
            parts.notices_line(summary),
        ]
    )
