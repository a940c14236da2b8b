"""What is left of an account after a node traded through one fault after another at a local Alpaca?

One node, one life. In the end all faults are cleared, the market stands still, and everything is compared: journal,
node, and the broker's own books.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.alpaca._api import OTHER_THREADS, URGENT_THREADS
from adapters.alpaca.keys import REHEARSAL
from journal.config import JournalConfig
from journal.database import connect
from journal.verify import Verifier
from simulators.alpaca.control import AlpacaProcess, Control
from simulators.errors import SimulatorError
from soak import alpaca_books
from soak.checks import OUT_OF_ORDER, on_disk, settled
from soak.node import Node, Place, verb
from soak.reading import Reading, Said
from soak.samples import Sample, growth, left_over, samples
from soak.scenarios import OPEN
from soak.storms import Storm, clear, strike

SCOPE = "paper:alpaca_paper"
SYMBOLS = "AAPL,MSFT"
BROKER = (
    f"instruments={SYMBOLS}", "days=1000", "bars_per_day=78", "speed=600", "calls_per_min=0", "partial=0.5",
)  # fmt: skip
NODE = (
    "venue=alpaca_paper", "venue.calls_per_min=10000", f"instruments=[{SYMBOLS}]", "bar=1m", "strategy=busy",
    "strategy.each_bar=1", "risk.max_price_age_secs=off", *OPEN,
)  # fmt: skip
STARTING_SECS, SETTLE_SECS, STOPPING_SECS = 120.0, 120.0, 120.0
CALM_SECS = 5.0
"""Of trading without a fault, before the first one: what runs in the node then is what has to be left in the end."""
INTERRUPTED = 130
LONG_ENOUGH_MINS = 10.0
"""A shorter trial says nothing about memory."""
WARM_UP, WINDOW = 0.35, 0.15
"""Shares of a trial: the engine forgets what has ended every ten minutes, and is as big as it gets by then."""
MOST_GROWTH = 0.05
POOLS = Counter({"alpaca-orders": URGENT_THREADS, "alpaca": OTHER_THREADS})
"""Threads of the pools that make requests: they grow up to this."""


@dataclass
class AlpacaFigures:
    """What was counted. Times are in seconds."""

    secs: float = 0.0
    faults: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    """Fault -> how often it struck."""
    orders: int = 0
    fills: int = 0
    requests: int = 0
    unknown: int = 0
    resumed: int = 0
    days: int = 0
    settled_secs: float = 0.0
    first_mib: float = 0.0
    last_mib: float = 0.0
    growth_pct: float = 0.0
    judged: bool = False
    """Whether it went on for long enough to say something about memory."""
    tasks: int = 0
    tasks_left: list[str] = field(default_factory=list)
    threads: int = 0
    threads_left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class AlpacaTrial:
    """One account in a folder of its own."""

    def __init__(self, folder: Path, minutes: float, seed: int) -> None:
        """Nothing runs before `run`."""
        folder.mkdir(parents=True, exist_ok=True)
        keys = {"ALPACA_API_KEY": str(REHEARSAL.key), "ALPACA_API_SECRET": str(REHEARSAL.secret)}
        self._place = Place(folder, keys)
        self._secs, self._seed = minutes * 60, seed
        self._storm = Storm(seed, short=minutes < 2)  # noqa: PLR2004 - what it leaves out takes a minute to be found
        self._journal = JournalConfig(path=folder / "journal.db")
        self._reading = Reading(self._journal, SCOPE)
        self._samples = folder / "samples.jsonl"
        self._kinds: Counter[str] = Counter()
        self.figures = AlpacaFigures()

    def run(self, on_turn: Callable[[float, str], None] = lambda _secs, _fault: None) -> AlpacaFigures:
        """Trade, strike, compare. `on_turn` hears how many seconds have passed, and of which fault."""
        broker = AlpacaProcess([*BROKER, f"seed={self._seed}"], self._place.folder / "alpaca.log")
        try:
            node = Node(self._place, 1, [
                *NODE, f"venue.trading_url={broker.url}", f"journal.path={self._journal.path}",
                f"strategy.seed={self._seed}", f"strategy.samples={self._samples}",
            ])  # fmt: skip
            try:
                self._one_life(node, broker.control(), on_turn)
            finally:
                if node.code is None:
                    node.kill()
        finally:
            self._reading.close()
            broker.kill()
        return self.figures

    # -- the life of the node

    def _one_life(self, node: Node, control: Control, on_turn: Callable[[float, str], None]) -> None:
        if not self._until_running(node):
            self._problem(f"the node did not start (exit code {node.code}): {node.said[-600:]}")
            return
        began = time.monotonic()
        node.pause(CALM_SECS)
        before = samples(self._samples)
        self._trade(node, control, began, on_turn)
        if node.code is None:
            self._compare(node, control)
            node.pause(2.5)  # a last line of samples or two
        self._measure(before, samples(self._samples))
        self._stop(node)
        self._count(control, time.monotonic() - began)

    def _until_running(self, node: Node) -> bool:
        until = time.monotonic() + STARTING_SECS
        while node.code is None and time.monotonic() < until:
            if samples(self._samples):
                return True
            time.sleep(0.1)
        return False

    def _trade(
        self, node: Node, control: Control, began: float, on_turn: Callable[[float, str], None]
    ) -> None:
        """One fault after another until the time is over."""
        while node.code is None and time.monotonic() < began + self._secs:
            each = self._storm.next()
            on_turn(time.monotonic() - began, each.name)
            strike(control, each)
            self._kinds[each.name] += 1
            node.pause(each.secs)
            clear(control)
            self._lift(node)
            on_turn(time.monotonic() - began, "")
            node.pause(each.pause_secs)
        on_turn(self._secs, "")
        control.ask("market", do="pause")

    def _lift(self, node: Node) -> None:
        """Lift a halt as a person would, so that the trial goes on.

        Alpaca knows no reduce-only orders: the exit of a bracket fills too after other orders have turned the position
        round. That halts, rightly so; nothing else here may.
        """
        status = self._reading.status() or {}
        if node.code is not None or status.get("state") != "HALTED":
            return
        if OUT_OF_ORDER not in str(status.get("reason")):
            self._problem(f"trading was halted: {status.get('reason')}")
        done = verb(
            self._place, "resume", "venue=alpaca_paper", f"journal.path={self._journal.path}", "scope=all",
            "reason=soak",
        )  # fmt: skip
        self.figures.resumed += 1
        if done.returncode:
            self._problem(f"resume: exit code {done.returncode}: {done.stdout} {done.stderr}")

    def _stop(self, node: Node) -> None:
        if node.code is not None:
            self._problem(f"the node ended by itself with exit code {node.code}: {node.said[-600:]}")
            return
        node.interrupt()
        code = node.wait(STOPPING_SECS)
        if code != INTERRUPTED:
            self._problem(f"the node answered Ctrl-C with {code}: {node.said[-600:]}")

    # -- what is compared

    def _compare(self, node: Node, control: Control) -> None:
        """Everything, once nothing moves; what is on its way gets the time it needs."""
        began, found, audit = time.monotonic(), ["never compared"], {}
        while found and node.code is None and time.monotonic() < began + SETTLE_SECS:
            time.sleep(0.5)
            said, audit = self._reading.said(), control.audit()
            found = differences(said, audit)
        self.figures.settled_secs = time.monotonic() - began
        (self._place.folder / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
        for each in found:
            self._problem(each)

    def _measure(self, before: list[Sample], found: list[Sample]) -> None:
        """Memory, tasks and threads."""
        figures = self.figures
        if not before or len(found) <= len(before) + 1:
            self._problem("the node said nothing of its memory, its tasks and its threads")
            return
        grown = growth(found, WARM_UP, WINDOW)
        figures.first_mib, figures.last_mib = round(grown.first_mib, 1), round(grown.last_mib, 1)
        figures.growth_pct = round(100 * grown.share, 2)
        figures.judged = self._secs >= LONG_ENOUGH_MINS * 60
        if figures.judged and grown.share > MOST_GROWTH:
            self._problem(
                f"memory grew by {grown.mib:.1f} MiB, {grown.share:.1%}; {MOST_GROWTH:.0%} is allowed"
            )
        start, end = before[-1], found[-1]
        figures.tasks, figures.threads = end.tasks.total(), end.threads.total()
        lasting = end.tasks & found[-2].tasks  # one that was just at work is not left
        figures.tasks_left = left_over(start.tasks, lasting)
        figures.threads_left = left_over(start.threads | POOLS, end.threads)
        for each in figures.tasks_left:
            self._problem(f"a task was left: {each}")
        for each in figures.threads_left:
            self._problem(f"a thread was left: {each}")

    def _count(self, control: Control, secs: float) -> None:
        figures = self.figures
        figures.secs = round(secs, 1)
        figures.kinds = dict(sorted(self._kinds.items()))
        figures.faults = self._kinds.total()
        with suppress(SimulatorError):
            audit = control.audit()
            figures.orders, figures.fills = len(audit["received"]), len(audit["fills"])
            figures.requests = sum(audit["requests"].values())
            figures.days = len(
                {each["date"] for each in audit["activities"] if each["activity_type"] == "FEE"}
            )
            if not figures.fills:
                self._problem("nothing was traded")
        said = self._reading.said()
        figures.unknown = said.unknowns
        engine = connect(self._journal)
        try:
            done = Verifier(engine, self._journal.heads_folder).verify()
        finally:
            engine.dispose()
        for row in done.findings.as_rows()[:3]:
            self._problem(f"live audit verify: {row}")

    def _problem(self, text: str) -> None:
        if text not in self.figures.problems:
            self.figures.problems.append(text)


def differences(said: Said, audit: dict[str, Any]) -> list[str]:
    """Whatever journal, node and broker do not agree about, in sentences."""
    told = alpaca_books.told(audit, {name: row["status"] for name, row in said.orders.items()})
    twice = [f"a change was sent twice: {each}" for each in alpaca_books.replaced_twice(audit)]
    return [*on_disk(said, told, disordered=True), *settled(said, told), *twice, *_flows(said, audit)]


def _flows(said: Said, audit: dict[str, Any]) -> list[str]:
    """Fees are charged after the close, without a trade: each is in the journal once, and nothing else is."""
    told = [row["reason"] for row in said.risk_events if row["kind"] == "ACCOUNT_FLOW"]
    there = [
        f"fee: {each['net_amount']} USD ({each['description']}, {each['status']})"
        for each in audit["activities"]
        if each["activity_type"] != "FILL"
    ]
    if Counter(told) == Counter(there):
        return []
    differ = [*(Counter(told) - Counter(there)), *(Counter(there) - Counter(told))]
    return [f"{len(told)} charges by the journal, {len(there)} at the broker: {differ[0]}"]
