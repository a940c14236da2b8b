"""Tests of `backtests`."""
