"""A journal with a story in it: accounts and sandbox runs, orders, fills, round trips, refusals, a halt, commands.

`Desk` writes what a node would, through the journal's own writer, so that chains and heads are real; `fill` tells one
fixed story with it, on SQLite or PostgreSQL.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import Engine, insert, update

from journal import tables
from journal.config import JournalConfig
from journal.control import Account, Receipt, command_row, receipt_row, write
from journal.database import open_journal
from journal.heads import HeadFile
from journal.limits_version import limits_text, limits_version
from journal.place import Place
from journal.trips import Trips
from journal.witness import position_values
from journal.writer import Writer
from risk.limits import RiskConfig

NANOS = 1_000_000_000
MINUTE = 60 * NANOS
HOUR = 3_600 * NANOS
DAY = 24 * HOUR
MONDAY = 1_793_631_600 * NANOS  # 2026-11-02 10:00 in New York
ZERO = Decimal(0)
LIMITS = limits_version(RiskConfig())
CONFIG = """\
data:
  source: market.us_equities:UsEquities
  symbols: [AAPL, MSFT]
risk:
  session_zone: null
  session_start: 00:00
  session_calendar: false
venue:
  name: {venue}
  mode: {mode}
"""
SERVER = "postgresql://postgres@127.0.0.1:5432"


@dataclass
class Desk:
    """One run that writes its journal. Prices and amounts are given as text."""

    engine: Engine
    config: JournalConfig
    run_id: str
    scope: str
    mode: str
    venue: str
    started_ns: int
    cash: Decimal = Decimal(100_000)
    currency: str = "USD"
    yaml: str = CONFIG
    strategies: tuple[str, ...] = ("EmaCross-001", "BollingerReversion-002")
    trips: Trips = field(default_factory=Trips)
    orders: int = 0
    peak: Decimal = ZERO
    state: str = "ACTIVE"
    _marks: dict[str, Decimal] = field(default_factory=dict)
    _day: tuple[str, Decimal] = ("", ZERO)
    _last: Decimal = ZERO

    def __post_init__(self) -> None:
        self.base = {"run_id": self.run_id, "scope": self.scope, "mode": self.mode, "venue": self.venue}
        head = HeadFile.of(self.config.heads_folder, self.run_id)
        self.writer = Writer(self.engine, Place(self.config), self.run_id, head)
        with self.engine.begin() as connection:
            connection.execute(insert(tables.runs), self._run())
        limits = {"version": LIMITS, "at": self.started_ns, "limits": limits_text(RiskConfig())}
        self.writer.keep(tables.limit_sets, LIMITS, limits)
        self.snapshot(self.started_ns, "start")

    def _run(self) -> dict[str, Any]:
        return {
            **self.base,
            "account": None if self.mode == "sandbox" else "PA123",
            "currency": self.currency,
            "started_at": self.started_ns,
            "config": self.yaml.format(venue=self.venue, mode=self.mode),
            "limits_version": LIMITS,
            "code_version": "0.1.0",
            "data_version": "d1",
            "pid": os.getpid(),
            "starting_equity": self.cash,
            "strategies": json.dumps(self.strategies),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what a strategy does ---------------------------------------------------------------------------------------

    def order(
        self,
        ts: int,
        instrument: str,
        side: str,
        quantity: str,
        price: str,
        *,
        decided: str | None = None,
        fee: str = "1",
        status: str = "FILLED",
        strategy: str = "EmaCross-001",
        filled: str | None = None,
    ) -> str:
        """An order from its decision to `status`, a day order at the market. FILLED fills it."""
        self.orders += 1
        name = f"O-{self.run_id}-{self.orders}"
        about = {"client_order_id": name, "strategy": strategy, "instrument": instrument, "side": side}
        at = Decimal(decided or price)
        decision = {**self.base, "ts": ts, **about, "quantity": Decimal(quantity), "verdict": "PASS"}
        self.writer.add(
            tables.decisions,
            {
                **decision,
                "code": None,
                "reason": None,
                "reduces": False,
                "price": at,
                "limits_version": LIMITS,
                "numbers": json.dumps({"notional": str(Decimal(quantity) * at), "equity": str(self.equity)}),
            },
        )
        row: dict[str, Any] = {
            **self.base,
            **about,
            "type": "MARKET",
            "quantity": Decimal(quantity),
            "price": None,
            "trigger_price": None,
            "tif": "DAY",
            "reduce_only": False,
            "filled": ZERO,
            "reason": None,
            "limits_version": LIMITS,
        }
        for wait, (event, source) in enumerate(
            [("INTENT", "gate"), ("SENDING", "client"), ("SUBMITTED", "engine"), ("ACCEPTED", "engine")]
        ):
            now = {"ts": ts + wait, "event": event, "source": source, "venue_order_id": None}
            word = {"INTENT": "INTENDED"}.get(event, event)
            self.writer.add(tables.orders, {**row, **now, "status": word})
        if status == "FILLED":
            done = Decimal(filled or quantity)
            self._fill(ts + 5, about, done, Decimal(price), at, Decimal(fee))
            row["filled"] = done
            status = "FILLED" if done == Decimal(quantity) else "PARTIALLY_FILLED"
        if status != "ACCEPTED":
            last = {"ts": ts + 6, "event": status, "source": "engine", "venue_order_id": f"V{self.orders}"}
            self.writer.add(tables.orders, {**row, **last, "status": status})
        return name

    def _fill(
        self,
        ts: int,
        about: Mapping[str, Any],
        quantity: Decimal,
        price: Decimal,
        decided: Decimal,
        fee: Decimal,
    ) -> None:
        sign = 1 if about["side"] == "BUY" else -1
        row = {
            **self.base,
            "ts": ts,
            "trade_id": f"T-{about['client_order_id']}",
            **about,
            "venue_order_id": f"V{self.orders}",
            "quantity": quantity,
            "price": price,
            "commission": fee,
            "currency": self.currency,
            "liquidity": "TAKER",
            "decision_price": decided,
            "slippage": (price - decided) * quantity * sign,
            "source": "engine",
        }
        self.writer.add(tables.fills, row)
        self.cash -= price * quantity * sign + fee
        self._marks[about["instrument"]] = price
        trip, ended = self.trips.filled(row, lambda at: at, self.currency, lambda amount, _: amount)
        base = {**self.base, "ts": ts}
        if ended is not None:
            self.writer.add(tables.round_trips, {**base, **ended, "currency": self.currency})
        self.writer.add(tables.positions, {**base, **position_values(row, trip), "source": "engine"})

    def trade(
        self,
        opened_ns: int,
        closed_ns: int,
        instrument: str,
        quantity: str,
        entry: str,
        exit_price: str,
        *,
        strategy: str = "EmaCross-001",
        fee: str = "1",
        short: bool = False,
    ) -> None:
        """In and out again."""
        into, out = ("SELL", "BUY") if short else ("BUY", "SELL")
        self.order(opened_ns, instrument, into, quantity, entry, strategy=strategy, fee=fee)
        self.order(closed_ns, instrument, out, quantity, exit_price, strategy=strategy, fee=fee)

    def refuse(
        self, ts: int, instrument: str, code: str, reason: str, strategy: str = "EmaCross-001"
    ) -> None:
        """The gate says no."""
        self.orders += 1
        self.writer.add(
            tables.decisions,
            {
                **self.base,
                "ts": ts,
                "client_order_id": f"O-{self.run_id}-{self.orders}",
                "strategy": strategy,
                "instrument": instrument,
                "side": "BUY",
                "quantity": Decimal(1000),
                "verdict": "REFUSE",
                "code": code,
                "reason": f"{code}: {reason}",
                "reduces": False,
                "price": Decimal(100),
                "limits_version": LIMITS,
                "numbers": "{}",
            },
        )

    # -- what the desk sees -----------------------------------------------------------------------------------------

    @property
    def equity(self) -> Decimal:
        """Cash and what is held, at the newest prices."""
        held = ((key[1], trip.position) for key, trip in self.trips.open.items())
        return self.cash + sum((self._marks[name] * quantity for name, quantity in held), ZERO)

    def mark(self, instrument: str, price: str) -> None:
        """A new price."""
        self._marks[instrument] = Decimal(price)

    def snapshot(self, ts: int, why: str = "time", day: str | None = None) -> None:
        """The account at a moment; `day` is its session day, else that of New York."""
        equity, name = self.equity, day or _new_york_day(ts)
        self.peak = max(self.peak, equity)
        if self._day[0] != name:
            self._day = (name, equity if not self._day[0] else self._last)
        self._last = equity
        exposure = sum(
            (abs(self._marks[key[1]] * trip.position) for key, trip in self.trips.open.items()), ZERO
        )
        self.writer.add(
            tables.account_snapshots,
            {
                **self.base,
                "ts": ts,
                "currency": self.currency,
                "cash": self.cash,
                "equity": equity,
                "buying_power": self.cash * 2,
                "exposure": exposure,
                "leverage": exposure / equity,
                "peak": self.peak,
                "drawdown": (self.peak - equity) / self.peak,
                "day": name,
                "day_start": self._day[1],
                "day_pnl": equity - self._day[1],
                "open_positions": len(self.trips.open),
                "working_orders": 0,
                "state": self.state,
                "why": why,
            },
        )

    def event(self, ts: int, kind: str, reason: str, breaker: str | None = None) -> None:
        """A trip, a notice."""
        values = {"kind": kind, "breaker": breaker, "risk_scope": "book", "reason": reason}
        more = {"equity": self.equity, "reference": self.peak}
        self.writer.add(tables.risk_events, {**self.base, "ts": ts, **values, **more})

    def alert(self, ts: int, level: str, kind: str, text: str) -> None:
        """Something a person should be told."""
        self.writer.add(tables.alerts, {**self.base, "ts": ts, "level": level, "kind": kind, "text": text})

    def command(
        self, verb: str, why: str, args: Mapping[str, Any] | None = None, *, answered: bool = True
    ) -> None:
        """A person asks, and the node answers."""
        account = Account(self.scope, self.mode, self.venue)
        asked = command_row(account, verb, args or {}, why)
        head = HeadFile.of(self.config.heads_folder, tables.CONTROL)
        write(self.engine, head, [(tables.commands, asked)])
        head.close()
        if answered:
            receipt = Receipt(asked["command_id"], "DONE", f"{verb}: done", {})
            values = receipt_row(account, receipt, by="node", ts=self.started_ns)
            self.writer.add(tables.receipts, {**values, "run_id": self.run_id})

    def close(self, ended_ns: int | None = None, why: str = "end of data") -> None:
        """Write all of it."""
        assert self.writer.close(120) == 0, self.writer.problem
        if ended_ns is not None:
            with self.engine.begin() as connection:
                ended = {"ended_at": ended_ns, "ended_why": why}
                connection.execute(update(tables.runs).where(tables.runs.c.run_id == self.run_id), ended)


def _new_york_day(ts: int) -> str:
    local = datetime.fromtimestamp(ts / NANOS, UTC).astimezone(ZoneInfo("America/New_York"))
    return local.date().isoformat()


def fill(config: JournalConfig, *, monday_ns: int = MONDAY) -> None:
    """Tell the story: two sandbox runs, a paper account over two runs, a live account; newest is the paper one.

    `monday_ns` is 10:00 of the first trading day. P&L of the paper account's trades, day by day, after fees of 2 each:
    Monday +98 (AAPL) and -52 (MSFT), Tuesday +198, Wednesday -152, next Monday +48; equity ends at 100,190 with 50 of
    open gain.
    """
    engine = open_journal(config, create=True)
    for number, gain in ((1, "101"), (2, "103")):
        _sandbox(engine, config, f"replay-{number}", monday_ns - (40 - number) * DAY, gain)
    live = Desk(engine, config, "live-1", "live:alpaca", "live", "alpaca", monday_ns - 20 * DAY)
    with live:
        live.trade(monday_ns - 20 * DAY, monday_ns - 19 * DAY, "IBM.XNYS", "5", "200", "210")
        live.snapshot(monday_ns - 19 * DAY, "stop")
        live.close(monday_ns - 19 * DAY + HOUR)
    _paper(engine, config, monday_ns)
    engine.dispose()


def _sandbox(engine: Engine, config: JournalConfig, run_id: str, start: int, gain: str) -> None:
    desk = Desk(engine, config, run_id, run_id, "sandbox", "replay", start)
    desk.trade(start + HOUR, start + 2 * HOUR, "AAPL.XNAS", "10", "100", gain)
    desk.snapshot(start + 3 * HOUR, "stop")
    desk.close(start + 4 * HOUR)


def _paper(engine: Engine, config: JournalConfig, monday_ns: int) -> None:
    name, venue = "paper:alpaca_paper", "alpaca_paper"
    reversion = "BollingerReversion-002"
    first = Desk(engine, config, "paper-1", name, "paper", venue, monday_ns)
    first.trade(monday_ns + MINUTE, monday_ns + HOUR, "AAPL.XNAS", "10", "100", "110")
    first.trade(monday_ns + HOUR, monday_ns + 2 * HOUR, "MSFT.XNAS", "5", "200", "190", strategy=reversion)
    first.snapshot(monday_ns + 6 * HOUR)
    first.refuse(monday_ns + 6 * HOUR, "AAPL.XNAS", "MAX_POSITION", "would be 28.4% of equity; limit 10.0%")
    first.trade(monday_ns + DAY, monday_ns + DAY + HOUR, "AAPL.XNAS", "20", "110", "120", short=False)
    first.order(monday_ns + DAY + HOUR, "MSFT.XNAS", "BUY", "5", "180", status="CANCELED")
    first.snapshot(monday_ns + DAY + 6 * HOUR)
    first.close(monday_ns + DAY + 7 * HOUR, "stopped by SIGTERM")
    second = Desk(engine, config, "paper-2", name, "paper", venue, monday_ns + 2 * DAY, cash=first.cash)
    second.trade(
        monday_ns + 2 * DAY, monday_ns + 2 * DAY + HOUR, "AAPL.XNAS", "15", "120", "110", strategy=reversion
    )
    second.state = "HALTED"
    second.event(monday_ns + 2 * DAY + HOUR, "TRIP", "DAILY_LOSS: equity fell by 152.00", "DAILY_LOSS")
    second.alert(monday_ns + 2 * DAY + HOUR, "critical", "TRIP", "DAILY_LOSS: equity fell by 152.00")
    second.snapshot(monday_ns + 2 * DAY + HOUR, "trip")
    second.command("resume", "bad tick, checked with the broker", {"scope": "book"})
    second.command("halt", "going on holiday", answered=False)
    second.state = "ACTIVE"
    second.trade(monday_ns + 7 * DAY, monday_ns + 7 * DAY + HOUR, "MSFT.XNAS", "5", "180", "190")
    second.order(monday_ns + 7 * DAY + 2 * HOUR, "AAPL.XNAS", "BUY", "10", "100", fee="0")
    second.mark("AAPL.XNAS", "105")
    second.snapshot(monday_ns + 7 * DAY + 6 * HOUR)
    second.close()


# -- places for a journal ---------------------------------------------------------------------------------------------


@contextmanager
def throwaway_database() -> Iterator[str]:
    """The address of a new PostgreSQL database on this machine, gone afterwards; skips where no server answers."""
    name = f"keel_test_{os.getpid()}_{uuid4().hex[:8]}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=30)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{SERVER}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def journal_on(kind: str, folder: Path) -> Iterator[JournalConfig]:
    """An empty journal's config on sqlite or postgres."""
    if kind == "sqlite":
        yield JournalConfig(path=folder / "journal.db")
        return
    with throwaway_database() as url:
        yield JournalConfig(kind="postgres", url=url)


def arguments(config: JournalConfig) -> list[str]:
    """What a verb is told to find it."""
    if config.kind == "sqlite":
        return [f"journal.path={config.file}"]
    return ["journal=postgres", f"journal.url={config.url}"]
