"""Signals: prices in, opinion out; no orders, no account, no engine."""

from strategies.signals.bollinger_reversion import BollingerReversion
from strategies.signals.ema_cross import EmaCross
from strategies.signals.opinion import Opinion, Signal

__all__ = ["BollingerReversion", "EmaCross", "Opinion", "Signal"]
