"""Exits pass every limit on purpose: so nothing that is called an exit may open a position, now or later."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import Bar, Quantity, TimeInForce
from nautilus_trader.trading import Strategy

from tests.driving import MODES, Driven, bars, drive
from tests.risk.attacks import BUY, SELL, Attacked, Attacker, attacked

both_modes = pytest.mark.parametrize("mode", MODES)


class Exits(Attacker):
    """Each attack begins with 20 held, of at most 25; none may be sold short."""

    def begin(self) -> None:
        self.submit_order(self.market(BUY, 20))

    def position(self) -> Any:
        (found,) = self.cache.positions_open(strategy_id=self.strategy_id)
        return found

    def tries_closing_twice_by_the_base_class(self) -> None:
        self.begin()

    def later_closing_twice_by_the_base_class(self) -> None:
        for _ in range(2):
            Strategy.close_position(self, self.position(), reduce_only=False)

    def tries_closing_with_arguments_by_place(self) -> None:
        self.begin()

    def later_closing_with_arguments_by_place(self) -> None:
        for _ in range(2):
            self.close_position(self.position(), None, ["mine"], TimeInForce.GTC, False)  # noqa: FBT003 - by place

    def tries_closing_everything_twice(self) -> None:
        self.begin()

    def later_closing_everything_twice(self) -> None:
        super().close_all_positions(self.iid, reduce_only=False)
        Strategy.close_all_positions(self, self.iid, None, None, None, None, False)  # noqa: FBT003 - by place

    def tries_closing_in_money(self) -> None:
        """20 US dollars would be nothing at all: the position would stay."""
        self.begin()

    def later_closing_in_money(self) -> None:
        self.close_position(self.position(), quote_quantity=True)

    def tries_reduce_only_while_flat(self) -> None:
        self.submit_order(self.market(SELL, 20, reduce_only=True))

    def tries_reduce_only_on_the_entrys_side(self) -> None:
        self.begin()

    def later_reduce_only_on_the_entrys_side(self) -> None:
        self.submit_order(self.market(BUY, 20, reduce_only=True))

    def tries_reduce_only_for_more_than_is_held(self) -> None:
        self.begin()

    def later_reduce_only_for_more_than_is_held(self) -> None:
        self.submit_order(self.market(SELL, 21, reduce_only=True))

    def tries_reduce_only_again_and_again(self) -> None:
        self.begin()

    def later_reduce_only_again_and_again(self) -> None:
        for _ in range(3):
            self.submit_order(self.market(SELL, 20, reduce_only=True))

    def tries_selling_more_than_is_held(self) -> None:
        self.begin()

    def later_selling_more_than_is_held(self) -> None:
        self.submit_order(self.market(SELL, 21))

    def tries_selling_it_twice(self) -> None:
        self.begin()

    def later_selling_it_twice(self) -> None:
        self.submit_order(self.market(SELL, 20))
        self.submit_order(self.market(SELL, 20))

    def tries_selling_in_many_small_orders(self) -> None:
        self.begin()

    def later_selling_in_many_small_orders(self) -> None:
        for _ in range(21):
            self.submit_order(self.market(SELL, 1))

    def tries_a_limit_that_outlives_the_position(self) -> None:
        self.begin()

    def later_a_limit_that_outlives_the_position(self) -> None:
        self.submit_order(self.resting(SELL, 20, 101))
        self.close_all_positions(self.iid)

    def tries_a_huge_order(self) -> None:
        self.submit_order(self.market(BUY, 34_000_000_000))

    def tries_orders_of_nothing_and_less(self) -> None:
        for quantity in (0, -1, 1e30):
            with pytest.raises(ValueError, match="invalid"):
                self.submit_order(self.order_factory.market(self.iid, BUY, Quantity(quantity, 0)))

    def tries_selling_somebody_elses_position(self) -> None:
        for position in self.cache.positions_open():
            self.submit_order(self.market(SELL, 1), position.id)

    def tries_closing_somebody_elses_position(self) -> None:
        for position in self.cache.positions_open():
            self.close_position(position)


class HoldsOne(Attacker):
    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 1))


@pytest.fixture(scope="module", params=MODES)
def exits(request: pytest.FixtureRequest) -> Attacked:
    risk = {"max_position_notional": 2_600, "allow_short": False}
    return attacked(request.param, Exits, beside=[HoldsOne], risk=risk)


SHORT = ["SHORT_SELLING"]
EXPECTED = {
    "closing_in_money": [],
    "selling_somebody_elses_position": SHORT,
    "reduce_only_while_flat": SHORT,
    "reduce_only_on_the_entrys_side": ["MAX_POSITION_NOTIONAL"],
    "reduce_only_for_more_than_is_held": SHORT,
    "selling_more_than_is_held": SHORT,
    "selling_it_twice": SHORT,
    "selling_in_many_small_orders": SHORT,
    "a_limit_that_outlives_the_position": [],
    "a_huge_order": ["MAX_POSITION_NOTIONAL"],
    "orders_of_nothing_and_less": [],
}  # what is not here passes, and is refused by engine or venue: reduce-only, and nothing is left to reduce


@pytest.mark.parametrize("attack", Exits.attacks())
def test_no_exit_turns_a_position_round(exits: Attacked, attack: str) -> None:
    outcome = exits.outcomes[attack]
    assert outcome.least == 0
    assert outcome.held == 0
    if attack in EXPECTED:
        assert outcome.refused == EXPECTED[attack]
    else:
        assert set(outcome.refused) <= {"ENGINE", "VENUE"}
        assert outcome.refused


def test_exits_halt_nobody_and_leave_nothing(exits: Attacked) -> None:
    assert exits.trips == []
    assert exits.driven.desk.book.orders == {}
    assert [str(holding.position) for holding in exits.driven.desk.book.held()] == ["1"]


def told(driven: Driven, kind: str) -> list[str]:
    return [row["reason"] for row in driven.record.notices if row["kind"] == kind]


class TakesProfit(Attacker):
    """Its own limit sale passes, since it only reduces; then the attached stop closes the position."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))

    def on_order_filled(self, event: Any) -> None:
        if event.order_side == BUY:
            self.submit_order(self.resting(SELL, 10, 110))


