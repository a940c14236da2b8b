"""`live flatten`, `close`, `cancel`: with a node, and at the venue itself where none runs; nothing is closed twice."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.account import VenueOrder, VenuePosition, VenueSnapshot
from journal import tables
from journal.config import JournalConfig
from journal.reader import Reader
from live._flatten_plan import planned
from live.cancel import cancel
from live.close import close
from live.flatten import flatten
from risk.breaker import RiskState
from risk.foreign import EXTERNAL
from tests.journal.filled import journal_on
from tests.live.nodes import Brokered, brokered_node, paper_node, verb, words

pytestmark = pytest.mark.slow

both_kinds = pytest.mark.parametrize("kind", ["sqlite", "postgres"])
SCOPE = "paper:local_paper"
PATIENT = "timeout_secs=150"


@contextmanager
def trading(folder: Path, kind: str = "sqlite", *options: str) -> Iterator[Brokered]:
    """A node at a local broker that holds 100, with an entry and a stop at work."""
    with journal_on(kind, folder) as config, brokered_node(folder, config, *options) as found:
        found.node.until_steady()
        yield found


def state_of(config: JournalConfig) -> RiskState:
    row = Reader(config).risk_state(SCOPE)
    assert row is not None
    return RiskState.from_row(row)


# -- with a node ----------------------------------------------------------------------------------------------------


@both_kinds
def test_a_node_closes_everything_and_the_verb_waits_until_it_is_flat(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path, kind) as found:
        config = found.node.config
        assert flatten(words(["reason=out", "output=json", PATIENT], config)) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["by"], shown["flat"], shown["left"]) == ("node", True, [])
        assert found.positions() == {}
        assert found.working() == []
        assert set(found.received().values()) == {1}
        assert state_of(config).breaker == "FLATTEN"
        found.node.stop(signal.SIGKILL)
        again = verb(tmp_path, "run", *found.node.options, "run.max_bars=3", config=config)
        assert again.returncode == 3


def test_close_closes_one_instrument_and_trading_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path) as found:
        config = found.node.config
        assert close(words(["AAPLE"], config)) == 2
        assert close(words(["AAPL", "reason=news", PATIENT], config)) == 0
        assert "flat: nothing is held any more" in capsys.readouterr().out
        assert not state_of(config).halted
        found.node.until(lambda: int(found.positions().get("AAPL.XNAS", "0")) >= 1, "the strategy trades on")


def test_cancel_says_which_orders_are_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with trading(tmp_path) as found:
        config = found.node.config
        before = {row["client_order_id"]: row for row in found.working()}
        entry = next(name for name, row in before.items() if row["type"] == "LIMIT")
        stop = next(name for name, row in before.items() if row["type"] == "STOP_MARKET")
        assert cancel(words([], config)) == 2
        assert cancel(words([f"order={stop}"], config)) == 2
        assert "protective=true" in capsys.readouterr().err
        assert cancel(words(["all=true", "output=json", PATIENT], config)) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["states"] == {entry: "CANCELED"}
        assert shown["kept"] == 1
        assert [row["client_order_id"] for row in found.working()] == [stop]
        assert cancel(words([f"order={stop}", "protective=true", PATIENT], config)) == 0
        assert found.working() == []


# -- without one ----------------------------------------------------------------------------------------------------


@both_kinds
def test_without_a_node_it_closes_at_the_venue_with_the_last_runs_config(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path, kind) as found:
        node, config = found.node, found.node.config
        node.stop(signal.SIGKILL)
        entry, stop = sorted(found.working(), key=lambda row: row["type"])
        where = tmp_path / "elsewhere"
        where.mkdir()
        (where / "configs").write_text("not even a folder")
        asked = verb(where, "flatten", "reason=gone", config=config)
        assert asked.returncode == 2
        assert "nobody is at a terminal" in asked.stderr
        assert found.positions() != {}
        done = verb(where, "flatten", "reason=gone", "confirm=yes", config=config)
        assert done.returncode == 0, done.stderr
        assert f"({entry['client_order_id']})" in done.stdout
        assert f"({stop['client_order_id']})" in done.stdout
        assert "of Steady-001" in done.stdout
        assert "flat: all of it is done, the venue says" in done.stdout
        assert found.positions() == {}
        assert found.working() == []
        assert set(found.received().values()) == {1}
        state = state_of(config)
        assert (state.halted, state.breaker, state.flattening) == (True, "FLATTEN", False)
        assert_on_record(node.config, entry["client_order_id"], stop["client_order_id"])
        assert flatten(words(["output=json"], config)) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["closing"], shown["flat"], shown["by"]) == ([], True, "verb")
        checked = verb(where, "audit", "verify", config=config)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert verb(where, "resume", "reason=back", config=config).returncode == 0
        again = verb(tmp_path, "run", *node.options, "run.max_bars=3", config=config)
        assert again.returncode == 0, again.stderr
        assert "the journal explains" not in again.stderr
        assert "a fill was missed" not in again.stderr


def assert_on_record(config: JournalConfig, *cancelled: str) -> None:
    reader = Reader(config)
    states = {row["client_order_id"]: row for row in reader.order_states(SCOPE)}
    for name in cancelled:
        assert (states[name]["status"], states[name]["source"]) == ("CANCELED", "operator")
    closes = [row for name, row in states.items() if name.startswith("KEEL-FLAT-")]
    assert [(row["status"], row["strategy"], row["reduce_only"]) for row in closes] == [
        ("FILLED", "Steady-001", True)
    ]
    fills = reader.rows(tables.fills, tables.fills.c.source == "operator")
    assert [row["client_order_id"] for row in fills] == [closes[0]["client_order_id"]]
    assert reader.open_positions(SCOPE) == []
    trips = reader.rows(tables.round_trips)
    assert trips[-1]["exit_order"] == closes[0]["client_order_id"]
    entered = sum(
        (row["quantity"] for row in reader.rows(tables.fills, tables.fills.c.side == "BUY")), Decimal(0)
    )
    assert trips[-1]["quantity"] == entered
    commands = reader.rows(tables.commands)
    assert [(row["verb"], row["why"]) for row in commands] == [("flatten", "gone")]
    assert [row["by"] for row in reader.rows(tables.receipts)] == ["verb"]


def test_an_answer_that_is_lost_closes_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path) as found:
        found.node.stop(signal.SIGKILL)
        found.control.ask("fault", on="submit", drop_answer=1)
        assert flatten(words(["confirm=yes"], found.node.config)) == 0
        assert "flat: all of it is done" in capsys.readouterr().out
        assert found.positions() == {}
        assert set(found.received().values()) == {1}


def test_a_close_that_is_refused_is_tried_again_under_another_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path) as found:
        found.node.stop(signal.SIGKILL)
        found.control.ask("fault", on="submit", reject_next=2)
        assert flatten(words(["confirm=yes"], found.node.config)) == 0
        assert "flat: all of it is done" in capsys.readouterr().out
        assert found.positions() == {}


class Waiting:
    """A terminal at which a person answers `yes` after something happened, and then at once."""

    def __init__(self, happens: Callable[[], Any]) -> None:
        self.asked = 0
        self._happens = happens

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        self.asked += 1
        if self.asked == 1:
            self._happens()
        return "yes\n"


@pytest.mark.parametrize(("side", "asked"), [("SELL", 1), ("BUY", 2)])
def test_what_happens_while_a_person_is_asked_counts_and_is_shown_where_it_grew(
    side: str, asked: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with trading(tmp_path) as found:
        found.node.stop(signal.SIGKILL)
        held = int(found.positions()["AAPL.XNAS"])

        def traded() -> None:
            found.control.ask(
                "submit", client_order_id="by-hand", instrument="AAPL.XNAS", side=side, type="MARKET",
                quantity="40",
            )  # fmt: skip

        person = Waiting(traded)
        monkeypatch.setattr(sys, "stdin", person)
        assert flatten(words([], found.node.config)) == 0
        said = capsys.readouterr()
        assert person.asked == asked
        assert ("meanwhile it changed" in said.err) is (asked == 2)
        assert "flat: all of it is done" in said.out
        assert found.positions() == {}
        closes = [
            row["quantity"]
            for row in found.control.ask("audit")["orders"]
            if "FLAT" in row["client_order_id"]
        ]
        assert sum(map(int, closes)) == held + (40 if side == "BUY" else -40)


def test_a_broker_that_is_gone_is_said_in_one_line_and_nothing_is_claimed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with trading(tmp_path) as found:
        found.node.stop(signal.SIGKILL)
        found.broker.kill()
        assert flatten(words(["confirm=yes"], found.node.config)) == 2
        said = capsys.readouterr()
        assert "no broker answers" in said.err
        assert said.err.count("\n") == 1
        assert said.out == ""


def test_of_two_strategies_one_can_be_taken_out_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two = ("+strategy@strategies.twin=twin",)
    with trading(tmp_path, "sqlite", *two) as found:
        found.node.until(lambda: found.node.held() >= 200 and len(found.working()) >= 4, "both hold")
        found.node.stop(signal.SIGKILL)
        config = found.node.config
        assert flatten(words(["strategy=Twin-003", "confirm=yes"], config)) == 2
        assert "did you mean Twin-002?" in capsys.readouterr().err
        held = {row["strategy"]: row["quantity"] for row in Reader(config).open_positions(SCOPE)}
        assert flatten(words(["strategy=Twin-002", "confirm=yes", "output=json"], config)) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["scope"] == "strategy:Twin-002"
        assert found.positions() == {"AAPL.XNAS": f"{held['Steady-001']:f}"}
        assert len(found.working()) == 2
        state = state_of(config)
        assert not state.halted
        assert state.halted_scopes == ("strategy:Twin-002",)


def test_where_nothing_outlives_the_node_there_is_nothing_to_flatten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config, "run.max_bars=5", "venue.speed=0") as node:
        assert node.process is not None
        assert node.process.wait(150) == 0, node.tail()
        assert flatten(words(["confirm=yes"], config)) == 0
        assert "nothing outlives the node" in capsys.readouterr().out
        assert close(words(["AAPL"], config)) == 2
        assert "no node trades my_paper now" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["timeout_secs=soon"], "timeout_secs=soon"),
        (["strategie=x"], "did you mean strategy?"),
        (["journal.path=/nowhere/at/all.db"], "there is no journal"),
    ],
)
def test_bad_input_costs_one_line_and_exit_code_two(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flatten(given) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


# -- the plan -------------------------------------------------------------------------------------------------------


def snapshot(*positions: tuple[str, int], orders: tuple[VenueOrder, ...] = ()) -> VenueSnapshot:
    held = tuple(VenuePosition(name, Decimal(quantity), Decimal(100)) for name, quantity in positions)
    return VenueSnapshot("A", "USD", Decimal(0), None, None, orders, (), held, 1)


def rows(**held: int) -> dict[tuple[str, str], dict[str, Any]]:
    return {(name, "AAPL"): {"quantity": Decimal(quantity)} for name, quantity in held.items()}


@pytest.mark.parametrize(
    ("net", "own", "closes"),
    [
        (150, {"A": 100, "B": 50}, [("A", 100), ("B", 50)]),
        (60, {"A": 100, "B": -40}, [("A", 60)]),
        (-60, {"A": 40, "B": -100}, [("B", -60)]),
        (130, {"A": 100}, [("A", 100), (EXTERNAL, 30)]),
        (10, {"A": -20}, [(EXTERNAL, 10)]),
        (5, {}, [(EXTERNAL, 5)]),
        (0, {"A": 10, "B": -10}, []),
    ],
)
def test_what_the_venue_holds_net_is_shared_out_and_never_more_than_that_is_closed(
    net: int, own: dict[str, int], closes: list[tuple[str, int]]
) -> None:
    plan = planned(snapshot(("AAPL", net)), rows(**own), {}, None)
    assert [(close.strategy, int(close.quantity)) for close in plan.closes] == closes
    assert sum(close.quantity for close in plan.closes) == net
    assert len({close.client_order_id for close in plan.closes}) == len(closes)


def test_of_one_strategy_only_what_the_venue_has_room_for_is_closed_and_the_rest_is_said() -> None:
    plan = planned(snapshot(("AAPL", 60)), rows(A=100, B=-40), {}, "A")
    assert [(close.strategy, int(close.quantity)) for close in plan.closes] == [("A", 60)]
    assert plan.left[0].startswith("left   +40 AAPL of A")
