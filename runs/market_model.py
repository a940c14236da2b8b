"""How much of what an account earned did its market give it?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

type FloatArray = npt.NDArray[np.float64]

FEWEST = 15
"""Pairs of daily returns below which alpha and beta say nothing; the shortest month has 19 days of trading."""
_NOISE = 1e-12  # below this share of the largest return, a spread is rounding


@dataclass(frozen=True, slots=True)
class MarketModel:
    """What the market explains of the account's returns.

    alpha: a fraction a year that it does not explain; beta: how much of its return the account earned with it;
    correlation: between -1 and 1, None where the account's returns do not differ.
    """

    alpha: float
    beta: float
    correlation: float | None


def market_model(own: FloatArray, market: FloatArray, periods_per_year: float) -> MarketModel | None:
    """Least squares of own = alpha + beta * market, with a risk-free rate of zero.

    own, market: shape (n,), returns over the same periods. beta = cov(own, market) / var(market); alpha =
    (mean(own) - beta * mean(market)) * periods_per_year. None for fewer than FEWEST pairs, or a market that did not
    move. Sources: Sharpe, A Simplified Model for Portfolio Analysis, Management Science 9(2), 1963; Jensen, The
    Performance of Mutual Funds in the Period 1945-1964, Journal of Finance 23(2), 1968.
    """
    if len(own) != len(market):
        raise ValueError(f"{len(own)} returns of the account and {len(market)} of the market are no pairs")
    if len(own) < FEWEST or _still(market):
        return None
    covariance = float(np.cov(own, market, ddof=1)[0, 1])
    spread = float(np.var(market, ddof=1))
    beta = covariance / spread
    alpha = (float(np.mean(own)) - beta * float(np.mean(market))) * periods_per_year
    if not (math.isfinite(alpha) and math.isfinite(beta)):
        return None
    correlation = None if _still(own) else covariance / math.sqrt(spread * float(np.var(own, ddof=1)))
    return MarketModel(alpha, beta, correlation)


def _still(fractions: FloatArray) -> bool:
    return not float(np.std(fractions)) > _NOISE * float(np.abs(fractions).max(initial=0.0))
