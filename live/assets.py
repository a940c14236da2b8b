"""`python -m live assets`: what can be traded at a venue?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from configs.closest import closest
from configs.errors import ConfigError
from live._inspecting import composed_with, inspecting
from live._show import console, print_json

if TYPE_CHECKING:
    from adapters.inspection import Listed
    from configs.load import Composed

USAGE = """python -m live assets [venue=NAME] [class=us_equity|crypto] [symbol=TEXT] [all=true] [output=json]

Everything that can be traded at a venue; of one class, or whose symbol or name holds a text. all=true lists what the
venue knows and does not trade too.

Example: python -m live assets venue=alpaca_paper class=crypto
"""
CLASSES = ("us_equity", "crypto")


def assets(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return composed_with(argv, ("class", "symbol", "all"), USAGE, _assets)


def _assets(composed: Composed, given: dict[str, str]) -> int:
    config, kind = composed.config, given.get("class")
    if kind is not None and kind not in CLASSES:
        near = closest(kind, CLASSES)
        raise ConfigError(
            f"class={kind}: " + (f"did you mean {near}?" if near else f"must be {' or '.join(CLASSES)}")
        )
    with inspecting(config) as inspector:
        listed = asyncio.run(inspector.assets(kind))
    text = given.get("symbol", "").upper()
    chosen = [
        each
        for each in listed
        if (each.tradable or given.get("all") == "true")
        and (text in each.symbol or text in each.name.upper())
    ]
    if config.output == "json":
        print_json({"venue": config.venue.name, "assets": [_row(each) for each in chosen]})
    else:
        _show(chosen, len(listed))
    return 0


def _row(one: Listed) -> dict[str, object]:
    return {
        "symbol": one.symbol,
        "name": one.name,
        "class": one.kind,
        "exchange": one.exchange,
        "tradable": one.tradable,
        "traits": list(one.traits),
        "min_order_size": None if one.least is None else f"{one.least:f}",
    }


def _show(chosen: Sequence[Listed], known: int) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("Symbol", "Name", "Class", "Exchange", "Traits", "Smallest order"):
        table.add_column(name, overflow="fold", no_wrap=name in ("Symbol", "Class", "Exchange"))
    for one in chosen:
        least = "" if one.least is None else f"{one.least:f}"
        kind = one.kind if one.tradable else f"{one.kind}, not tradable"
        table.add_row(one.symbol, one.name, kind, one.exchange, ", ".join(one.traits), least)
    out = console()
    out.print(table)
    out.print(f"{len(chosen)} of {known}")
