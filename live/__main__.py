"""`python -m live VERB ...`: which verbs are there?"""

from __future__ import annotations

import sys

from runs.verbs import Verb, dispatch

ABOUT = "The present: run strategies in a live node on a replayed, a paper or a real venue."
VERBS = (
    Verb("run", "a live node; venue=replay by default: no keys, no network", "live.run:run"),
    Verb("resume", "lift the halt of an account, for a reason that is kept", "live.resume:resume"),
)


def main() -> int:
    """Run the verb of the command line; answers the exit code."""
    return dispatch("python -m live", ABOUT, VERBS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
