"""Tests of the local Alpaca."""
