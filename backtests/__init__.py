"""The past: runs strategies over market data that ships or is the user's own.

From Python: `run_backtest(compose("backtest", ["strategy.fast=20"]).config)` gives the record of a run.
"""

from backtests._engine import Backtest, run_backtest

__all__ = ["Backtest", "run_backtest"]
