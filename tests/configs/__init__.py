"""Tests of `configs`."""
