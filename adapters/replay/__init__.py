"""The replay venue: recorded market data as if it were live, orders filled by the engine's sandbox."""
