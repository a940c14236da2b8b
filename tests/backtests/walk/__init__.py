"""The walk-forward and the hold-out: which days, what may be known of them, and who has looked."""
