"""Strategies against the bare engine: no Keel in between."""
