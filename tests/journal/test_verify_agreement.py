"""Rows that follow from others are worked out again: decisions and orders, orders and fills, fills and positions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from journal import tables
from journal.verify_findings import Finding
from tests.journal import tampering
from tests.journal.invented import Node, Step
from tests.journal.verified import ALWAYS, PAPER, Place, changed, fill, place_on, rows, shown

IN_AND_OUT = (
    Step("order", quantity=4, price=Decimal(100), parts=2),
    Step("order", quantity=-4, price=Decimal(110)),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_on("sqlite", tmp_path_factory.mktemp("agreement")) as found:
        yield found


def one_run(place: Place, *steps: Step, **node: Any) -> None:
    """A single sandbox run."""
    place.renew()
    run = Node(place.engine, place.config, "sandbox-1", **node)
    run.live(steps)
    run.end()


def found(place: Place) -> list[Finding]:
    return place.verify().findings.kept


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("positions", {"quantity": Decimal(7)}, "it says 7, the fills make 1"),
        ("positions", {"average_price": Decimal(7)}, "average_price is 7, the fills make 100"),
        ("round_trips", {"pnl": Decimal(1_000_000)}, "pnl is 1000000, the fills make 38.575"),
        ("round_trips", {"pnl_pct": Decimal(9)}, "pnl_pct is 9, the fills make"),
        ("round_trips", {"entry_price": Decimal(1)}, "entry_price is 1, the fills make 100.09375"),
        ("round_trips", {"commission": Decimal(0)}, "commission is 0, the fills make 1.05"),
        ("round_trips", {"closed_ns": 5}, "no fills make this round trip"),
        ("round_trips", {"currency": "EUR"}, "currency is EUR, the fills make USD"),
    ],
)
def test_a_position_or_round_trip_that_does_not_follow_from_the_fills_is_named(
    place: Place, table: str, values: dict[str, Any], said: str
) -> None:
    one_run(place, *IN_AND_OUT)
    with changed(place) as connection:
        meant = tables.metadata.tables[table]
        connection.execute(update(meant).where(meant.c.id == 1), values)
    first = found(place)[0]
    assert (first.kind, first.table, first.row) == ("DISAGREES", table, 1)
    assert said in first.text


@pytest.mark.parametrize(("table", "row"), [("positions", 3), ("round_trips", 1)])
def test_what_a_fill_made_and_is_gone_is_missed(place: Place, table: str, row: int) -> None:
    one_run(place, *IN_AND_OUT, *IN_AND_OUT)
    with changed(place) as connection:
        meant = tables.metadata.tables[table]
        connection.execute(delete(meant).where(meant.c.id == row))
    assert [(each.kind, each.table, "is missing" in each.text) for each in found(place)] == [
        ("DISAGREES", table, True)
    ]


@pytest.mark.parametrize("table", ["positions", "round_trips"])
def test_what_no_fill_made_is_named(place: Place, table: str) -> None:
    one_run(place, *IN_AND_OUT)
    meant = tables.metadata.tables[table]
    with changed(place) as connection:
        row = dict(connection.execute(select(meant).where(meant.c.id == 1)).mappings().one())
        connection.execute(insert(meant), {**row, "id": 99})
    named = [each for each in found(place) if each.table == table and each.row == 99]
    assert len(named) == 1
    assert named[0].text in ("no fill made it", "no fills make this round trip")


@pytest.mark.parametrize(
    "worth", [lambda price: 50 * price, lambda price: -100 / price], ids=["future", "inverse"]
)
def test_what_a_contract_is_worth_is_learned_from_its_rows(place: Place, worth: Any) -> None:
    one_run(place, *IN_AND_OUT, *IN_AND_OUT, worth=worth)
    done = place.verify()
    assert done.is_clean, shown(done)
    with changed(place) as connection:
        connection.execute(
            update(tables.round_trips).where(tables.round_trips.c.id == 2), {"pnl": Decimal(1)}
        )
    assert [(each.table, each.row) for each in found(place)] == [("round_trips", 2)]


def test_profits_in_another_currency_are_not_worked_out_and_that_is_said(place: Place) -> None:
    one_run(place, *IN_AND_OUT, fee_currency="JPY")
    with changed(place) as connection:
        connection.execute(update(tables.round_trips), {"pnl": Decimal(1)})
    done = place.verify()
    assert done.is_clean, shown(done)
    assert "1 round trips were earned in another currency" in done.findings.notes[0]


def test_an_order_handed_on_without_a_decision_is_named_unless_it_only_reduces(place: Place) -> None:
    place.renew()
    run = Node(place.engine, place.config, "sandbox-1")
    run.decides = False
    run.live([Step("order", quantity=3), Step("order", quantity=-3)])
    run.end()
    assert [(each.kind, each.key["client_order_id"]) for each in found(place)] == [
        ("UNDECIDED", "O-sandbox-1-1")
    ]


def test_a_position_that_was_adopted_may_be_reduced_without_a_decision(place: Place) -> None:
    place.renew()
    run = Node(place.engine, place.config, "paper-1", *PAPER)
    run.adopt(Decimal(5), Decimal(90))
    run.decides = False
    run.live([Step("order", quantity=-5, price=Decimal(95))])
    run.end()
    done = place.verify()
    assert done.is_clean, shown(done)


def test_a_fill_of_no_order_is_named(place: Place) -> None:
    one_run(place, *IN_AND_OUT)
    with changed(place) as connection:
        for each in rows(place, "sandbox-1"):
            if each.table.name == "orders":
                tampering.erase(connection, each)
    told = {each.text for each in found(place)}
    assert "no order O-sandbox-1-1 is in the journal" in told


def test_a_fill_twice_is_named_though_the_chain_is_whole(place: Place) -> None:
    place.renew()
    run = Node(place.engine, place.config, "sandbox-1")
    run.twice = True
    run.live([Step("order", quantity=2)])
    run.end()
    assert any("is in the journal twice" in each.text for each in found(place))


def test_limits_that_a_decision_went_by_are_kept_as_they_were(place: Place) -> None:
    fill(place)
    sets = tables.limit_sets
    with changed(place) as connection:
        connection.execute(text("UPDATE limit_sets SET limits = replace(limits, '0.1', '0.9')"))
    assert [(each.kind, each.table) for each in found(place)] == [("CHANGED", "limit_sets")]
    with changed(place) as connection:
        connection.execute(delete(sets))
    assert [(each.kind, each.table) for each in found(place)] == [("MISSING", "limit_sets")]


def test_an_answer_to_a_command_that_is_gone_is_named(place: Place) -> None:
    fill(place, ([Step("command")], ALWAYS, ALWAYS))
    with changed(place) as connection:
        connection.execute(delete(tables.commands).where(tables.commands.c.id == 1))
    told = [each.text for each in found(place)]
    assert "it answers a command that is not in the journal" in told


@pytest.mark.parametrize("table", ["positions", "account_snapshots", "alerts", "round_trips"])
def test_rows_of_paper_and_live_do_not_mix(place: Place, table: str) -> None:
    fill(place, (IN_AND_OUT, ALWAYS, ALWAYS))
    with changed(place) as connection:
        base = {
            "run_id": "paper-1",
            "scope": "live:alpaca",
            "mode": "live",
            "venue": "alpaca",
            "ts": 1,
            "at": 1,
        }
        if table == "alerts":
            connection.execute(insert(tables.alerts), {**base, "level": "info", "kind": "X", "text": "x"})
        elif table == "account_snapshots":
            more = {"currency": "USD", "cash": Decimal(1), "open_positions": 0, "working_orders": 0}
            connection.execute(
                insert(tables.account_snapshots), {**base, **more, "state": "ACTIVE", "why": "time"}
            )
        else:
            meant = tables.metadata.tables[table]
            mixed = {key: base[key] for key in ("scope", "mode", "venue")}
            connection.execute(update(meant).where(meant.c.id == 1), mixed)
    assert any(
        each.kind == "FOREIGN" and each.table == table and "its run is of paper" in each.text
        for each in found(place)
    )


def test_a_run_that_calls_itself_another_account_is_named(place: Place) -> None:
    fill(place)
    with changed(place) as connection:
        connection.execute(update(tables.runs).where(tables.runs.c.run_id == "sandbox-1"), {"mode": "paper"})
    assert any(each.kind == "FOREIGN" and each.table == "runs" for each in found(place))
