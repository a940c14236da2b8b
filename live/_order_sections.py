"""How are positions, and orders that work, wait or are unknown, shown in a terminal of this width?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.text import Text

from live._show import WIDE, age, gain, money, number, percent, quantity, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from live._picture import Document

Row = dict[str, Any]
RESOLVE = 'python -m live resolve order={order} outcome=never_arrived|canceled|filled reason="how you know"'
APPROVE, REJECT = "python -m live approve order={order}", "python -m live reject order={order}"


# -- positions ---------------------------------------------------------------------------------------------------------


def positions_table(document: Document, width: int, *, title: str | None = "Positions") -> RenderableType:
    """What is held, at which price, and what it made."""
    rows, currency = document["positions"], document["currency"]
    if not rows:
        return nothing("Positions", "none", title)
    is_wide = width >= WIDE
    names = ["Instrument", "Quantity", "Average", "Mark", f"P&L {currency}", "P&L %", "Age"]
    with_strategy = is_wide or len(document["strategies"]) != 1
    if is_wide:
        names.insert(4, f"Value {currency}")
    made = table(*names, right=tuple(names[1:]), title=title)
    if with_strategy:
        made.add_column("Strategy", no_wrap=True)
    for row in rows:
        cells: list[Text | str] = [
            Text(row["instrument"], no_wrap=True),
            quantity(row["quantity"]),
            number(row["average_price"]),
            number(row["mark"]),
            gain(row["unrealised_pnl"], _bare(row["unrealised_pnl"], currency, signed=True)),
            gain(row["unrealised_pnl"], percent(row["unrealised_pnl_pct"], signed=True)),
            age(row["price_age_secs"]),
        ]
        if is_wide:
            cells.insert(4, _bare(row["value"], currency))
        made.add_row(*cells, *([row["strategy"]] if with_strategy else []))
    return made


def _bare(value: str | None, currency: str, *, signed: bool = False) -> str:
    return money(value, currency, signed=signed).removesuffix(f" {currency}")


def nothing(name: str, text: str, title: str | None) -> Text:
    """A section that is empty."""
    return Text.assemble((f"{name}: " if title else "", "bold"), (text, "dim"))


# -- orders ------------------------------------------------------------------------------------------------------------


def order_sentence(row: Row) -> str:
    """`BUY 100 AAPL.XNAS LIMIT 101.5`, as far as it is known."""
    words = [
        row.get("side") or "",
        quantity(row["quantity"]) if row.get("quantity") else "",
        row["instrument"],
    ]
    words.append((row.get("type") or "").replace("_", " "))
    if row.get("price"):
        words.append(f"at {number(row['price'])}")
    if row.get("trigger_price"):
        words.append(f"trigger {number(row['trigger_price'])}")
    if row.get("left") not in (None, "0", row.get("quantity")):
        words.append(f"({quantity(row['left'])} left)")
    return " ".join(word for word in words if word)


def questions(document: Document) -> list[Text]:
    """Orders that nobody knows what became of: the question, and the command that answers it."""
    lines = []
    for row in document["unknown"]:
        since = "" if row.get("age_secs") is None else f", {age(row['age_secs'])} ago"
        lines.append(
            Text.assemble(
                ("UNKNOWN ", "bold red"),
                (f"{order_sentence(row)}  {row['client_order_id']}", "bold"),
                f"\n  {row['why']}{since}. Did it reach the venue, and what became of it? Look at the venue's own "
                f"pages. Until it is known nothing new is opened in {row['instrument']}.\n  Answer: ",
                (RESOLVE.format(order=row["client_order_id"]), "bold"),
            )
        )
    return lines


def held_list(document: Document) -> list[Text]:
    """Orders that wait for a person: until when, within which prices, and the commands that answer."""
    lines = []
    for row in document["held"]:
        left = "no deadline" if row["left_secs"] is None else f"{age(row['left_secs'])} left"
        band = "any price"
        if row["band_low"] is not None:
            band = f"between {number(row['band_low'])} and {number(row['band_high'])}, now {number(row['price_now'])}"
        more = len(row["orders"]) - 1
        lines.append(
            Text.assemble(
                ("HELD ", "bold yellow"),
                (order_sentence(row), "bold"),
                f" and {more} with it" if more > 0 else "",
                f"  {row['strategy']}\n  {left}, {band}\n  ",
                (APPROVE.format(order=row["client_order_id"]), "bold"),
                "\n  ",
                (REJECT.format(order=row["client_order_id"]), "bold"),
            )
        )
    return lines


def orders_table(rows: Iterable[Row], width: int, *, title: str | None = "Working orders") -> RenderableType:
    """Orders, one a line."""
    found = list(rows)
    if not found:
        return nothing("Working orders", "none", title)
    names = ["Order", "Status", "Age", "Id"]
    if width >= WIDE:
        names.insert(1, "Strategy")
    made = table(*names, right=("Age",), title=title)
    for row in found:
        status = (row["status"] or "SENT") + (" reduces" if row["reduce_only"] else "")
        cells = [order_sentence(row), status, age(row["age_secs"]), row["client_order_id"]]
        if width >= WIDE:
            cells.insert(1, row["strategy"])
        made.add_row(*cells)
    return made
