"""How does a live run keep its journal: one row for the run, a writer, and the hold on its account?"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select, update

from journal import tables
from journal.control import Account, Mailbox, Receipt, receipt_row
from journal.database import BUSY_MS, open_journal, told, writing
from journal.heads import HeadFile
from journal.hold import Hold
from journal.limits_version import limits_text, limits_version
from journal.place import Place
from journal.witness import JournalWitness
from journal.writer import Writer
from live._seen import Seen
from live._unanswered import halt_unanswered
from risk.state import Notice, RiskState
from runs.errors import HaltedError, RunError
from runs.logs.secrets import scrubber_for

if TYPE_CHECKING:
    from adapters.venue import VenueConfig
    from configs.load import Composed
    from configs.schema import RunConfig
    from risk.desk import RiskDesk

SNAPSHOT_NANOS = 1_000_000_000
LOOK_SECS = 5.0


class StateError(RunError):
    """What the journal keeps of an account cannot be understood: nobody knows whether it is halted."""

    exit_code = 2


def scope_of(venue: VenueConfig, run_id: str) -> str:
    """What the rows of an account have in common; a run whose account ends with it stands alone."""
    return f"{venue.mode}:{venue.name}" if venue.keeps_account else run_id


class RunJournal:
    """The journal of one live run. Its rule: it is there before the first order, or there is no run."""

    def __init__(self, composed: Composed) -> None:
        """Open it and take the account. Raises JournalError, among them JournalInUseError."""
        self.config: RunConfig = composed.config
        self._text = composed.text
        config, venue = self.config.journal, self.config.venue
        self.run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{token_hex(3)}"
        self.account = Account(scope_of(venue, self.run_id), venue.mode, venue.name)
        self.engine = open_journal(config, create=True, busy_ms=BUSY_MS)
        self.hold = Hold(config, self.account.scope)
        self.mailbox = Mailbox(self.account.scope)
        try:
            with told(config), self.engine.connect() as connection:
                # From now on a command is this node's, however long its start takes.
                self.mailbox.read(connection)
        except BaseException:
            self.release()
            raise
        self.writer = Writer(
            self.engine,
            Place(config),
            self.run_id,
            HeadFile.of(config.heads_folder, self.run_id),
            max_waiting=config.max_waiting,
        )
        self.writer.clean = scrubber_for(self.config).text
        base = {
            "run_id": self.run_id,
            "scope": self.account.scope,
            "mode": self.account.mode,
            "venue": self.account.venue,
        }
        self.witness = JournalWitness(self.writer, base, venue.currency)
        self.desk: RiskDesk | None = None
        self.seen = Seen()
        self._told: str | None = None  # what was said last of the journal's trouble
        self._lost: str | None = None  # why the account may be somebody else's now
        self._next_look = 0.0
        self._next_snapshot = 0
        self._closed = False

    # -- before the run ---------------------------------------------------------------------------------------------

    def state(self) -> RiskState | None:
        """What the breakers remembered, and what people asked for since then in vain: no node answered it.

        Raises HaltedError when that is a halt, StateError when it is no state, JournalError.
        """
        state = halt_unanswered(
            self.config.journal, self.engine, self.account.scope, self.mailbox.seen, self._remembered()
        )
        if state is not None and state.state == "HALTED":
            unfinished = (
                "; positions may still be open (python -m live flatten shows and closes them)"
                if state.flattening
                else ""
            )
            raise HaltedError(
                f"venue={self.account.venue} is halted: {state.reason}{unfinished}; look into it, then: "
                f'python -m live resume venue={self.account.venue} reason="..."'
            )
        return state

    def _remembered(self) -> RiskState | None:
        with told(self.config.journal), self.engine.connect() as connection:
            table = tables.risk_states
            row = connection.execute(select(table).where(table.c.scope == self.account.scope)).first()
        if row is None:
            return None
        try:
            return RiskState.from_row(json.loads(row.state))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise StateError(
                f"journal {self.config.journal.shown}: what is kept of {self.account.scope} is damaged "
                f"({type(error).__name__}), so nobody knows whether it is halted; put a backup in its place"
            ) from error

    def overrides(self) -> dict[str, Any]:
        """Key -> value of the limits that a person set on this account."""
        table = tables.limit_overrides
        with told(self.config.journal), self.engine.connect() as connection:
            rows = connection.execute(select(table).where(table.c.scope == self.account.scope)).all()
        return {row.key: json.loads(row.value) for row in rows}

    def begin(  # noqa: PLR0913 - what there is to know of a run
        self,
        desk: RiskDesk,
        *,
        folder: str,
        code_version: str,
        data_version: str,
        equity: Decimal | None = None,
        account: str | None = None,
    ) -> None:
        """Write the run's row and start writing. Raises JournalError.

        equity and account: what the venue says the account is worth, and its number, where it keeps one.
        """
        self.desk = desk
        self.witness.book = desk.book
        self.witness.before_trip = self.tripped
        self.witness.owner_of = desk.events.owner_of
        self.witness.proposal_of = desk.decisions.proposals.get
        values = {
            "run_id": self.run_id,
            "scope": self.account.scope,
            "mode": self.account.mode,
            "venue": self.account.venue,
            "account": account,
            "currency": self.config.venue.currency,
            "started_at": time.time_ns(),
            "folder": folder,
            "config": self._text,
            "limits_version": limits_version(desk.limits),
            "code_version": code_version,
            "data_version": data_version,
            "pid": os.getpid(),
            "starting_equity": desk.book.cash if equity is None else equity,
            "strategies": json.dumps(list(desk.names)),
        }
        with told(self.config.journal), writing(self.engine).begin() as connection:
            self.mailbox.read(connection)
            connection.execute(insert(tables.runs), values)
            known = select(tables.limit_sets.c.version).where(
                tables.limit_sets.c.version == values["limits_version"]
            )
            if connection.execute(known).first() is None:
                row = {
                    "version": values["limits_version"],
                    "at": time.time_ns(),
                    "limits": limits_text(desk.limits),
                }
                connection.execute(insert(tables.limit_sets), row)
        self.witness.version(desk.limits)
        desk.prices.on_day = lambda ts: self.snapshot("day", ts)
        self.writer.each_turn(self.mailbox.read)
        self.writer.each_turn(self._look_at_hold)
        self.witness.hold_problem = lambda: self._lost
        self.writer.start()

    # -- while it runs ----------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """What is due now, on the node's loop: the breakers' state, a snapshot of the account."""
        desk = self.desk
        if desk is None:
            return
        now = desk.market_now()
        self._say_trouble(desk, now)
        self.witness.version(desk.limits)  # a person may have changed them
        self.witness.keep_state(now, desk.breakers.state)
        if now >= self._next_snapshot:
            first = self._next_snapshot == 0
            self._next_snapshot = now + int(self.config.journal.snapshot_secs * SNAPSHOT_NANOS)
            self.snapshot("start" if first else "time")

    def _say_trouble(self, desk: RiskDesk, now: int) -> None:
        """Tell once that the journal does not work, and once that it does again."""
        now, problem = now or time.time_ns(), self.witness.problem()
        if (problem is None) is not (self._told is None):
            text = (
                f"{problem}: nothing new is opened; exits go on, and what happens meanwhile waits to be written"
                if problem is not None
                else "the journal works again, and everything that waited is written"
            )
            self._told = problem
            desk.halts.notice(Notice("ALARM", text, now))
        while self.witness.alarms:
            desk.halts.notice(Notice("ALARM", self.witness.alarms.pop(0), now))

    def _look_at_hold(self, _connection: Connection) -> None:
        """On the writer's thread, now and then: is the account still ours?"""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_SECS
        held = self.hold.still_held()
        self._lost = None if held else f"another node may trade {self.account.scope} by now"

    def snapshot(self, why: str, ts: int | None = None) -> None:
        """Write how the account stands; `ts` is when, where that is not now (UTC ns)."""
        if self.desk is None or not self.desk.market_now():
            return
        now, values = ts or self.desk.market_now(), snapshot_values(self.desk)
        self.writer.add(tables.account_snapshots, {**self.witness.base, "ts": now, "why": why, **values})
        if values["equity"] is not None:
            self.seen.add(now, values["equity"], values["exposure"], self.desk)

    def tripped(self) -> None:
        """A breaker went off: state and account as they are now."""
        if self.desk is not None:
            self.witness.keep_state(self.desk.market_now(), self.desk.breakers.state)
            self.snapshot("trip")

    def answer(self, receipt: Receipt) -> None:
        """Write what became of a command, after what it changed."""
        if self.desk is not None:
            self.witness.keep_state(self.desk.market_now(), self.desk.breakers.state)
            self.witness.version(self.desk.limits)
        ts = self.desk.market_now() if self.desk is not None else 0
        row = receipt_row(self.account, receipt, by="node", ts=ts or time.time_ns())
        self.writer.add(tables.receipts, {**row, **self.witness.base})

    # -- at its end -------------------------------------------------------------------------------------------------

    def close(self, why: str) -> None:
        """Write everything. Raises RunError when rows are left, JournalError."""
        if self._closed:
            return
        self._closed = True
        if self.desk is not None:
            self.desk.note_equity()
            self.witness.keep_state(self.desk.market_now(), self.desk.breakers.state)
            self.snapshot("stop")
        left = self.writer.close()
        self._end(why)
        if left:
            raise RunError(
                f"{left} rows could not be written to journal {self.config.journal.shown}: {self.writer.problem}; "
                "orders, fills and positions are at the venue: the next start asks it"
            )

    def release(self) -> None:
        """Let go of the account and of the database."""
        self.hold.release()
        self.engine.dispose()

    def _end(self, why: str) -> None:
        values = {"ended_at": time.time_ns(), "ended_why": why}
        with told(self.config.journal), writing(self.engine).begin() as connection:
            connection.execute(update(tables.runs).where(tables.runs.c.run_id == self.run_id), values)


