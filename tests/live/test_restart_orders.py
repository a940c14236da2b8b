"""What a node finds out at its start about the orders of the one before it, which was killed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.live.lives import lives

pytestmark = pytest.mark.slow


def test_an_order_in_flight_when_it_was_killed_is_found_as_its_own_and_its_fill_booked_once(
    tmp_path: Path,
) -> None:
    with lives(tmp_path) as one:
        first = one.start("buy 10")
        one.broker.fault(on="submit", drop_answer=1, drop_events=True)
        one.broker.price(100)
        one.until(lambda: len(one.names) == 1, first)
        first.kill()
        (name,) = one.names
        assert one.order(name)["status"] in ("SENDING", "SUBMITTED")  # nobody told the node
        assert one.booked() == {}
        one.broker.fault(drop_events=False)

        one.start()
        assert one.order(name)["status"] == "FILLED"
        assert one.order(name)["source"] == "reconciled"
        assert one.booked() == one.held() == {"Planned-001": Decimal(10)}
        (fill,) = one.said.fills
        assert (fill["client_order_id"], fill["strategy"], fill["source"]) == (
            name,
            "Planned-001",
            "reconciled",
        )
        assert Decimal(one.status["cash"]) == Decimal(one.audit()["cash"])
        assert one.status["unknown"] == []
        assert one.status["frozen"] == []
        assert one.is_clean()

        one.alive[-1].kill()
        one.start()  # once more: nothing is added twice
        assert len(one.said.fills) == 1
        assert one.held() == {"Planned-001": Decimal(10)}
        assert one.broker.received == {name: 1}


def test_what_never_left_is_not_sent_what_never_arrived_is_absent_and_neither_blocks(tmp_path: Path) -> None:
    with lives(tmp_path) as one:
        first = one.start("emulated buy 10 50; buy 7")
        one.bars(first, 100)
        one.until(lambda: len(one.said.orders) == 1, first)
        (emulated,) = one.said.orders  # the engine holds it: nothing of it was sent
        one.broker.fault(on="submit", lose_request=1)
        one.broker.price(101)
        one.until(lambda: len(one.said.sending) == 1, first)
        (lost,) = one.said.sending
        first.kill()
        assert one.names == []

        second = one.start("buy 3")
        assert one.order(emulated)["status"] == "NOT_SENT"
        assert one.order(lost)["status"] == "ABSENT"
        assert "asked twice" in one.order(lost)["reason"]
        assert one.status["unknown"] == []
        one.bars(second, 102)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(3)}, second)
        assert len(one.names) == 1
        assert one.is_clean()


def test_an_order_that_the_venue_took_and_forgot_blocks_its_instrument_until_a_person_answers(
    tmp_path: Path,
) -> None:
    with lives(tmp_path) as one:
        first = one.start("buy 10; limit buy 5 80")
        one.bars(first, 100, 100.5)
        one.until(lambda: len(one.names) == 2, first)
        forgotten = one.names[1]
        one.until(lambda: one.order(forgotten)["status"] == "ACCEPTED", first)
        first.kill()
        one.broker.kill()
        state = tmp_path / "broker.jsonl"
        kept = [line for line in state.read_text("utf-8").splitlines() if forgotten not in line]
        state.write_text("\n".join(kept) + "\n", "utf-8")
        one.broker.start()

        second = one.start("buy 3; sell 4")
        assert one.order(forgotten)["status"] == "UNKNOWN"
        (question,) = one.status["unknown"]
        assert question["client_order_id"] == forgotten
        assert "live resolve" in second.said
        one.bars(second, 101, 102)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(6)}, second)  # the exit passed
        assert len(one.audit()["orders"]) == 2

        second.kill()  # the question is still open
        third = one.start("buy 3")
        assert [row["client_order_id"] for row in one.status["unknown"]] == [forgotten]
        more = ("outcome=filled", "quantity=6", "price=80", "trade=T-1", "reason=asked them")
        code, said = one.ask("resolve", f"order={forgotten}", *more)
        assert (code, said.count("\n")) == (2, 1)
        assert f"quantity=6: {forgotten} has 5 left to fill of 5" in said
        assert one.booked() == {"Planned-001": Decimal(6)}
        code, said = one.ask("resolve", f"order={forgotten}", "outcome=never_arrived", "reason=asked them")
        assert code == 0, said
        one.until(lambda: one.status["unknown"] == [], third)
        one.bars(third, 103)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(9)}, third)
        assert one.is_clean()


def test_a_resting_order_of_a_former_life_fills_once_for_its_owner_and_its_exit_is_sized_right(
    tmp_path: Path,
) -> None:
    with lives(tmp_path, "partial=0.5") as one:
        first = one.start("limit buy 12 95; stop sell 40 60 reduce")
        one.bars(first, 100, 100.5)
        one.until(lambda: len(one.names) == 2, first)
        one.bars(first, 95)  # half of it
        one.until(lambda: one.booked() == {"Planned-001": Decimal(6)}, first)
        first.kill()
        one.broker.price(95)  # a half of the rest, and nobody is there
        second = one.start("-; exit")
        assert one.held() == {"Planned-001": Decimal(9)}
        one.broker.ask("market", do="partial", share=None)
        one.bars(second, 95)  # the rest
        one.until(lambda: one.booked() == {"Planned-001": Decimal(12)}, second)
        assert one.order(one.names[0])["status"] == "FILLED"
        one.bars(second, 96)
        one.until(lambda: one.booked() == {}, second)
        assert one.audit()["positions"] == []
        assert [row["quantity"] for row in one.said.fills] == [6, 3, 3, 12]
        assert {row["strategy"] for row in one.said.fills} == {"Planned-001"}
        (trip,) = one.said.trips
        assert trip["pnl"] == 12
        one.until(lambda: Decimal(one.status["cash"]) == Decimal(one.audit()["cash"]), second)
        assert one.is_clean()


def test_two_strategies_on_one_instrument_get_their_own_back_and_one_that_is_gone_keeps_its_own(
    tmp_path: Path,
) -> None:
    with lives(tmp_path) as one:
        first = one.start("buy 10; limit buy 5 95", second="sell 4; limit sell 3 110")
        one.bars(first, 100, 100.5)
        one.until(lambda: len(one.names) == 4, first)
        one.until(lambda: one.booked() == {"Planned-001": Decimal(10), "Planned-002": Decimal(-4)}, first)
        first.kill()
        one.broker.price(95)  # while no node runs
        owned = {"Planned-001": Decimal(15), "Planned-002": Decimal(-4)}
        second = one.start("", second="")
        assert one.held() == one.booked() == owned
        assert {row["strategy"] for row in one.status["working"]} == {"Planned-002"}
        one.bars(second, 110)
        owned = {"Planned-001": Decimal(15), "Planned-002": Decimal(-7)}
        one.until(lambda: one.booked() == one.held() == owned, second)
        second.kill()
        third = one.start("sell 5")  # without the second strategy: its position still counts, and is its own
        assert one.held() == one.booked() == owned
        assert one.status["frozen"] == []
        one.bars(third, 110)
        one.until(lambda: one.booked() == {**owned, "Planned-001": Decimal(10)}, third)
        assert Decimal(one.status["cash"]) == Decimal(one.audit()["cash"])
        assert len(one.said.fills) == len(one.audit()["fills"])
        assert one.is_clean()
