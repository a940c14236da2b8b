"""Is equity exact when profits are made in other currencies than the account's?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import Currency

from market.rates import Rates, RateSeries, exact_rate
from runs.equity import equity_of
from runs.errors import RunError
from runs.prices import INVERSE_DECIMALS, read_prices
from runs.record import Row, RunRecord
from runs.trades import round_trips
from tests.parity.inverse import NAME, inverse_market
from tests.runs.records import FixedMarket, analysis_of, bars, fill, record_of, share, stamp

EUR = Currency.from_str("EUR")


def in_euros(closes: list[float], rates: dict[float, str]) -> FixedMarket:
    """One share quoted in euros; rates: number of the bar -> dollars for a euro from its end on."""
    known = RateSeries(
        "EUR",
        np.array([stamp(at) for at in rates], np.int64),
        tuple(exact_rate(Decimal(rate)) for rate in rates.values()),
        "test",
    )
    return FixedMarket(
        {"SAP": bars(closes)}, (share("SAP", EUR),), rates=Rates("USD", "XNAS", {"EUR": known})
    )


def euros(bar: float, side: str, quantity: str, price: str, fee: str = "0") -> Row:
    return fill(bar, side, quantity, price, fee=fee, symbol="SAP", currency="EUR")


def units_of(record: RunRecord) -> list[int]:
    units: list[int] = equity_of(record, read_prices(record.market)).units.tolist()
    return units


def test_profit_stays_in_its_currency_and_is_converted_at_the_rate_in_force() -> None:
    """10 shares from 10 to 12 euros, less 1 euro: 19 euros, worth 20.90, then 22.80 dollars when the euro rises."""
    market = in_euros([10.0, 12.0, 12.0], {0: "1.05", 1: "1.10", 2: "1.20"})
    fills = [euros(0, "BUY", "10", "10"), euros(1, "SELL", "10", "12", fee="1")]
    assert units_of(record_of(market, fills, final="1022.80")) == [100000, 102090, 102280]


def test_an_open_position_is_financed_in_its_currency() -> None:
    """The shares are bought with borrowed euros: only the gain of 20 euros moves with the euro."""
    market = in_euros([10.0, 12.0, 12.0], {-1: "1.00", 2: "1.50"})
    fills = [euros(0, "BUY", "10", "10")]
    record = record_of(market, fills, final="1030")
    assert units_of(record) == [100000, 102000, 103000]
    gross = equity_of(record, read_prices(record_of(market).market)).gross
    assert gross.tolist() == [100.0, 120.0, 180.0]


def test_trades_count_at_the_rate_of_their_exit_and_fees_at_that_of_their_fill() -> None:
    market = in_euros([10.0, 12.0, 12.0], {0: "1.05", 1: "1.10", 2: "1.20"})
    fills = [euros(0, "BUY", "10", "10", fee="2"), euros(1, "SELL", "10", "12", fee="1")]
    [trade] = round_trips(fills, read_prices(record_of(market).market))
    assert trade.commission == Decimal("3.2")
    assert trade.pnl == Decimal("22.0") - Decimal("3.2")
    assert trade.pnl_pct == pytest.approx(18.8 / 110)
    analysis = analysis_of(record_of(market, fills, final="1020.40"))
    assert analysis.fees == trade.commission
    assert analysis.traded == pytest.approx(10 * 10 * 1.05 + 10 * 12 * 1.10)


def test_buy_and_hold_buys_the_currency_too() -> None:
    market = in_euros([10.0, 11.0, 11.0], {0: "1.00", 2: "1.20"})
    assert analysis_of(record_of(market)).benchmark.tolist() == pytest.approx([1000.0, 1100.0, 1320.0])


def test_a_fill_of_before_the_first_rate_is_refused() -> None:
    market = in_euros([10.0, 12.0, 12.0], {1: "1.10"})
    with pytest.raises(RunError, match=r"SAP\.XNAS settles in EUR, of which no rate was known"):
        units_of(record_of(market, [euros(0, "BUY", "10", "10")]))


def test_a_commission_in_a_currency_without_a_rate_is_refused() -> None:
    market = in_euros([10.0, 12.0], {0: "1.10"})
    with pytest.raises(RunError, match=r"commission of 1 BNB on SAP\.XNAS, of which no rate was known"):
        units_of(record_of(market, [fill(0, "BUY", "1", "10", fee="1", symbol="SAP", currency="BNB")]))


def test_the_ledger_may_differ_by_a_rounding_in_the_foreign_currency_only() -> None:
    market = in_euros([10.0, 11.0], {0: "3.00"})
    fills = [euros(0, "BUY", "10", "10")]
    assert units_of(record_of(market, fills, final="1030.03"))[-1] == 103000
    with pytest.raises(RunError, match="more than a rounding a fill apart"):
        units_of(record_of(market, fills, final="1030.04"))


closes = st.lists(st.integers(100, 50_000), min_size=2, max_size=8)
steps = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(["BUY", "SELL"]), st.integers(1, 500), st.integers(0, 300)),
    max_size=8,
)


@given(closes, steps, st.lists(st.decimals("0.0001", "200", places=7), min_size=8, max_size=8))
def test_equity_equals_a_ledger_kept_by_hand(
    cents: list[int], trades: list[tuple[int, str, int, int]], dollars: list[Decimal]
) -> None:
    """At every bar: (euros paid, received and charged, plus shares at the close) at the rate, rounded once."""
    market = in_euros(
        [close / 100 for close in cents], {at: str(rate) for at, rate in enumerate(dollars[: len(cents)])}
    )
    fills = [
        euros(at, side, str(quantity), str(Decimal(cents[at]) / 100), fee=str(Decimal(fee) / 100))
        for at, side, quantity, fee in trades
        if at < len(cents)
    ]
    expected = []
    for at, close in enumerate(cents):
        cash, held = Fraction(0), Fraction(0)
        for row in fills:
            if row["ts"] <= stamp(at):
                signed = Fraction(row["quantity"] if row["side"] == "BUY" else -row["quantity"])
                cash -= signed * Fraction(row["price"]) + Fraction(row["commission"])
                held += signed
        total = Fraction(1_000_000) + (cash + held * Fraction(close, 100)) * Fraction(dollars[at])
        expected.append((total * 100 + Fraction(1, 2)).__floor__())
    record = record_of(market, fills, starting="1000000", final=str(Decimal(expected[-1]) / 100))
    assert units_of(record) == expected


contracts = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["BUY", "SELL"]), st.integers(1, 10**7)), max_size=6
)


@given(st.lists(st.integers(1, 200_000), min_size=6, max_size=6), contracts)
def test_inverse_contracts_are_exact_to_the_smallest_part_of_a_coin(
    prices: list[int], trades: list[tuple[int, str, int]]
) -> None:
    """A contract is worth a dollar's worth of coins: -1 / price; each value is rounded to 18 digits."""
    market = inverse_market([price / 2 for price in prices], account="BTC")
    fills: list[Row] = [
        {
            "ts": market.rows[at].ts_event,
            "strategy": "S-001",
            "instrument": NAME,
            "side": side,
            "quantity": Decimal(quantity),
            "price": Decimal(prices[at]) / 2,
            "commission": Decimal("0.00000007"),
            "currency": "BTC",
        }
        for at, side, quantity in trades
    ]
    coins = Fraction(0)
    for row in fills:
        signed = Fraction(row["quantity"] if row["side"] == "BUY" else -row["quantity"])
        coins += (
            signed / Fraction(row["price"]) - signed / Fraction(prices[-1], 2) - Fraction(row["commission"])
        )
    record = replace(record_of(market, fills, starting="100", currency="BTC"), final_equity=Decimal(0))  # type: ignore[arg-type]
    expected = Fraction(100) + coins
    record = replace(record, final_equity=Decimal(round(expected * 10**8)).scaleb(-8))
    units = units_of(record)
    worst = Fraction(1, 2) + Fraction(
        sum(quantity for _, _, quantity in trades), 10 ** (INVERSE_DECIMALS - 8)
    )
    assert abs(Fraction(units[-1]) - expected * 10**8) <= worst
