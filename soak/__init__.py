"""Long trials of a live node: killed again and again, and run for a day. Development only: not part of the package."""
