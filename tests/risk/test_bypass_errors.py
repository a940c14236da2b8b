"""Something breaks while an order is decided on, counted or recorded: it is refused, told and not counted."""

from __future__ import annotations

from typing import Any

import pytest

import risk.checks
from risk.book import Book
from risk.checks import CHECKS
from risk.decisions import Decisions
from risk.exits import Exits
from risk.holding import Holding
from risk.prices import Prices
from risk.readings import Readings
from runs.record import Recorder
from tests.driving import MODES, Driven, bars, drive
from tests.risk.attacks import BUY, Attacked, Attacker, attacked

both_modes = pytest.mark.parametrize("mode", MODES)
FLAT = bars([100.0] * 8)
EVERY_LIMIT = {
    "max_leverage": 1, "max_gross_notional": 100_000, "max_position_pct": 0.9, "max_position_notional": 90_000,
    "max_strategy_pct": 0.9, "max_strategy_notional": 90_000, "max_open_positions": 9, "max_new_positions_per_day": 9,
    "min_cash_pct": 0.01, "max_order_pct": 0.9, "max_order_notional": 90_000, "max_orders_per_day": 1_000,
    "max_orders_per_sec": 1_000, "price_collar_pct": 0.5, "max_slippage_pct": 0.5, "max_price_age_secs": 1_000_000_000,
    "max_repeats": 1_000, "allow_short": False, "allow_self_crossing": False, "allowed_instruments": ["AAPL"],
    "trading_hours": "24/7", "require_stop_loss": True, "default_stop_loss_pct": 0.5, "untrusted_jump_pct": 0.5,
}  # fmt: skip
ERRORS = (
    ZeroDivisionError,
    KeyError,
    LookupError,
    TypeError,
    MemoryError,
    RecursionError,
    AssertionError,
    StopIteration,
)
"""One after the other; LookupError is how a missing price is told."""


class MeetsBrokenChecks(Attacker):
    """Each attack sends an order that every limit allows, while one check raises."""

    broken = ""


def _meeting(code: str) -> Any:
    def attack(self: MeetsBrokenChecks) -> None:
        MeetsBrokenChecks.broken = code
        self.submit_order(self.market(BUY, 1))
        resting = self.resting(BUY, 1, 90)
        MeetsBrokenChecks.broken = ""
        self.submit_order(resting)
        MeetsBrokenChecks.broken = code
        self.modify_order(resting.client_order_id, self.market(BUY, 2).quantity)
        MeetsBrokenChecks.broken = ""

    return attack


for _code, _field, _check in CHECKS:
    setattr(MeetsBrokenChecks, f"tries_{_code}", _meeting(_code))


def _breaking(code: str, check: Any, error: type[Exception]) -> Any:
    def broken(*arguments: Any) -> str | None:
        if MeetsBrokenChecks.broken == code:
            raise error(f"{code} broke")
        answer: str | None = check(*arguments)
        return answer

    return broken


@pytest.fixture(scope="module", params=MODES)
def met(request: pytest.FixtureRequest) -> Attacked:
    broken: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        for number, (code, field, check) in enumerate(CHECKS):
            broken.append((code, field, _breaking(code, check, ERRORS[number % len(ERRORS)])))
        patch.setattr(risk.checks, "CHECKS", tuple(broken))
        return attacked(request.param, MeetsBrokenChecks, risk=EVERY_LIMIT)


@pytest.mark.parametrize("code", MeetsBrokenChecks.attacks())
def test_a_check_that_raises_refuses_order_and_change(met: Attacked, code: str) -> None:
    error = ERRORS[[each for each, _, _ in CHECKS].index(code) % len(ERRORS)]
    refused = ["NO_PRICE" if error is LookupError else "RISK_ERROR"] * 2
    assert met.outcomes[code].refused == refused
    assert met.outcomes[code].most == 0


