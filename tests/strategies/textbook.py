"""The strategies' formulas written a second time, in pandas and plain loops, to check the first against."""

import numpy as np
import pandas as pd
from bokeh_sampledata.stocks import data as stocks

from strategies.signals import Opinion


def ema(prices: pd.Series, period: int) -> pd.Series:
    """Plain mean of the first `period`, then 2 / (period + 1) of the way to each price."""
    seeded = prices.copy()
    seeded.iloc[: period - 1] = np.nan
    seeded.iloc[period - 1] = prices.iloc[:period].mean()
    return seeded.ewm(span=period, adjust=False).mean()


def ema_opinions(prices: pd.Series, fast: int, slow: int) -> list[Opinion | None]:
    """Which average is on top; None before the slower one exists."""
    difference = ema(prices, fast) - ema(prices, slow)
    return [None if np.isnan(value) else Opinion(int(np.sign(value))) for value in difference]


def rsi(prices: pd.Series, period: int) -> pd.Series:
    """Wilder's relative strength index: plain means of the first `period` gains and losses, then 1 / period."""
    change = prices.diff()
    gain, loss = (wilder(change.clip(lower=0), period), wilder((-change).clip(lower=0), period))
    return 100 * gain / (gain + loss)


def wilder(values: pd.Series, period: int) -> pd.Series:
    """Wilder's average of a series whose first value is missing."""
    seeded = values.copy()
    seeded.iloc[:period] = np.nan
    seeded.iloc[period] = values.iloc[1 : period + 1].mean()
    return seeded.ewm(alpha=1 / period, adjust=False).mean()


def bollinger_opinions(
    prices: pd.Series, period: int, width: float, rsi_period: int | None, rsi_low: float, rsi_high: float
) -> list[Opinion | None]:
    """A walk through the bands, bar by bar."""
    middle = prices.rolling(period).mean()
    reach = prices.rolling(period).std(ddof=0) * width
    strength = rsi(prices, rsi_period) if rsi_period else pd.Series(np.nan, prices.index)
    ready = middle.notna() & (strength.notna() | (rsi_period is None))
    found: list[Opinion | None] = []
    side = Opinion.FLAT
    for at in range(len(prices)):
        if not ready.iloc[at]:
            found.append(None)
            continue
        price, mean = prices.iloc[at], middle.iloc[at]
        if price < mean - reach.iloc[at] and (rsi_period is None or strength.iloc[at] <= rsi_low):
            side = Opinion.LONG
        elif price > mean + reach.iloc[at] and (rsi_period is None or strength.iloc[at] >= rsi_high):
            side = Opinion.SHORT
        elif (side is Opinion.LONG and price >= mean) or (side is Opinion.SHORT and price <= mean):
            side = Opinion.FLAT
        found.append(side)
    return found


def orders(opinions: list[Opinion | None], direction: str) -> list[tuple[int, str, str]]:
    """(day, entry or exit, buy or sell) of a trader who follows the opinions as far as the direction allows."""
    allowed = {"long": {Opinion.LONG}, "short": {Opinion.SHORT}, "both": {Opinion.LONG, Opinion.SHORT}}[
        direction
    ]
    sent: list[tuple[int, str, str]] = []
    held = Opinion.FLAT
    for day, opinion in enumerate(opinions):
        wanted = opinion if opinion in allowed else Opinion.FLAT
        if opinion is None or wanted is held:
            continue
        if held is not Opinion.FLAT:
            sent.append((day, "exit", "sell" if held is Opinion.LONG else "buy"))
        if wanted is not Opinion.FLAT:
            sent.append((day, "entry", "buy" if wanted is Opinion.LONG else "sell"))
        held = Opinion(wanted or 0)
    return sent


def shipped_closes(symbol: str) -> pd.Series:
    """Adjusted closes of 2000 to 2013."""
    frame = stocks[stocks.ticker == symbol]
    return pd.Series(frame.adj_close.to_numpy())
