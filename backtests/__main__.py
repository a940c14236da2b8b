"""`python -m backtests VERB ...`: which verbs are there?"""

from __future__ import annotations

import sys

from runs.verbs import Verb, dispatch

ABOUT = "The past: run strategies over market data, behind the gate they would have live."
VERBS = (
    Verb("run", "one backtest: summary, plots, tear sheet", "backtests.run:run"),
    Verb("risk", "the limits a run would have, and which line set each", "backtests.risk:risk"),
    Verb("rerun", "repeat the run that a run folder holds", "backtests.rerun:rerun"),
)


def main() -> int:
    """Run the verb of the command line; answers the exit code."""
    return dispatch("python -m backtests", ABOUT, VERBS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
