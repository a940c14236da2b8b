"""What can be read from the journal, where is it, and which filters does each kind take?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, func, not_, or_

from configs.closest import closest
from configs.errors import ConfigError
from journal import tables
from live._periods import Span
from live._whose import Whose

FILTERS = {
    "symbol": "instrument",
    "strategy": "strategy",
    "side": "side",
    "verdict": "verdict",
    "status": "status",
    "kind": "kind",
    "order": "client_order_id",
}
"""Filter -> the column that has to hold its value."""
SIDES = {"orders": ("BUY", "SELL"), "trades": ("LONG", "SHORT")}
VERDICTS = ("PASS", "REFUSE", "HOLD")
CAPITALS = frozenset({"side", "verdict", "status", "kind"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows: its name for people, its table and the column of the time that periods are about."""

    name: str
    table: Table
    moment: str = "ts"

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters that it takes."""
        return tuple(key for key in FILTERS if self._column(key) is not None)

    def _column(self, key: str) -> str | None:
        if key == "order" and self.name == "trades":
            return "entry_order"
        return FILTERS[key] if FILTERS[key] in self.table.c else None

    def where(self, whose: Whose, given: Mapping[str, str], span: Span) -> list[ColumnElement[bool]]:
        """What the rows asked for have in common. Raises ConfigError for a filter or a value that cannot be."""
        return [whose.where(self.table), *self.within(span), *self.filtered(given)]

    def within(self, span: Span, moment: ColumnElement[int] | None = None) -> list[ColumnElement[bool]]:
        """The span's own part of it, on the kind's time or on another one."""
        stamp = self.table.c[self.moment] if moment is None else moment
        since = [] if span.since_ns is None else [stamp >= span.since_ns]
        return since if span.until_ns is None else [*since, stamp < span.until_ns]

    def filtered(self, given: Mapping[str, str]) -> list[ColumnElement[bool]]:
        """The filters' part of it. Raises ConfigError."""
        return [self._filter(key, given[key]) for key in FILTERS if key in given]

    def _filter(self, key: str, value: str) -> ColumnElement[bool]:
        name = self._column(key)
        if name is None:
            fits = ", ".join(kind.name for kind in KINDS.values() if key in kind.filters)
            raise ConfigError(f"{key}={value}: {self.name} have no {key}; it goes with what={fits}")
        column, value = self.table.c[name], value.upper() if key in CAPITALS else value
        self._check(key, value)
        if key == "symbol":
            return _is_symbol(column, value)
        if key == "strategy":
            return _like(column, value, f"{_literally(value)}-%")
        if key == "order" and self.name == "trades":
            return or_(column == value, self.table.c.exit_order == value)
        return column == value

    def _check(self, key: str, value: str) -> None:
        allowed: tuple[str, ...] = ()
        if key == "side":
            allowed = SIDES["trades" if self.name == "trades" else "orders"]
        elif key == "verdict":
            allowed = VERDICTS
        if allowed and value not in allowed:
            raise ConfigError(f"{key}={value}: {self.name} have {', '.join(allowed)}")


def _is_symbol(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """AAPL, or AAPL.XNAS; BRK does not mean BRK.B."""
    symbol = _literally(value)
    longer = func.upper(column).like(f"{symbol}.%.%".upper(), escape="\\")
    return and_(_like(column, value, f"{symbol}.%"), or_(func.upper(column) == value.upper(), not_(longer)))


def _like(column: ColumnElement[str], value: str, pattern: str) -> ColumnElement[bool]:
    """The value itself or what the pattern means, upper and lower case taken as equal in either database."""
    upper = func.upper(column)
    return or_(upper == value.upper(), upper.like(pattern.upper(), escape="\\"))


def _literally(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


KINDS = {
    kind.name: kind
    for kind in (
        Kind("trades", tables.round_trips),
        Kind("orders", tables.orders),
        Kind("fills", tables.fills),
        Kind("decisions", tables.decisions),
        Kind("events", tables.risk_events),
        Kind("commands", tables.commands, "at"),
        Kind("approvals", tables.approvals),
        Kind("alerts", tables.alerts),
        Kind("snapshots", tables.account_snapshots),
        Kind("positions", tables.positions),
        Kind("receipts", tables.receipts),
        Kind("runs", tables.runs, "started_at"),
    )
}
"""Name -> kind."""


def kind_named(name: str, names: tuple[str, ...]) -> Kind:
    """The kind that what=NAME asks for. Raises ConfigError."""
    if name not in names:
        near = closest(name, names)
        hint = f"did you mean {near}?" if near else f"one of {', '.join(names)}"
        raise ConfigError(f"what={name}: there are none of these; {hint}")
    return KINDS[name]
