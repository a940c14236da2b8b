"""How is the difference of two runs written, in the terminal, as JSON and on a page?"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runs.wording import UNDEFINED, percent, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtests.versus.difference import Changed, Difference, Figure

_PERCENT = frozenset(
    {
        "total_return", "cagr", "volatility", "max_drawdown", "win_rate", "exposure", "max_exposure",
        "time_in_market", "deflated_sharpe", "probabilistic_sharpe", "max_drawdown_low", "max_drawdown_high",
        "buy_and_hold_return", "buy_and_hold_cagr", "buy_and_hold_volatility", "buy_and_hold_max_drawdown",
    }
)  # fmt: skip
_SHOWN = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "starting_equity", "final_equity",
    "fees", "costs_total", "orders", "fills", "refusals", "trips", "trades", "open_trades", "win_rate",
    "profit_factor", "turnover", "exposure", "max_exposure", "time_in_market", "halted", "buy_and_hold_return",
    "trials_ledger", "deflated_sharpe",
)  # fmt: skip
"""Figures of the table, in its order; the JSON has all."""


def names(found: Difference) -> tuple[str, str]:
    """What the two runs are called: their folders' names, with their parents where those are the same."""
    a, b = found.a.path, found.b.path
    return (a.name, b.name) if a.name != b.name else (str(a), str(b))


def figure_rows(found: Difference) -> Iterator[tuple[str, str, str, str]]:
    """(figure, A, B, B - A) as they are to be read."""
    by_name = {figure.name: figure for figure in found.figures}
    for name in _SHOWN:
        figure = by_name[name]
        words = "costs, all" if name == "costs_total" else name.replace("_", " ")
        yield words, written(name, figure.a), written(name, figure.b), _difference(figure)


def config_rows(rows: tuple[Changed, ...]) -> Iterator[tuple[str, str, str]]:
    """(key, A, B); a key that a run has not is a dash."""
    for each in rows:
        a, b = (
            _value(value) if there else "-" for value, there in zip((each.a, each.b), each.is_in, strict=True)
        )
        yield each.key, a, b


def written(name: str, value: Any) -> str:
    """A figure as people write it."""
    if value is None:
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _PERCENT:
        return percent(value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    return (
        f"{value:,}" if isinstance(value, int) else ratio(value) if isinstance(value, float) else str(value)
    )


def document(found: Difference, page: str) -> dict[str, Any]:
    """What `output=json` prints: amounts are strings, ratios fractions, undefined is null."""
    return {
        "a": str(found.a.path),
        "b": str(found.b.path),
        "figures": {
            each.name: {"a": each.a, "b": each.b, "difference": each.difference} for each in found.figures
        },
        "config": [_changed(each) for each in found.config],
        "versions": [_changed(each) for each in found.versions],
        "notes": list(found.notes),
        "page": page,
    }


def to_json(told: dict[str, Any]) -> str:
    """One JSON document."""
    return json.dumps(told, indent=2, allow_nan=False, default=str)


def show(found: Difference, page: str) -> None:
    """Print both runs beside each other."""
    console = Console()
    for letter, run in (("A", found.a), ("B", found.b)):
        said = f"{run.seen.title} on {', '.join(run.config.symbols) or 'its data'} at {run.config.venue.name}"
        console.print(Text.assemble((f"{letter}  ", "bold"), f"{run.path}  ", (said, "dim")), soft_wrap=True)
    console.print(_table(("", "A", "B", "B - A"), figure_rows(found), (1, 2, 3)))
    if found.config:
        console.print(_table(("Config key", "A", "B"), config_rows(found.config), ()))
    else:
        console.print("The configs are the same.")
    for note in found.notes:
        console.print(Text(note))
    console.print(Text.assemble(("Page  ", "bold"), page), soft_wrap=True)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]], numbers: tuple[int, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _changed(each: Changed) -> dict[str, Any]:
    return {"key": each.key, "a": each.a, "b": each.b, "in_a": each.is_in[0], "in_b": each.is_in[1]}


def _difference(figure: Figure) -> str:
    found = figure.difference
    if found is None:
        return "" if figure.a == figure.b else "differs"
    if not found:
        return "0"
    if figure.name in _PERCENT:
        return percent(float(found), signed=True)
    if isinstance(found, Decimal):
        return f"{found:+,f}"
    return f"{found:+,}" if isinstance(found, int) else f"{found:+,.2f}"


def _value(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