@both_modes
def test_a_profit_taker_does_not_outlive_the_stop(mode: str) -> None:
    driven = drive(
        mode, TakesProfit, bars([100.0, 100, 100, 90, 115, 115]),
        risk={"allow_short": False, "default_stop_loss_pct": 0.05},
    )  # fmt: skip
    assert [(row["side"], row["price"]) for row in driven.record.fills] == [("BUY", 100), ("SELL", 95)]
    assert [row["status"] for row in driven.record.orders] == ["FILLED", "CANCELED", "FILLED"]
    (reason,) = told(driven, "STRAY")
    assert "0 AAPL.XNAS left to reduce: cancelled (SHORT_SELLING" in reason


class SellsHalf(Attacker):
    """A plain stop for all of it, then half of it is closed: the stop has to follow, not to go."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))
        if n == 2:
            self.submit_order(self.stop_at(SELL, 10, 90))
        if n == 3:
            self.submit_order(self.market(SELL, 6, reduce_only=True))


@both_modes
def test_a_stop_shrinks_with_the_position_and_does_not_turn_it_round(mode: str) -> None:
    driven = drive(mode, SellsHalf, bars([100.0, 100, 100, 100, 85, 85]), risk={"allow_short": False})
    assert [row["quantity"] for row in driven.record.fills] == [10, 6, 4]
    assert "4 AAPL.XNAS left to reduce: cut to 4" in told(driven, "STRAY")[0]
    assert driven.desk.book.is_flat()
    assert driven.record.trips == []


class TurnsRound(Attacker):
    """Holds 10 and may sell 20, to be 10 short at worst; then the 10 are closed by another way."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))
        if n == 2:
            self.submit_order(self.resting(SELL, 20, 105))
        if n == 3:
            self.close_all_positions(self.iid)


@both_modes
def test_an_order_that_may_turn_a_position_round_is_judged_again_without_it(mode: str) -> None:
    driven = drive(
        mode, TurnsRound, bars([100.0, 100, 100, 100, 110, 110]), risk={"max_position_notional": 1_150}
    )
    assert [(row["side"], row["quantity"]) for row in driven.record.fills] == [("BUY", 10), ("SELL", 10)]
    assert "cancelled (MAX_POSITION_NOTIONAL" in told(driven, "STRAY")[0]
    wide = drive(
        mode, TurnsRound, bars([100.0, 100, 100, 100, 110, 110]), risk={"max_position_notional": 2_150}
    )
    assert [(row["side"], row["quantity"]) for row in wide.record.fills] == [
        ("BUY", 10),
        ("SELL", 10),
        ("SELL", 20),
    ]
    assert wide.record.notices == []


class ReentersWhileHalted(Attacker):
    """The price fell by a fifth, trading is halted."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 10))
        if n == 4:  # sells what it holds, and buys it back as a child
            self.submit_order_list(self.family(self.market(SELL, 10), self.resting(BUY, 10, 100)))
        if n == 5:
            self.submit_order(self.resting(SELL, 10, 88))
            self.close_all_positions(self.iid)


@both_modes
def test_nothing_is_opened_by_exits_while_halted(mode: str) -> None:
    rows = bars([100.0, 100, 80, 80, 80, 80, 89, 89])
    driven = drive(mode, ReentersWhileHalted, rows, risk={"max_drawdown_pct": 0.001})
    assert driven.limits == ["HALTED"] * 2
    assert [(row["side"], row["price"]) for row in driven.record.fills] == [("BUY", 100), ("SELL", 80)]
    assert "left to reduce: cancelled (HALTED" in told(driven, "STRAY")[0]


class EntryInParts(Attacker):
    """A limit entry of 10 that fills 4; the engine releases its children at their full size."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 2:
            entry, stop, target = (
                self.resting(BUY, 10, 99),
                self.stop_at(SELL, 10, 80),
                self.resting(SELL, 10, 120),
            )
            self.submit_order_list(self.family(entry, stop, target))


@both_modes
def test_a_child_that_sells_more_than_its_entry_bought_halts_at_once(mode: str) -> None:
    """The engine's doing (engine.md 2): children of an entry filled in part work at full size. It is noticed at once.

    `test_limits_in_both_modes.py` shows what to send instead: stop and target once the entry has filled.
    """
    thin, thick = with_volume([100.0, 100, 100, 99], 16), with_volume([99.0, 100, 100, 99, 121, 121], 1_000)
    driven = drive(mode, EntryInParts, thin + thick[4:], risk={"allow_short": False})
    assert [trip["breaker"] for trip in driven.record.trips] == ["BYPASS"]
    assert "passed because it only reduced, and made -6 AAPL.XNAS" in driven.record.trips[0]["reason"]


def with_volume(closes: list[float], volume: int) -> list[Bar]:
    """Bars of which a quarter of the volume can be bought at each of four prices."""
    size = Quantity(volume, 0)
    return [
        Bar(b.bar_type, b.open, b.high, b.low, b.close, size, b.ts_event, b.ts_init) for b in bars(closes)
    ]
