"""How do two runs look beside each other on one HTML page that needs no network?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtests.versus.words import config_rows, figure_rows, names, to_json
from risk import measures
from runs.page.html import Charts, escaped, lines, paragraph, section, table
from runs.page.series import AMBER, BLUE, GREY, is_log, line, stamps_of
from runs.page.shell import page
from runs.wording import percent

if TYPE_CHECKING:
    from backtests.versus.difference import Difference
    from runs.page.series import Chart

_POINTS = 1_800
_COLOURS = (BLUE, AMBER)


def page_of(found: Difference, told: dict[str, Any]) -> str:
    """Return the page. told: the JSON document, which the page carries for scripts."""
    charts = Charts()
    a, b = names(found)
    rows = table(("", f"A: {a}", f"B: {b}", "B - A"), figure_rows(found))
    made = (
        ("notes", "Like with like?", lines(found.notes)),
        ("figures", "Figures", rows),
        ("equity", "Equity", charts.place("equity", equity_chart(found))),
        ("drawdown", "Drawdown", charts.place("drawdown", drawdown_chart(found))),
        ("config", "Config", _changes(found.config, "The configs are the same.")),
        ("versions", "Versions", _changes(found.versions, "The versions are the same.")),
    )
    header = "<h1>A and B</h1>"
    for letter, run in (("A", found.a), ("B", found.b)):
        said = f"{run.path}: {run.seen.title} at {run.config.venue.name}"
        header += f'<p class="sub"><b>{letter}</b> {escaped(said)}</p>'
    return page(
        title=f"{a} and {b}",
        header=header,
        sections=[(name, title, section(name, title, inside)) for name, title, inside in made],
        charts=charts,
        summary=to_json(told),
    )


def equity_chart(found: Difference) -> Chart:
    """What one unit of each became; A's buy-and-hold, which may dwarf them, shows with a click."""
    runs = (found.a.seen, found.b.seen)
    grown = [run.equity / run.starting for run in runs]
    hold = found.a.seen.benchmark / found.a.seen.starting
    looks: tuple[Chart, Chart] = ({"width": 2.4, "dash": "solid"}, {"width": 1.6, "dash": "dot"})
    data = []
    for letter, run, curve, colour, look in zip("AB", runs, grown, _COLOURS, looks, strict=True):
        name = f"{letter} {percent(run.summary.total_return, signed=True)}"
        data.append(line(run.ts, curve, run.zone, name, points=_POINTS, line={"color": colour, **look}))
    style = {"line": {"color": GREY, "width": 1, "dash": "dash"}, "visible": "legendonly"}
    data.append(line(runs[0].ts, hold, runs[0].zone, "buy and hold of A", points=_POINTS, **style))
    log = is_log(*grown)
    y: Chart = {"title": {"text": "1 became" + (", log scale" if log else "")}, "tickformat": ",.10~g"}
    if log:
        y |= {"type": "log", "dtick": "D2"}
    return {"data": data, "layout": {"yaxis": y, "xaxis": _across(found), "height": 400}}


def drawdown_chart(found: Difference) -> Chart:
    """How far each was below its peak."""
    data = []
    for letter, run, colour in zip("AB", (found.a.seen, found.b.seen), _COLOURS, strict=True):
        depth = measures.drawdowns(run.by_bar)
        if depth is not None:
            name = f"{letter}, deepest {percent(run.summary.max_drawdown)}"
            data.append(
                line(run.ts, -depth[1:], run.zone, name, points=_POINTS, line={"color": colour, "width": 1.3})
            )
    y = {"tickformat": ".0%", "rangemode": "tozero"}
    return {"data": data, "layout": {"yaxis": y, "xaxis": _across(found), "height": 260}}


def _across(found: Difference) -> Chart:
    stamps = np.concatenate([found.a.seen.ts, found.b.seen.ts])
    return (
        {"range": stamps_of(np.array([stamps.min(), stamps.max()]), found.a.seen.zone)}
        if len(stamps) > 1
        else {}
    )


def _changes(rows: tuple[Any, ...], nothing: str) -> str:
    return (
        table(("Key", "A", "B"), config_rows(rows), words=(0, 1, 2)) if rows else paragraph(nothing, "note")
    )
