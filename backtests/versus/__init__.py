"""Two runs side by side (backtests/compare.py)."""
