"""Searching among many backtests: which points there are, how they are run, and what came of them."""
