"""Live nodes as processes of their own, and the verbs a person gives them from another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.model import OrderSide, Price, Quantity

from journal import tables
from journal.config import JournalConfig
from journal.errors import JournalError
from journal.reader import Reader
from simulators.broker.control import BrokerProcess, Control
from tests.driving import Scripted
from tests.journal.filled import arguments

ROOT = Path(__file__).parents[2]
PAPER = """
config: tests.live.paper:PaperReplayConfig
factory: adapters.replay.factories:ReplayVenue
name: my_paper
mode: paper
speed: 864000 # ten daily bars a second
"""
STRATEGY = """
strategy_path: tests.live.nodes:{name}
config_path: tests.driving:PlainConfig
"""
QUICK = ["run.plots=false", "run.tearsheet=false", "instruments=[AAPL]", "risk.max_position_pct=0.9"]
WAIT_SECS = 150.0


class Steady(Scripted):
    """Holds 100 from its second bar on, with a stop and an entry that rest far below; buys 1 more every tenth bar."""

    def at_bar(self, n: int, bar: Any) -> None:
        if n == 2:
            self.buy(100)
        if n == 4:
            below = bar.close.as_decimal() / 4
            self.limit(OrderSide.BUY, 5, float(round(below, 2)))
            stop = self.order_factory.stop_market(
                self.iid, OrderSide.SELL, Quantity(100, 0), Price(float(round(below, 2)), 2), reduce_only=True
            )
            self.submit_order(stop)
        if n > 4 and n % 10 == 0:
            self.buy(1)


class Twin(Steady):
    """A second strategy like the first."""


class Asks(Scripted):
    """Wants to buy 10 at its third bar, and 20 at its fourth."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (3, 4):
            self.buy(10 * (n - 2))


@dataclass
class Node:
    """A node of a paper account, as a process; `config` is its journal."""

    folder: Path
    config: JournalConfig
    options: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    said: Path = Path()

    def start(self) -> None:
        """Start it; it runs until it is stopped."""
        self.said = self.folder / "said"
        command = [sys.executable, "-m", "live", "run", *self.options, *arguments(self.config), *QUICK]
        with self.said.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=out, stderr=out, env=environment()
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it; answers the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(150)

    def reader(self) -> Reader:
        return Reader(self.config)

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:
        """Rows of its journal; none while there is none."""
        try:
            return [dict(row) for row in self.reader().rows(table, *where)]
        except JournalError:
            return []

    def held(self) -> Decimal:
        """Units held, by its journal."""
        try:
            reader = self.reader()
            scopes = {row["scope"] for row in reader.runs()}
            return sum(
                (row["quantity"] for scope in scopes for row in reader.open_positions(scope)), Decimal(0)
            )
        except JournalError:
            return Decimal(0)

    def until(self, done: Callable[[], Any], what: str) -> Any:
        """Wait for something; fails with what the node said."""
        deadline = time.monotonic() + WAIT_SECS
        while not (found := done()):
            ended = self.process is None or self.process.poll() is not None
            late = time.monotonic() > deadline
            assert not ended, f"the node ended: {what}\n{self.tail()}"
            assert not late, f"waited in vain: {what}\n{self.tail()}"
            time.sleep(0.05)
        return found

    def until_steady(self) -> None:
        """Wait until it holds, with an entry and a stop at work."""
        orders = tables.orders
        self.until(
            lambda: self.held() >= 100 and len(self.rows(orders, orders.c.event == "ACCEPTED")) >= 2,
            "holds 100 with an entry and a stop",
        )

    def tail(self) -> str:
        return "\n".join(self.said.read_text(encoding="utf-8").splitlines()[-15:])


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def verb(
    folder: Path, *words: str, config: JournalConfig | None = None, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """A verb as a process of its own, started in `folder`."""
    where = [] if config is None else arguments(config)
    command = [sys.executable, "-m", "live", *words, *where]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False, env=environment()
    )


def write_yaml(folder: Path) -> list[str]:
    """A user's own folder with the paper account and the strategies of this module."""
    mine = folder / "mine"
    for group in ("venue", "strategy"):
        (mine / group).mkdir(parents=True, exist_ok=True)
    (mine / "venue" / "my_paper.yaml").write_text(PAPER)
    for name in (Steady, Twin, Asks):
        (mine / "strategy" / f"{name.__name__.lower()}.yaml").write_text(STRATEGY.format(name=name.__name__))
    return ["--config-dir", str(mine)]


@contextmanager
def paper_node(folder: Path, config: JournalConfig, *options: str, start: bool = True) -> Iterator[Node]:
    """A node on a paper account made of the replay venue; it ends with the block, whatever becomes of it."""
    given = [*write_yaml(folder), "venue=my_paper", "strategy=steady", *options]
    node = Node(folder, config, given)
    try:
        if start:
            node.start()
        yield node
    finally:
        if node.process is not None and node.process.poll() is None:
            node.process.kill()
            node.process.wait(60)


@dataclass
class Brokered:
    """A node at a local broker of its own, which outlives it."""

    node: Node
    broker: BrokerProcess
    control: Control

    def positions(self) -> dict[str, str]:
        """Instrument -> quantity, by the broker."""
        found = self.control.ask("snapshot", since=0)["positions"]
        return {row["instrument"]: row["quantity"] for row in found if Decimal(row["quantity"])}

    def working(self) -> list[dict[str, Any]]:
        """Orders that still work, by the broker."""
        found = self.control.ask("snapshot", since=0)["orders"]
        return [row for row in found if row["status"] in ("ACCEPTED", "PARTIALLY_FILLED", "PENDING")]

    def received(self) -> dict[str, int]:
        """Client order id -> how often the broker got it."""
        found: dict[str, int] = self.control.ask("audit")["received"]
        return found


@contextmanager
def brokered_node(folder: Path, config: JournalConfig, *options: str) -> Iterator[Brokered]:
    """A node at a local broker; both end with the block."""
    with ExitStack() as ends:
        broker = BrokerProcess(["instruments=[AAPL]", "bars_per_sec=10"], folder / "broker.log")
        ends.callback(_ended, broker)
        control = ends.enter_context(Control(broker.port))
        given = [*write_yaml(folder), "venue=local_paper", f"venue.port={broker.port}", *options]
        if not any(each.startswith("strategy=") for each in options):
            given.append("strategy=steady")
        node = Node(folder, config, given)
        node.start()
        try:
            yield Brokered(node, broker, control)
        finally:
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
                node.process.wait(60)


def _ended(broker: BrokerProcess) -> None:
    if broker.process.poll() is None:
        broker.kill()


def words(argv: Sequence[str], config: JournalConfig) -> list[str]:
    """A verb's arguments, for calling it inside this process, which is not the node's."""
    return [*argv, *arguments(config)]
