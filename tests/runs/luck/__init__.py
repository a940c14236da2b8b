"""Tests of `runs.luck`."""
