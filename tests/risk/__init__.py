"""Tests of `risk`."""
