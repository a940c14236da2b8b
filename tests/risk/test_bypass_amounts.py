"""Orders whose size or price is hard to know: amounts of money, many small ones, prices nobody believes yet."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import Price, Quantity

from tests.driving import MODES, bars, drive
from tests.risk.attacks import BUY, SELL, Attacked, Attacker, attacked

both_modes = pytest.mark.parametrize("mode", MODES)


class InMoney(Attacker):
    """5,000 may be held of a share that costs 100."""

    def order(self, side: Any, money: int, price: float | None = None) -> Any:
        if price is None:
            return self.order_factory.market(self.iid, side, Quantity(money, 0), quote_quantity=True)
        limit = Price(price, 2)
        return self.order_factory.limit(self.iid, side, Quantity(money, 0), limit, quote_quantity=True)

    def tries_an_amount_that_is_no_whole_number_of_shares(self) -> None:
        """The engine rounds 49.5 shares to 50."""
        self.submit_order(self.order(BUY, 4_950))

    def tries_an_amount_that_rounds_up_past_the_limit(self) -> None:
        """5,000 at 99.5 are 50.25 shares, which may become 51."""
        self.submit_order(self.order(BUY, 5_000, 99.5))

    def tries_more_than_the_limit(self) -> None:
        self.submit_order(self.order(BUY, 5_001))

    def tries_more_than_the_limit_above_the_market(self) -> None:
        self.submit_order(self.order(BUY, 5_001, 150))

    def tries_more_shares_below_the_market(self) -> None:
        """5,000 buy 100 shares at 50; if they are ever bought at more, they are worth more."""
        self.submit_order(self.order(BUY, 5_000, 50))

    def tries_more_than_the_rest_of_the_limit(self) -> None:
        self.submit_order(self.order(BUY, 3_000))
        self.submit_order(self.order(BUY, 2_001))

    def tries_selling_more_than_is_held(self) -> None:
        self.submit_order(self.market(BUY, 20))

    def later_selling_more_than_is_held(self) -> None:
        self.submit_order(self.order(SELL, 2_100))

    def tries_fifty_one_orders_of_one_share(self) -> None:
        for _ in range(51):
            self.submit_order(self.market(BUY, 1))

    def tries_fifty_one_resting_orders_of_one_share(self) -> None:
        for _ in range(51):
            self.submit_order(self.resting(BUY, 1, 90))


@pytest.fixture(scope="module", params=MODES)
def in_money(request: pytest.FixtureRequest) -> Attacked:
    risk = {"max_position_notional": 5_000, "allow_short": False}
    return attacked(request.param, InMoney, risk=risk)


EXPECTED = {"an_amount_that_is_no_whole_number_of_shares": [], "selling_more_than_is_held": ["SHORT_SELLING"]}
MOST = {
    "an_amount_that_is_no_whole_number_of_shares": 50,
    "more_than_the_rest_of_the_limit": 30,
    "selling_more_than_is_held": 20,
    "fifty_one_orders_of_one_share": 50,
}


@pytest.mark.parametrize("attack", InMoney.attacks())
def test_amounts_add_up_to_the_limit_and_no_further(in_money: Attacked, attack: str) -> None:
    outcome = in_money.outcomes[attack]
    assert outcome.refused == EXPECTED.get(attack, ["MAX_POSITION_NOTIONAL"])
    assert outcome.most == MOST.get(attack, 0)
    assert outcome.least == 0


def test_no_rest_of_an_amount_stays_in_the_book(in_money: Attacked) -> None:
    assert in_money.trips == []
    assert in_money.driven.desk.book.orders == {}
    assert in_money.driven.desk.book.gross() == 0


class SellsAtAnOldPrice(Attacker):
    """Holds 60 bought at 200. The price halves in one step, which nobody believes yet; the engine does."""

    def at_bar(self, n: int, _bar: Any) -> None:
        if n == 1:
            self.submit_order(self.market(BUY, 60))
        if n == 4:
            money = Quantity(10_000, 0)
            self.submit_order(self.order_factory.market(self.iid, SELL, money, quote_quantity=True))


@both_modes
def test_a_sale_in_money_is_no_reduction_at_a_price_nobody_believes(mode: str) -> None:
    """10,000 is 50 shares at the last price that was believed, and 100 at the one the engine takes."""
    rows = bars([200.0, 200, 200, 100, 100, 100])
    driven = drive(mode, SellsAtAnOldPrice, rows, risk={"allow_short": False, "untrusted_jump_pct": 0.25})
    assert driven.limits == ["UNTRUSTED_PRICE"]
    assert [holding.position for holding in driven.desk.book.held()] == [60]


class BuysTheJump(Attacker):
    """MSFT jumps on the third day and stays there; AAPL stands still."""

    def on_bar(self, bar: Any) -> None:
        jumped = str(bar.bar_type.instrument_id) == "MSFT.XNAS" and float(bar.close) == 200
        self.n += 1
        if self.n == 2 and self.holds:
            self.submit_order(self.market(BUY, 10, instrument_id="MSFT.XNAS"))
        if jumped:
            for name in ("MSFT.XNAS", "AAPL.XNAS"):
                self.submit_order(self.market(BUY, 1, instrument_id=name))
            entry = self.resting(BUY, 1, 90, instrument_id="MSFT.XNAS")
            self.submit_order_list([entry])

    holds = False


class HoldsTheJump(BuysTheJump):
    holds = True


@both_modes
@pytest.mark.parametrize("attacker", [BuysTheJump, HoldsTheJump])
def test_an_untrusted_price_is_nobodys_way_in(mode: str, attacker: type[Attacker]) -> None:
    """Held, the jump is a doubt about equity, which every order needs; not held, about its own orders alone."""
    rows = sorted(
        bars([100.0] * 4) + bars([100.0, 100, 200, 200], "MSFT"),
        key=lambda bar: (bar.ts_init, str(bar.bar_type)),
    )
    driven = drive(mode, attacker, rows, risk={"untrusted_jump_pct": 0.25}, symbols=("AAPL", "MSFT"))
    held = attacker is HoldsTheJump
    refused = [(row["ts"], row["instrument"], row["limit"]) for row in driven.record.refusals]
    third, fourth = rows[4].ts_event, rows[6].ts_event
    expected = ["MSFT.XNAS", "AAPL.XNAS", "MSFT.XNAS"] if held else ["MSFT.XNAS", "MSFT.XNAS"]
    assert [(name, limit) for ts, name, limit in refused if ts < fourth] == [
        (name, "UNTRUSTED_PRICE") for name in expected
    ]
    assert [ts for ts, *_ in refused if ts >= fourth] == []
    assert third < fourth
