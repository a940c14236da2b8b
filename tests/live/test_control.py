"""What a node does when people ask: at once, once, and answered in one line whatever was asked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.doubts import Unknown
from tests.driving import Driven, Scripted
from tests.live.asking import Asked, Holder, Quiet, asking

LATE = 8


def ends(driven: Driven, name: str) -> str:
    return str(next(row["status"] for row in driven.record.orders if row["client_order_id"] == name))


def position(driven: Driven) -> Decimal:
    return sum((holding.position for holding in driven.desk.book.held()), Decimal(0))


# -- halt and resume ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_trip", ["cancel", "flatten", "stop"])
def test_halt_cancels_entries_and_keeps_stops_and_positions_whatever_a_trip_does(
    on_trip: str, tmp_path: Path
) -> None:
    driven, asked = asking(
        tmp_path,
        Holder,
        {LATE: lambda asked, _: asked.ask("halt", why="bad prints")},
        risk={"on_trip": on_trip},
    )
    strategy = driven.strategies[0]
    assert asked.said == [("DONE", "trading is halted: OPERATOR: bad prints (ann)")]
    assert asked.answers[0].answer["canceled"] == [strategy.entry]
    assert ends(driven, strategy.entry) == "CANCELED"
    assert ends(driven, strategy.stop_order) == "ACCEPTED"
    assert position(driven) >= 100
    assert set(driven.limits) == {"HALTED"}
    assert [(trip["breaker"], trip["scope"]) for trip in driven.record.trips] == [("OPERATOR", "book")]
    assert not strategy.retired


def test_halt_of_one_strategy_leaves_the_other_alone(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("halt", {"scope": "strategy:Quiet-01"})
        asked.ask("halt", {"scope": "strategy:Quiet-001"})
        asked.ask("halt", {"scope": "venue:XNYS"})

    driven, asked = asking(tmp_path, [Quiet, Other], {LATE: script})
    assert asked.said[0] == ("REFUSED", "strategy=Quiet-01: did you mean Quiet-001?")
    assert asked.said[1][1] == "strategy:Quiet-001 is halted: OPERATOR: because (ann)"
    assert asked.said[2] == ("REFUSED", "scope=venue:XNYS: did you mean venue:XNAS?")
    quiet, other = driven.strategies
    assert ends(driven, quiet.entry) == "CANCELED"
    assert ends(driven, other.entry) == "ACCEPTED"
    assert not driven.desk.breakers.halted


class Other(Quiet):
    """Another strategy in the same instrument."""


def test_resume_lifts_a_halt_in_the_running_node_and_measures_anew(tmp_path: Path) -> None:
    def halts(asked: Asked, _: Any) -> None:
        asked.ask("resume", why="nothing to lift")
        asked.ask("halt")

    def resumes(asked: Asked, _: Any) -> None:
        asked.ask("resume", why="")
        asked.ask("resume", {"scope": "venue:XNAS"})
        asked.ask("resume", why="looked at it")

    closes = [100.0] * 6 + [90.0] * 14
    driven, asked = asking(
        tmp_path, Holder, {5: halts, 10: resumes}, closes, risk={"max_drawdown_pct": "0.5"}
    )
    outcomes = [outcome for outcome, _ in asked.said]
    assert outcomes == ["REFUSED", "DONE", "REFUSED", "REFUSED", "DONE"]
    assert "not halted" in asked.said[0][1]
    assert "say why it is safe" in asked.said[2][1]
    assert "halted is book" in asked.said[3][1]
    answer = asked.answers[-1].answer
    assert answer["lifted"] == ["book"]
    assert answer["before"]["peak"] == "100000"
    assert answer["after"]["peak"] == answer["after"]["equity"] == answer["before"]["equity"]
    assert Decimal(answer["after"]["peak"]) < 100_000
    state = driven.desk.breakers.state
    assert not state.halted
    assert state.peak == Decimal(answer["after"]["peak"])
    assert [row["kind"] for row in driven.record.notices] == ["RESUMED"]
    fills = [fill["ts"] for fill in driven.record.fills]
    assert fills[-1] > driven.record.notices[0]["ts"]  # it trades again
    assert driven.desk.breakers.floors()[0][2] == state.peak  # and a fall counts from there


def test_resume_gives_up_a_flattening_and_names_what_stays_open(tmp_path: Path) -> None:
    """The fifth day is a Saturday: nothing can be closed, and a person decides to keep it."""

    def script(asked: Asked, _: Any) -> None:
        asked.ask("flatten")
        asked.ask("resume", why="keep it over the weekend")

    driven, asked = asking(tmp_path, Quiet, {5: script}, risk={"trading_hours": "XNYS"})
    assert asked.said[0] == ("DONE", "trading is halted; closes +100 AAPL.XNAS of Quiet-001")
    assert asked.answers[1].answer["left_open"] == ["+100 AAPL.XNAS of Quiet-001"]
    assert not driven.desk.flattener.active
    assert not driven.desk.breakers.state.flattening
    assert position(driven) == 100


def test_resume_says_which_strategies_stay_stopped_until_a_restart(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("limits", {"set": {"max_drawdown_pct": "0.005"}})
        asked.ask("resume")

    closes = [100.0] * 5 + [94.0] * 12
    risk = {"max_drawdown_pct": "0.2", "tick_confirmations": 1, "on_trip": "stop"}
    driven, asked = asking(tmp_path, Quiet, {LATE: script}, closes, risk=risk)
    assert asked.answers[1].text.splitlines()[-1] == (
        "Quiet-001 was stopped by on_trip=stop and runs again after a restart"
    )
    assert driven.strategies[0].retired
    assert not driven.desk.breakers.halted


# -- flatten and close ----------------------------------------------------------------------------------------------


def test_flatten_halts_cancels_everything_and_closes_what_is_held(tmp_path: Path) -> None:
    driven, asked = asking(tmp_path, Holder, {LATE: lambda asked, _: asked.ask("flatten")})
    assert asked.answers[0].answer["closing"][0].endswith("AAPL.XNAS of Holder-001")
    assert driven.desk.book.is_flat()
    assert driven.desk.book.orders == {}
    assert driven.desk.breakers.state.breaker == "FLATTEN"
    assert "FLAT" in [row["kind"] for row in driven.record.notices]
    assert driven.limits[-1] == "HALTED"


def test_flatten_of_one_strategy_halts_and_closes_that_one_alone(tmp_path: Path) -> None:
    driven, asked = asking(
        tmp_path, [Quiet, Other], {LATE: lambda asked, _: asked.ask("flatten", {"strategy": "Other-002"})}
    )
    held = {holding.strategy: holding.position for holding in driven.desk.book.held()}
    assert held == {"Quiet-001": 100}
    assert asked.answers[0].answer["scope"] == "strategy:Other-002"
    assert driven.desk.breakers.halted_scopes == ("strategy:Other-002",)


def test_close_closes_one_instrument_and_halts_nobody(tmp_path: Path) -> None:
    def script(asked: Asked, _: Any) -> None:
        asked.ask("close", {"symbol": "AAPLE"})
        asked.ask("close", {"symbol": "AAPL"})

    driven, asked = asking(tmp_path, Quiet, {LATE: script})
    assert asked.said == [
        ("REFUSED", "symbol=AAPLE: there is AAPL.XNAS"),
        ("DONE", "closes AAPL.XNAS: +100 of Quiet-001"),
    ]
    assert driven.desk.book.is_flat()
    assert driven.desk.book.orders == {}
    assert not driven.desk.breakers.halted


# -- cancel ---------------------------------------------------------------------------------------------------------


def test_cancel_takes_entries_and_keeps_what_protects_unless_that_is_meant(tmp_path: Path) -> None:
    def script(asked: Asked, gate: Any) -> None:
        asked.ask("cancel", {})
        asked.ask("cancel", {"order": gate.stop_order})
        asked.ask("cancel", {"order": "O-nobody"})
        asked.ask("cancel", {"symbol": "AAPL"})
        asked.ask("cancel", {"all": True, "protective": True})

    driven, asked = asking(tmp_path, Quiet, {LATE: script})
    strategy = driven.strategies[0]
    assert [outcome for outcome, _ in asked.said] == ["REFUSED", "REFUSED", "REFUSED", "DONE", "DONE"]
    assert "protective=true" in asked.said[1][1]
    assert asked.answers[3].answer == {"canceled": [strategy.entry], "kept": 1}
    assert strategy.stop_order in asked.answers[4].answer["canceled"]
    assert ends(driven, strategy.stop_order) == "CANCELED"
    assert position(driven) == 100


# -- approvals ------------------------------------------------------------------------------------------------------


class Asks(Scripted):
    """Wants to buy 10 at the third, fourth and fifth bar; somebody is there to ask."""

    desk: Any  # the gate's

    def on_start(self) -> None:
        super().on_start()
        self.desk.approvals.assumed = False
        self.desk.decisions.asks_people = True
        self.names: list[str] = []

    def at_bar(self, n: int, _bar: Any) -> None:
        if n in (3, 4, 5):
            self.names.append(str(self.buy(10).client_order_id))


APPROVAL = {"require_approval": True, "approval_timeout_mins": 100_000}


def test_an_order_is_approved_once_whoever_asks_how_often(tmp_path: Path) -> None:
    def script(asked: Asked, gate: Any) -> None:
        asked.ask("approve", {"order": gate.names[0]}, who="ann")
        asked.ask("approve", {"order": gate.names[0]}, who="bob")
        asked.ask("reject", {"order": gate.names[1]}, why="too large", who="bob")
        asked.ask("approve", {"order": gate.names[1]})
        asked.ask("approve", {"order": "O-nobody"})

    driven, asked = asking(tmp_path, Asks, {LATE: script}, risk=APPROVAL)
    first, second, _ = driven.strategies[0].names
    assert asked.said[:4] == [
        ("DONE", f"{first} was approved and sent"),
        ("REFUSED", f"order={first} does not wait any more: {first} was approved by ann"),
        ("DONE", f"{second} was rejected"),
        ("REFUSED", f"order={second} does not wait any more: APPROVAL: too large (bob)"),
    ]
    assert asked.said[4][0] == "REFUSED"
    assert [fill["client_order_id"] for fill in driven.record.fills] == [first]
    assert "APPROVAL: too large (bob)" in driven.strategies[0].denied


def test_what_waits_when_a_person_halts_can_no_longer_be_approved(tmp_path: Path) -> None:
    def script(asked: Asked, gate: Any) -> None:
        asked.ask("halt")
        asked.ask("approve", {"order": gate.names[0]})

    driven, asked = asking(tmp_path, Asks, {LATE: script}, risk=APPROVAL)
    assert asked.said[1][0] == "REFUSED"
    assert "trading halted: OPERATOR" in asked.said[1][1]
    assert driven.record.fills == []


# -- orders nobody knows of -----------------------------------------------------------------------------------------


def test_a_person_answers_what_became_of_an_order_and_the_instrument_opens_again(tmp_path: Path) -> None:
    def doubts(_: Asked, gate: Any) -> None:
        gate.desk.doubts.block(Unknown("O-lost", "AAPL.XNAS", "no answer", gate.desk.market_now()))

    def answers(asked: Asked, _: Any) -> None:
        asked.ask("resolve", {"order": "O-los", "outcome": "never_arrived"})
        asked.ask("resolve", {"order": "O-lost", "outcome": "arrived"})
        asked.ask("resolve", {"order": "O-lost", "outcome": "filled"})
        asked.ask("resolve", {"order": "O-lost", "outcome": "never_arrived"}, why="")
        asked.ask("resolve", {"order": "O-lost", "outcome": "never_arrived"}, why="not on the broker's page")
        asked.ask("resolve", {"order": "O-lost", "outcome": "never_arrived"})

    driven, asked = asking(tmp_path, Holder, {6: doubts, 9: answers})
    assert [outcome for outcome, _ in asked.said] == [*["REFUSED"] * 4, "DONE", "REFUSED"]
    assert asked.said[4][1].startswith("O-lost never arrived: not on the broker's page (ann)")
    assert set(driven.limits) == {"UNKNOWN_ORDER"}
    assert driven.record.notices[-1]["kind"] == "RESOLVED"
    assert driven.record.fills[-1]["ts"] > driven.record.notices[-1]["ts"]
