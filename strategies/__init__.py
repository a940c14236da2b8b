"""Strategies, written once: they know NautilusTrader, never the venue, the mode or a file."""
