"""Tests of the local paper venue, each at a broker process of its own."""
