"""`python -m backtests VERB ...`: which verbs are there?"""

from __future__ import annotations

import sys

from runs.verbs import Verb, dispatch

ABOUT = "The past: run strategies over market data, behind the gate they would have live."
VERBS = (
    Verb("run", "one backtest: summary, plots, tear sheet", "backtests.run:run"),
    Verb(
        "sweep",
        "a backtest for each combination of values, or a search: best, table, plots",
        "backtests.sweep:sweep",
    ),
    Verb("risk", "the limits a run would have, and which line set each", "backtests.risk:risk"),
    Verb(
        "trials",
        "everything that was tried, and the best of it after so many trials",
        "backtests.trials:trials",
    ),
    Verb("data", "download past bars: data fetch source=alpaca ...", "backtests.data:data"),
    Verb("rerun", "repeat the run that a run folder holds", "backtests.rerun:rerun"),
    Verb(
        "lookahead", "does a strategy decide with what it cannot know yet?", "backtests.lookahead:lookahead"
    ),
    Verb("warmup", "does a strategy forget how much history came before?", "backtests.warmup:warmup"),
    Verb(
        "walk_forward",
        "choose on some days, judge on the days after, again and again",
        "backtests.walk_forward:walk_forward",
    ),
    Verb("holdout", "days that nobody looks at until the end, and who did", "backtests.holdout:holdout"),
    Verb("stress", "does the profit survive costs, delay, gaps and chance?", "backtests.stress:stress"),
    Verb(
        "report", "the page of a finished run or sweep, made again from its folder", "backtests.report:report"
    ),
    Verb(
        "compare",
        "two runs side by side: figures, curves, what differs in their configs",
        "backtests.compare:compare",
    ),
)


def main() -> int:
    """Run the verb of the command line; answers the exit code."""
    return dispatch("python -m backtests", ABOUT, VERBS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