def snapshot_values(desk: RiskDesk) -> dict[str, Any]:
    """Cash, equity and what is measured against them; what cannot be known now is null."""
    desk.prices.mark_held()
    book, state = desk.book, desk.breakers.state
    try:
        cash = book.cash
    except LookupError:  # without a rate of something it holds only its own currency's is known
        cash = book.ledger.balances()[book.currency]
    try:
        equity: Decimal | None = book.equity()
        exposure: Decimal | None = book.gross()
    except LookupError:
        equity = exposure = None
    peak = state.peak if state.begun else None
    known = equity is not None and peak is not None and peak > 0
    return {
        "currency": book.currency,
        "cash": cash,
        "equity": equity,
        "buying_power": None,
        "exposure": exposure,
        "leverage": _ratio(exposure, equity),
        "peak": peak,
        "drawdown": _ratio(max(peak - equity, Decimal(0)), peak)
        if known and peak and equity is not None
        else None,
        "day": state.day,
        "day_start": state.day_start if state.begun else None,
        "day_pnl": equity - state.day_start if equity is not None and state.begun else None,
        "open_positions": book.open_count(),
        "working_orders": len(book.orders),
        "state": str(state.state),
    }


def _ratio(amount: Decimal | None, base: Decimal | None) -> Decimal | None:
    if amount is None or base is None or base <= 0:
        return None
    return (amount / base).quantize(Decimal("1e-10"))
