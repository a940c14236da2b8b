"""The sweep verb: its points, its workers, its search, what it keeps and what it shows."""
