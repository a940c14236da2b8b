"""People ask a node that runs inside the test: commands go through a real journal, receipts come back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nautilus_trader.model import InstrumentId, InstrumentStatus, MarketStatusAction, OrderSide

from journal import tables
from journal.config import JournalConfig
from journal.control import Account, Command, Mailbox, Receipt, command_row, write
from journal.database import open_journal
from journal.heads import HeadFile
from live._commands import Commands
from live._limits import AccountLimits, Kept
from market.rates import Rates
from risk.desk import RiskDesk
from tests.driving import Driven, Scripted, bars, drive

ACCOUNT = Account("paper:my_paper", "paper", "my_paper")
BARS_A_SEC = 20


class Asked:
    """Writes commands as a verb would, reads them on another thread, as a node's writer does; keeps the receipts."""

    def __init__(self, folder: Path) -> None:
        self.config = JournalConfig(path=folder / "journal.db")
        self.engine = open_journal(self.config, create=True)
        self.mailbox = Mailbox(ACCOUNT.scope)
        self.receipts: dict[str, Receipt] = {}  # command id -> what the node answered
        self.asked: list[str] = []
        self.taken: list[Command] = []
        self.store: Callable[[Kept, Kept, str, str], None] = self._stored
        self.stored: list[tuple[Kept, str, str]] = []
        self._read()

    def ask(
        self, verb: str, args: Mapping[str, Any] | None = None, why: str = "because", who: str = "ann"
    ) -> None:
        """Write a command and let a thread read it."""
        row = {**command_row(ACCOUNT, verb, args or {}, why), "who": who}
        self.asked.append(row["command_id"])
        write(self.engine, HeadFile.of(self.config.heads_folder, tables.CONTROL), [(tables.commands, row)])
        thread = threading.Thread(target=self._read)
        thread.start()
        thread.join()

    def _read(self) -> None:
        with self.engine.connect() as connection:
            self.mailbox.read(connection)

    def _store(self, *change: Any) -> None:
        self.store(*change)

    def _stored(self, _before: Kept, after: Kept, who: str, why: str) -> None:
        self.stored.append((dict(after), who, why))

    def take(self) -> list[Command]:
        """As the mailbox's own; keeps what came."""
        found = self.mailbox.take()
        self.taken += found
        return found

    def commands(self, desk: RiskDesk, **more: Any) -> Commands:
        """The node's side."""
        limits = AccountLimits(desk.limits, {}, self._store)
        answer = self._answer
        return Commands(desk, self, answer, limits=limits, **more)  # type: ignore[arg-type]

    def _answer(self, receipt: Receipt) -> None:
        assert receipt.command_id not in self.receipts
        self.receipts[receipt.command_id] = receipt

    @property
    def answers(self) -> list[Receipt]:
        """What the node answered, in the order it was asked."""
        return [self.receipts[name] for name in self.asked]

    @property
    def said(self) -> list[tuple[str, str]]:
        """(outcome, first line) of every answer."""
        return [(each.outcome, each.text.splitlines()[0]) for each in self.answers]


Script = Mapping[int, Callable[[Asked, Any], None]]
"""Bar (from 1) -> what is asked once the first strategy has seen it."""


class Waiting(list[Any]):
    """Updates of a replay of which none comes before what is to be asked until then was asked.

    Meanwhile the replay goes on with news of an instrument that nobody knows, and so lets the loop turn.
    """

    def __init__(self, updates: Sequence[Any], asks_at: Mapping[int, Any]) -> None:
        super().__init__(updates)
        self._asks_at = asks_at

    def __iter__(self) -> Iterator[Any]:
        for number, update in enumerate(super().__iter__()):
            while number >= min(self._asks_at, default=len(self)):
                stamp = self[number - 1].ts_event
                nobody = InstrumentId.from_str("NOBODY.XNAS")
                yield InstrumentStatus(nobody, MarketStatusAction.TRADING, stamp, stamp)
            yield update


@dataclass(frozen=True, eq=False)
class WaitingRates(Rates):
    """Rates of a replay that waits; there are none."""

    asks_at: Mapping[int, Any] = field(default_factory=dict)

    def told(self, updates: Sequence[Any], after_ns: int | None = None) -> list[Any]:
        return Waiting(super().told(updates, after_ns), self.asks_at)


def asking(
    folder: Path,
    strategy: type[Scripted] | list[type[Scripted]],
    script: Script,
    closes: list[float] | None = None,
    **run: Any,
) -> tuple[Driven, Asked]:
    """Run strategies on a live node at some bars a second, and ask it things on its loop meanwhile."""
    asked, waiting = Asked(folder), dict(sorted(script.items()))
    made: list[Commands] = []

    def turn(desk: RiskDesk) -> None:
        if not made:
            made.append(asked.commands(desk))
        gate: Any = desk.gates[0]
        while waiting and gate.n >= next(iter(waiting)):
            waiting.pop(next(iter(waiting)))(asked, gate)
        made[0].turn()

    venue = {"speed": 86_400.0 * BARS_A_SEC, **run.pop("venue", {})}
    rates = WaitingRates(asks_at=waiting)
    driven = drive("live", strategy, bars(closes or [100.0] * 14), turn=turn, venue=venue, rates=rates, **run)
    assert not waiting
    return driven, asked


class Holder(Scripted):
    """Holds 100 from the second bar on, with a stop and an entry that rests; tries to buy 1 at every later bar."""

    tries = True

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            self.buy(100)
        if n == 3:
            self.entry = str(self.limit(OrderSide.BUY, 7, 80.0).client_order_id)
            self.stop_order = self.protect()
        if n > 4 and self.tries:
            self.buy(1)

    def protect(self) -> str:
        from nautilus_trader.model import Price, Quantity  # noqa: PLC0415 - keeps the helper in one place

        stop = self.order_factory.stop_market(
            self.iid, OrderSide.SELL, Quantity(100, 0), Price(70, 2), reduce_only=True
        )
        self.submit_order(stop)
        return str(stop.client_order_id)


class Quiet(Holder):
    """The same, and buys no more."""

    tries = False
