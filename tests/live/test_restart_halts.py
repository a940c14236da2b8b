"""Halts, holds and stops over the end of a node, however it came."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from soak.node import Place, verb
from tests.live.lives import lives

pytestmark = pytest.mark.slow

TIGHT = ("risk.max_drawdown_pct=0.005", "risk.max_daily_loss_pct=off")


def test_ctrl_c_cancels_entries_leaves_protective_stops_and_says_what_it_left(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        node = one.start("buy 10; stop sell 10 80 reduce; limit buy 5 90")
        one.bars(node, 100, 101, 102)
        one.until(lambda: len(one.names) == 3, node)
        stop, entry = one.names[1:]
        one.until(lambda: one.order(entry)["status"] == "ACCEPTED", node)
        node.interrupt()
        assert node.wait(150) == 130
        assert "Left open: position AAPL.XNAS 10\n" in node.said
        assert f"Left open: order {stop} on AAPL.XNAS\n" in node.said
        assert entry not in node.said.partition("Left open")[2]
        statuses = {row["client_order_id"]: row["status"] for row in one.audit()["orders"]}
        assert (statuses[stop], statuses[entry]) == ("ACCEPTED", "CANCELED")
        assert one.order(entry)["status"] == "CANCELED"
        one.broker.price(79)  # nobody is there, and it protects
        one.start()
        assert one.booked() == one.held() == {}
        assert one.order(stop)["status"] == "FILLED"
        assert one.is_clean()


def test_a_halt_survives_a_kill_until_a_person_resumes(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        node = one.start("buy 100", *TIGHT, "risk.on_trip=flatten")
        one.bars(node, 100)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(100)}, node)
        one.bars(node, 101)
        one.broker.price(90)
        one.until(lambda: one.reading.tripped() == 1, node)
        node.kill()  # right after the halt is on record
        state = one.said.state
        assert state is not None
        assert state["state"] == "HALTED"
        assert Decimal(state["peak"]) == Decimal(100_100)
        code, said = one.refused(*TIGHT)
        assert code == 3
        assert "venue=local_paper is halted: DRAWDOWN" in said
        assert "live resume" in said
        code, said = one.ask("resume", "reason=looked into it")
        assert code == 0, said
        one.start("", *TIGHT)
        assert one.status["state"] == "ACTIVE"
        assert one.is_clean()


def test_orders_that_waited_for_a_person_expire_with_their_node(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        node = one.start("buy 10", "approval.mode=all")
        one.bars(node, 100)
        one.until(lambda: len(one.status["held"]) == 1, node)
        name = one.status["held"][0]["client_order_id"]
        node.kill()
        second = one.start("", "approval.mode=all")
        code, said = one.ask("orders", "output=json")
        assert code == 0
        assert name not in said
        code, said = one.ask("approve", f"order={name}")
        assert code != 0
        with one.reading.reading() as connection:
            rows = connection.execute(text("SELECT event FROM approvals ORDER BY id")).all()
        assert [row[0] for row in rows] == ["HELD", "EXPIRED"]
        one.bars(second, 101)
        assert one.names == []
        assert one.booked() == {}
        assert one.is_clean()


def test_a_replay_starts_fresh_after_a_kill(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for _ in range(2):
        done = verb(
            place, "run", "run.max_bars=300", "run.tearsheet=false", "run.plots=false", "output=json",
            f"journal.path={tmp_path / 'journal.db'}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert '"starting_equity": "100000.00"' in done.stdout
