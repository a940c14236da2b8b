"""Tests of `runs.trials`."""
