"""Tests of the local brokers themselves."""