def test_what_was_refused_is_told_recorded_and_forgotten(met: Attacked) -> None:
    record = met.driven.record
    told = met.driven.strategies[0]
    assert len(told.denied) == told.events.count("OrderModifyRejected") == len(CHECKS)
    assert all("broke" in row["reason"] for row in record.refusals)
    assert {row["quantity"] for row in record.orders} == {1}
    assert met.driven.desk.book.orders == {}
    assert record.trips == []


class Buys(Attacker):
    """Buys on the second bar and on the fourth; on the third something inside is broken."""

    caught: type[BaseException] | None = None  # its traceback would hold the whole node

    def at_bar(self, n: int, _bar: Any) -> None:
        Broken.now = n == 3
        if n in (2, 3, 4):
            try:
                self.submit_order(self.market(BUY, n))
            except BaseException as error:  # noqa: BLE001 - as careless as a strategy can be
                self.caught = type(error)

    def on_order_denied(self, _event: Any) -> None:
        """Wants to know nothing."""


class Broken:
    now = False


def breaks(patch: pytest.MonkeyPatch, owner: type, name: str, error: type[BaseException]) -> None:
    """Let a method raise on the third bar."""
    sound = getattr(owner, name)

    def broken(*arguments: Any, **named: Any) -> Any:
        if Broken.now:
            raise error(f"{owner.__name__}.{name} broke")
        return sound(*arguments, **named)

    patch.setattr(owner, name, broken)


INSIDE = [
    (Prices, "suspects"), (Book, "gross"), (Book, "exposure_of"), (Holding, "extremes"), (Holding, "reduces"),
    (Decisions, "_proposal"), (Decisions, "_working"), (Decisions, "sending"), (Exits, "sent"), (Recorder, "approved"),
]  # fmt: skip


@both_modes
@pytest.mark.parametrize(
    ("owner", "name"), INSIDE, ids=[f"{owner.__name__}.{name}" for owner, name in INSIDE]
)
def test_an_error_anywhere_inside_refuses_and_is_recorded(
    mode: str, owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strategy notices nothing, and the next order, once all is well, passes."""
    breaks(monkeypatch, owner, name, RuntimeError)
    driven = bought(mode)
    assert driven.limits == ["RISK_ERROR"]
    assert driven.strategies[0].caught is None


def bought(mode: str) -> Driven:
    driven = drive(mode, Buys, FLAT[:6], run={"on_strategy_error": "ignore"})
    assert [row["quantity"] for row in driven.record.fills] == [2, 4]
    assert driven.desk.book.orders == {}
    return driven


@both_modes
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_sends_nothing_even_if_a_strategy_swallows_it(
    mode: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not for the gate to keep: it goes to the caller, with the order unsent and uncounted."""
    breaks(monkeypatch, Book, "gross", error)
    driven = bought(mode)
    assert driven.limits == []
    assert driven.strategies[0].caught is error


class LetsItPass(Buys):
    def at_bar(self, n: int, _bar: Any) -> None:
        Broken.now = n == 3
        if n in (2, 3, 4):
            self.submit_order(self.market(BUY, n))


@both_modes
def test_an_interrupt_inside_a_decision_ends_the_run(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch, Book, "gross", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        drive(mode, LetsItPass, FLAT[:6], run={"on_strategy_error": "ignore"})


@both_modes
def test_a_fill_that_cannot_be_booked_halts_at_once(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch, Book, "filled", RuntimeError)
    driven = drive(mode, Buys, FLAT[:6], run={"on_strategy_error": "ignore"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["BOOK_ERROR"]
    assert driven.limits == ["HALTED"]


@both_modes
@pytest.mark.parametrize(("owner", "name"), [(Prices, "mark_held"), (Book, "equity"), (Readings, "headroom")])
def test_an_error_in_what_every_price_needs_halts(
    mode: str, owner: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, owner, name, RuntimeError)
    driven = drive(mode, Buys, FLAT[:6], run={"on_strategy_error": "ignore"})
    assert [trip["breaker"] for trip in driven.record.trips] == ["BOOK_ERROR"]
    assert 4 not in [row["quantity"] for row in driven.record.fills]
    assert "HALTED" in driven.limits
