"""What does an account's equity look like: with its drawdown, and day by day?

Pictures are SVG in the page itself; their colours are the page's, so that they follow a dark or a light one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live._amounts import money_text, percent_text
from live._report_markup import Markup, element, joined
from live._report_scale import Line, Scale, held, thinned, ticks, time_ticks
from runs.times import short

if TYPE_CHECKING:
    from live._report_numbers import Report

WIDTH, LEFT, RIGHT = 1000, 84, 974
TOP, EQUITY, GAP, DRAWDOWN, FOOT = 26, 230, 34, 90, 24
BARS = 170
APART = 16
FLATTER = 4.0  # a benchmark that moved so many times as much would make the account's own line flat
AIR = 0.06
FEWEST = 2


def equity_chart(report: Report) -> Markup | None:
    """Equity over drawdown, with trips; None for fewer than two points."""
    value = report.value
    own = _moved([(point.ts, float(point.equity)) for point in value.points])
    if len(own) < FEWEST or own[0][0] == own[-1][0]:
        return None
    across = Scale(own[0][0], own[-1][0], LEFT, RIGHT)
    height = TOP + EQUITY + GAP + DRAWDOWN + FOOT if value.grown is not None else TOP + EQUITY + FOOT
    floor_of_all = height - FOOT
    hold, told = _benchmark(report, own)
    parts = [
        _moments(report, across, floor_of_all),
        _equity(report, own, hold, across),
        _legend(report, hold is not None, told),
        _drawdown(report, across, TOP + EQUITY + GAP) if value.grown is not None else None,
        _trips(report, across, floor_of_all),
    ]
    start, end = (money_text(each, report.currency) for each in (value.start, value.end))
    label = f"Equity from {start} to {end} {report.currency}"
    return element("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)


def day_chart(report: Report) -> Markup | None:
    """A bar a session day (a month where there are many): what it earned or lost; None for fewer than two."""
    days, name = report.value.steps, "%b %Y" if report.value.by_month else "%b %-d"
    if len(days) < FEWEST:
        return None
    amounts = [float(day.pnl) for day in days]
    up = _scale(min(0.0, *amounts), max(0.0, *amounts), TOP + BARS, TOP)
    step = (RIGHT - LEFT) / len(days)
    every = -(-len(days) // 16)
    parts = [_lines(up, report.currency), _level(up.at(0.0), "zero")]
    for place, (day, amount) in enumerate(zip(days, amounts, strict=True)):
        top, foot = sorted((up.at(amount), up.at(0.0)))
        left = LEFT + step * (place + 0.15)
        told = (
            f"{day.day:%a} {day.day}: {money_text(day.pnl, report.currency, signed=True)} {report.currency}"
        )
        high = max(1.0, round(foot - top, 1))
        shape = element("rect", x=round(left, 1), y=top, width=round(step * 0.7, 1), height=high, rx=2)
        bar = element("g", element("title", told), shape, class_="gain" if amount >= 0 else "loss")
        parts.append(bar)
        if place % every == 0:
            middle = round(LEFT + step * (place + 0.5), 1)
            parts.append(element("text", f"{day.day:{name}}", x=middle, y=TOP + BARS + 18, class_="mid"))
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH} {TOP + BARS + FOOT}",
        role="img",
        aria_label="Profit and loss",
    )


def _equity(report: Report, own: Line, hold: Line | None, across: Scale) -> Markup:
    every = [amount for _, amount in [*own, *(hold or ())]]
    up = _scale(min(every), max(every), TOP + EQUITY, TOP)
    line = _points(thinned(held(own)), across, up)
    under = f"{LEFT},{TOP + EQUITY} {line} {RIGHT},{TOP + EQUITY}"
    beside = (
        []
        if hold is None
        else [element("polyline", points=_points(thinned(hold), across, up), class_="hold")]
    )
    return joined(
        _lines(up, report.currency),
        element("polygon", points=under, class_="under"),
        _level(up.at(own[0][1]), "start"),
        *beside,
        element("polyline", points=line, class_="own"),
        _flows(report, across, up),
    )


def _flows(report: Report, across: Scale, up: Scale) -> Markup:
    """A triangle at each deposit and withdrawal."""
    signs = []
    for flow in report.value.flows:
        x, y = across.at(flow.ts), up.start - 4
        tip = y - 9 if flow.amount > 0 else y + 1
        foot = y if flow.amount > 0 else y - 8
        word = "paid in" if flow.amount > 0 else "paid out"
        told = f"{short(flow.ts, report.period.zone)}: {money_text(abs(flow.amount), report.currency)} {word}"
        shape = element("polygon", points=f"{x - 5},{foot} {x + 5},{foot} {x},{tip}")
        signs.append(element("g", element("title", told), shape, class_="flow"))
    return joined(*signs)


def _drawdown(report: Report, across: Scale, top: float) -> Markup:
    """How far growth lies below its highest so far."""
    grown = report.value.grown
    assert grown is not None  # noqa: S101 - the caller looked
    peaks = np.maximum.accumulate(grown)
    depth = [float(each) for each in 1.0 - grown / peaks]
    line = _moved([(point.ts, each) for point, each in zip(report.value.points, depth, strict=True)])
    deepest = max(depth) or 0.001
    down = Scale(0.0, deepest * (1 + AIR), top, top + DRAWDOWN)
    points = _points(thinned(held(line)), across, down)
    marks = [
        joined(
            element("line", x1=LEFT, x2=RIGHT, y1=down.at(each), y2=down.at(each), class_="grid"),
            element(
                "text", percent_text(-each) if each else "0%", x=LEFT - 8, y=down.at(each) + 4, class_="end"
            ),
        )
        for each in ticks(0.0, deepest, 3)
    ]
    return joined(
        element("text", f"Drawdown, deepest {percent_text(max(depth))}", x=LEFT, y=top - 10, class_="name"),
        *marks,
        element("polygon", points=f"{LEFT},{top} {points} {RIGHT},{top}", class_="deep"),
        element("polyline", points=points, class_="depth"),
    )


def _trips(report: Report, across: Scale, foot: float) -> Markup:
    """A line where a breaker went off."""
    lines = []
    for trip in report.tripped:
        x = across.at(min(max(trip.at, across.low), across.high))
        told = f"{short(trip.at, report.period.zone)}: {trip.breaker}: {trip.reason}"
        line = element("line", x1=x, x2=x, y1=TOP, y2=foot)
        lines.append(
            element("g", element("title", told), line, element("circle", cx=x, cy=TOP, r=4), class_="trip")
        )
    return joined(*lines)


def _legend(report: Report, has_hold: bool, told: str) -> Markup:  # noqa: FBT001 - whether there is a second line
    index = report.benchmark
    parts = [element("tspan", "Equity", class_="own-name")]
    if has_hold and index is not None:
        parts.append(
            element(
                "tspan",
                f"Holding {index.symbol} {percent_text(index.part, signed=True)}",
                class_="hold-name",
                dx=APART,
            )
        )
    elif told:
        parts.append(element("tspan", f"{told}", class_="dim-name", dx=APART))
    if report.tripped:
        parts.append(element("tspan", "Breaker tripped", class_="trip-name", dx=APART))
    if report.value.flows:
        parts.append(element("tspan", "Paid in or out", class_="flow-name", dx=APART))
    return element("text", *parts, x=LEFT, y=14, class_="name")


def _benchmark(report: Report, own: Line) -> tuple[Line | None, str]:
    """What the same money would have become, held in the benchmark; or why that is not drawn."""
    index = report.benchmark
    if index is None or len(index.line) < FEWEST or index.part is None:
        return None, ""
    start, first = own[0][1], index.line[0][1]
    line = _worth(report, start / first, _between(index.line, own[0][0], own[-1][0]))
    if len(line) < FEWEST:
        return None, ""
    amounts, others = [amount for _, amount in own], [amount for _, amount in line]
    if max(others) - min(others) > FLATTER * max(max(amounts) - min(amounts), start * 1e-6):
        return None, f"Holding {index.symbol} {percent_text(index.part, signed=True)}: off this scale"
    return line, ""


def _moved(line: Line) -> Line:
    """The first point is from before the period: shown a little before the second, however long ago it was."""
    if len(line) < FEWEST + 1:
        return line
    edge = line[1][0] - (line[-1][0] - line[1][0]) // 40
    return [(max(line[0][0], edge), line[0][1]), *line[1:]]


def _between(line: Line, from_ns: int, until_ns: int) -> Line:
    """The line from one stamp to another; what it was before the first is what it is there."""
    before = [price for ts, price in line if ts <= from_ns][-1:]
    return [
        *((from_ns, price) for price in before),
        *(each for each in line if from_ns < each[0] <= until_ns),
    ]


def _worth(report: Report, units: float, line: Line) -> list[tuple[int, float]]:
    """What so many units were worth; what is paid in buys more of them, what is paid out sells some."""
    waiting, held = list(report.value.flows), []
    for ts, price in line:
        while waiting and waiting[0].ts <= ts:
            units += float(waiting.pop(0).amount) / price
        held.append((ts, units * price))
    return held


def _moments(report: Report, across: Scale, foot: float) -> Markup:
    marks = []
    for ts, name in time_ticks(int(across.low), int(across.high), report.period.zone, 10):
        x = across.at(ts)
        marks += [
            element("line", x1=x, x2=x, y1=TOP, y2=foot, class_="grid"),
            element("text", name, x=x, y=foot + 17, class_="mid"),
        ]
    return joined(*marks)


def _lines(up: Scale, currency: str) -> Markup:
    found = ticks(up.low, up.high, 5)
    whole = all(each == int(each) for each in found)
    marks = []
    for each in found:
        y = up.at(each)
        name = f"{each:,.0f}" if whole else f"{each:,.2f}"
        marks += [
            element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid"),
            element("text", name, x=LEFT - 8, y=y + 4, class_="end"),
        ]
    return joined(*marks, element("text", currency, x=LEFT - 8, y=14, class_="end"))


def _level(y: float, name: str) -> Markup:
    return element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_=name)


def _scale(low: float, high: float, foot: float, top: float) -> Scale:
    """With some air, also around a value that never changed."""
    air = (high - low) * AIR or abs(high) * 0.001 or 1.0
    return Scale(low - (air if low else 0.0), high + (air if high else 0.0), foot, top)


def _points(line: Line, across: Scale, up: Scale) -> str:
    return " ".join(f"{across.at(ts)},{up.at(value)}" for ts, value in line)
