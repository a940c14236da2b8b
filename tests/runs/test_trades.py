"""Are fills split into round trips as a trader would count them?"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from runs.equity import equity_of
from runs.prices import read_prices
from runs.record import Row
from runs.trades import Trade, round_trips
from tests.runs.records import DAY, FixedMarket, bars, fill, market_of, pair, record_of, stamp

MARKET = market_of(AAPL=[10.0, 11.0, 12.0, 13.0, 14.0], MSFT=[20.0, 21.0, 22.0, 23.0, 24.0])


def trades_of(*fills: Row, market: FixedMarket = MARKET) -> list[Trade]:
    return round_trips(list(fills), read_prices(record_of(market).market))


def test_a_long_round_trip_earns_the_difference_less_commission() -> None:
    [trade] = trades_of(fill(0, "BUY", "10", "10.00", fee="1"), fill(2, "SELL", "10", "12.00", fee="2"))
    assert trade == Trade(
        strategy="EMA-001",
        instrument="AAPL.XNAS",
        side="LONG",
        quantity=Decimal(10),
        entry_ts=stamp(0),
        entry_price=Decimal(10),
        exit_ts=stamp(2),
        exit_price=Decimal(12),
        pnl=Decimal(17),
        pnl_pct=0.17,
        commission=Decimal(3),
        bars=2,
        holding_ns=2 * DAY,
    )
    assert not trade.is_open


def test_a_short_round_trip_earns_when_the_price_falls() -> None:
    [trade] = trades_of(fill(0, "SELL", "10", "12.00"), fill(1, "BUY", "10", "11.00"))
    assert (trade.side, trade.pnl) == ("SHORT", Decimal(10))


def test_prices_are_averages_over_what_went_in_and_came_out() -> None:
    [trade] = trades_of(
        fill(0, "BUY", "10", "10.00"),
        fill(1, "BUY", "20", "11.50"),
        fill(2, "SELL", "5", "12"),
        fill(3, "SELL", "25", "13"),
    )
    assert (trade.quantity, trade.entry_price) == (Decimal(30), Decimal(11))
    assert trade.exit_price == Decimal("12.8333333333333333")
    assert trade.pnl == Decimal(5 * 12 + 25 * 13 - 330)


def test_a_fill_through_zero_closes_one_trade_and_opens_the_next() -> None:
    """40 sold against 10 held: a quarter of the commission belongs to the trade that ends."""
    ended, begun = trades_of(fill(0, "BUY", "10", "10.00"), fill(2, "SELL", "40", "12.00", fee="1"))
    assert (ended.side, ended.quantity) == ("LONG", Decimal(10))
    assert (ended.pnl, ended.commission) == (Decimal("19.75"), Decimal("0.25"))
    assert (begun.side, begun.quantity, begun.commission) == ("SHORT", Decimal(30), Decimal("0.75"))
    assert (begun.entry_ts, begun.entry_price, begun.is_open) == (stamp(2), Decimal(12), True)


def test_a_trade_open_at_the_end_is_marked_and_valued_at_the_last_close() -> None:
    [trade] = trades_of(fill(1, "BUY", "10", "11.00"))
    assert trade.is_open
    assert (trade.exit_ts, trade.exit_price, trade.pnl) == (None, None, Decimal(30))
    assert (trade.bars, trade.holding_ns) == (3, 3 * DAY)


def test_strategies_and_instruments_have_round_trips_of_their_own() -> None:
    trades = trades_of(
        fill(0, "BUY", "10", "10.00"),
        fill(0, "SELL", "10", "10.00", strategy="RSI-002"),
        fill(1, "BUY", "5", "21.00", symbol="MSFT"),
        fill(2, "SELL", "10", "12.00"),
    )
    assert [(trade.strategy, trade.instrument, trade.is_open) for trade in trades] == [
        ("EMA-001", "AAPL.XNAS", False),
        ("RSI-002", "AAPL.XNAS", True),
        ("EMA-001", "MSFT.XNAS", True),
    ]


def test_the_multiplier_counts_in_profit_and_cancels_in_the_share() -> None:
    market = FixedMarket({"EURUSD": bars([1.0, 1.1])}, (pair("EURUSD", 1000),))
    [trade] = trades_of(
        fill(0, "BUY", "2", "1.00000", symbol="EURUSD"),
        fill(1, "SELL", "2", "1.10000", symbol="EURUSD"),
        market=market,
    )
    assert (trade.pnl, trade.pnl_pct) == (Decimal(200), 0.1)


def test_no_fills_make_no_trades() -> None:
    assert trades_of() == []


steps = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 50),
        st.integers(1, 3000),
        st.integers(0, 100),
        st.sampled_from(["EMA-001", "RSI-002"]),
        st.sampled_from(["AAPL", "MSFT"]),
    ),
    max_size=20,
)


@given(steps)
def test_the_trades_of_a_run_add_up_to_its_change_in_equity(
    made: list[tuple[int, str, int, int, int, str, str]],
) -> None:
    """To the last digit, and the commissions too, however positions were turned."""
    fills = [
        fill(
            bar,
            side,
            str(quantity),
            str(Decimal(price) / 100),
            fee=str(Decimal(fee) / 100),
            strategy=name,
            symbol=symbol,
        )
        for bar, side, quantity, price, fee, name, symbol in made
    ]
    trades = trades_of(*fills)
    gained = sum((trade.pnl for trade in trades), Decimal(0))
    record = record_of(MARKET, fills, final=str(1000 + gained))
    assert equity_of(record, read_prices(record.market)).final == 1000 + gained
    assert sum((trade.commission for trade in trades), Decimal(0)) == sum(
        (row["commission"] for row in fills), Decimal(0)
    )
