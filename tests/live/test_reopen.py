"""A sandbox on real prices keeps its account in the journal: what does a start make of what a kill -9 left?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journal.config import JournalConfig
from journal.database import connect
from journal.verify import Verifier
from simulators.alpaca.control import AlpacaProcess, Control
from soak.node import Node, Place, verb
from soak.reading import Reading, Row, Said
from tests.live.alpaca_here import keys, local_alpaca

pytestmark = pytest.mark.slow

NOTING = """\
strategy_path: tests.live.noting:Noting
config_path: tests.live.noting:NotingConfig
plan: ""
notes: ""
"""
OPEN = (
    "risk.max_leverage=off", "risk.max_position_pct=off", "risk.allow_short=true", "risk.allow_self_crossing=true",
    "risk.max_drawdown_pct=0.9", "risk.max_daily_loss_pct=0.9", "risk.untrusted_jump_pct=off",
    "journal.snapshot_secs=1",
)  # fmt: skip
BOUGHT = Decimal("97999.80")  # 100,000 less 10 at 200.00 and 0.20 of fee
HELD = {"Noting-001": Decimal(10)}


@dataclass
class Sandbox:
    """One account of the journal's, the prices it trades on, and its nodes."""

    folder: Path
    broker: AlpacaProcess
    control: Control
    alive: list[Node] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.place = Place(self.folder, keys())
        self.configs = self.folder / "configs"
        (self.configs / "strategy").mkdir(parents=True)
        (self.configs / "strategy" / "noting.yaml").write_text(NOTING, encoding="utf-8")
        self.config = JournalConfig(path=self.folder / "journal.db")
        self.reading = Reading(self.config, "sandbox:alpaca_sandbox")

    def spawn(self, plan: str = "", *overrides: str) -> Node:
        """Start a node and do not wait for it."""
        self.number += 1
        node = Node(
            self.place, self.number,
            ["venue=alpaca_sandbox", f"venue.trading_url={self.broker.url}", f"journal.path={self.config.path}",
             "instruments=[AAPL]", "bar=1m", "strategy=noting", "venue.latency_ms=0", *OPEN,
             f"strategy.notes={self.notes_of(self.number)}", f"strategy.plan='{plan}'", *overrides],
            configs=self.configs,
        )  # fmt: skip
        self.alive.append(node)
        return node

    def start(self, plan: str = "", *overrides: str) -> Node:
        """Start a node and wait until it runs."""
        node = self.spawn(plan, *overrides)
        self.until(lambda: (self.reading.status() or {}).get("pid") == node.pid, node)
        self.until(lambda: any(self.control.audit()["subscribed"].values()), node)
        return node

    def bar(self, node: Node, close: str) -> None:
        """One more bar, heard by the strategy; what it sent is answered."""
        before, sent = len(self.notes()), 0.0
        start = self.control.ask("bar", symbol="AAPL", close=close)["start"]

        def heard() -> bool:
            nonlocal sent
            if time.monotonic() > sent:  # told again to one that had not asked for bars yet
                sent = time.monotonic() + 3.0
                self.control.ask("bar", symbol="AAPL", close=close, start=start)
            return any(each["at"] == "sent" for each in self.notes()[before:])

        self.until(heard, node)
        self.until(lambda: not {"INTENDED", "SUBMITTED"} & set(self.statuses()), node)

    def notes_of(self, number: int) -> Path:
        return self.folder / f"notes-{number}.jsonl"

    def notes(self) -> list[dict[str, Any]]:
        """What the newest node's strategy was shown."""
        file = self.notes_of(self.number)
        whole = file.read_text().rpartition("\n")[0] if file.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]

    @property
    def said(self) -> Said:
        return self.reading.said()

    @property
    def status(self) -> Row:
        return self.reading.status() or {}

    def held(self) -> dict[str, Decimal]:
        """Strategy -> what it holds, by the node."""
        return {row["strategy"]: Decimal(row["quantity"]) for row in self.status.get("positions", [])}

    def booked(self) -> dict[str, Decimal]:
        """Strategy -> what it holds, by the journal."""
        return {name: row["quantity"] for (name, _), row in self.said.positions.items() if row["quantity"]}

    def until(self, condition: Callable[[], bool], node: Node, secs: float = 150) -> None:
        deadline = time.monotonic() + secs
        while not condition():
            assert node.code is None, node.said[-1500:]
            assert time.monotonic() < deadline, f"it did not come: {node.said[-1500:]}"
            time.sleep(0.02)

    def is_clean(self) -> bool:
        """Whether `live audit verify` finds nothing."""
        engine = connect(self.config)
        try:
            found = Verifier(engine, self.config.heads_folder).verify()
            assert found.is_clean, found
        finally:
            engine.dispose()
        return True

    def bought_and_killed(self, *overrides: str) -> Said:
        """Ten shares at 200.00 that went to 210.00, an order to sell five at 300, and a kill -9."""
        node = self.start("buy 10; limit sell 5 300", *overrides)
        for close in ("200.00", "205.00", "210.00"):
            self.bar(node, close)
        self.until(lambda: self.booked() == HELD and self.statuses() == ["FILLED", "ACCEPTED"], node)
        self.until(lambda: Decimal((self.said.state or {}).get("peak", "0")) == Decimal("100099.80"), node)
        node.kill()
        return self.said

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.said.orders.values()]


