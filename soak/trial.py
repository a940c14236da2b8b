"""What happens when a node is killed again and again? One account, one broker, many lives of a node.

Each life: start the node, at times while the market stands still, and then compare everything; let it trade; kill it at
some moment; compare what is on disk with what the broker saw.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journal.config import JournalConfig
from journal.database import connect
from journal.verify import Verifier
from simulators.broker.control import BrokerProcess, Control
from simulators.errors import SimulatorError
from soak.checks import on_disk, settled
from soak.ear import Ear
from soak.moments import Scene
from soak.node import Node, Place, verb
from soak.reading import Reading, Said
from soak.scenarios import NO_FAULTS, Scenario, faults

SCOPE = "paper:local_paper"
RUNNING_SECS = 120.0
SETTLE_SECS = 60.0
STOPPING_SECS = 120.0
HALTED, REFUSED = 3, 2
CALM = 0.6
"""The share of lives that begin while the market stands still, so that all of it can be compared."""


@dataclass
class Figures:
    """What was counted. Times are in seconds."""

    kills: int = 0
    broker_kills: int = 0
    starts: int = 0
    compared: int = 0
    resumed: int = 0
    refused: int = 0
    orders: int = 0
    fills: int = 0
    unknown: int = 0
    trips: int = 0
    rows: int = 0
    secs: float = 0.0
    slowest_start: float = 0.0
    moments: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Trial:
    """One scenario in a folder of its own."""

    def __init__(self, scenario: Scenario, folder: Path, seed: int, *, bars_per_sec: float = 40.0) -> None:
        """Nothing runs before `run`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._scenario = scenario
        self._place = Place(folder)
        self._dice = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._bars = bars_per_sec
        self._journal = JournalConfig(path=folder / "journal.db")
        self._reading = Reading(self._journal, SCOPE)
        self._broker: BrokerProcess | None = None
        self._control: Control | None = None
        self._ear: Ear | None = None
        self._port = 0
        self._life = 0
        self._told: set[str] = set()
        self._stuck = False  # no node starts any more
        self._begun = False  # there was a journal once
        self._on_problem: Callable[[str], None] = lambda _: None
        self.figures = Figures()

    def run(
        self,
        kills: int,
        on_kill: Callable[[], None] = lambda: None,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> Figures:
        """Kill so many nodes, start once more, stop that one, and compare the last time."""
        began, self._on_problem = time.monotonic(), on_problem
        self._start_broker()
        try:
            while self.figures.kills < kills and not self._stuck:
                if self._one_life():
                    on_kill()
            if not self._stuck:
                self._last_life()
        finally:
            self._reading.close()
            if self._broker is not None:
                self._stop_broker()
        self.figures.secs = time.monotonic() - began
        return self.figures

    # -- a life -----------------------------------------------------------------------------------------------------

    def _one_life(self) -> bool:
        """Answers whether it ended by a kill: what is halted does not start."""
        figures, dice = self.figures, self._dice
        calm = dice.random() < CALM
        node = self._started(calm=calm)
        if node is None:
            return False
        moment = dice.choices(list(self._scenario.moments), list(self._scenario.moments.values()))[0]
        if calm:
            self._compare(node, f"life {self._life}, after its start")
            self._market("resume")
        if self._scenario.faults:
            self._ask("fault", **faults(dice))
        broker_dies = self._scenario.broker_dies and dice.random() < 0.4  # noqa: PLR2004
        if node.code is None:
            moment(self._scene(node))
        if node.code not in (None, 130):
            self._not_running(node)
            self._calm_down()
            return False
        if broker_dies:
            moment = self._kill_broker(node)
        node.kill()
        figures.kills += 1
        figures.moments[moment.__name__] = figures.moments.get(moment.__name__, 0) + 1
        if broker_dies:
            time.sleep(dice.choice((0.0, 0.3)))
            self._start_broker()
        self._calm_down()
        self._after_kill(f"life {self._life}, killed {moment.__name__}")
        time.sleep(dice.choice((0.0, 0.0, 0.2, 0.6)))  # the market goes on, and orders fill
        return True

    def _calm_down(self) -> None:
        if self._scenario.faults:
            self._ask("fault", **NO_FAULTS)

    def _last_life(self) -> None:
        node = self._started(calm=True)
        if node is None:
            return
        self._compare(node, "the last life, after its start")
        self._market("resume")
        node.pause(2)
        self._market("pause")
        self._compare(node, "the last life, after it traded")
        node.interrupt()
        code = node.wait(STOPPING_SECS)
        if code != 130:  # noqa: PLR2004 - interrupted
            self._problem(f"the last life answered Ctrl-C with {code}: {node.said[-600:]}")
            node.kill()
        self._after_kill("the end")
        self._verify_by_verb()
        said, audit = self._reading.said(), self._ask("audit")
        figures = self.figures
        figures.orders, figures.fills = len(audit["received"]), len(audit["fills"])
        figures.unknown = said.unknowns
        figures.trips = sum(row["kind"] == "TRIP" for row in said.risk_events)
        figures.rows = len(said.orders)

    def _started(self, *, calm: bool) -> Node | None:
        """A node that runs; what is halted is resumed first, as a person would."""
        for _ in range(4):
            self._life += 1
            self.figures.starts += 1
            if calm:
                self._market("pause")
            node = Node(
                self._place, self._life,
                [f"venue.port={self._port}", "venue=local_paper", f"journal.path={self._journal.path}",
                 *self._scenario.overrides],
            )  # fmt: skip
            if not calm:
                return node
            began = time.monotonic()
            if self._until_running(node):
                self.figures.slowest_start = max(self.figures.slowest_start, time.monotonic() - began)
                return node
            self._not_running(node)
        self._problem(f"no node starts any more after life {self._life}")
        self._stuck = True
        return None

    def _until_running(self, node: Node) -> bool:
        until = time.monotonic() + RUNNING_SECS
        while node.code is None and time.monotonic() < until:
            status = self._reading.status()
            if status is not None and status["pid"] == node.pid:
                return True
            time.sleep(0.02)
        return False

    def _not_running(self, node: Node) -> None:
        code = node.wait(1.0)
        if code == HALTED and "is halted" in node.said:
            self._resume()
        elif code == REFUSED and "cannot tell its state" in node.said:
            self.figures.refused += 1
        else:
            self._problem(f"life {self._life} did not start (exit code {code}): {node.said[-600:]}")
            node.kill()

    def _resume(self) -> None:
        done = verb(
            self._place, "resume", "venue=local_paper", f"journal.path={self._journal.path}", "scope=all",
            "reason=soak",
        )  # fmt: skip
        if done.returncode:
            self._problem(f"resume: exit code {done.returncode}: {done.stdout} {done.stderr}")
        self.figures.resumed += 1

    # -- comparing --------------------------------------------------------------------------------------------------

    def _compare(self, node: Node, when: str) -> None:
        """Everything, once nothing moves; what is on its way gets the time it needs."""
        until = time.monotonic() + SETTLE_SECS
        found: list[str] = ["never compared"]
        while found and node.code is None and time.monotonic() < until:
            time.sleep(0.15)
            said, audit = self._reading.said(), self._ask("audit")
            found = [*self._on_disk(said, audit), *settled(said, audit)]
        self.figures.compared += 1
        for each in found if node.code is None else []:
            self._problem(each, when)

    def _after_kill(self, when: str) -> None:
        audit = self._ask("audit")
        self._begun = self._begun or self._reading.begun()
        if not self._begun:  # it died before it had one, so nothing may have been sent
            if audit["received"]:
                self._problem("orders were sent before there was a journal", when)
            return
        said = self._reading.said()
        for each in self._on_disk(said, audit):
            self._problem(each, when)
        self._verify(when)

    def _on_disk(self, said: Said, audit: dict[str, Any]) -> list[str]:
        return on_disk(said, audit, disordered=self._scenario.faults)

    def _verify(self, when: str) -> None:
        engine = connect(self._journal)
        try:
            done = Verifier(engine, self._journal.heads_folder).verify()
        finally:
            engine.dispose()
        for row in done.findings.as_rows()[:3]:
            self._problem(f"live audit verify: {row}", when)

    def _verify_by_verb(self) -> None:
        done = verb(self._place, "audit", "verify", f"journal.path={self._journal.path}")
        if done.returncode:
            self._problem(f"live audit verify: exit code {done.returncode}: {done.stdout[-600:]}")

    def _problem(self, text: str, when: str = "") -> None:
        """Tell what is wrong, once: it stays wrong after every life that follows."""
        if text not in self._told:
            self._told.add(text)
            self.figures.problems.append(f"{when}: {text}" if when else text)
            self._on_problem(self.figures.problems[-1])

    # -- the broker -------------------------------------------------------------------------------------------------

    def _start_broker(self) -> None:
        folder = self._place.folder
        arguments = [
            self._scenario.instruments, f"bars_per_sec={self._bars:g}", f"state={folder / 'broker.jsonl'}",
            *self._scenario.broker,
        ]  # fmt: skip
        self._broker = BrokerProcess(arguments, folder / "broker.log", self._port)
        self._port = self._broker.port
        self._control, self._ear = Control(self._port), Ear(self._port)

    def _stop_broker(self) -> None:
        if self._ear is not None:
            self._ear.close()
        if self._control is not None:
            with suppress(OSError):
                self._control.close()
        if self._broker is not None:
            self._broker.kill()
            self._broker = None

    def _kill_broker(self, node: Node) -> Callable[..., None]:
        """Kill it, alone or together with the node; at times the node sees it come back before it dies itself."""

        def both() -> None: ...
        def broker_then_node() -> None: ...

        self.figures.broker_kills += 1
        if self._dice.random() < 0.4:  # noqa: PLR2004
            node.kill()
            self._stop_broker()
            return both
        self._stop_broker()
        node.pause(self._dice.uniform(0.0, 0.8))
        if self._dice.random() < 0.6:  # noqa: PLR2004
            self._start_broker()
            node.pause(self._dice.uniform(0.0, 2.5))
            self._stop_broker()
        return broker_then_node

    def _scene(self, node: Node) -> Scene:
        if self._ear is None or self._control is None:
            raise SimulatorError("the broker does not run")
        return Scene(node, self._ear, self._reading, self._control, self._dice)

    def _market(self, what: str) -> None:
        self._ask("market", do=what)

    def _ask(self, op: str, **request: Any) -> dict[str, Any]:
        if self._control is None:
            raise SimulatorError("the broker does not run")
        return self._control.ask(op, **request)
