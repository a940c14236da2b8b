"""Which rows does a person mean by `symbol=AAPL` and `strategy=EmaCross`?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]
FILTER_KEYS = ("symbol", "strategy")
FILTER_HELP = """  symbol=AAPL     only this symbol (AAPL) or instrument (AAPL.XNAS)
  strategy=ID     only this strategy, as EmaCross-001, or all of its class as EmaCross
"""


def picked(rows: Iterable[Row], given: Mapping[str, str]) -> list[Row]:
    """The rows that fit the filters; upper and lower case are the same. A row without a strategy fits none."""
    symbol, strategy = (given.get(key, "").casefold() for key in FILTER_KEYS)
    return [
        row
        for row in rows
        if (not symbol or symbol in _names(str(row["instrument"]), "."))
        and (not strategy or strategy in _names(str(row.get("strategy") or ""), "-"))
    ]


def _names(name: str, mark: str) -> tuple[str, str]:
    folded = name.casefold()
    return folded, folded.rpartition(mark)[0]
