"""Which part of a whole's return and risk is whose? Pure measures over numpy arrays, for reports.

Conventions: `parts` has shape (days, n), what each of n parts added to the whole's return on each day, as fractions of
the whole's equity before that day, so that the rows add up to the whole's returns. Undefined is None, never NaN.
"""

from __future__ import annotations

import math

import numpy as np

from risk.measures import FloatArray

_FEWEST = 2
_NOISE = 1e-20  # variance of a day below which nothing moved


def correlation(parts: FloatArray) -> list[list[float | None]] | None:
    """Pearson correlation of each pair of parts: n rows of n numbers between -1 and 1.

    None in a row or column of a part that never moved; None for fewer than two days.
    """
    if len(parts) < _FEWEST:
        return None
    cov = _covariance(parts)
    moved = np.diag(cov) > _NOISE
    spread = np.sqrt(np.where(moved, np.diag(cov), 1.0))
    scaled = np.clip(cov / np.outer(spread, spread), -1.0, 1.0)
    np.fill_diagonal(scaled, 1.0)
    known = np.outer(moved, moved)
    return [
        [float(value) if seen else None for value, seen in zip(row, line, strict=True)]
        for row, line in zip(scaled, known, strict=True)
    ]


def risk_contributions(parts: FloatArray, days_per_year: float) -> FloatArray | None:
    """Marginal contribution of each part to the whole's yearly volatility: cov(part, whole) / std(whole) x sqrt(days).

    Shape (n,); they add up to the whole's volatility, and one below zero takes risk away. None when the whole never
    moved.
    Source: Litterman, Hot Spots and Hedges, Journal of Portfolio Management, Special Issue 1996.
    """
    if len(parts) < _FEWEST:
        return None
    cov = _covariance(parts)
    whole = float(cov.sum())
    if not whole > _NOISE:
        return None
    shares: FloatArray = cov.sum(axis=1) / math.sqrt(whole) * math.sqrt(days_per_year)
    return shares


def diversification_ratio(parts: FloatArray) -> float | None:
    """Sum of the parts' volatilities over the whole's: 1 where all move as one, above it where they do not.

    Weights are in the parts already. None when the whole never moved.
    Source: Choueifaty & Coignard, Toward Maximum Diversification, Journal of Portfolio Management 35(1), 2008.
    """
    if len(parts) < _FEWEST:
        return None
    cov = _covariance(parts)
    whole = float(cov.sum())
    return float(np.sqrt(np.diag(cov)).sum() / math.sqrt(whole)) if whole > _NOISE else None


def effective_bets(parts: FloatArray) -> float | None:
    """Number of uncorrelated bets of equal risk that the parts amount to: between 1 and n.

    The exponential of the entropy of the shares of variance of the principal portfolios.
    Source: Meucci, Managing Diversification, Risk 22(5), 2009. None when the whole never moved.
    """
    if len(parts) < _FEWEST:
        return None
    values, vectors = np.linalg.eigh(_covariance(parts))
    exposures = vectors.sum(axis=0)
    variances = np.maximum(values, 0.0) * exposures**2
    whole = float(variances.sum())
    if not whole > _NOISE:
        return None
    shares = variances[variances > 0] / whole
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _covariance(parts: FloatArray) -> FloatArray:
    made: FloatArray = np.atleast_2d(np.cov(parts, rowvar=False, ddof=1))
    return made
