"""What must happen when something goes wrong, in a backtest and in a live node alike."""
