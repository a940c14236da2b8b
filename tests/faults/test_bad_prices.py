"""A price that cannot be right halts nobody, and one that is right though terrible halts at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model import OrderSide, Price, Quantity

from tests.driving import Driven, Scripted, drive
from tests.faults.scenes import (
    DAY,
    HELD,
    HOLDS,
    HOLDS_BOTH,
    KINDS,
    MINUTE,
    MODES,
    SECOND,
    STEP,
    T0,
    Holds,
    OnQuotes,
    bar,
    market,
    merged,
    quote,
    stamps,
    told,
)

pytestmark = pytest.mark.slow

everywhere = pytest.mark.parametrize("mode", MODES)
on_both = pytest.mark.parametrize("kind", KINDS)
LIMITS = {"max_drawdown_pct": 0.1, "max_daily_loss_pct": 0.05, "untrusted_jump_pct": 0.25}


def held_through(mode: str, kind: str, prices: list[float], **risk: Any) -> Driven:
    rows = market(kind, prices)
    return drive(mode, HOLDS[kind], rows, risk={**LIMITS, **risk}, kind=kind)


def refused_at(driven: Driven) -> list[tuple[int, str]]:
    return [(refusal["ts"], refusal["limit"]) for refusal in driven.record.refusals]


@everywhere
@on_both
@pytest.mark.parametrize("absurd", [1.0, 10_000.0])
def test_one_absurd_price_halts_nobody(mode: str, kind: str, absurd: float) -> None:
    """100, one print of 1 (or of 10,000), 100 again: no trip, no new peak, no warning.

    New exposure is refused while the print is the newest price, and at no other moment.
    """
    driven = held_through(mode, kind, [100, 100, 100, 100, absurd, 100, 100, 100, 100])
    assert driven.record.trips == []
    assert refused_at(driven) == [(T0 + 4 * STEP[kind], "UNTRUSTED_PRICE")]
    assert driven.desk.breakers.state.peak - 100_000 <= HELD * Decimal("0.02")
    assert told(driven, "WARNING") == []


@on_both
@pytest.mark.parametrize("absurd", [1.0, 10_000.0])
def test_believed_at_once_the_same_print_would_halt(kind: str, absurd: float) -> None:
    """The test above can fail: with untrusted_jump_pct off and tick_confirmations 1 the print trips a breaker."""
    driven = held_through(
        "backtest", kind, [100, 100, 100, 100, absurd, 100, 100, 100, 100],
        untrusted_jump_pct="off", tick_confirmations=1,
    )  # fmt: skip
    assert len(driven.record.trips) == 1


@everywhere
@pytest.mark.parametrize("wrong", [88.0, 118.0])
def test_on_quotes_one_wrong_price_too_small_for_a_jump_halts_nobody(mode: str, wrong: float) -> None:
    """12% down or 18% up is believed as a price (the jump is 25%), but one quote is neither a breach nor a peak."""
    driven = held_through(mode, "quotes", [100, 100, 100, wrong, 100, 100.01, 100, 100.02, 100])
    assert driven.record.trips == []
    assert driven.desk.breakers.state.peak <= Decimal(100010)


@everywhere
@pytest.mark.parametrize("wrong", [85.0, 118.0])
def test_quotes_of_another_instrument_confirm_no_wrong_price(mode: str, wrong: float) -> None:
    """One wrong quote of AAPL and then five of MSFT: equity is 12% down, or 14% up, six times, by one price.

    That is no breach and no peak; the next quote of AAPL shows that nothing has happened.
    """
    aapl = market("quotes", [100, 100, 100, wrong, 100, 100, 100], step=10 * SECOND)
    msft = market("quotes", [100 + n / 100 for n in range(50)], "MSFT", start=T0 + SECOND, step=2 * SECOND)
    driven = drive(
        mode, HOLDS_BOTH["quotes"], merged(aapl, msft), risk={**LIMITS, "max_daily_loss_pct": 0.1}, kind="quotes",
        symbols=("AAPL", "MSFT"),
    )  # fmt: skip
    assert driven.record.trips == []
    assert driven.desk.breakers.state.peak < 100_200


@everywhere
def test_a_real_fall_of_one_instrument_trips_between_the_quotes_of_another(mode: str) -> None:
    """AAPL falls for good. Its second quote says the fall is real, and the quote after it, whosever, is the third."""
    aapl = market("quotes", [100, 100, 100, 85, 85, 85, 85, 85], step=10 * SECOND)
    msft = market("quotes", [100 + n / 100 for n in range(50)], "MSFT", start=T0 + SECOND, step=2 * SECOND)
    driven = drive(
        mode, HOLDS_BOTH["quotes"], merged(aapl, msft), risk={"max_drawdown_pct": 0.1}, kind="quotes",
        symbols=("AAPL", "MSFT"),
    )  # fmt: skip
    assert [trip["ts"] for trip in driven.record.trips] == [T0 + 41 * SECOND]


@everywhere
def test_a_price_that_falls_and_then_stands_still_trips(mode: str) -> None:
    """A market locked at its limit quotes one price for ever: that is three updates, not one."""
    driven = held_through(mode, "quotes", [100, 100, 100, 85, 85, 85, 85], max_daily_loss_pct="off")
    assert [trip["ts"] for trip in driven.record.trips] == [T0 + 5 * SECOND]


@everywhere
@on_both
@pytest.mark.parametrize("nothing", [0.0, -5.0])
def test_a_price_of_zero_or_less_is_no_price(mode: str, kind: str, nothing: float) -> None:
    """100, then 0 (or -5), then 100: no trip and no peak; new exposure is refused while it is the newest price.

    NaN cannot even be made: the engine's Price refuses it.
    """
    made = market(kind, [100] * 8)
    made[4] = bar(100, nothing, T0 + 4 * DAY) if kind == "bars" else quote(100, T0 + 4 * SECOND, bid=nothing)
    driven = drive(mode, HOLDS[kind], made, risk=LIMITS, kind=kind)
    assert driven.record.trips == []
    assert refused_at(driven) == [(T0 + 4 * STEP[kind], "UNTRUSTED_PRICE")]
    assert driven.desk.breakers.state.peak == 100_000
    with pytest.raises(ValueError, match="NaN"):
        Price(float("nan"), 2)


@everywhere
def test_after_a_price_of_zero_the_level_of_long_ago_is_not_believed(mode: str) -> None:
    """The market fell to 48 for good. Then a zero, then an absurd 100: it is as absurd as without the zero."""
    driven = held_through(
        mode,
        "bars",
        [100, 100, 48, 48, 48, 0, 100, 48, 48, 48],
        max_drawdown_pct=0.9,
        max_daily_loss_pct="off",
    )
    assert driven.record.trips == []
    assert driven.desk.breakers.state.peak == 100_000
    assert refused_at(driven) == [(T0 + n * DAY, "UNTRUSTED_PRICE") for n in (2, 5, 6)]


@everywhere
@on_both
def test_a_fall_that_is_real_trips_one_update_later_than_a_breach(mode: str, kind: str) -> None:
    """100 to 48 for good: the first price is doubted, the second confirms it.

    On bars that second one trips; on quotes it is the first of the three that must agree.
    """
    driven = held_through(mode, kind, [100, 100, 100, 48, 47.9, 47.8, 47.7, 47.6], max_daily_loss_pct="off")
    expected = {"bars": 4, "quotes": 6}[kind]
    assert [trip["ts"] for trip in driven.record.trips] == [T0 + expected * STEP[kind]]
    assert {limit for ts, limit in refused_at(driven) if ts > driven.record.trips[0]["ts"]} == {"HALTED"}


@everywhere
@on_both
def test_where_one_price_stops_nothing_new_is_bought_and_a_loss_of_the_other_still_trips(
    mode: str, kind: str
) -> None:
    """Both are held; MSFT goes silent.

    Once its price is too old every new order is refused, of AAPL too (PRICE_AGE names MSFT). AAPL falls: the loss is
    read at MSFT's last price, and trips.
    """
    step = STEP[kind]
    aapl = market(kind, [100] * 12 + [80] * 5)
    msft = market(kind, [100] * 4, "MSFT")
    driven = drive(
        mode, HOLDS_BOTH[kind], merged(aapl, msft), kind=kind, symbols=("AAPL", "MSFT"),
        risk={"max_drawdown_pct": 0.1, "max_price_age_secs": 5 * step // SECOND},
    )  # fmt: skip
    refused = refused_at(driven)
    silent, falls = T0 + 3 * step, T0 + 12 * step
    assert {limit for _, limit in refused} == {"STALE_PRICE", "HALTED"}
    assert min(ts for ts, _ in refused) == silent + 6 * step
    assert all("MSFT.XNAS" in r["reason"] for r in driven.record.refusals if r["limit"] == "STALE_PRICE")
    late = {"bars": 0, "quotes": 2}[kind]
    assert [trip["ts"] for trip in driven.record.trips] == [falls + late * step]


class OwnStop(Scripted):
    """Buys, and sends a stop of its own at 95 once it holds."""

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 2:
            self.buy(HELD)

    def on_position_opened(self, _event: Any) -> None:
        order = self.order_factory.stop_market(
            self.iid, OrderSide.SELL, Quantity(HELD, 0), trigger_price=Price(95, 2), reduce_only=True
        )
        self.submit_order(order)


class OwnStopOnQuotes(OnQuotes, OwnStop):
    pass


@everywhere
@on_both
@pytest.mark.parametrize("whose", ["own", "default"])
@pytest.mark.parametrize("next_day", [False, True])
def test_a_gap_of_a_fifth_through_the_stop_is_a_loss_of_that_day(
    mode: str, kind: str, whose: str, *, next_day: bool
) -> None:
    """The stop is at 95, the next price 80.

    The stop fills at 80, not at 95: the account is flat with a loss of 20%, of which the daily limit allows 5%. That
    trips at this very update, also when it is the first of a new day (whose start is then equity before the gap), and
    no second price is asked for: the loss is cash.
    """
    strategies: dict[tuple[str, str], type[Scripted]] = {
        ("own", "bars"): OwnStop, ("own", "quotes"): OwnStopOnQuotes, ("default", "bars"): Holds,
        ("default", "quotes"): HOLDS["quotes"],
    }  # fmt: skip
    gap = T0 + (DAY if next_day else 5 * MINUTE)
    rows = market(kind, [100, 100, 100], step=MINUTE) + market(
        kind, [80, 80, 80], start=gap, step=MINUTE, gaps=True
    )
    stop = {} if whose == "own" else {"default_stop_loss_pct": 0.05}
    driven = drive(
        mode,
        strategies[whose, kind],
        rows,
        kind=kind,
        risk={"max_daily_loss_pct": 0.05, "untrusted_jump_pct": 0.25, **stop},
    )
    (trip,) = driven.record.trips
    assert (trip["breaker"], trip["ts"]) == ("DAILY_LOSS", gap)
    assert trip["reference"] == (100_000 if kind == "bars" or not next_day else 99_980)
    assert abs(trip["equity"] - 80_000) <= 100
    assert driven.desk.book.is_flat()
    assert driven.record.halted


class RestsBelow(Scripted):
    """A limit order below the market, once both instruments have a price."""

    def at_bar(self, n: int, _update: Any) -> None:
        if n == 3:
            self.limit(OrderSide.BUY, HELD, 90)


class RestsBelowOnQuotes(OnQuotes, RestsBelow):
    pass


@everywhere
def test_a_fill_far_from_where_its_order_was_sent_is_worth_what_was_paid(mode: str) -> None:
    """The order was sent at 100 and fills at 90.

    A quote of the other instrument comes before the next of this one: equity holds the position at 90, and no gain of
    10,000 becomes a peak that later losses are measured from.
    """
    aapl = [
        quote(100, T0),
        quote(100, T0 + 2 * SECOND),
        *market("quotes", [88] * 8, start=T0 + 4 * SECOND, step=2 * SECOND),
    ]
    msft = market("quotes", [50 + n / 100 for n in range(12)], "MSFT", start=T0 + SECOND, step=2 * SECOND)
    driven = drive(
        mode, RestsBelowOnQuotes, merged(aapl, msft), kind="quotes", symbols=("AAPL", "MSFT"),
        risk={"max_drawdown_pct": 0.05},
    )  # fmt: skip
    assert [fill["price"] for fill in driven.record.fills] == [90]
    assert driven.desk.breakers.state.peak == 100_000
    assert driven.record.trips == []


@everywhere
def test_what_equity_was_before_the_day_is_what_the_day_is_measured_from(mode: str) -> None:
    """It falls by 1.4% on one day, in steps too small for anybody to look, and by 0.9% on the next: no day lost 2%.

    The second day starts at the last prices of the first, not at those somebody last looked at.
    """
    first = market("quotes", [100, 100, *(100 - 0.1 * n for n in range(15))], step=MINUTE)
    second = market("quotes", [98.2, 98.0, 97.9, 97.8, 97.72], start=T0 + DAY, step=MINUTE)
    driven = drive(mode, HOLDS["quotes"], first + second, risk={"max_daily_loss_pct": 0.02}, kind="quotes")
    assert driven.record.trips == []
    assert driven.desk.breakers.state.day_start == 100_000 - HELD * (Decimal("100.01") - Decimal("98.59"))


def test_stamps_are_what_the_tests_say() -> None:
    assert stamps(market("quotes", [1, 2, 3])) == [T0, T0 + SECOND, T0 + 2 * SECOND]
