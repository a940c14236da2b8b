"""`live approve` and `reject`: what waits is listed, sent once at most, and gone with its node."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from configs.asked import asked_limits
from configs.load import compose
from journal import tables
from journal.config import JournalConfig
from live.approve import approve
from live.reject import reject
from live.resolve import resolve
from tests.journal.filled import arguments, journal_on
from tests.live.nodes import ROOT, Node, environment, paper_node, words
from tests.live.told import SCOPE, node_on

ASKS = (
    "strategy=asks", "approval.mode=all", "approval.timeout_mins=10000000", "risk.approval_band_pct=off",
)  # fmt: skip
both_kinds = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


def until_two_wait(node: Node) -> tuple[str, str]:
    held = node.until(
        lambda: (
            [row["client_order_id"] for row in node.rows(tables.approvals) if row["event"] == "HELD"][1:]
            and node.rows(tables.approvals, tables.approvals.c.event == "HELD")
        ),
        "two orders wait",
    )
    return held[0]["client_order_id"], held[1]["client_order_id"]


def events(node: Node, name: str) -> list[str]:
    table = tables.approvals
    return [row["event"] for row in node.rows(table, table.c.client_order_id == name)]


# -- with a node ----------------------------------------------------------------------------------------------------


@both_kinds
def test_what_waits_is_listed_approved_once_and_rejected_with_words(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal_on(kind, tmp_path) as config, paper_node(tmp_path, config, *ASKS) as node:
        first, second = until_two_wait(node)
        assert approve(words([], config)) == 0
        listed = capsys.readouterr().out.splitlines()
        assert listed[0].startswith(f"{first}  BUY 10 AAPL.XNAS at about ")
        assert listed[1].startswith(f"{second}  BUY 20 AAPL.XNAS at about ")
        assert approve(words(["output=json"], config)) == 0
        document = json.loads(capsys.readouterr().out)
        assert [row["client_order_id"] for row in document["waiting"]] == [first, second]
        assert approve(words([f"order={first}"], config)) == 0
        assert capsys.readouterr().out == f"{first} was approved and sent\n"
        assert approve(words([f"order={first}"], config)) == 2
        assert "does not wait any more" in capsys.readouterr().err
        assert reject(words([f"order={second}", "reason=too large"], config)) == 0
        node.until(lambda: node.held() == 10, "the approved order filled")
        assert events(node, first) == ["HELD", "APPROVED"]
        assert events(node, second) == ["HELD", "REJECTED"]
        assert approve(words([], config)) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "no order waits for a person"
        fills = node.rows(tables.fills)
        assert [row["client_order_id"] for row in fills] == [first]


def test_two_people_at_once_send_one_order(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config, *ASKS) as node:
        first, _ = until_two_wait(node)
        command = [sys.executable, "-m", "live", "approve", f"order={first}", *arguments(config)]
        both = [
            subprocess.Popen(
                command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(3)
        ]
        said = [one.communicate(timeout=240)[1].decode() for one in both]
        assert sorted(one.returncode for one in both) == [0, 2, 2], said
        node.until(lambda: node.held() == 10, "it filled once")
        assert events(node, first) == ["HELD", "APPROVED"]
        orders = tables.orders
        intents = node.rows(orders, orders.c.client_order_id == first, orders.c.event == "INTENT")
        assert len(intents) == 1


def test_what_waited_is_gone_with_its_node_and_the_next_one_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config, *ASKS) as node:
        first, second = until_two_wait(node)
        node.stop(signal.SIGKILL)
        assert approve(words([], config)) == 0
        assert "no node runs: the 2 that waited when it ended are gone" in capsys.readouterr().out
        assert approve(words([f"order={first}"], config)) == 2
        assert "no node trades my_paper now" in capsys.readouterr().err
        node.start()
        node.until(lambda: events(node, second)[-1] == "EXPIRED", "what waited is on record as gone")
        assert events(node, first) == ["HELD", "EXPIRED"]
        assert node.rows(tables.fills) == []
        assert approve(words([f"order={first}"], config)) == 2


def test_stopping_a_node_takes_back_what_waits(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with paper_node(tmp_path, config, *ASKS) as node:
        first, second = until_two_wait(node)
        assert node.stop() == 0
        assert events(node, first) == ["HELD", "WITHDRAWN"]
        assert events(node, second) == ["HELD", "WITHDRAWN"]


# -- whose orders wait ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "venue", "asks"),
    [
        ("none", "live", False),
        ("live_orders", "paper", False),
        ("live_orders", "live", True),
        ("all", "paper", True),
        ("all", "sandbox", True),
    ],
)
def test_the_mode_says_on_which_venues_orders_wait(mode: str, venue: str, *, asks: bool) -> None:
    config = compose("live", [f"approval.mode={mode}"]).config
    config = config.model_copy(update={"venue": config.venue.model_copy(update={"mode": venue})})
    assert asked_limits(config).require_approval is asks


def test_time_and_band_of_the_section_come_before_those_of_the_limits() -> None:
    plain = asked_limits(compose("live", ["risk.approval_timeout_mins=7"]).config)
    assert (str(plain.approval_timeout_mins), str(plain.approval_band_pct)) == ("7", "0.01")
    set_ = asked_limits(compose("live", ["approval.timeout_mins=5", "approval.band_pct=0.02"]).config)
    assert (str(set_.approval_timeout_mins), str(set_.approval_band_pct)) == ("5", "0.02")


def test_require_approval_asks_in_any_mode() -> None:
    assert asked_limits(compose("live", ["risk.require_approval=true"]).config).require_approval


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "order: which one?"),
        (["order=O-1"], "no node trades my_paper now"),
        (["ordr=O-1"], "did you mean order?"),
    ],
)
def test_a_rejection_that_cannot_be_done_costs_one_line(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as left:
        left.ends()
    assert reject([*given, *arguments(config)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


# -- orders nobody knows of, without a node -------------------------------------------------------------------------


@both_kinds
@pytest.mark.parametrize(
    ("outcome", "status", "held"),
    [
        (["outcome=never_arrived"], "ABSENT", 0),
        (["outcome=canceled"], "CANCELED", 0),
        (["outcome=filled", "quantity=100", "price=99.5", "trade=T-9"], "FILLED", 100),
        (["outcome=filled", "quantity=40", "price=99.5"], "CANCELED", 40),
    ],
)
def test_without_a_node_a_persons_word_on_an_order_is_kept_for_the_next_start(
    kind: str, outcome: list[str], status: str, held: int, tmp_path: Path
) -> None:
    with journal_on(kind, tmp_path) as config:
        with node_on(config) as left:
            name = left.buys(status="UNKNOWN")
            left.ends()
        assert resolve([f"order={name}", *outcome, "reason=asked them", *arguments(config)]) == 0
        node = Node(tmp_path, config)
        row = node.reader().order_states(SCOPE)[-1]
        assert (row["client_order_id"], row["event"], row["status"], row["source"]) == (
            name, "RESOLVED", status, "operator",
        )  # fmt: skip
        assert node.held() == held
        fills = node.rows(tables.fills, tables.fills.c.source == "operator")
        assert [int(fill["quantity"]) for fill in fills] == ([held] if held else [])
        assert resolve([f"order={name}", *outcome, "reason=again", *arguments(config)]) == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["outcome=never_arrived", "reason=x"], "order: which one?"),
        (["order=O-1", "reason=x"], "outcome: what became of it?"),
        (["order=O-1", "outcome=lost", "reason=x"], "there is never_arrived, filled, canceled"),
        (["order=O-1", "outcome=filled", "reason=x"], "say how much at which price"),
        (["order=O-1", "outcome=canceled", "price=1", "reason=x"], "belong to outcome=filled"),
        (["order=O-1", "outcome=filled", "quantity=-1", "price=1", "reason=x"], "above zero"),
        (["order=O-1", "outcome=never_arrived"], "reason: say how you know"),
        (["order=O-1", "outcome=never_arrived", "reason=x"], "what became of every order is known"),
    ],
)
def test_an_answer_that_cannot_be_taken_costs_one_line(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with node_on(config) as left:
        left.buys()
        left.ends()
    assert resolve([*given, *arguments(config)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


HELPS: list[tuple[str, Any]] = [("approve", approve), ("reject", reject), ("resolve", resolve)]


@pytest.mark.parametrize(("name", "run"), HELPS)
def test_help_shows_an_example(name: str, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert f"Example: python -m live {name}" in capsys.readouterr().out
