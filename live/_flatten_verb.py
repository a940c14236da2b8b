"""How does `flatten` go on where no node runs: latch, show, ask, do, record?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.errors import AdapterError
from configs.closest import closest, listed
from configs.edge import say
from configs.errors import ConfigError
from journal import tables
from journal.control import Receipt, receipt_row
from journal.database import told
from journal.errors import JournalError
from live._control import Done, confirmed, put, risk_event, who
from live._flatten_alone import Flattened, Flattening
from live._flatten_plan import Plan, order_text, planned
from live._flatten_record import FlattenRecord
from live._last_config import operator
from live._latch import fresh_state, halted, keep, kept_state
from live._past import Past
from live._said import asked_row, said
from live._scope import strategies
from live._status_text import amount
from risk.breaker import BOOK
from risk.halts import FLATTEN

if TYPE_CHECKING:
    from adapters.account import Operator, VenueSnapshot
    from live._about import About
    from live._flatten_plan import Close
    from live._moved import Rows

CONFIRM = "yes"
OF_THE_VENUE = "nothing outlives the node on this venue, so there is nothing to flatten"


def flatten_alone(
    about: About, strategy: str | None, confirm: str | None, reason: str, timeout_secs: float
) -> Done:
    """Flatten an account that no node trades. Raises ConfigError, JournalError, AdapterError."""
    if strategy is not None and strategy not in strategies(about):
        known = strategies(about)
        near = closest(strategy, known)
        hint = f"did you mean {near}?" if near else f"its last run had {listed(known)}"
        raise ConfigError(f"strategy={strategy}: {hint}")
    account = operator(about)
    if account is None:
        return _of_the_journal(about) or Done(
            "flatten", "DONE", OF_THE_VENUE, {"flat": True, "left": []}, by="verb"
        )
    return asyncio.run(_Alone(about, account, strategy, confirm, reason, timeout_secs).run())


def _of_the_journal(about: About) -> Done | None:
    """What becomes of positions that the journal alone keeps: without a node they have no price to be closed at."""
    if about.account.mode != "sandbox":
        return None
    with told(about.reader.config):
        held = Past.read(about.reader.engine, about.scope).positions
    if not held:
        return None
    left = [f"{strategy} {row['quantity']:f} {instrument}" for (strategy, instrument), row in held.items()]
    text = (
        f"no node runs, and the journal alone keeps {', '.join(left)}, which only a node can close at a price: start "
        "one and flatten then, or begin a new account with venue.reopen=false"
    )
    return Done("flatten", "FAILED", text, {"flat": False, "left": left}, by="verb")


class _Alone:
    def __init__(  # noqa: PLR0913 - what the person gave
        self,
        about: About,
        account: Operator,
        strategy: str | None,
        confirm: str | None,
        reason: str,
        timeout_secs: float,
    ) -> None:
        self._about = about
        self._account = account
        self._strategy = strategy
        self._confirm = confirm
        self._reason = said(about, reason)
        self._timeout_secs = timeout_secs
        self._scope = BOOK if strategy is None else f"strategy:{strategy}"
        args = {} if strategy is None else {"strategy": strategy}
        self._command = asked_row(about, "flatten", args, reason)
        with told(about.reader.config):
            self._past = Past.read(about.reader.engine, about.scope)
        self._record = FlattenRecord(about, self._past)
        self._unwritten: str | None = None
        self._since = self._past.since_ns(time.time_ns())

    async def run(self) -> Done:
        await self._account.open()
        try:
            first, plan = await self._agreed()
            self._latch(flattening=not plan.is_empty and self._strategy is None)
            text = f"{FLATTEN}: {self._reason} ({who()})"
            event = risk_event(self._about, "TRIP", text, breaker=FLATTEN, scope=self._scope)
            self._write([(tables.commands, self._command), (tables.risk_events, event)])
            work = Flattening(self._account, plan, self._since, self._intend)
            done = await work.run(first, self._timeout_secs)
            done = replace(done, snapshot=await self._afterwards(plan, done.snapshot))
        finally:
            await self._account.close()
        return self._ended(plan, done)

    async def _agreed(self) -> tuple[VenueSnapshot, Plan]:
        """The account as it is now and what a person confirmed to be done there; asked again where that grew."""
        seen, head = None, f"at {self._about.account.venue} this will:"
        while True:
            now = await self._complete(await self._account.snapshot(self._since), self._known())
            plan = planned(now, self._past.positions, self._owners(now), self._strategy)
            if plan.is_empty or (seen is not None and not plan.exceeds(seen)):
                return now, plan
            if not confirmed("\n".join([head, *plan.lines()]), self._confirm, CONFIRM):
                raise ConfigError("not confirmed: nothing was done, and nothing is halted")
            if self._confirm is not None:
                return now, plan
            seen, head = plan, f"meanwhile it changed; at {self._about.account.venue} this will now:"

    def _known(self) -> set[str]:
        """Orders that may be at the venue, by the journal."""
        return self._past.orders.keys() & self._past.sending

    async def _complete(self, now: VenueSnapshot, names: set[str]) -> VenueSnapshot:
        """The account with all of these orders, also where the venue lists them no more: they have ended."""
        told = {order.client_order_id for order in now.orders}
        found = [await self._account.order(name) for name in sorted(names - told)]
        return await self._account.snapshot(self._since) if any(found) else now

    async def _afterwards(self, plan: Plan, now: VenueSnapshot) -> VenueSnapshot:
        """The account with all that was cancelled and sent; a venue that does not answer leaves it as it is."""
        cancelled = {order.client_order_id for order in plan.cancels if order.client_order_id is not None}
        try:
            return await self._complete(now, self._known() | cancelled | self._record.sent)
        except AdapterError:
            return now

    def _owners(self, snapshot: VenueSnapshot) -> dict[str, str | None]:
        names = {order.client_order_id for order in snapshot.orders if order.is_open}
        return {name: self._past.owner_of(name) for name in names if name is not None}

    def _intend(self, close: Close) -> None:
        self._write(self._record.intent(close))

    def _latch(self, *, flattening: bool) -> None:
        """Nothing may be opened again meanwhile; where that cannot be kept, being flat still comes first."""
        try:
            state = kept_state(self._about) or fresh_state(self._about)
            after = halted(state, self._scope, FLATTEN, f"{FLATTEN}: {self._reason} ({who()})")
            keep(self._about, replace(after, flattening=flattening or after.flattening))
        except JournalError as error:
            self._trouble(error)

    def _unlatch_flattening(self) -> None:
        state = kept_state(self._about)
        if state is not None and state.flattening:
            keep(self._about, replace(state, flattening=False))

    def _write(self, rows: Rows) -> None:
        """Put rows on record; that it fails must not keep a position open."""
        if not rows:
            return
        try:
            put(self._about, rows)
        except JournalError as error:
            self._trouble(error)

    def _trouble(self, error: JournalError) -> None:
        if self._unwritten is None:
            say(f"not on record: {error}")
        self._unwritten = str(error)

    def _ended(self, plan: Plan, done: Flattened) -> Done:
        rest = [f"{each.quantity.normalize():+f} {each.instrument}" for each in done.rest]
        left = [*map(order_text, done.working), *map(str, done.held), *rest]
        answer: dict[str, Any] = {
            "scope": self._scope, "canceled": [each.venue_order_id for each in plan.cancels],
            "closing": [*map(str, plan.closes)], "flat": done.is_done, "left": left,
            "equity": amount(done.snapshot.equity), "cash": amount(done.snapshot.cash),
        }  # fmt: skip
        named = "trading" if self._scope == BOOK else self._scope
        lines = [f"no node runs; {named} is halted, and stays so until a person resumes", *plan.lines()]
        if plan.is_empty:
            lines.append("nothing works and nothing is held there")
        elif done.is_done:
            lines.append("flat: all of it is done, the venue says")
        else:
            lines += [f"within {self._timeout_secs:g} s not done: {', '.join(left)}", *done.troubles]
            lines.append("look at the broker's own page; python -m live flatten tries again")
        if self._unwritten is not None:
            lines.append(f"not on record: {self._unwritten}")
        ended = Done("flatten", "DONE" if done.is_done else "FAILED", "\n".join(lines), answer, by="verb")
        receipt = Receipt(self._command["command_id"], ended.outcome, ended.text, ended.answer)
        closing: tuple[Any, Mapping[str, Any]] = (
            tables.receipts, receipt_row(self._about.account, receipt, by="verb"),
        )  # fmt: skip
        self._write([*self._record.result(plan, done), closing])
        if done.is_done and self._strategy is None and self._unwritten is None:
            self._unlatch_flattening()
        return ended
