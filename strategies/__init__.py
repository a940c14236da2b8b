"""Trading strategies, written once: they know NautilusTrader and nothing of venue, mode or files."""
