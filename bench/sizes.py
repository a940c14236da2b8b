"""How much is measured, how often, and what is to be held (the targets stand in docs/risk.md)?"""

from __future__ import annotations

from dataclasses import dataclass

TARGET_RATIO = 0.95  # Keel's updates a processor second / the bare engine's
TARGET_BREACH_MS = 1_000
TARGET_START_SECS = 3.0
TARGET_COMMIT_MS = 1.0  # of an intent, on disk when it returns, with SQLite
TARGET_LATENCY_US = 1_000  # from bar to order handed on, with the journal on SQLite
TARGET_ALPACA_US = 1_000  # added by Keel between Alpaca's messages and the strategy, either way
TARGET_SWEEP_RATIO = 1.8  # trials a second on two processes / on one
TARGET_SWEEP_SECS = 60  # a thousand trials of a daily backtest of 3,000 bars, on two processes
TARGET_LARGE_GROWTH = 0.10  # of a backtest's memory with four times as many days, and orders
TARGET_GROWTH = 0.05  # of a node's memory from the first to the last of 24 hours


@dataclass(frozen=True)
class Density:
    """How often the same strategy trades: the periods of its averages, and how much prices rise a step."""

    words: str
    fast: int
    slow: int
    drift: float = 0.0


RARELY = Density("rare", 5_000, 20_000)
ONCE = Density("rising", 5_000, 20_000, 0.05)
SOMETIMES = Density("0.2%", 200, 500)
OFTEN = Density("2%", 20, 50)
DENSITIES = {"bars": (RARELY, ONCE, SOMETIMES, OFTEN), "quotes": (RARELY, SOMETIMES, OFTEN)}


@dataclass(frozen=True)
class Sizes:
    """The size of every part."""

    bars: int = 500_000
    quotes: int = 1_000_000
    bar_pairs: int = 3
    quote_pairs: int = 2  # with 1,000,000 of them the machine's noise averages out within a run
    resting: int = 200
    breaches: int = 5
    starts: int = 3
    handed_on: int = 2_000  # orders of the latency bench, a journal
    commits: int = 3_000  # of the journal's bench
    rows: int = 200_000  # as above
    hours: int = 24  # of open market, of the memory bench
    quotes_a_second: int = 10  # as above
    sweep_trials: int = 150  # of the sweep bench, a process and round
    sweep_rounds: int = 3  # as above, one process beside two in each
    sweep_whole: int = 1_000  # trials of the sweep that is run as a user would
    large_number: int = 100  # instruments of the bench of large data
    large_days: int = 3  # as above, beside `large_times` as many
    large_times: int = 4
    large_chunk: int = 20_000  # rows in memory at a time
    alpaca_orders: int = 90  # at the local Alpaca; with 60 trades the limits on performance begin to count

    def count(self, kind: str) -> int:
        """Updates of a kind."""
        return self.bars if kind == "bars" else self.quotes

    def pairs(self, kind: str) -> int:
        """Pairs of runs, bare and Keel, a density."""
        return self.bar_pairs if kind == "bars" else self.quote_pairs
