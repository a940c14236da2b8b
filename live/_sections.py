"""Which tables and lines show how an account stands, in a terminal of this width?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from live._picture import ENDED, GONE, RUNNING, SILENT, STARTING
from live._show import (
    WIDE,
    Bar,
    age,
    gain,
    limit_value,
    mode_badge,
    money,
    percent,
    state_badge,
    table,
    when,
)
from live._status_text import iso

if TYPE_CHECKING:
    from live._picture import Document, Picture

Row = dict[str, Any]
UNKNOWN = "unknown"


# -- the head ----------------------------------------------------------------------------------------------------------


def headline(picture: Picture) -> Text:
    """Mode, venue, state, and which run it is."""
    document = picture.document
    line = Text.assemble(mode_badge(document["mode"]), " ", (str(document["venue"]), "bold"), "  ")
    line.append_text(state_badge(document["state"]))
    if document["halted_scopes"]:
        line.append(f" ({len(document['halted_scopes'])} halted within)", style="bold red")
    return line.append(f"  run {document['run_id']}", style="dim")


def node_line(picture: Picture) -> Text:
    """Whether a node runs, and how old what it said is."""
    node = picture.node
    said = "it never said how it is" if node.said_ns is None else f"as of {when(iso(node.said_ns))} UTC"
    old = "" if node.age_secs is None else f" ({age(node.age_secs)} ago)"
    if node.state == RUNNING:
        return Text(f"node runs: process {node.pid}, spoke {age(node.age_secs)} ago", style="dim")
    if node.state == STARTING:
        return Text(f"a node starts: process {node.pid}", style="yellow")
    if node.state == SILENT:
        return Text(
            f"the node holds the account but has been silent for {age(node.age_secs)}: process {node.pid} may hang, or "
            f"cannot write the journal; {said}",
            style="bold red",
        )
    if node.state == ENDED:
        why = f": {node.ended_why}" if node.ended_why else ""
        return Text(f"no node runs; it ended{why}; {said}{old}", style="yellow")
    if node.state == GONE:
        return Text(
            f"no node runs; {said}{old}, process {node.pid} gone: it did not end by itself", style="bold red"
        )
    raise AssertionError(node.state)


def warnings(document: Document) -> list[Text]:
    """Everything a person has to know first: halts, doubts, a journal that cannot be written."""
    lines = []
    if document["reason"]:
        lines.append(Text(f"{document['state']}: {document['reason']}", style="bold red"))
    lines += [
        Text(f"HALTED {each['scope']}: {each['reason']}", style="bold red")
        for each in document["halted_scopes"]
    ]
    if document["flattening"]:
        lines.append(Text("FLATTENING: positions are being closed", style="bold red"))
    problem = document["journal"]["problem"]
    if problem:
        lines.append(Text(f"JOURNAL: {problem}; new exposure is refused meanwhile", style="bold red"))
    lines += [Text(f"DOUBT: {each}", style="yellow") for each in document["doubts"]]
    lines += [
        Text(f"FROZEN {each['instrument']}: {each['why']}", style="yellow") for each in document["frozen"]
    ]
    return lines


def account_grid(picture: Picture, width: int) -> Table:
    """Equity, cash, day and drawdown."""
    document = picture.document
    currency = document["currency"]
    day = UNKNOWN
    if document["day_pnl"] is not None:
        share = percent(document["day_pnl_pct"], signed=True)
        day = f"{money(document['day_pnl'], currency, signed=True)}  {share}"
    cells: list[tuple[str, Text | str]] = [
        ("Equity", _equity(document)),
        ("Cash", money(document["cash"], currency)),
        (f"Day {document['day'] or ''}".strip(), gain(document["day_pnl"], day)),
        ("Drawdown", _drawdown(document)),
        ("Exposure", f"{money(document['exposure'], currency)}  {_leverage(document)}"),
        ("Market time", _market_time(document)),
        ("Journal", journal_text(document)),
        ("Orders", _progress(document)),
    ]
    if picture.node.state != RUNNING:
        cells = [cell for cell in cells if cell[0] != "Journal"]
    return _grid(cells, 2 if width >= WIDE else 1)


def _grid(cells: list[tuple[str, Text | str]], pairs: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(pairs):
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(no_wrap=True)
    for start in range(0, len(cells), pairs):
        row = [part for cell in cells[start : start + pairs] for part in cell]
        grid.add_row(*row)
    return grid


def _known(value: str | None, currency: str) -> str:
    return UNKNOWN if value is None else money(value, currency)


def _equity(document: Document) -> Text:
    said = document.get("equity_at")
    told = Text(_known(document["equity"], document["currency"]), style="bold")
    return told if said is None else told.append(f" by the venue, {when(said)} UTC", style="dim")


def _drawdown(document: Document) -> str:
    if document["drawdown"] is None:
        return UNKNOWN
    return f"{percent(document['drawdown'])} from {money(document['peak'], document['currency'])}"


def _leverage(document: Document) -> str:
    return "" if document["leverage"] is None else f"{document['leverage']:.2f}x equity"


def _market_time(document: Document) -> str:
    share = document["progress"].get("share")
    played = "" if share is None else f", {share:.1%} of the replay"
    return f"{when(document['market_time'])} UTC{played}"


def journal_text(document: Document) -> str:
    """How far behind the journal is."""
    lag = document["journal"]
    if lag["problem"]:
        return f"cannot be written, {lag['rows']:,} rows wait"
    if not lag["rows"]:
        return "nothing waits"
    return f"{lag['rows']:,} rows wait, the oldest for {age(lag['secs'])}"


def _progress(document: Document) -> str:
    told = document["progress"]
    if told.get("sent") is None:
        return f"{told.get('orders_today', 0):,} today"
    return f"{told['sent']:,} sent, {told['refused']:,} refused, {told.get('orders_today', 0):,} today"


# -- limits ------------------------------------------------------------------------------------------------------------


def limits_table(
    document: Document, width: int, *, title: str | None = "Limits", nearest_first: bool = True
) -> Table:
    """Each limit with its value now, how much of it is used up and what is left."""
    made = table("Limit", "Now", "At most", "Used", "Left", right=("Now", "At most", "Left"), title=title)
    rows = document["limits"]
    for row in sorted(rows, key=_most_used) if nearest_first else rows:
        made.add_row(
            limit_name(row),
            limit_value(row, row["now"]),
            ("at least " if row["at_least"] else "") + limit_value(row, row["limit"]),
            Bar(row["used"], 16 if width >= WIDE else 10),
            left_text(row),
        )
    return made


def _most_used(row: Row) -> float:
    return -row["used"] if row["used"] is not None else 0.0


def limit_name(row: Row) -> Text:
    """The key, and whose value it is where there are several."""
    name = Text(row["key"])
    if row["scope"] != "book":
        name.append(f" {row['scope'].partition(':')[2]}", style="dim")
    if row["of"]:
        name.append(f" {row['of']}", style="dim")
    return name


def left_text(row: Row) -> str:
    """What is left until the limit; `reached` where nothing is."""
    if row["left"] is None:
        return limit_value(row, None)
    if row["used"] is not None and row["used"] >= 1:
        return "reached"
    return limit_value(row, row["left"])


# -- data and strategies -----------------------------------------------------------------------------------------------


def data_line(document: Document, most: int = 12) -> Text:
    """How old the newest data of each instrument is, the oldest first."""
    rows = sorted(document["data"], key=lambda row: -1.0 if row["age_secs"] is None else -row["age_secs"])
    never = [row for row in rows if row["age_secs"] is None]
    seen = [row for row in rows if row["age_secs"] is not None]
    parts = [f"{row['instrument']} never" for row in never] + [
        f"{row['instrument']} {age(row['age_secs'])}" for row in seen
    ]
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return Text.assemble(("Data age: ", "bold"), (", ".join(parts[:most]) or "no instrument") + more)


def strategies_line(document: Document) -> Text:
    """Each strategy and its state."""
    parts = []
    for row in document["strategies"]:
        words = [row["strategy"], row["state"]]
        if row["retired"]:
            words.append("retired")
        if row["halted"]:
            words.append("HALTED")
        if row["result"] is not None:
            words.append(money(row["result"], document["currency"], signed=True))
        parts.append(" ".join(words))
    return Text.assemble(("Strategies: ", "bold"), ", ".join(parts) or "none")
