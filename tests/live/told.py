"""A journal as a running node leaves it: the account that `filled` tells of, and the word of the node itself."""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any

from sqlalchemy import Engine, Table, delete, insert

from journal import tables
from journal.config import JournalConfig
from journal.database import open_journal, writing
from journal.hold import Hold
from risk.breaker import RiskState
from tests.driving import bars
from tests.journal.filled import Desk
from tests.live.standing import Watched, told

NANOS = 1_000_000_000
EVERY_SECS = 0.5
SCOPE, VENUE = "paper:my_paper", "my_paper"
LIMITS = {
    "max_leverage": 1, "max_position_pct": "0.2", "max_orders_per_day": 10, "max_daily_loss_pct": "0.02",
    "max_drawdown_pct": "0.1",
}  # fmt: skip


def holds(strategy: Watched, n: int) -> None:
    """Holds 100 shares at 100 while a limit order rests."""
    if n == 2:
        strategy.buy(100)
    if n == 3:
        strategy.limit(_buy(), 5, 90.0)


def _buy() -> Any:
    from nautilus_trader.model import OrderSide  # noqa: PLC0415 - keeps the helper in one place

    return OrderSide.BUY


@cache
def _said() -> dict[str, Any]:
    found = told(holds, bars([100, 100, 100, 107.5]), risk=LIMITS).last
    gc.collect()  # the engine's objects must not be dropped by another thread, as the monitor has
    return found


def document(**changes: Any) -> dict[str, Any]:
    """The word of a node that holds 100 AAPL bought at 100, now at 107.50, of 100,000 USD."""
    return {
        **deepcopy(_said()),
        "mode": "paper",
        "venue": VENUE,
        "scope": SCOPE,
        "run_id": "paper-1",
        **changes,
    }


class Node:
    """What a node of a paper account writes, without the node."""

    def __init__(self, config: JournalConfig, *, mode: str = "paper") -> None:
        self.config = config
        self.mode = mode
        self.scope = f"{mode}:{VENUE}"
        self.engine: Engine = open_journal(config, create=True)
        self.hold = Hold(config, self.scope)
        self.now = time.time_ns()
        self.desk = Desk(self.engine, config, "paper-1", self.scope, mode, VENUE, self.now - 600 * NANOS)
        self._word: dict[str, Any] | None = None
        self._saying = threading.Lock()
        self._over = threading.Event()
        self._speaker = threading.Thread(target=self._speak, daemon=True)

    def says(self, said: dict[str, Any], *, ago_secs: float = 0.0) -> None:
        """Its word: again and again from now on, as a node does, or once, so many seconds ago."""
        text = json.dumps({**said, "mode": self.mode, "scope": self.scope, "pid": os.getpid()})
        with self._saying:
            self._word = None if ago_secs else {"document": text}
            at = time.time_ns() - int(ago_secs * NANOS)
            self._replace(tables.node_status, {"at": at, "document": text})
        self.desk.writer.commit()
        if not ago_secs and self._speaker.ident is None:
            self._speaker.start()

    def _speak(self) -> None:
        while not self._over.wait(EVERY_SECS):
            with self._saying:
                if self._word is not None:
                    self._replace(tables.node_status, {"at": time.time_ns(), **self._word})

    def keeps(self, state: RiskState) -> None:
        """What its breakers remember."""
        values = {"ts": self.now, "at": self.now, "state": json.dumps(state.as_row())}
        self._replace(tables.risk_states, values)

    def _replace(self, table: Table, values: dict[str, Any]) -> None:
        with writing(self.engine).begin() as connection:
            connection.execute(delete(table).where(table.c.scope == self.scope))
            connection.execute(insert(table), {"scope": self.scope, "run_id": "paper-1", **values})

    def buys(self, status: str = "FILLED", instrument: str = "AAPL.XNAS") -> str:
        """An order of 100 at 100, and what became of it; answers its id."""
        name = self.desk.order(
            self.now, instrument, "BUY", "100", "100", status=status, strategy="Watched-001"
        )
        self.desk.writer.commit()
        return name

    def ends(self, why: str = "stopped by SIGTERM") -> None:
        """It stops in order."""
        self._falls_silent()
        self.desk.close(time.time_ns(), why)
        self.gone()

    def gone(self) -> None:
        """Its process is no more."""
        self._falls_silent()
        self.desk.writer.close()
        self.hold.release()
        self.engine.dispose()

    def _falls_silent(self) -> None:
        self._over.set()
        if self._speaker.ident is not None:
            self._speaker.join()


@contextmanager
def node_on(config: JournalConfig, mode: str = "paper") -> Iterator[Node]:
    """A node that holds its account for a block."""
    node = Node(config, mode=mode)
    try:
        yield node
    finally:
        node.gone()
