"""Which rows of the journal is a report made from? All of them read in one transaction, so that they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from journal import tables
from journal.database import told
from live._report_found import Found, Order, Row, Series
from live._report_period import Period
from live._whose import Whose

SNAPSHOT = ("run_id", "ts", "at", "currency", "cash", "equity", "exposure", "leverage", "peak", "drawdown", "day_start",
            "day_pnl", "open_positions", "state", "why")  # fmt: skip
CHANGE = ("client_order_id", "event", "status", "type", "instrument", "quantity", "filled", "reason")
FILL = ("ts", "at", "client_order_id", "strategy", "instrument", "side", "quantity", "price", "commission", "currency",
        "liquidity", "decision_price", "slippage", "source")  # fmt: skip
AT_ONCE = 2_000  # rows of orders that are in memory at the same time


def read_rows(whose: Whose, period: Period, *, keep_trips: int) -> Found:
    """Everything of an account in a period; keep_trips: how many round trips from before it are wanted too.

    Raises JournalDownError or JournalBrokenError.
    """
    engine = whose.about.reader.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with told(whose.about.reader.config), engine.connect() as connection:
        return _Reading(connection, whose, period).all(keep_trips)


class _Reading:
    def __init__(self, connection: Connection, whose: Whose, period: Period) -> None:
        self._connection = connection
        self._whose = whose
        self._period = period

    def all(self, keep_trips: int) -> Found:
        snapshots = self._inside(tables.account_snapshots, *SNAPSHOT)
        commands = self._commands(snapshots)
        return Found(
            runs=self._runs(),
            series=self._series(self._period.from_ns, snapshots),
            daily=self._daily(),
            snapshots=snapshots,
            fills=self._inside(tables.fills, *FILL),
            orders=self._orders(),
            intents=self._intents(),
            decisions=self._decisions(),
            refusals=self._refusals(),
            trips=self._trips(),
            earlier_trips=self._earlier_trips(keep_trips),
            risk_events=self._inside(tables.risk_events),
            approvals=self._inside(tables.approvals),
            alerts=self._inside(tables.alerts),
            commands=commands,
            receipts=self._receipts([row["command_id"] for row in commands]),
            positions=self._positions(),
            limit_sets={row["version"]: row["limits"] for row in self._read(select(tables.limit_sets))},
            status=self._status(),
        )

    def _runs(self) -> list[Row]:
        """Runs that wrote anything in the period; every run of a sandbox is a scope of its own."""
        runs = tables.runs
        wrote = self._column(tables.account_snapshots, "run_id") | self._column(tables.orders, "run_id")
        wrote |= self._column(tables.risk_events, "run_id")
        return self._read(select(runs).where(runs.c.run_id.in_(wrote)).order_by(runs.c.started_at))

    def _column(self, table: Table, name: str) -> set[Any]:
        wanted = select(table.c[name]).distinct().where(*self._where(table))
        return {row[name] for row in self._read(wanted)}

    def _inside(self, table: Table, *names: str) -> list[Row]:
        columns = [table.c[name] for name in names] if names else [table]
        return self._read(select(*columns).where(*self._where(table)).order_by(table.c.id))

    def _where(self, table: Table, stamp: str = "ts") -> tuple[ColumnElement[bool], ...]:
        ts = table.c[stamp]
        return (self._whose.where(table), ts >= self._period.from_ns, ts < self._period.until_ns)

    def _daily(self) -> Series:
        table, begin = tables.account_snapshots.c, self._period.look_back_ns
        where = [
            self._whose.where(tables.account_snapshots), table.equity.is_not(None), table.ts >= begin,
            table.ts < self._period.until_ns,
        ]  # fmt: skip
        last = select(func.max(table.id)).where(*where).group_by(table.day)
        wanted = (
            select(table.run_id, table.ts, table.equity)
            .where(table.id.in_(last))
            .order_by(table.ts, table.id)
        )
        return self._series(begin, self._read(wanted))

    def _series(self, from_ns: int, snapshots: Sequence[Row]) -> Series:
        table = tables.account_snapshots
        earlier = select(table.c.ts, table.c.equity).where(
            self._whose.where(table), table.c.ts < from_ns, table.c.equity.is_not(None)
        )
        before = self._read(earlier.order_by(table.c.ts.desc(), table.c.id.desc()).limit(1))
        events = tables.risk_events
        flows = select(events).where(
            self._whose.where(events), events.c.kind == "CASH_FLOW", events.c.ts < self._period.until_ns,
            events.c.ts >= (before[0]["ts"] if before else from_ns),
        )  # fmt: skip
        known = [row for row in snapshots if row["equity"] is not None]
        return Series(
            before=before[0] if before else None,
            starting=self._starting(known[0]["run_id"]) if known else None,
            snapshots=known,
            flows=self._read(flows.order_by(events.c.id)),
        )

    def _starting(self, run_id: str) -> Decimal | None:
        found = self._read(select(tables.runs.c.starting_equity).where(tables.runs.c.run_id == run_id))
        return found[0]["starting_equity"] if found else None

    def _orders(self) -> dict[str, Order]:
        table = tables.orders
        wanted = select(*(table.c[name] for name in CHANGE)).where(*self._where(table)).order_by(table.c.id)
        orders: dict[str, Order] = {}
        for row in self._connection.execution_options(yield_per=AT_ONCE).execute(wanted):
            order = orders.get(row.client_order_id)
            if order is None:
                order = orders[row.client_order_id] = Order(
                    row.type, row.instrument, row.quantity, row.filled, row.status, row.reason
                )
            order.quantity, order.filled, order.status = row.quantity, row.filled, row.status
            order.reason = row.reason or order.reason
            order.intended |= row.event == "INTENT"
            order.partly |= row.status == "PARTIALLY_FILLED"
        return orders

    def _intents(self) -> dict[str, int]:
        orders = tables.orders.c
        filled = select(tables.fills.c.client_order_id).where(*self._where(tables.fills))
        wanted = (
            select(orders.client_order_id, func.min(orders.at).label("at"))
            .where(
                self._whose.where(tables.orders), orders.event == "INTENT", orders.client_order_id.in_(filled)
            )
            .group_by(orders.client_order_id)
        )
        return {row["client_order_id"]: int(row["at"]) for row in self._read(wanted)}

    def _decisions(self) -> dict[str, int]:
        table = tables.decisions
        count = func.count().label("many")
        wanted = select(table.c.verdict, count).where(*self._where(table)).group_by(table.c.verdict)
        return {row["verdict"]: int(row["many"]) for row in self._read(wanted)}

    def _refusals(self) -> list[Row]:
        """A row a code: how many, over how many strategies and instruments, and the newest in full."""
        table = tables.decisions
        wanted = (
            select(
                table.c.code,
                func.count().label("many"),
                func.count(table.c.strategy.distinct()).label("strategies"),
                func.count(table.c.instrument.distinct()).label("instruments"),
                func.max(table.c.id).label("newest"),
            )
            .where(*self._where(table), table.c.verdict == "REFUSE")
            .group_by(table.c.code)
        )
        counted = self._read(wanted)
        newest = select(table.c.id, table.c.ts, table.c.reason).where(
            table.c.id.in_([row["newest"] for row in counted])
        )
        told_by_id = {row["id"]: row for row in self._read(newest)}
        rows = [{**row, **told_by_id[row["newest"]]} for row in counted]
        return sorted(rows, key=lambda row: (-row["many"], str(row["code"])))

    def _trips(self) -> list[Row]:
        table = tables.round_trips
        wanted = select(table).where(*self._where(table, "closed_ns"))
        return self._read(wanted.order_by(table.c.closed_ns, table.c.id))

    def _earlier_trips(self, most: int) -> list[Row]:
        table = tables.round_trips
        wanted = select(table).where(self._whose.where(table), table.c.closed_ns < self._period.from_ns)
        newest = self._read(wanted.order_by(table.c.closed_ns.desc(), table.c.id.desc()).limit(most))
        return newest[::-1]

    def _commands(self, snapshots: Sequence[Row]) -> list[Row]:
        """By the clock on the wall, as people gave them; a replay has another time, so what it lived through counts."""
        table, period = tables.commands, self._period
        begin, end = period.from_ns, period.until_ns
        if self._is_replay(snapshots):
            begin, end = snapshots[0]["at"], snapshots[-1]["at"] + 1
        wanted = select(table).where(self._whose.where(table), table.c.at >= begin, table.c.at < end)
        return self._read(wanted.order_by(table.c.id))

    def _is_replay(self, snapshots: Sequence[Row]) -> bool:
        return bool(snapshots) and not self._period.holds(snapshots[-1]["at"])

    def _receipts(self, ids: Sequence[str]) -> dict[str, Row]:
        table = tables.receipts
        return {
            row["command_id"]: row for row in self._read(select(table).where(table.c.command_id.in_(ids)))
        }

    def _positions(self) -> list[Row]:
        table = tables.positions
        newest = (
            select(func.max(table.c.id).label("id"))
            .where(self._whose.where(table), table.c.ts < self._period.until_ns)
            .group_by(table.c.strategy, table.c.instrument)
            .subquery()
        )
        found = self._read(select(table).join(newest, table.c.id == newest.c.id).order_by(table.c.id))
        return [row for row in found if row["quantity"]]

    def _status(self) -> Row | None:
        table = tables.node_status
        found = self._read(select(table).where(table.c.scope == self._whose.run["scope"]))
        return found[0] if found else None

    def _read(self, wanted: Select[Any]) -> list[Row]:
        return [dict(row) for row in self._connection.execute(wanted).mappings()]


def journal_prices(whose: Whose, instrument: str, from_ns: int, until_ns: int) -> list[tuple[int, Decimal]]:
    """(stamp, price) of an instrument as decisions and fills saw it, oldest first."""
    reader, prices = whose.about.reader, []
    with told(reader.config), reader.engine.connect() as connection:
        for table in (tables.decisions, tables.fills):
            wanted = select(table.c.ts, table.c.price).where(
                whose.where(table),
                table.c.instrument == instrument,
                table.c.ts >= from_ns,
                table.c.ts < until_ns,
                table.c.price.is_not(None),
            )
            prices += [(row.ts, row.price) for row in connection.execute(wanted)]
    return sorted(prices)