@contextmanager
def sandbox(folder: Path) -> Iterator[Sandbox]:
    with local_alpaca(folder) as broker:
        one = Sandbox(folder, broker, broker.control())
        try:
            yield one
        finally:
            one.reading.close()
            for node in one.alive:
                if node.code is None:
                    node.kill()


def test_a_killed_sandbox_goes_on_with_cash_position_and_risk_state_to_the_cent(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        before = one.bought_and_killed()
        node = one.start("-; sell 4; exit")
        assert "re-opened from the journal: 97,999.80 USD cash, 10 AAPL at 200.00" in node.said
        assert "working orders ended with the node that simulated them: SELL 5 AAPL at 300 " in node.said
        shown = one.notes()[0]
        assert shown["at"] == "start"
        assert shown["net"] == ["10"]
        assert shown["positions"] == [["AAPL.ALPACA", "10.0", 200.0, "0.00 USD"]]
        assert shown["balance"] == "99999.80 USD"  # cash, and what the shares cost
        assert one.held() == one.booked() == HELD
        assert Decimal(one.status["cash"]) == BOUGHT
        state = one.said.state or {}
        kept = ("peak", "day_start", "day", "orders_today", "new_positions_today")
        assert {key: state[key] for key in kept} == {key: (before.state or {})[key] for key in kept}
        assert one.statuses() == ["FILLED", "CANCELED"]
        ended = list(one.said.orders.values())[1]
        assert (ended["event"], ended["reason"]) == (
            "RECONCILED", "its fills were simulated inside the node, and ended with it",
        )  # fmt: skip

        for close in ("205.00", "206.00", "207.00", "208.00"):
            one.bar(node, close)
        one.until(lambda: one.booked() == {}, node)
        cash = BOUGHT + 4 * Decimal(206) - Decimal("0.08") + 6 * Decimal(207) - Decimal("0.12")
        one.until(lambda: Decimal(one.status["cash"]) == cash, node)
        last = one.notes()[-1]
        assert (last["net"], last["equity"], last["balance"]) == (["0"], [f"{cash} USD"], f"{cash} USD")
        assert last["positions"] == [["AAPL.ALPACA", "0.0", 200.0, "65.80 USD"]]  # 24 and 42, less 0.20
        assert [row["pnl"] for row in one.said.trips] == [
            Decimal("65.60")
        ]  # less the fee of the purchase, too
        node.interrupt()
        assert node.wait(150) == 130, node.said
        summary = json.loads(next((one.folder / "runs" / "2").rglob("summary.json")).read_text())
        assert Decimal(summary["final_equity"]) == cash
        assert one.is_clean()

        third = one.start()
        assert f"re-opened from the journal: {cash:,.2f} USD cash, no position" in third.said
        assert one.notes()[0]["balance"] == f"{cash} USD"


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_an_average_price_between_two_ticks_costs_no_cent_long_or_short(
    side: str, sign: int, tmp_path: Path
) -> None:
    with sandbox(tmp_path) as one:
        first = one.start(f"{side} 3; {side} 4")
        one.bar(first, "200.00")
        one.bar(first, "200.01")
        one.until(lambda: one.booked() == {"Noting-001": Decimal(7 * sign)}, first)
        first.kill()
        cash = 100_000 - sign * (600 + 4 * Decimal("200.01")) - Decimal("0.06") - Decimal("0.08")
        node = one.start("exit")
        assert f"{cash:,.2f} USD cash, {7 * sign} AAPL at 200.01" in node.said
        assert Decimal(one.status["cash"]) == cash
        for close in ("205.00", "206.00"):
            one.bar(node, close)
        one.until(lambda: one.booked() == {}, node)
        cash += sign * 7 * 205 - Decimal("0.14")
        one.until(lambda: Decimal(one.status["cash"]) == cash, node)
        last = one.notes()[-1]
        assert (last["equity"], last["balance"]) == ([f"{cash} USD"], f"{cash} USD")
        assert one.is_clean()


def test_a_cash_account_goes_on_too(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        cash = ["venue.account_type=cash", "risk.allow_short=false"]
        one.bought_and_killed(*cash)
        node = one.start("exit", *cash)
        assert one.notes()[0]["balance"] == f"{BOUGHT} USD"
        for close in ("205.00", "206.00"):
            one.bar(node, close)
        one.until(lambda: one.booked() == {}, node)
        assert one.notes()[-1]["balance"] == f"{BOUGHT + 2050 - Decimal('0.20')} USD"


def test_reopen_false_begins_a_new_account_and_says_what_it_closed(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        one.bought_and_killed()
        node = one.start("", "venue.reopen=false", "venue.starting_cash=50000")
        said = (
            "a new account, as venue.reopen=false says: 50,000.00 USD cash; closed in the journal: "
            "97,999.80 USD cash, 10 AAPL at 200.00"
        )
        assert said in node.said
        assert next(row["reason"] for row in one.said.risk_events if row["kind"] == "FRESH") == said
        assert one.booked() == one.held() == {}
        shown = one.notes()[0]
        assert (shown["net"], shown["balance"]) == (["0"], "50000.00 USD")
        assert Decimal((one.said.state or {})["peak"]) == 50000
        node.kill()
        again = one.start()
        assert "re-opened from the journal: 50,000.00 USD cash, no position" in again.said
        again.kill()
        assert one.is_clean()


def test_a_halted_sandbox_stays_halted_also_where_a_new_account_is_wanted(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        node = one.start("buy 10")
        one.bar(node, "200.00")
        about = ("venue=alpaca_sandbox", f"journal.path={one.config.path}")
        assert verb(one.place, "halt", *about, "reason=lunch").returncode == 0
        node.kill()
        for more in ([], ["venue.reopen=false"]):
            halted = one.spawn("", *more)
            assert halted.wait(150) == 3
            assert "venue=alpaca_sandbox is halted" in halted.said
        flat = verb(one.place, "flatten", *about)
        assert flat.returncode == 1
        assert "which only a node can close at a price" in flat.stdout + flat.stderr
        assert verb(one.place, "resume", *about, "reason=back").returncode == 0
        resumed = one.start()
        assert "10 AAPL at 200.00" in resumed.said


def test_what_a_strategy_held_that_is_no_more_goes_to_the_one_that_trades_it_now(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        one.bought_and_killed()
        node = one.start("exit", "strategy.strategy_path=tests.live.noting:Heir")
        assert "what Noting-001 held of AAPL goes to Heir-001, which trades it now" in node.said
        assert one.booked() == one.held() == {"Heir-001": Decimal(10)}
        assert one.notes()[0]["positions"] == [["AAPL.ALPACA", "10.0", 200.0, "0.00 USD"]]
        one.bar(node, "205.00")
        one.until(lambda: one.booked() == {}, node)
        one.until(lambda: Decimal(one.status["cash"]) == BOUGHT + 2050 - Decimal("0.20"), node)
        node.kill()
        assert one.is_clean()


def test_what_a_run_could_not_carry_on_with_is_refused_in_one_line(tmp_path: Path) -> None:
    with sandbox(tmp_path) as one:
        one.bought_and_killed()
        other = one.spawn("", "instruments=[MSFT]")
        assert other.wait(150) == 2
        assert "put AAPL into instruments, or use venue.reopen=false for a new account" in other.said
        two = one.spawn(
            "", "+strategy@strategies.second=noting", f"strategies.second.notes={tmp_path / 'second'}"
        )
        assert two.wait(150) == 2
        assert "the engine gives a position back to one strategy only" in two.said
        assert one.booked() == HELD
