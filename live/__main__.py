"""`python -m live VERB ...`: which verbs are there?"""

from __future__ import annotations

import sys

from runs.verbs import Verb, dispatch

ABOUT = "The present: run strategies in a live node on a replayed, a paper or a real venue."
VERBS = (
    Verb("run", "a live node; venue=replay by default: no keys, no network", "live.run:run"),
    Verb("check", "connect and look whether all is well, before anything is traded", "live.check:check"),
    Verb("assets", "what can be traded at a venue", "live.assets:assets"),
    Verb("stream", "watch the events of an account as they come", "live.stream:stream"),
    Verb("status", "how the account stands, and how far each limit is", "live.status:status"),
    Verb("monitor", "the same as a live full-screen view, with the last events", "live.monitor:monitor"),
    Verb("positions", "what is held, at which price, and what it made", "live.positions:positions"),
    Verb("orders", "orders that are unknown, wait for a person, or work", "live.orders:orders"),
    Verb("halt", "stop trading now; positions and stops stay", "live.halt:halt"),
    Verb("resume", "lift the halt of an account, for a reason that is kept", "live.resume:resume"),
    Verb("flatten", "halt, cancel everything and close every position", "live.flatten:flatten"),
    Verb("close", "close what is held in one instrument", "live.close:close"),
    Verb("cancel", "cancel working orders", "live.cancel:cancel"),
    Verb("limits", "the limits in force; set makes them tighter at once", "live.limits:limits"),
    Verb("approve", "list the orders that wait for a person; send one", "live.approve:approve"),
    Verb("reject", "refuse an order that waits for a person", "live.reject:reject"),
    Verb("resolve", "say what became of an order that nobody knew of", "live.resolve:resolve"),
    Verb(
        "history", "what happened: trades, orders, fills, decisions, events, commands", "live.history:history"
    ),
    Verb("pnl", "profit and loss by day, week, month, instrument or strategy, with a chart", "live.pnl:pnl"),
    Verb("report", "a day, a week or a month summed up, as text and as an HTML page", "live.report:report"),
    Verb("audit", "verify: was any row changed? explain: what became of an order?", "live.audit:audit"),
    Verb("export", "the journal as CSV or Parquet files", "live.export:export"),
    Verb("backup", "a consistent copy of the journal, also while a node runs", "live.backup:backup"),
)


def main() -> int:
    """Run the verb of the command line; answers the exit code."""
    return dispatch("python -m live", ABOUT, VERBS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
