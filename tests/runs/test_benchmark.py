"""Does buy-and-hold do what its definition says?"""

from __future__ import annotations

import numpy as np
import pytest

from runs.benchmark import at_equal_volatility, buy_and_hold
from runs.prices import Prices, read_prices, stamps
from tests.runs.records import FixedMarket, bars, market_of, record_of, share


def value(market: FixedMarket) -> list[float]:
    prices: dict[str, Prices] = read_prices(record_of(market).market)
    return list(buy_and_hold(1000.0, prices, stamps(prices)))


def test_equity_is_split_equally_at_the_first_close() -> None:
    """500 in each: one doubles, the other halves."""
    assert value(market_of(A=[10.0, 15.0, 20.0], B=[40.0, 40.0, 20.0])) == pytest.approx(
        [1000.0, 1250.0, 1250.0]
    )


def test_a_share_stays_in_cash_until_its_instrument_trades() -> None:
    market = FixedMarket(
        {"A": bars([10.0, 20.0, 20.0]), "B": bars([5.0, 6.0], first=1)}, (share("A"), share("B"))
    )
    assert value(market) == pytest.approx([1000.0, 1500.0, 1600.0])


def test_nothing_is_rounded_to_whole_units() -> None:
    assert np.allclose(value(market_of(A=[3000.0, 3300.0])), [1000.0, 1100.0])


HELD = np.array([1000.0, 1200, 1000, 1300, 1100, 1500])


def test_what_moves_far_more_than_the_run_is_drawn_with_so_much_of_the_money_that_it_does_not() -> None:
    """A run that moves a tenth as much each day."""
    moves = np.concatenate([HELD[:1] / 1000, HELD[1:] / HELD[:-1]]) - 1
    own = 1000 * np.cumprod(1 + moves / 10)
    share, drawn = at_equal_volatility(own, HELD, 1000.0, np.arange(6))
    assert share == pytest.approx(0.1)
    assert drawn == pytest.approx(own)


@pytest.mark.parametrize("own", [HELD * 2, np.full(6, 1000.0), np.array([1000.0, -5, 3, 2, 1, 1])])
def test_what_moves_about_as_much_or_not_at_all_is_drawn_as_it_is(own: np.ndarray) -> None:
    share, drawn = at_equal_volatility(own, HELD, float(own[0]), np.arange(6))
    assert share is None
    assert drawn is HELD
