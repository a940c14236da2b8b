"""`python -m simulators NAME ...`: which local brokers are there?"""

from __future__ import annotations

import sys

from runs.verbs import Verb, dispatch

ABOUT = "Local brokers: processes of their own on this machine, for tests and rehearsals."
VERBS = (
    Verb("alpaca", "Alpaca's REST and websockets, with an account and a market", "simulators.alpaca.run:run"),
    Verb("broker", "a paper account that outlives the node, at recorded prices", "simulators.broker.run:run"),
)


def main() -> int:
    """Run the simulator of the command line; answers the exit code."""
    return dispatch("python -m simulators", ABOUT, VERBS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
