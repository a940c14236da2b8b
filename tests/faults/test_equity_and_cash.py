"""A broker's equity is believed when it makes sense; money that comes and goes is neither profit nor loss."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from risk.desk import RiskDesk
from tests.driving import Driven, Scripted, drive
from tests.faults.scenes import HELD, KINDS, MODES, SECOND, STEP, T0, OnQuotes, Probes, market, told

pytestmark = pytest.mark.slow

everywhere = pytest.mark.parametrize("mode", MODES)
on_both = pytest.mark.parametrize("kind", KINDS)


class Told(Probes):
    """Buys on the second update; from the third on the desk is told what `broker` says, then the strategy probes.

    `broker`: number of the update -> the broker's equity as a multiple of the book's; None is no answer.
    """

    broker: dict[int, str | None]

    def at_bar(self, n: int, update: Any) -> None:
        if n == 2:
            self.buy(HELD)
        if n < 3:
            return
        says = self.broker.get(n, "1")
        desk: RiskDesk = self.desk  # type: ignore[attr-defined]  # of the gate this class is mixed into
        desk.prices.mark_held()
        desk.broker_equity(int(update.ts_event), None if says is None else desk.book.equity() * Decimal(says))
        self.probe()


class Jumps(Told):
    broker = {6: "0.95"}  # noqa: RUF012 - a table


class JumpsUp(Told):
    broker = {6: "1.05"}  # noqa: RUF012 - a table


class Silent(Told):
    broker = dict.fromkeys(range(6, 13))  # no answer to all of them


class JumpsOnQuotes(OnQuotes, Jumps):
    pass


class JumpsUpOnQuotes(OnQuotes, JumpsUp):
    pass


class SilentOnQuotes(OnQuotes, Silent):
    pass


TOLD: dict[tuple[str, str], type[Scripted]] = {
    ("down", "bars"): Jumps, ("up", "bars"): JumpsUp, ("silent", "bars"): Silent,
    ("down", "quotes"): JumpsOnQuotes, ("up", "quotes"): JumpsUpOnQuotes, ("silent", "quotes"): SilentOnQuotes,
}  # fmt: skip
TIGHT = {"max_drawdown_pct": 0.04, "max_daily_loss_pct": 0.02}


@everywhere
@on_both
@pytest.mark.parametrize("way", ["down", "up"])
def test_a_broker_equity_that_jumps_by_a_twentieth_and_back_halts_nobody(
    mode: str, kind: str, way: str
) -> None:
    """The book says 100,000 all along, the broker 95,000 (or 105,000) once.

    Limits are 2% and 4%: nothing trips, the peak stays, and new exposure is refused until the broker's next answer,
    which makes sense again.
    """
    driven = drive(mode, TOLD[way, kind], market(kind, [100] * 10), kind=kind, risk=TIGHT)
    assert driven.record.trips == []
    assert driven.desk.breakers.state.peak == 100_000
    assert [(r["ts"], r["limit"]) for r in driven.record.refusals] == [
        (T0 + 5 * STEP[kind], "UNTRUSTED_EQUITY")
    ]


@everywhere
def test_equity_unknown_for_a_minute_blocks_new_exposure_and_trips_nothing(mode: str) -> None:
    """The broker gives no answer to seven questions, 20 seconds apart.

    After a minute of silence new exposure is refused; the first answer ends it. Nothing trips, though nobody knows
    the broker's equity for two minutes.
    """
    step = 20 * SECOND
    driven = drive(
        mode, TOLD["silent", "quotes"], market("quotes", [100] * 16, step=step), kind="quotes", risk=TIGHT
    )
    assert driven.record.trips == []
    known = T0 + 4 * step  # the fifth update, the last one answered
    refused = [(r["ts"] - known, r["limit"]) for r in driven.record.refusals]
    assert refused == [(n * step, "EQUITY_UNKNOWN") for n in (4, 5, 6, 7)]


@everywhere
def test_a_real_loss_trips_while_the_broker_is_silent(mode: str) -> None:
    """Not knowing what the broker thinks never stops the book's own reading of equity."""
    prices = [100] * 9 + [95, 94.9, 94.8, 94.7]
    rows = market("quotes", prices, step=20 * SECOND)
    driven = drive(mode, TOLD["silent", "quotes"], rows, kind="quotes", risk=TIGHT)
    assert [trip["ts"] for trip in driven.record.trips] == [T0 + 11 * 20 * SECOND]


# -- deposits and withdrawals ------------------------------------------------------------------------------------------


