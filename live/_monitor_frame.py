"""What does one frame of the monitor look like, in a window of this width and height?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from live._monitor_events import Event
from live._order_sections import held_list, orders_table, positions_table, questions
from live._picture import RUNNING, SILENT, STARTING
from live._sections import (
    data_line,
    journal_text,
    limits_table,
    node_line,
    strategies_line,
    warnings,
)
from live._show import WIDE, gain, mode_badge, money, percent, state_badge
from live._sparkline import sparkline

if TYPE_CHECKING:
    from rich.console import RenderableType

    from live._monitor_feed import View
    from live._picture import Picture

NANOS = 1_000_000_000
EVENTS = 40
ALIVE = {RUNNING: "node {pid}", STARTING: "node {pid} starts", SILENT: "NODE {pid} SILENT"}
GAP = 2


def head(view: View, width: int, *, ascii_only: bool = False) -> RenderableType:
    """What never scrolls away: mode, state, equity, what is wrong."""
    picture = view.picture
    if picture is None:
        return Text(view.problem or "reading the journal ...", style="bold red" if view.problem else "dim")
    lines: list[RenderableType] = [_title(view, picture, width)]
    if view.problem is not None:
        read = datetime.fromtimestamp(view.read_ns / NANOS, UTC)
        lines.append(
            Text(
                f"JOURNAL AWAY since {read:%H:%M:%S} UTC, this is old: {view.problem}",
                style="bold white on red",
            )
        )
    lines.append(_equity(view, picture, width, ascii_only=ascii_only))
    if not picture.node.runs:
        lines.append(node_line(picture))
    lines += warnings(picture.document)
    return Group(*lines)


def _title(view: View, picture: Picture, width: int) -> RenderableType:
    document, node = picture.document, picture.node
    left = Text.assemble(mode_badge(document["mode"]), " ", (str(document["venue"]), "bold"), "  ")
    left.append_text(state_badge(document["state"]))
    now = datetime.fromtimestamp(view.read_ns / NANOS, UTC)
    alive = ALIVE.get(node.state, "NO NODE").format(pid=node.pid)
    lag = document["journal"]
    behind = f"  journal -{lag['rows']}" if lag["rows"] and width >= WIDE else ""
    right = Text(f"{alive}{behind}  {now:%H:%M:%S} UTC", style="dim" if node.runs else "bold red")
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(left, right)
    return grid


def _equity(view: View, picture: Picture, width: int, *, ascii_only: bool) -> RenderableType:
    document = picture.document
    currency = document["currency"]
    equity = "unknown" if document["equity"] is None else money(document["equity"], currency)
    day = "day unknown"
    if document["day_pnl"] is not None:
        share = percent(document["day_pnl_pct"], signed=True)
        day = f"day {money(document['day_pnl'], currency, signed=True)} {share}"
    words = [
        Text(f"equity {equity}", style="bold"),
        gain(document["day_pnl"], day),
        Text(f"drawdown {percent(document['drawdown'])}  cash {money(document['cash'], currency)}"),
    ]
    room = width - max(len(text) for text in words) - GAP
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    for text, line in zip(words, _curve(view, currency, room, ascii_only=ascii_only), strict=True):
        grid.add_row(text, line)
    return grid


def _curve(view: View, currency: str, room: int, *, ascii_only: bool) -> list[Text]:
    """The equity so far, three lines high, between its lowest and its highest value."""
    if not view.equity:
        return [Text("")] * 3
    ends = [
        money(f"{value:.2f}", currency).removesuffix(f" {currency}")
        for value in (max(view.equity), min(view.equity))
    ]
    longest = max(map(len, ends))
    lines = sparkline(view.equity, max(8, room - longest - GAP), 3, ascii_only=ascii_only)
    labels = (ends[0], "", ends[1])
    return [
        Text.assemble((line, "cyan"), (f" {label:>{longest}}", "dim"))
        for line, label in zip(lines, labels, strict=True)
    ]


def holdings(view: View, width: int) -> RenderableType:
    """Limits, questions, positions and orders."""
    if view.picture is None:
        return Text("")
    document = view.picture.document
    parts: list[RenderableType] = [*questions(document), *held_list(document)]
    if parts:
        parts.append("")
    if document["limits"]:
        parts += [limits_table(document, width, title=None, nearest_first=False), ""]
    parts += [positions_table(document, width), ""]
    parts.append(orders_table(document["working"], width))
    return Group(*parts)


def news(view: View) -> RenderableType:
    """How old the data is, how far behind the journal, and the last events."""
    if view.picture is None:
        return Text("")
    document = view.picture.document
    made = Table.grid(padding=(0, 1, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for event in view.events[:EVENTS]:
        made.add_row(
            _stamp(event, view, is_now=bool(document["market_is_now"])),
            Text(event.what, style=event.style),
            Text(event.text),
        )
    return Group(
        *([data_line(document)] if document["data"] else []),
        strategies_line(document),
        Text.assemble(("Journal: ", "bold"), journal_text(document)),
        "",
        Text("Last events", style="bold"),
        made if view.events else Text("none", style="dim"),
    )


def _stamp(event: Event, view: View, *, is_now: bool) -> str:
    """When it happened: by the clock where market time is the clock's, else in market time."""
    moment = datetime.fromtimestamp((event.at if is_now else event.ts) / NANOS, UTC)
    today = datetime.fromtimestamp(view.read_ns / NANOS, UTC).date()
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"


def frame(view: View, width: int, *, ascii_only: bool = False) -> Group:
    """All of it below one another, for a script or a log."""
    return Group(head(view, width, ascii_only=ascii_only), "", holdings(view, width), "", news(view))
