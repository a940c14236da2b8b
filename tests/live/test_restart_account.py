"""What a node does at its start when the account is not as the journal left it, or cannot be asked at all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.live.lives import AAPL, Lives, lives

pytestmark = pytest.mark.slow


def _by_hand(one: Lives, side: str, units: int, **more: str) -> None:
    """Somebody trades at the broker's own page."""
    one.broker.ask("submit", instrument=AAPL, side=side, type="MARKET", quantity=str(units), **more)


def _after_a_kill(one: Lives) -> None:
    first = one.start("buy 10")
    one.bars(first, 100)
    one.until(lambda: one.booked() == {"Planned-001": Decimal(10)}, first)
    first.kill()


def test_a_position_changed_by_hand_is_frozen_adopted_or_refused_as_the_config_says(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        _after_a_kill(one)
        _by_hand(one, "BUY", 5)
        code, said = one.refused("run.foreign_positions=refuse")
        assert code == 2
        assert "AAPL.XNAS: the venue holds 15, the journal explains 10; run.foreign_positions=refuse" in said
        assert one.booked() == {"Planned-001": Decimal(10)}  # a refusal changes nothing

        frozen = one.start("buy 3; exit")
        assert one.held() == {"Planned-001": Decimal(10), "EXTERNAL": Decimal(5)}
        assert [row["instrument"] for row in one.status["frozen"]] == [AAPL]
        one.bars(frozen, 101)
        assert one.audit()["positions"][0]["quantity"] == "15"  # nothing is opened there
        assert Decimal(one.status["cash"]) == Decimal(one.audit()["cash"])
        frozen.kill()
        assert one.is_clean()

        again = one.start()  # the journal knows it now, and still nobody has explained it
        assert one.held() == {"Planned-001": Decimal(10), "EXTERNAL": Decimal(5)}
        assert [row["instrument"] for row in one.status["frozen"]] == [AAPL]
        again.kill()

        _by_hand(one, "SELL", 7)
        adopted = one.start("exit", "run.foreign_positions=adopt")
        assert one.status["frozen"] == []
        assert one.held() == one.booked() == {"Planned-001": Decimal(8)}
        one.bars(adopted, 101)
        one.until(lambda: one.booked() == {}, adopted)
        assert one.is_clean()


def test_what_was_bought_by_hand_is_the_strategys_where_it_is_to_be_adopted(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        _after_a_kill(one)
        _by_hand(one, "BUY", 5)
        node = one.start("exit", "run.foreign_positions=adopt")
        assert one.held() == one.booked() == {"Planned-001": Decimal(15)}
        assert "the difference is Planned-001's from now on" in node.said
        one.bars(node, 101)
        one.until(lambda: one.booked() == {}, node)
        assert one.audit()["positions"] == []
        assert one.is_clean()


def test_an_open_order_of_somebody_else_freezes_its_instrument(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        _after_a_kill(one)
        one.broker.ask(
            "submit", instrument=AAPL, side="BUY", type="LIMIT", quantity="5", price="90", tif="GTC"
        )
        node = one.start("buy 3; sell 4")
        assert one.events("FOREIGN_ORDER") == [
            "order L-2 (BUY 5 AAPL.XNAS) works at the venue and is nobody's here"
        ]
        one.bars(node, 101, 102)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(6)}, node)  # bought nothing, sold 4
        one.broker.price(90)  # it fills: nobody's, and it counts
        one.until(lambda: one.held() == {"Planned-001": Decimal(6), "EXTERNAL": Decimal(5)}, node)
        one.until(lambda: Decimal(one.status["cash"]) == Decimal(one.audit()["cash"]), node)
        assert len(one.said.fills) == len(one.audit()["fills"])
        assert one.status["state"] == "ACTIVE"
        assert one.is_clean()


def test_somebody_who_trades_on_the_account_meanwhile_is_told_counted_and_freezes_the_instrument(
    tmp_path: Path,
) -> None:
    with lives(tmp_path) as one:
        node = one.start("buy 10; buy 3; sell 4")
        one.bars(node, 100)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(10)}, node)
        _by_hand(one, "BUY", 5)
        one.until(lambda: one.held() == {"Planned-001": Decimal(10), "EXTERNAL": Decimal(5)}, node)
        assert one.events("FOREIGN_FILL") == [
            "fill T-2 (BUY 5 AAPL.XNAS at 100) came at the venue and is nobody's here"
        ]
        one.bars(node, 101, 102)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(6), "EXTERNAL": Decimal(5)}, node)
        assert one.status["state"] == "ACTIVE"
        assert len(one.said.fills) == len(one.audit()["fills"])
        assert one.is_clean()


def test_a_venue_that_cannot_be_asked_or_cannot_tell_refuses_the_start_in_one_line(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        _after_a_kill(one)
        one.broker.fault(on="snapshot", reject_next=1)
        code, said = one.refused()
        assert code == 2
        assert said.splitlines()[-1].startswith(
            "error: the venue cannot tell its state, so nothing is started: "
        )
        one.broker.fault(on="snapshot", reject_next=0, drop_answer=1)
        code, said = one.refused()
        assert code == 2
        assert "no answer to snapshot within 3 s" in said
        one.broker.kill()
        code, said = one.refused()
        assert code == 2
        assert "no broker answers on 127.0.0.1" in said.splitlines()[-1]
        assert "Traceback" not in said


def test_a_second_node_on_the_account_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        first = one.start("buy 10")
        code, said = one.refused()
        assert code not in (0, None)
        assert (
            f"another node trades paper:local_paper in journal {one.config.path}, process {first.pid}" in said
        )
        one.bars(first, 100)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(10)}, first)
