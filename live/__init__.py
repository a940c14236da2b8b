"""The present: runs strategies in a live node on a replayed, a paper or a real venue."""
