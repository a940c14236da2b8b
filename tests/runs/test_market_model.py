"""Do alpha and beta come out where they were put in?"""

import numpy as np
import pytest

from runs.market_model import FEWEST, market_model

MARKET = np.sin(np.arange(40) * 1.7) / 50 + 0.0004


def test_alpha_and_beta_are_found_again() -> None:
    found = market_model(0.0002 + 1.4 * MARKET, MARKET, 252)
    assert found is not None
    assert found.beta == pytest.approx(1.4)
    assert found.alpha == pytest.approx(0.0002 * 252)
    assert found.correlation == pytest.approx(1.0)


def test_an_account_that_never_moves_has_no_correlation() -> None:
    found = market_model(np.zeros(40), MARKET, 252)
    assert found is not None
    assert (found.alpha, found.beta, found.correlation) == (0.0, 0.0, None)


def test_too_few_pairs_and_a_market_that_stands_still_say_nothing() -> None:
    few = FEWEST - 1
    assert market_model(MARKET[:few], MARKET[:few], 252) is None
    assert market_model(MARKET, np.full(40, 0.001), 252) is None
    assert market_model(np.empty(0), np.empty(0), 252) is None


def test_returns_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        market_model(MARKET, MARKET[1:], 252)
