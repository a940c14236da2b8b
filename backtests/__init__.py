"""The past: runs strategies over market data that ships or is the user's own.

From Python: `backtests.api.run_backtest(compose("backtest", ["strategy.fast=20"]).config)` gives the record of a run.
"""
