"""Sizes are never more than asked, never negative, and always something that can be traded."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import Currency, CurrencyPair, Equity, InstrumentId, Money, Price, Quantity, Symbol

from strategies.sizing import (
    Lot,
    Sizing,
    annual_volatility,
    percent_of_equity,
    risk_to_stop,
    volatility_target,
)

USD = Currency.from_str("USD")
USDT = Currency.from_str("USDT")


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False)


MONEY = decimals("0.01", "1000000000", 2)
PRICES = decimals("0.00001", "1000000", 5)
SHARES = decimals("0.0001", "1", 4)
QUANTITIES = decimals("-1000", "1000000000", 9)
LOTS = st.builds(
    Lot,
    increment=st.sampled_from([Decimal(text) for text in ("0.000001", "0.01", "0.5", "1", "100", "1000")]),
    minimum=st.sampled_from([Decimal(0), Decimal("0.001"), Decimal(5), Decimal(1000)]),
    maximum=st.one_of(st.none(), st.sampled_from([Decimal(10), Decimal("123456.789")])),
    minimum_notional=st.sampled_from([Decimal(0), Decimal(10), Decimal(100000)]),
)


@given(LOTS, QUANTITIES, PRICES)
def test_a_cut_is_a_whole_number_of_lots_never_more_than_asked_and_never_negative(
    lot: Lot, quantity: Decimal, price: Decimal
) -> None:
    cut = lot.cut(quantity, price)
    assert 0 <= cut <= max(quantity, Decimal(0))
    assert Fraction(cut) % Fraction(lot.increment) == 0
    assert lot.maximum is None or cut <= lot.maximum


@given(LOTS, QUANTITIES, PRICES)
def test_a_cut_is_zero_or_at_least_every_minimum_and_wastes_less_than_one_lot(
    lot: Lot, quantity: Decimal, price: Decimal
) -> None:
    cut = lot.cut(quantity, price)
    if cut:
        assert cut >= lot.minimum
        assert Fraction(cut) * Fraction(price) >= Fraction(lot.minimum_notional)
        wanted = quantity if lot.maximum is None else min(quantity, lot.maximum)
        assert Fraction(wanted) - Fraction(cut) < Fraction(lot.increment)


@given(LOTS, QUANTITIES, QUANTITIES, PRICES)
def test_asking_for_more_never_gives_less(lot: Lot, one: Decimal, other: Decimal, price: Decimal) -> None:
    less, more = sorted((one, other))
    assert lot.cut(less, price) <= lot.cut(more, price)


@given(MONEY, SHARES, PRICES)
def test_a_percent_of_equity_is_never_worth_more_than_that(
    equity: Decimal, share: Decimal, price: Decimal
) -> None:
    quantity = percent_of_equity(equity, share, price)
    assert quantity >= 0
    assert Fraction(quantity) * Fraction(price) <= Fraction(equity) * Fraction(share)


@given(MONEY, MONEY, SHARES, PRICES)
def test_more_equity_never_gives_a_smaller_position(
    one: Decimal, other: Decimal, share: Decimal, price: Decimal
) -> None:
    less, more = sorted((one, other))
    assert percent_of_equity(less, share, price) <= percent_of_equity(more, share, price)


@given(MONEY, SHARES, decimals("0.000001", "10", 6), PRICES, decimals("0.01", "5", 2))
def test_a_volatility_target_holds_both_its_risk_and_its_cap(
    equity: Decimal, target: Decimal, volatility: Decimal, price: Decimal, cap: Decimal
) -> None:
    worth = Fraction(volatility_target(equity, target, volatility, price, cap)) * Fraction(price)
    assert 0 <= worth <= Fraction(equity) * Fraction(cap)
    assert worth * Fraction(volatility) <= Fraction(equity) * Fraction(target)


@given(MONEY, SHARES, decimals("0.0001", "0.9999", 4), PRICES, decimals("0.01", "5", 2))
def test_the_loss_at_the_stop_is_never_more_than_the_risk(
    equity: Decimal, risk: Decimal, distance: Decimal, price: Decimal, cap: Decimal
) -> None:
    worth = Fraction(risk_to_stop(equity, risk, distance, price, cap)) * Fraction(price)
    assert 0 <= worth <= Fraction(equity) * Fraction(cap)
    assert worth * Fraction(distance) <= Fraction(equity) * Fraction(risk)


@pytest.mark.parametrize("equity", [Decimal(0), Decimal("-12.50")])
def test_without_equity_there_is_nothing_to_trade_with(equity: Decimal) -> None:
    price, half = Decimal(10), Decimal("0.5")
    assert percent_of_equity(equity, half, price) == 0
    assert volatility_target(equity, half, half, price, half) == 0
    assert risk_to_stop(equity, half, half, price, half) == 0


@given(st.lists(st.floats(0.01, 1e6), min_size=3, max_size=80), st.integers(1, 100_000))
def test_volatility_is_the_sample_deviation_of_log_returns_rounded_up(closes: list[float], bars: int) -> None:
    expected = float(np.std(np.diff(np.log(closes)), ddof=1)) * bars**0.5
    found = annual_volatility(closes, bars)
    assert float(found) == pytest.approx(expected, rel=1e-9, abs=2e-6)
    assert found.as_tuple().exponent == -6
    assert float(found) >= expected * (1 - 1e-9) - 1e-9


@pytest.mark.parametrize(
    "closes",
    [[], [1.0], [1.0, 2.0], [1.0, 0.0, 1.0], [1.0, -1.0, 2.0], [1.0, float("nan"), 2.0], [5.0, 5.0, 5.0]],
)
def test_volatility_that_cannot_be_told_sizes_to_nothing(closes: list[float]) -> None:
    volatility = annual_volatility(closes, 252)
    assert volatility == 0
    assert volatility_target(Decimal(1000), Decimal("0.1"), volatility, Decimal(10), Decimal(1)) == 0


def test_a_volatility_target_waits_for_its_closes() -> None:
    sizing = Sizing("volatility_target", volatility_bars=3)
    assert sizing.needed_closes == 4
    assert sizing.wanted(Decimal(1000), Decimal(10), [1.0, 2.0, 3.0]) is None
    assert sizing.wanted(Decimal(1000), Decimal(10), [1.0, 2.0, 3.0, 2.0]) is not None


def test_risk_to_the_stop_needs_a_stop() -> None:
    with pytest.raises(ValueError, match=r"^sizing=risk_to_stop needs stop_loss_pct.*$"):
        Sizing("risk_to_stop")


def test_the_lot_comes_from_the_instrument() -> None:
    aapl = InstrumentId.from_str("AAPL.XNAS")
    equity = Equity(aapl, Symbol("AAPL"), USD, 2, Price(0.01, 2), 0, 0, lot_size=Quantity(100, 0))
    assert Lot.of(equity) == Lot(Decimal(100))
    btc = CurrencyPair(
        InstrumentId.from_str("BTCUSDT.BINANCE"), Symbol("BTCUSDT"), Currency.from_str("BTC"), USDT, 2, 5,
        Price(0.01, 2), Quantity(0.00001, 5), 0, 0, min_quantity=Quantity(0.0001, 5),
        max_quantity=Quantity(9000, 5), min_notional=Money(10, USDT),
    )  # fmt: skip
    assert Lot.of(btc) == Lot(Decimal("0.00001"), Decimal("0.0001"), Decimal(9000), Decimal(10))
