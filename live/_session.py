"""What belongs to one live run besides the node: desk, journal, log, commands, status, and what is due at each turn?"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from configs.asked import asked_limits
from configs.edge import say
from journal import tables
from journal.hold import signature
from live._commands import Commands
from live._gatekeeper import OrderKeeper
from live._limits import AccountLimits, stored_in
from live._past import Past
from live._progress import Progress
from live._reconcile import Answer, Restart, ask
from live._reopen import KeptAccount
from live._resolver import NodeResolver
from live._signal import SIGNAL, heard
from live._status import NodeStatus, RunFacts
from live._waited import expire_waiting
from runs.folder import VERSIONS
from runs.strategies import build_desk, traders

if TYPE_CHECKING:
    from adapters.clients import ReopeningVenue, VenueClients
    from live._journal import RunJournal
    from risk.desk import RiskDesk
    from risk.state import RiskState
    from runs.folder import RunFolder
    from runs.logs import RunLog
    from runs.prepare import Prepared

STATUS_SECS = 1.0


class Session:
    """One run from its first question to the venue until its last row. `turn` is due on the node's loop, often."""

    def __init__(
        self, ready: Prepared, venue: VenueClients, folder: RunFolder, journal: RunJournal, log: RunLog
    ) -> None:
        """Nothing is asked or written yet."""
        self._ready = ready
        self._venue = venue
        self._folder = folder
        self._journal = journal
        self._log = log
        self._next_status = 0.0
        self.answer: Answer | None = None

    def begin(self, state: RiskState | None) -> RiskDesk:
        """Ask the venue, carry on where the journal left off, write the run's row; answers the desk.

        Raises ReconcileError, JournalError, ConfigError.
        """
        journal, venue, config = self._journal, self._venue, self._ready.config
        limits = AccountLimits(
            asked_limits(config), journal.overrides(), stored_in(journal.engine, journal.account.scope)
        )
        past = Past.read(journal.engine, journal.account.scope)
        operator, kept = venue.operator(), self._kept_account(past)
        if operator is not None:
            self.answer = asyncio.run(ask(operator, past))
        elif kept is not None:
            self.answer, state = kept.answer, kept.state(state)
        self._ready.recorder.keeps = self.answer is None
        self.desk = desk = build_desk(
            config,
            self._ready.market,
            self._log.beside(self._ready.recorder, journal.witness),
            state=state,
            event_time=venue.event_time,
            replays=venue.replays,
            fills_inside=operator is None,
            assumes_approval=config.venue.mode == "sandbox",
            intents=journal.witness,
            cash=None if self.answer is None else self.answer.snapshot.cash,
            limits=limits.in_force,
        )
        journal.begin(
            desk,
            folder=str(self._folder.path.resolve()),
            code_version=(self._folder.path / VERSIONS).read_text(encoding="utf-8"),
            data_version=self._ready.market.version,
            equity=None if self.answer is None else self.answer.equity,
            account=None if self.answer is None else self.answer.snapshot.account or None,
        )
        if kept is not None:
            kept.record(journal, desk)
            self._say(kept.told)
        expire_waiting(journal)
        self._carry_on(past)
        self.commands = Commands(
            desk,
            journal.mailbox,
            journal.answer,
            limits=limits,
            resolver=NodeResolver(desk, journal.witness),
            heard=lambda: heard(signature(config.journal, journal.account.scope)),
        )
        self.commands.before_trading()
        facts = RunFacts(
            journal.run_id, journal.account.scope, time.time_ns(), market_is_now=venue.event_time is None,
            account=None if self.answer is None else self.answer.snapshot.account or None,
        )  # fmt: skip
        self._status = NodeStatus(
            desk, config, facts, market=self._ready.market, recorder=self._ready.recorder
        )
        self._log.follow(desk, self._folder.path, self._health)
        return desk

    def _kept_account(self, past: Past) -> KeptAccount | None:
        """The account that the journal alone keeps, which the venue begins with; None where the venue has its own."""
        config, market = self._ready.config, self._ready.market
        if not config.venue.kept_by_journal:
            return None
        kept = KeptAccount(past, config.venue, market.instruments, traders(config, market))
        cast("ReopeningVenue", self._venue).reopen(kept.answer.snapshot)
        return kept

    def _say(self, lines: Sequence[str]) -> None:
        for line in lines:
            say(line)

    def _carry_on(self, past: Past) -> None:
        since = 0
        if self.answer is not None:
            since = self.answer.snapshot.ts
            restart = Restart(
                self.desk, self._journal.witness, past, self._policy(),
                traders(self._ready.config, self._ready.market),
            )  # fmt: skip
            restart.apply(self.answer)
            self._say(restart.told)
        self._keeper = self._venue.gatekeeper = OrderKeeper(
            self.desk, self._journal.witness, past, since,
            freezes=self._ready.config.run.foreign_positions != "adopt",
        )  # fmt: skip

    def _policy(self) -> str:
        """What nobody here explains of the account; nobody else trades one that the journal alone keeps."""
        config = self._ready.config
        return "adopt" if config.venue.kept_by_journal else config.run.foreign_positions

    def _health(self) -> dict[str, object]:
        lag = self._journal.writer.lag()
        return {"journal_rows_waiting": lag.rows, "journal_lag_secs": round(lag.secs, 3)}

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the node runs: SIGUSR1 halts, and a line on stderr tells how it goes."""
        before = signal.getsignal(SIGNAL)
        with suppress(ValueError):  # only the main thread may; elsewhere the journal is the way
            signal.signal(SIGNAL, lambda *_: self.commands.signalled())
        try:
            progress = Progress(
                self.desk,
                self._ready.recorder,
                self._log.console,
                for_machines=self._ready.config.log.format == "json",
            )
            with progress as self._progress:
                yield
        finally:
            with suppress(ValueError):
                signal.signal(SIGNAL, before or signal.SIG_DFL)

    def turn(self) -> None:
        """What is due now. On the node's loop."""
        self._progress.update()
        self.commands.turn()
        self._keeper.turn()
        self._journal.turn()
        self._log.turn()
        if time.monotonic() >= self._next_status:
            self._next_status = time.monotonic() + STATUS_SECS
            self.keep_status()

    def keep_status(self) -> None:
        """Let the node's word on itself be written."""
        journal, now = self._journal, time.time_ns()
        document = self._status.document(now, journal.writer.lag(), journal.witness.problem())
        scope = journal.account.scope
        values = {"scope": scope, "run_id": journal.run_id, "at": now, "document": json.dumps(document)}
        journal.writer.keep(tables.node_status, scope, values)

    def end(self, why: str) -> None:
        """Refuse what was not done, write the last word."""
        self.commands.close(why)
        self.keep_status()
