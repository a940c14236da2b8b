"""Backtest and live sandbox must be one and the same."""
