"""How did an equity series do? Pure measures over numpy arrays, the same for breakers and for reports.

Conventions for every function here: `values` are amounts of equity in one currency, oldest first, one a
period (a session day in Keel's reports); returns are fractions of the value before (0.01 is +1%); a
measure that is undefined, or too large for a float, is None, never NaN or infinity.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

type FloatArray = npt.NDArray[np.float64]

# Below this share of the largest return, a standard deviation is rounding noise of equal returns.
_NOISE = 1e-12
_FEWEST = 2  # values for one return, and returns for a spread


@np.errstate(all="ignore")
def returns(values: FloatArray) -> FloatArray | None:
    """Simple returns between neighbouring values: v[i] / v[i-1] - 1.

    values: shape (n,), amounts. Gives shape (n - 1,), fractions, negative for a loss; empty for n < 2.
    None when a value to measure from is zero or negative, or any value is not finite.
    """
    bases = values[:-1]
    if not np.isfinite(values).all() or (bases <= 0).any():
        return None
    fractions: FloatArray = values[1:] / bases - 1.0
    return fractions if np.isfinite(fractions).all() else None


def total_return(values: FloatArray) -> float | None:
    """Growth from the first value to the last: v[-1] / v[0] - 1.

    values: shape (n,), amounts. A fraction, negative for a loss (below -1 when equity ends negative).
    None for n < 2 or when the first value is not positive.
    """
    if len(values) < _FEWEST or not values[0] > 0:
        return None
    return _finite(float(values[-1]) / float(values[0]) - 1.0)


def cagr(values: FloatArray, periods_per_year: float) -> float | None:
    """Compound annual growth rate: (v[-1] / v[0]) ** (periods_per_year / periods) - 1.

    values: shape (n,), amounts, so n - 1 periods. A fraction a year; -1.0 after a total loss.
    None for n < 2, a first value that is not positive or a negative last one.
    Source: Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed., 2008.
    """
    growth = total_return(values)
    if growth is None or growth < -1.0:
        return None
    if growth == -1.0:
        return -1.0
    try:
        return _finite(math.expm1(math.log1p(growth) * periods_per_year / (len(values) - 1)))
    except OverflowError:
        return None


@np.errstate(all="ignore")
def volatility(fractions: FloatArray, periods_per_year: float) -> float | None:
    """Annualised standard deviation of returns: std(r, ddof=1) * sqrt(periods_per_year).

    fractions: shape (n,), returns. A fraction a year, never negative. None for n < 2.
    Source: Hull, Options, Futures, and Other Derivatives, 10th ed., 2018.
    """
    if len(fractions) < _FEWEST:
        return None
    return _finite(float(np.std(fractions, ddof=1)) * math.sqrt(periods_per_year))


@np.errstate(all="ignore")
def sharpe(fractions: FloatArray, periods_per_year: float) -> float | None:
    """Sharpe ratio with a risk-free rate of zero: mean(r) / std(r, ddof=1) * sqrt(periods_per_year).

    fractions: shape (n,), returns. A pure number a year, negative for an average loss.
    None for n < 2 or when the returns do not differ (nothing was traded).
    Source: Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1), 1994.
    """
    if len(fractions) < _FEWEST:
        return None
    deviation = float(np.std(fractions, ddof=1))
    if not deviation > _NOISE * float(np.abs(fractions).max()):
        return None
    return _finite(float(np.mean(fractions)) / deviation * math.sqrt(periods_per_year))


@np.errstate(all="ignore")
def sortino(fractions: FloatArray, periods_per_year: float) -> float | None:
    """Sortino ratio with a target of zero: mean(r) / sqrt(mean(min(r, 0)^2)) * sqrt(periods_per_year).

    fractions: shape (n,), returns; the downside is averaged over all n, not over the losses only.
    A pure number a year, negative for an average loss. None for n < 2 or without a loss.
    Source: Sortino & Price, Performance Measurement in a Downside Risk Framework, J. of Investing 3(3), 1994.
    """
    if len(fractions) < _FEWEST:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(fractions, 0.0) ** 2)))
    if not downside > 0:
        return None
    return _finite(float(np.mean(fractions)) / downside * math.sqrt(periods_per_year))


@np.errstate(all="ignore")
def drawdowns(values: FloatArray) -> FloatArray | None:
    """How far each value lies below the highest value so far: (peak - v) / peak.

    values: shape (n,), amounts. Gives shape (n,), positive fractions of the peak, 0 at a new peak
    (above 1 when equity is negative). None when empty, not finite, or the first value is not positive.
    Source: Bacon, Practical Portfolio Performance Measurement and Attribution, 2nd ed., 2008.
    """
    if not len(values) or not values[0] > 0 or not np.isfinite(values).all():
        return None
    peaks = np.maximum.accumulate(values)
    fractions: FloatArray = (peaks - values) / peaks
    return fractions if np.isfinite(fractions).all() else None


def max_drawdown(values: FloatArray) -> float | None:
    """Deepest of `drawdowns`: a positive fraction of the peak before it; None where that is None."""
    fractions = drawdowns(values)
    return None if fractions is None else float(fractions.max())


@np.errstate(all="ignore")
def exposures(gross: FloatArray, values: FloatArray) -> FloatArray | None:
    """Gross exposure as a share of equity at each moment: gross / v (1.0 is fully invested, 2.0 leverage 2).

    gross: shape (n,), the sum of the absolute values of all positions, an amount, never negative;
    values: shape (n,), equity in the same currency. Gives shape (n,), fractions, never negative.
    None when empty or when equity is not positive somewhere.
    """
    if not len(values) or not (values > 0).all():
        return None
    fractions: FloatArray = gross / values
    return fractions if np.isfinite(fractions).all() else None


def exposure(gross: FloatArray, values: FloatArray) -> float | None:
    """Return the average of `exposures` over all moments: a fraction; None where that is None."""
    fractions = exposures(gross, values)
    return None if fractions is None else _finite(float(np.mean(fractions)))


@np.errstate(all="ignore")
def turnover(traded: float, values: FloatArray, years: float) -> float | None:
    """Value traded a year, as a multiple of average equity: traded / mean(v) / years.

    traded: the notional of all fills, buys plus sells, an amount; values: shape (n,), equity in the same
    currency. A buy and a later sale of the whole account within a year is a turnover of 2.
    None when empty, when average equity is not positive, or when no time has passed.
    """
    if not len(values) or not years > 0 or not np.mean(values) > 0:
        return None
    return _finite(traded / float(np.mean(values)) / years)


def win_rate(pnls: FloatArray) -> float | None:
    """Share of trades that earned money after costs; a trade that came out even is no win.

    pnls: shape (n,), profit (positive) or loss (negative) of each closed trade.
    Between 0 and 1; None for n = 0.
    """
    return float(np.mean(pnls > 0)) if len(pnls) else None


@np.errstate(all="ignore")
def profit_factor(pnls: FloatArray) -> float | None:
    """Sum of all profits over the sum of all losses, after costs.

    pnls: shape (n,), profit (positive) or loss (negative) of each closed trade. Never negative, 0 without a
    profit; None without a loss (the quotient has no end) or without a trade.
    Source: Kaufman, Trading Systems and Methods, 5th ed., 2013.
    """
    losses = -float(pnls[pnls < 0].sum())
    return _finite(float(pnls[pnls > 0].sum()) / losses) if losses > 0 else None


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
