"""All that is in the journal about one order is found, and nothing of another one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from journal import tables
from journal.story import Story, like, names_of, story_of
from tests.journal.invented import Node, Step
from tests.journal.verified import PAPER, Place, place_on

BUY, SELL = Step("order", quantity=3, parts=3), Step("order", quantity=-3, price=Decimal(110))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on(request.param, tmp_path_factory.mktemp("story")) as found:
        yield found


@pytest.fixture
def connection(place: Place) -> Iterator[Connection]:
    place.renew()
    with place.engine.connect() as opened:
        yield opened


def ran(place: Place, name: str, *steps: Step) -> Node:
    """A run of the paper account."""
    node = Node(place.engine, place.config, name, *PAPER)
    node.live(steps)
    return node


def told(connection: Connection, order: str, run: str | None = None) -> Story:
    found = story_of(connection, order, run)
    assert found is not None
    return found


def test_an_order_is_told_with_its_decision_fills_and_round_trip(
    place: Place, connection: Connection
) -> None:
    ran(place, "one", BUY, SELL, BUY).end()
    story = told(connection, "O-one-1")
    assert [row["verdict"] for row in story.decisions] == ["PASS"]
    assert [row["event"] for row in story.orders][:3] == ["INTENT", "SENDING", "ACCEPTED"]
    assert [row["quantity"] for row in story.fills] == [1, 1, 1]
    assert [(row["entry_order"], row["exit_order"]) for row in story.round_trips] == [("O-one-1", "O-one-2")]
    assert story.limits[story.decisions[0]["limits_version"]]["max_position_pct"] == "0.1"
    assert story.run["run_id"] == "one"


def test_a_refused_order_has_a_story(place: Place, connection: Connection) -> None:
    ran(place, "one", Step("refusal", text="too much")).end()
    story = told(connection, "O-one-1")
    assert (story.orders, story.fills) == ([], [])
    assert story.first["reason"] == "MAX_POSITION: too much"


def test_an_order_that_added_to_a_round_trip_is_part_of_it(place: Place, connection: Connection) -> None:
    ran(place, "one", BUY, Step("order", quantity=2), Step("order", quantity=-5)).end()
    assert [row["exit_order"] for row in told(connection, "O-one-2").round_trips] == ["O-one-3"]


def test_of_two_accounts_the_newest_is_told_unless_a_run_is_named(
    place: Place, connection: Connection
) -> None:
    for name in ("one", "two"):
        node = Node(place.engine, place.config, f"sandbox-{name}")
        node.run_id = "x"
        node.live([BUY if name == "one" else SELL])
        node.end()
    story = told(connection, "O-x-1")
    assert (story.run["run_id"], story.other_runs) == ("sandbox-two", ["sandbox-one"])
    assert story.first["side"] == "SELL"
    assert told(connection, "O-x-1", "sandbox-one").first["side"] == "BUY"
    assert story_of(connection, "O-x-1", "elsewhere") is None


def test_halts_before_and_while_it_lived_belong_to_it(place: Place, connection: Connection) -> None:
    ran(place, "one", Step("event", text="DRAWDOWN: too deep"), Step("refusal"), BUY).end()
    story = told(connection, "O-one-1")
    assert story.halted_by is not None
    assert story.halted_by["reason"] == "DRAWDOWN: too deep"


def test_what_was_said_of_an_order_with_a_longer_name_is_not_its_own(
    place: Place, connection: Connection
) -> None:
    node = ran(place, "one", BUY)
    for reason in ("nobody knows what became of O-one-12", "nobody knows what became of O-one-1: a timeout"):
        values = {"kind": "UNKNOWN_ORDER", "breaker": None, "risk_scope": "book", "reason": reason}
        row = {**node.base, "ts": node.ts, **values, "equity": None, "reference": None}
        node.writer.add(tables.risk_events, row)
    node.end()
    assert [row["reason"][-9:] for row in told(connection, "O-one-1").events] == ["a timeout"]


def test_a_venues_own_id_and_a_trade_id_name_the_order(place: Place, connection: Connection) -> None:
    ran(place, "one", BUY, SELL).end()
    assert names_of(connection, "V2") == ["O-one-2"]
    assert names_of(connection, "T-one-1-2") == ["O-one-1"]
    assert names_of(connection, "O-one-2") == ["O-one-2"]
    assert names_of(connection, "V7") == []


def test_a_name_that_is_almost_right_is_offered(place: Place, connection: Connection) -> None:
    ran(place, "one", *[BUY] * 12).end()
    assert like(connection, "one-12") == ["O-one-12"]
    assert "O-one-7" in like(connection, "0-one-7")
    assert like(connection, "nothing of the kind") == []
