"""`live resolve outcome=filled` without a node: no more than the order had, and the round trip it ends is kept."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journal import tables
from journal.config import JournalConfig
from journal.trips import Trip
from live.audit import audit
from live.history import history
from live.pnl import pnl
from live.resolve import resolve
from tests.journal.filled import arguments, journal_on
from tests.live.nodes import Node
from tests.live.told import node_on

WHO, WHAT = "Watched-001", "AAPL.XNAS"


def holds_and_sells(config: JournalConfig, sold: str = "100") -> str:
    """An account that holds 100 bought at 100, and of whose exit nobody knows what became; answers the exit's id."""
    with node_on(config) as left:
        left.buys()
        name = left.desk.order(left.now + 10, WHAT, "SELL", sold, "110", status="UNKNOWN", strategy=WHO)
        left.ends()
    return name


def says(config: JournalConfig, name: str, *words: str) -> int:
    given = ["outcome=filled", "trade=T-9", "reason=asked them", *words]
    return resolve([f"order={name}", *given, *arguments(config)])


def shown(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_round_trip_that_a_resolved_exit_ends_is_in_history_and_profit(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal_on(kind, tmp_path) as config:
        name = holds_and_sells(config)
        assert says(config, name, "quantity=100", "price=110") == 0
        node = Node(tmp_path, config)
        assert node.held() == 0
        (trip,) = node.rows(tables.round_trips)
        assert (trip["strategy"], trip["exit_order"], trip["entry_price"], trip["exit_price"]) == (
            WHO, name, 100, 110,
        )  # fmt: skip
        assert trip["pnl"] == 999  # 100 x 10, and a fee of 1 on the way in
        capsys.readouterr()
        assert history(["output=json", *arguments(config)]) == 0
        assert shown(capsys)["count"] == 1
        assert pnl(["by=instrument", "output=json", *arguments(config)]) == 0
        assert Decimal(shown(capsys)["total"]["pnl"]) == 999
        assert audit(["verify", *arguments(config)]) == 0


def test_a_part_of_an_exit_keeps_the_round_trip_open(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    assert says(config, holds_and_sells(config), "quantity=40", "price=110") == 0
    node = Node(tmp_path, config)
    assert node.rows(tables.round_trips) == []
    row = node.rows(tables.positions)[-1]
    assert (row["quantity"], row["average_price"]) == (60, 100)
    trip = Trip.from_text(row["trip"])
    assert [int(each) for each in (trip.entered, trip.exited, trip.commission)] == [100, 40, 1]


def test_an_exit_that_turned_the_position_round_ends_one_trip_and_begins_the_next(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    assert says(config, holds_and_sells(config, "150"), "quantity=150", "price=110") == 0
    node = Node(tmp_path, config)
    assert [row["quantity"] for row in node.rows(tables.round_trips)] == [100]
    row = node.rows(tables.positions)[-1]
    assert (row["quantity"], int(Trip.from_text(row["trip"]).position)) == (-50, -50)


def test_more_than_the_order_had_left_is_refused_and_nothing_is_booked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    name = holds_and_sells(config)
    before = Node(tmp_path, config).rows(tables.fills)
    assert says(config, name, "quantity=1000", "price=110") == 2
    said = capsys.readouterr().err
    assert f"quantity=1000: {name} has 100 left to fill of 100" in said
    assert said.count("\n") == 1
    node = Node(tmp_path, config)
    assert node.rows(tables.fills) == before
    assert node.held() == 100
    assert says(config, name, "quantity=100.5", "price=110") == 2
    assert says(config, name, "quantity=100", "price=110") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["outcome=lost"], "outcome=lost: there is never_arrived, filled, canceled"),
        (["outcome=filled"], "outcome=filled: say how much at which price"),
        (["outcome=canceled"], "reason: say how you know"),
    ],
)
def test_the_word_that_is_wrong_is_named_before_a_reason_is_asked_for(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(["order=x", *words]) == 2
    assert said in capsys.readouterr().err
