"""What is the page of a report? One file that needs no network, and runs nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from live._report_cells import Cell, Facts, Section, Table
from live._report_chart import day_chart, equity_chart
from live._report_markup import Markup, document, element, joined, style
from live._report_sections import attention, cells_of, details, figures, headline, title
from live._report_style import CSS
from live._show import MODE_WORDS
from runs.times import short

if TYPE_CHECKING:
    from live._report_numbers import Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the browser lets the page load and run: nothing."""


def page(report: Report, *, made_ns: int) -> str:
    """The whole page; made_ns: when it was made, by the clock on the wall (UTC ns)."""
    head = joined(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title(report)}, {report.about['venue']}"),
        style(CSS),
    )
    told = f"Made {short(made_ns, report.period.zone)} ({report.period.zone}) by Keel from its journal."
    body = element(
        "main",
        _header(report),
        _attention(report),
        _tiles(report),
        *_charts(report),
        element("div", *(_section(each) for each in figures(report)), class_="beside"),
        *(_section(each) for each in details(report)),
        element("footer", told),
    )
    return document(head, body)


def _header(report: Report) -> Markup:
    about = report.about
    words = [
        element("span", MODE_WORDS.get(about["mode"], about["mode"].upper()), class_=f"badge {about['mode']}")
    ]
    if report.state is not None:
        words.append(element("span", report.state, class_=f"badge {report.state}"))
    account = f" account {about['account']}" if about["account"] else ""
    words.append(element("span", f"{about['venue']}{account}, times in {report.period.zone}"))
    return element(
        "header",
        element("div", *words, class_="kicker"),
        element("h1", title(report)),
        element("p", headline(report), class_="headline"),
    )


def _attention(report: Report) -> Markup | None:
    found = attention(report)
    return (
        element("ul", *(element("li", each.text, class_=each.tone) for each in found), class_="alert")
        if found
        else None
    )


def _tiles(report: Report) -> Markup | None:
    """The figures that a trader looks for first."""
    if report.is_empty:
        return None
    cells, value, trades = cells_of(report), report.value, report.trades
    near = max(
        (each.used for each in report.distances if each.is_breaker and each.used is not None), default=None
    )
    nearest = next((each for each in report.distances if each.is_breaker and each.used == near), None)
    shown = [
        ("Profit and loss", cells.money(value.pnl, "value.pnl", signed=True), report.currency),
        ("Return", cells.percent(value.part, "value.return", signed=True), _against(report)),
        ("Equity", cells.money(value.end, "value.end"), report.currency),
        (
            "Deepest drawdown",
            cells.percent(value.max_drawdown, "risk.max_drawdown"),
            "from its peak",
        ),
        (
            "Win rate",
            cells.percent(trades.win_rate, "trades.win_rate"),
            f"{trades.won:,} of {trades.count:,} trades",
        ),
        (
            "Nearest breaker",
            cells.unknown("limits") if near is None else Cell(f"{near:.0%}"),
            "no breaker is on" if nearest is None else nearest.key,
        ),
    ]
    return element("div", *(_tile(*each) for each in shown), class_="tiles")


def _tile(name: str, cell: Cell, more: str) -> Markup:
    return element(
        "div",
        element("div", name, class_="name"),
        element("div", cell.text, class_=f"value {cell.tone}"),
        element("div", cell.hint or more, class_="more"),
        class_="tile",
    )


def _against(report: Report) -> str:
    index = report.benchmark
    if index is None or index.part is None:
        return ""
    return f"{index.symbol} {cells_of(report).percent(index.part, signed=True).text}"


def _charts(report: Report) -> list[Markup]:
    found = [
        ("Equity and drawdown", equity_chart(report)),
        (f"Profit and loss by {'month' if report.value.by_month else 'day'}", day_chart(report)),
    ]
    return [
        element("section", element("h2", name), element("div", chart, class_="scroll"))
        for name, chart in found
        if chart is not None
    ]


def _section(section: Section) -> Markup:
    return _facts(section) if isinstance(section, Facts) else _table(section)


def _facts(facts: Facts) -> Markup:
    rows: list[Markup] = []
    for (name, cell), (_, after) in pairwise([*facts.rows, ("", Cell(""))]):
        rows += [element("dt", name), element("dd", cell.text, class_=cell.tone)]
        if cell.hint and cell.hint != after.hint:  # the same reason is told once
            rows.append(element("dd", cell.hint, class_="why"))
    return element("section", element("h2", facts.title), element("dl", *rows), _note(facts.note))


def _table(table: Table) -> Markup:
    head = element(
        "tr", *(element("th", name, class_=_class(table, place)) for place, name in enumerate(table.columns))
    )
    rows = [
        element("tr", *(_cell(cell, _class(table, place)) for place, cell in enumerate(row)))
        for row in table.rows
    ]
    made = element("table", element("thead", head), element("tbody", *rows))
    return element(
        "section", element("h2", table.title), element("div", made, class_="scroll"), _note(table.note)
    )


def _class(table: Table, place: int) -> str:
    return "right" if place in table.right else "wide" if place in table.wide else ""


def _cell(cell: Cell, kind: str) -> Markup:
    if cell.bar is None:
        return element("td", cell.text, class_=f"{kind} {cell.tone}".strip() or None, title=cell.hint or None)
    full = element("b", style=f"width:{min(1.0, max(0.0, cell.bar)):.1%}")
    return element(
        "td", element("div", element("i", full), element("span", cell.text), class_=f"bar {cell.tone}")
    )


def _note(text: str) -> Markup | None:
    return element("p", text, class_="note") if text else None