class Flows(Probes):
    """Buys on the second update; money comes or goes at update number `when`."""

    when = 4
    amount = Decimal(0)

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 2:
            self.buy(HELD)
        if n == self.when:
            self.desk.cash_flow(self.amount, "USD", "transfer")  # type: ignore[attr-defined]  # the gate's desk
        if n > 2:
            self.probe()


class Deposit(Flows):
    amount = Decimal(50_000)


class Withdrawal(Flows):
    amount = Decimal(-40_000)


class DepositOnQuotes(OnQuotes, Deposit):
    pass


class WithdrawalOnQuotes(OnQuotes, Withdrawal):
    pass


class LateDeposit(Deposit):
    when = 9


class LateDepositOnQuotes(OnQuotes, LateDeposit):
    pass


MOVES: dict[tuple[str, str], type[Scripted]] = {
    ("deposit", "bars"): Deposit, ("deposit", "quotes"): DepositOnQuotes,
    ("withdrawal", "bars"): Withdrawal, ("withdrawal", "quotes"): WithdrawalOnQuotes,
    ("late deposit", "bars"): LateDeposit, ("late deposit", "quotes"): LateDepositOnQuotes,
}  # fmt: skip


def flowing(mode: str, kind: str, what: str, prices: list[float], **risk: Any) -> Driven:
    """On bars a minute apart, so that all of it is one session day."""
    rows = market(kind, prices, step=60 * SECOND)
    return drive(mode, MOVES[what, kind], rows, kind=kind, risk=risk)


@everywhere
@on_both
@pytest.mark.parametrize(("what", "amount"), [("deposit", 50_000), ("withdrawal", -40_000)])
def test_money_before_a_loss_moves_what_the_loss_is_measured_from(
    mode: str, kind: str, what: str, amount: int
) -> None:
    """At 100,000 a transfer comes.

    Nothing trips by it. Then the position loses: 10% of what is there after the transfer trips, and one price before
    that does not.
    """
    floor = Decimal(100_000 + amount) * Decimal("0.9")
    at_floor = 100 - float(100_000 + amount - floor) / HELD
    prices = [100] * 5 + [at_floor + 0.1, *[at_floor - 0.1 - 0.01 * n for n in range(4)]]
    driven = flowing(mode, kind, what, prices, max_drawdown_pct=0.1)
    late = 6 + (0 if kind == "bars" else 2)
    (trip,) = driven.record.trips
    assert (trip["breaker"], trip["ts"]) == ("DRAWDOWN", T0 + late * 60 * SECOND)
    assert abs(trip["reference"] - 100_000 - amount) <= 20
    assert len(told(driven, "CASH_FLOW")) == 1


@everywhere
@on_both
@pytest.mark.parametrize(("what", "amount"), [("deposit", 50_000), ("withdrawal", -40_000)])
@pytest.mark.parametrize("trips", [False, True])
def test_money_during_a_loss_neither_trips_nor_hides_it(
    mode: str, kind: str, what: str, amount: int, *, trips: bool
) -> None:
    """9% are lost, in steps at which nobody had to look, then a transfer comes: as a share 9% stay lost.

    Another loss, up to 10% of a unit of the account, trips; one short of it does not.
    """
    # 1,000 shares from 100 to 91: 91,000 are left of 100,000. A unit of the account is worth 0.91, the floor is 0.9.
    after = Decimal(91_000 + amount)
    floor = after * Decimal("0.9") / Decimal("0.91")
    price = 91 - float(after - floor) / HELD
    last = [price - 0.05 - 0.01 * n if trips else price + 0.05 + 0.01 * n for n in range(5)]
    driven = flowing(
        mode, kind, what, [100, 100, 95.5, 91, 91, *last], max_drawdown_pct=0.1, warn_at_pct="off"
    )
    assert [trip["breaker"] for trip in driven.record.trips] == (["DRAWDOWN"] if trips else [])


@everywhere
@on_both
def test_money_for_a_halted_account_lifts_no_halt(mode: str, kind: str) -> None:
    """Tripped at a loss of 15%; then 50,000 come in. The halt stays, for the same reason, and nothing trips twice."""
    driven = flowing(
        mode,
        kind,
        "late deposit",
        [100, 100, 100, 85, 84.9, 84.8, 84.7, 84.6, 84.5, 84.4, 110, 110],
        max_drawdown_pct=0.1,
    )
    (trip,) = driven.record.trips
    state = driven.desk.breakers.state
    assert (state.state, state.reason) == ("HALTED", trip["reason"])
    assert driven.limits[-3:] == ["HALTED"] * 3
    assert len(told(driven, "CASH_FLOW")) == 1
