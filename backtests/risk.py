"""`python -m backtests risk`: under which limits would a run trade, and which line set each?"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from configs.in_effect import InEffect, Limit, in_effect, written
from configs.load import Composed, main
from configs.sources import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OK = 0
HELP = """python -m backtests risk [GROUP=OPTION] [KEY=VALUE] ... [FLAG]

Shows every limit and breaker that a run with the same arguments would have, after presets and overrides, and which
file or line set each. Takes what `python -m backtests run` takes (its --help lists it), and needs no market data.

Example: python -m backtests risk risk=conservative 'risk.overrides=[{strategy: ema_cross, max_position_pct: 0.02}]'
Example: python -m backtests risk risk=first_month_live venue=alpaca_paper output=json
"""
_PARTS = {
    "max_leverage": "Orders",
    "require_stop_loss": "Stops and deadlines",
    "max_daily_loss_pct": "Breakers",
    "session_zone": "Session day",
    "allow_off": "Run",
}
"""The key that begins a part -> what the part is called."""
_KEY_WIDTH, _VALUE_WIDTH = 25, 20  # of most rows, so that the parts stand under each other
_NARROW = 76


def risk(argv: Sequence[str]) -> int:
    """The verb: compose, validate, show. Answers the exit code."""
    if "--help" in argv or "-h" in argv:
        print(HELP, end="")  # noqa: T201 - what a person reads
        return OK
    return main("backtest", argv, show, with_sources=True)


def show(composed: Composed) -> int:
    """Print the limits of one composed run on stdout."""
    config = composed.config
    found = in_effect(config, composed.sources)
    if config.output == "json":
        sys.stdout.write(json.dumps(found.as_dict()) + "\n")
        return OK
    console = Console()
    strategies = ", ".join(each.strategy_id for each in config.named_strategies)
    console.print(Text.assemble(("Limits in effect", "bold"), f"  {strategies}, venue {config.venue.name}"))
    for title, limits in _parts(found):
        console.print(Text(f"\n{title}", style="bold"))
        console.print(_table(limits, narrow=console.width < _NARROW))
    console.print(Text(f"\nFiles are in {SHIPPED.name}/ where no other folder is named.", style="dim"))
    for note in found.notes:
        console.print(Text(f"Note: {note}"))
    return OK


def _parts(found: InEffect) -> Iterator[tuple[str, Sequence[Limit]]]:
    """The limits in parts, each with its title: those of all orders, those of some, breakers of one scope."""
    starts = [number for number, limit in enumerate(found.limits) if limit.key in _PARTS]
    for start, end in pairwise([*starts, len(found.limits)]):
        yield _PARTS[found.limits[start].key], found.limits[start:end]
    for each in found.narrowed:
        yield f"Tighter for {each.strategy} in {each.instrument}", each.limits
    for scope, limits in found.breakers.items():
        yield f"Breakers of {scope}, beside those above", limits


def _table(limits: Iterable[Limit], *, narrow: bool) -> Table:
    """Key, value and what set it; on a narrow terminal the last stands under the value."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=_KEY_WIDTH)
    table.add_column(overflow="fold", min_width=None if narrow else _VALUE_WIDTH)
    table.add_column(overflow="fold")
    for limit in limits:
        told = (_told(limit), limit.set_by.removeprefix(f"{SHIPPED.name}/"))
        style = "dim" if limit.value is None else ""
        table.add_row(limit.key, *(["\n".join(told)] if narrow else told), style=style)
    return table


def _told(limit: Limit) -> str:
    """`0.1 (10% of equity)`, `100 orders`, `off`."""
    value = written(limit.value)
    if limit.key == "session_zone" and limit.value is None:
        return "the data's"
    if limit.value is None or not limit.unit:
        return value
    if limit.key.endswith("_pct"):
        return f"{value} ({(limit.value * 100).normalize():f}% {limit.unit})"
    return f"{value} {limit.unit}"
