"""What does the run's own log write, and who may tell it something?

`RunLog` is one of the desk's witnesses, and has a method for everything else that a person or a machine should read.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

from risk.gauge import DAILY_LOSS, DRAWDOWN
from runs.logs.clean import Cleaner
from runs.logs.engine_tail import EngineTail
from runs.logs.events import EVENTS, NOTICE_LEVELS, RESUMES, EventName, Level
from runs.logs.health import Heartbeat
from runs.logs.orders import Orders
from runs.logs.writer import Entry, Writer
from runs.witnesses import tee

if TYPE_CHECKING:
    from nautilus_trader.model import OrderInitialized
    from rich.console import Console

    from risk.approvals import WaitEvent
    from risk.breaker import Notice, Trip
    from risk.desk import RiskDesk, Witness
    from runs.logs.orders import Told
    from runs.logs.scrub import Scrubber


class RunLog:
    """The log of one run. Its methods may be called from any thread, never raise, and never wait for a disk."""

    def __init__(
        self,
        writer: Writer,
        scrubber: Scrubber,
        *,
        tells_orders: bool = True,
        console: Console | None = None,
    ) -> None:
        """`tells_orders`: whether orders are written one by one; `console`: the one that lines on stderr go to."""
        self.ignores = frozenset() if tells_orders else frozenset({"approved", "refused", "event", "waits"})
        self.console = console
        self.scrubber = scrubber
        self._writer = writer
        self._put = writer.put
        self._orders = Orders()
        self.market_now: Callable[[], int] | None = None
        """Tells the market time of what has none of its own; called on the thread that tells."""
        self._tail: EngineTail | None = None
        self._heart: Heartbeat | None = None
        self._over = False

    @property
    def lost(self) -> int:
        """How many lines could not be written somewhere they belong."""
        return self._writer.lost

    # -- wiring -------------------------------------------------------------------------------------------------------

    def beside(self, *witnesses: Witness | None) -> Witness:
        """One witness for the desk: these in order, then this log. What strategies raise loses its secrets first."""
        return tee(Cleaner(self.scrubber), *witnesses, self)

    def follow(
        self, desk: RiskDesk, folder: Path, more: Callable[[], Mapping[str, Any]] | None = None
    ) -> None:
        """Look at a node's health and at the engine's log in `folder` at every `turn`; take market time from its desk.

        `more` answers further fields of health.check, such as how far the journal is behind.
        """
        self.market_now = desk.market_now
        self._tail = EngineTail(folder, self, lambda: {gate.known_as for gate in desk.gates})
        self._heart = Heartbeat(self, desk, more)

    def turn(self) -> None:
        """To be called on the node's loop, as often as it turns: cheap where there is nothing to do."""
        if self._tail is not None:
            self._tail.turn()
        if self._heart is not None:
            self._heart.turn()

    def close(self) -> None:
        """Tell what the engine said last, write what waits, let go of files and desk."""
        if self._tail is not None:
            self._tail.read()
        self._tail = self._heart = self.market_now = None
        self._writer.close()

    # -- the desk's witness -------------------------------------------------------------------------------------------

    def approved(self, ts: int, order: OrderInitialized) -> None:
        """An order passed the gate."""
        self._put(self._about, self._orders.approved, ts, time_ns(), order)

    def refused(self, ts: int, order: OrderInitialized, reason: str) -> None:
        """The gate refused an order or a change of one."""
        self._put(self._about, self._orders.refused, ts, time_ns(), order, reason)

    def event(self, ts: int, event: Any) -> None:
        """An order changed."""
        self._put(self._about, self._orders.event, ts, time_ns(), event)

    def tripped(self, trip: Trip) -> None:
        """Trading was halted; by a breaker, that is the violation of a limit too."""
        numbers: dict[str, Any] = {"reason": trip.reason, "equity": trip.equity, "reference": trip.reference}
        if trip.breaker in BREAKERS:
            self.emit("risk.violation", trip.ts, limit=trip.breaker, scope=trip.scope, **numbers, quiet=True)
        self.emit("trading.halted", trip.ts, breaker=trip.breaker, scope=trip.scope, **numbers)

    def noticed(self, notice: Notice) -> None:
        """A person should see this."""
        told: dict[str, Any] = {"kind": notice.kind, "scope": notice.scope, "reason": notice.reason}
        if notice.kind in RESUMES:
            self.emit("trading.resumed", notice.ts, **told)
        else:
            self.emit("risk.notice", notice.ts, NOTICE_LEVELS.get(notice.kind, "info"), **told)

    def failed(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy's callback raised."""
        self.policy_error(strategy, where, error)

    def waits(
        self,
        ts: int,
        event: WaitEvent,
        orders: Sequence[OrderInitialized],
        why: str,
        until: int | None,
        _price: Decimal | None,
    ) -> None:
        """Orders wait for a person, or no longer do; the desk's notice says the same to people."""
        self._put(self._about, self._orders.waits, ts, time_ns(), event, tuple(orders), why, until)

    # -- everything else ----------------------------------------------------------------------------------------------

    def emit(
        self, event: EventName, ts: int | None = None, level: Level | None = None, **fields: Any
    ) -> None:
        """Write any event of the table. `ts` is market time in UTC nanoseconds, the desk's own where None."""
        if ts is None and self.market_now is not None:
            ts = self.market_now() or None
        self._put(_entry, event, level or EVENTS[event].level, fields, ts, time_ns())

    def started(self, **fields: Any) -> None:
        """The run begins."""
        self.emit("run.started", **fields)

    def ended(self, reason: str, error: BaseException | None = None, **fields: Any) -> None:
        """The run is over, because of an error where one is given. Said once: only the first call counts."""
        if self._over:
            return
        self._over = True
        if self._tail is not None:
            self._tail.read()
        said = None if error is None else f"{type(error).__name__}: {error}"
        self.emit(
            "run.ended", None, "info" if error is None else "error", reason=reason, error=said, **fields
        )

    def health(self, **fields: Any) -> None:
        """How the run is doing."""
        self.emit("health.check", **fields, lost_lines=self.lost)

    def policy_error(self, strategy: str, where: str, error: BaseException) -> None:
        """A strategy raised. Its traceback is read here, at once: no other thread may touch what it holds."""
        trace = "".join(traceback.format_exception(error))
        kind, said = type(error).__name__, str(error)
        self.emit(
            "policy.error", None, strategy=strategy, where=where, error=kind, reason=said, traceback=trace
        )

    def market_data_error(
        self, reason: str, *, instrument: str | None = None, component: str | None = None, **fields: Any
    ) -> None:
        """Prices do not come, or cannot be read."""
        self.emit("market_data.error", instrument=instrument, component=component, reason=reason, **fields)

    def engine_error(self, reason: str, *, component: str | None = None, **fields: Any) -> None:
        """The engine has a problem."""
        self.emit("engine.error", component=component, reason=reason, **fields)

    def alert(self, kind: str, reason: str, **fields: Any) -> None:
        """Somebody is told of something."""
        self.emit("alert.raised", kind=kind, reason=reason, **fields)

    def command(self, command: str, by: str, reason: str, **fields: Any) -> None:
        """A person's command arrived."""
        self.emit("command.received", command=command, by=by, reason=reason, **fields)

    # -- on the log's own thread --------------------------------------------------------------------------------------

    @staticmethod
    def _about(tell: Callable[..., Iterator[Told]], ts: int, at: int, *what: Any) -> Iterator[Entry]:
        for name, level, fields in tell(*what):
            yield Entry(name, level, fields, ts, at)


BREAKERS = frozenset({DAILY_LOSS, DRAWDOWN, "CONSECUTIVE_LOSSES", "WIN_RATE", "SHARPE"})
"""Trips for a limit that was broken; others are faults, or a person's own decision."""


def _entry(
    event: EventName, level: Level, fields: dict[str, Any], ts: int | None, at: int
) -> Iterator[Entry]:
    yield Entry(event, level, fields, ts, at)
