"""Runs real nodes at a real broker, one life after another: started, killed, asked, as a person would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from journal.config import JournalConfig
from journal.database import connect
from journal.verify import Verifier
from soak.node import Node, Place, verb
from soak.reading import Reading, Row, Said
from tests.adapters.local.driving import WINDOW, Broker, broker

SCOPE = "paper:local_paper"
AAPL = "AAPL.XNAS"
STRATEGY = """\
strategy_path: tests.live.planned:Planned
config_path: tests.live.planned:PlannedConfig
plan: ""
"""
OPEN = (
    "risk.max_leverage=off", "risk.max_position_pct=off", "risk.allow_short=true", "risk.allow_self_crossing=true",
    "risk.max_drawdown_pct=0.9", "risk.max_daily_loss_pct=0.9", "risk.untrusted_jump_pct=off", "venue.answer_secs=3.0",
)  # fmt: skip
TWO = ("+strategy@strategies.second=planned",)


@dataclass
class Lives:
    """One account, its broker, and the nodes that trade it. `alive` are those to be killed in the end."""

    folder: Path
    broker: Broker
    alive: list[Node] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.place = Place(self.folder)
        self.configs = self.folder / "configs"
        (self.configs / "strategy").mkdir(parents=True)
        (self.configs / "strategy" / "planned.yaml").write_text(STRATEGY, encoding="utf-8")
        self.config = JournalConfig(path=self.folder / "journal.db")
        self.reading = Reading(self.config, SCOPE)

    # -- lives ------------------------------------------------------------------------------------------------------

    def spawn(self, plan: str = "", *overrides: str, second: str | None = None) -> Node:
        """Start a node and do not wait for it; `second` is the plan of a second strategy on the same instrument."""
        self.number += 1
        plans = [f"strategy.plan='{plan}'"]
        if second is not None:
            plans += [*TWO, f"strategies.second.plan='{second}'"]
        node = Node(
            self.place, self.number,
            ["venue=local_paper", f"venue.port={self.broker.port}", f"journal.path={self.config.path}", *WINDOW,
             "strategy=planned", *OPEN, *plans, *overrides],
            configs=self.configs,
        )  # fmt: skip
        self.alive.append(node)
        return node

    def start(self, plan: str = "", *overrides: str, second: str | None = None) -> Node:
        """Start a node and wait until it runs."""
        node = self.spawn(plan, *overrides, second=second)
        self.until(lambda: (self.reading.status() or {}).get("pid") == node.pid, node)
        return node

    def refused(self, *overrides: str) -> tuple[int | None, str]:
        """Start a node that is to refuse; answers its exit code and what it said."""
        node = self.spawn("", *overrides)
        return node.wait(150), node.said

    def bars(self, node: Node, *prices: float) -> None:
        """Let the market move, one bar a price, each once the one before it was heard and answered."""
        for price in prices:
            self.broker.price(price)
            self.until(lambda price=price: self._heard(price), node)  # type: ignore[misc]

    def _heard(self, price: float) -> bool:
        status = self.reading.status()
        seen = [] if status is None else status.get("data", [])
        return bool(seen) and seen[0]["price"] is not None and float(seen[0]["price"]) == price

    # -- what is known ----------------------------------------------------------------------------------------------

    @property
    def said(self) -> Said:
        """The journal."""
        return self.reading.said()

    @property
    def status(self) -> Row:
        """What the newest node says of itself."""
        return self.reading.status() or {}

    def order(self, name: str) -> Row:
        """The newest row of an order."""
        return self.said.orders[name]

    @property
    def names(self) -> list[str]:
        """Client order ids that the broker received, in that order."""
        return list(self.broker.received)

    def held(self) -> dict[str, Decimal]:
        """Strategy -> what it holds, by the node."""
        return {row["strategy"]: Decimal(row["quantity"]) for row in self.status.get("positions", [])}

    def booked(self) -> dict[str, Decimal]:
        """Strategy -> what it holds, by the journal."""
        return {name: row["quantity"] for (name, _), row in self.said.positions.items() if row["quantity"]}

    def events(self, kind: str) -> list[str]:
        """What was told of a kind, in sentences."""
        return [row["reason"] for row in self.said.risk_events if row["kind"] == kind]

    def until(self, condition: Callable[[], bool], node: Node | None = None, secs: float = 150) -> None:
        """Wait for a condition; fails when it does not come, or the node ends before."""
        deadline = time.monotonic() + secs
        while not condition():
            assert node is None or node.code is None, node.said[-1500:]
            assert time.monotonic() < deadline, "it did not come"
            time.sleep(0.02)

    def ask(self, *arguments: str) -> tuple[int, str]:
        """A verb on this account; answers its exit code and what it said."""
        done = verb(self.place, *arguments, "venue=local_paper", f"journal.path={self.config.path}")
        return done.returncode, done.stdout + done.stderr

    def is_clean(self) -> bool:
        """Whether `live audit verify` finds nothing."""
        engine = connect(self.config)
        try:
            return Verifier(engine, self.config.heads_folder).verify().is_clean
        finally:
            engine.dispose()

    def audit(self) -> dict[str, Any]:
        """What the broker knows."""
        found: dict[str, Any] = self.broker.ask("audit")
        return found


@contextmanager
def lives(folder: Path, *broker_arguments: str) -> Iterator[Lives]:
    """An account for one test, its market at 100.00 and standing still."""
    with broker(folder, *broker_arguments) as one:
        found = Lives(folder, one)
        try:
            yield found
        finally:
            found.reading.close()
            for node in found.alive:
                if node.code is None:
                    node.kill()
