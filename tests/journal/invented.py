"""Journals that nobody traded: as many orders as a test wants, written as a node would, so that all rows agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert, update

from journal import tables
from journal.config import JournalConfig
from journal.control import Account, Receipt, command_row, receipt_row, write
from journal.heads import HeadFile
from journal.limits_version import limits_text, limits_version
from journal.place import Place
from journal.trips import Trip, Trips
from journal.witness import position_values
from journal.writer import Writer
from risk.limits import RiskConfig

LIMITS = RiskConfig()
VERSION = limits_version(LIMITS)
SECOND = 1_000_000_000
BEGAN = 1_767_366_000 * SECOND  # 2026-01-02 15:00 UTC
ZERO = Decimal(0)


@dataclass(frozen=True)
class Step:
    """One thing that happens: an order, a refusal, an approval, an event or a command.

    quantity is signed; parts are the shares of it that are filled, one fill each; ends: FILLED, CANCELED or REJECTED.
    """

    what: str
    quantity: int = 1
    price: Decimal = Decimal(100)
    parts: int = 1
    ends: str = "FILLED"
    text: str = ""
    instrument: str = "AAPL.XNAS"
    strategy: str = "EmaCross-001"


@dataclass
class Node:
    """A run that writes its journal. `trips` are those of the account, when it goes on after other runs."""

    engine: Engine
    config: JournalConfig
    run_id: str
    mode: str = "sandbox"
    venue: str = "replay"
    trips: Trips = field(default_factory=Trips)
    worth: Callable[[Decimal], Decimal] = lambda price: price
    fee_currency: str = "USD"
    decides: bool = True  # whether what passes is put on record as a decision
    twice: bool = False  # whether fills are written twice
    number: int = 0
    ts: int = BEGAN

    def __post_init__(self) -> None:
        kept = self.mode in ("paper", "live")
        self.scope = f"{self.mode}:{self.venue}" if kept else self.run_id
        self.base = {"run_id": self.run_id, "scope": self.scope, "mode": self.mode, "venue": self.venue}
        head = HeadFile.of(self.config.heads_folder, self.run_id)
        self.writer = Writer(self.engine, Place(self.config), self.run_id, head)
        with self.engine.begin() as connection:
            connection.execute(
                insert(tables.runs),
                {
                    **self.base, "currency": "USD", "started_at": self.ts, "config": "{}", "limits_version": VERSION,
                    "code_version": "0", "data_version": "0", "strategies": json.dumps(["EmaCross-001"]),
                },
            )  # fmt: skip
        limits = {"version": VERSION, "at": self.ts, "limits": limits_text(LIMITS)}
        self.writer.keep(tables.limit_sets, VERSION, limits)

    def live(self, steps: Sequence[Step]) -> None:
        """Do these things."""
        for step in steps:
            self.ts += SECOND
            getattr(self, f"_{step.what}")(step)

    def end(self, *, properly: bool = True) -> None:
        """Write everything; a run that does not end properly looks as if it were running still."""
        assert self.writer.close() == 0, self.writer.problem
        if properly:
            with self.engine.begin() as connection:
                ended = update(tables.runs).where(tables.runs.c.run_id == self.run_id)
                connection.execute(ended, {"ended_at": self.ts, "ended_why": "end of data"})

    def adopt(self, quantity: Decimal, price: Decimal) -> None:
        """Take over what nobody here bought."""
        trip = Trip(
            "BUY", self.ts, "", entered=quantity, entry_paid=quantity * price, entry_value=quantity * price
        )
        trip.slippage = None
        row = {"strategy": "EmaCross-001", "instrument": "AAPL.XNAS"}
        self.trips.open["EmaCross-001", "AAPL.XNAS"] = trip
        values = {**self.base, "ts": self.ts, **position_values(row, trip), "source": "adopted"}
        self.writer.add(tables.positions, values)

    # -- what happens ----------------------------------------------------------------------------------------------

    def _about(self, step: Step) -> dict[str, Any]:
        self.number += 1
        return {
            "client_order_id": f"O-{self.run_id}-{self.number}",
            "strategy": step.strategy,
            "instrument": step.instrument,
            "side": "BUY" if step.quantity > 0 else "SELL",
            "quantity": Decimal(abs(step.quantity)),
        }

    def _decide(self, step: Step, about: dict[str, Any], verdict: str, code: str | None = None) -> None:
        self.writer.add(
            tables.decisions,
            {
                **self.base, "ts": self.ts, **about, "verdict": verdict, "code": code,
                "reason": None if code is None else f"{code}: {step.text}", "reduces": False, "price": step.price,
                "limits_version": VERSION, "numbers": json.dumps({"notional": str(about["quantity"] * step.price)}),
            },
        )  # fmt: skip

    def _refusal(self, step: Step) -> None:
        self._decide(step, self._about(step), "REFUSE", "MAX_POSITION")

    def _order(self, step: Step) -> None:
        about = self._about(step)
        if self.decides:
            self._decide(step, about, "PASS")
        row: dict[str, Any] = {
            **self.base, **about, "venue_order_id": None, "type": "MARKET", "price": None, "trigger_price": None,
            "tif": "DAY", "reduce_only": False, "filled": ZERO, "reason": None, "limits_version": VERSION,
            "source": "engine",
        }  # fmt: skip

        def tell(event: str, status: str | None = None, **changed: Any) -> None:
            row.update(ts=self.ts, event=event, status=status or event, **changed)
            self.writer.add(tables.orders, dict(row))

        tell("INTENT", "INTENDED")
        tell("SENDING", source="client")
        if step.ends == "REJECTED":
            tell("REJECTED", source="engine", reason=step.text)
            return
        tell("ACCEPTED", source="engine", venue_order_id=f"V{self.number}")
        left = about["quantity"]
        whole = step.ends == "FILLED"
        for part in range(step.parts):
            last = part == step.parts - 1
            quantity = left if last and whole else min(left, Decimal(1))
            if not quantity or (not whole and left <= 1):
                break
            left -= quantity
            self._fill(step, about, quantity, part)
            tell("PARTIALLY_FILLED" if left else "FILLED", filled=about["quantity"] - left)
        if not whole:
            tell("CANCELED", reason=step.text)

    def _fill(self, step: Step, about: dict[str, Any], quantity: Decimal, part: int) -> None:
        price = step.price + Decimal(part) / 8
        signed = quantity if about["side"] == "BUY" else -quantity
        row = {
            **self.base, "ts": self.ts, **about, "trade_id": f"T-{self.run_id}-{self.number}-{part}",
            "venue_order_id": f"V{self.number}", "quantity": quantity, "price": price, "commission": Decimal("0.35"),
            "currency": self.fee_currency, "liquidity": "TAKER", "decision_price": step.price,
            "slippage": (self.worth(price) - self.worth(step.price)) * signed, "source": "engine",
        }  # fmt: skip
        self.writer.add(tables.fills, row)
        if self.twice:
            self.writer.add(tables.fills, row)
        trip, ended = self.trips.filled(row, self.worth, "USD", lambda amount, _: amount)
        base = {**self.base, "ts": self.ts}
        if ended is not None:
            self.writer.add(tables.round_trips, {**base, **ended, "currency": "USD"})
        self.writer.add(tables.positions, {**base, **position_values(row, trip), "source": "engine"})

    def _approval(self, step: Step) -> None:
        about = self._about(step)
        values = {"price": step.price, "until_ns": None, "reason": step.text}
        for event in ("HELD", "REJECTED"):
            self.writer.add(tables.approvals, {**self.base, "ts": self.ts, **about, **values, "event": event})

    def _event(self, step: Step) -> None:
        values = {"kind": "TRIP", "breaker": "DRAWDOWN", "risk_scope": "book", "reason": step.text}
        more = {"equity": step.price, "reference": None}
        self.writer.add(tables.risk_events, {**self.base, "ts": self.ts, **values, **more})

    def _command(self, step: Step) -> None:
        account = Account(self.scope, self.mode, self.venue)
        asked = command_row(account, "halt", {}, step.text)
        head = HeadFile.of(self.config.heads_folder, tables.CONTROL)
        receipt = Receipt(asked["command_id"], "DONE", step.text, {})
        rows: list[Any] = [(tables.commands, asked)]
        if step.ends == "CANCELED":  # nobody ran: the verb answered itself
            rows.append((tables.receipts, receipt_row(account, receipt, by="verb")))
        write(self.engine, head, rows)
        head.close()
        if step.ends == "FILLED":
            values = receipt_row(account, receipt, by="node", ts=self.ts)
            self.writer.add(tables.receipts, {**values, "run_id": self.run_id})
