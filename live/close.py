"""`python -m live close AAPL`: close what is held in one instrument, by reduce-only orders of a running node."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP
from live._control import arguments, ask_node, concluded, one_meant, seconds
from live._following import until_flat
from live.flatten import FLAT_SECS, told_flat

KEYS = ("symbol", "reason", "timeout_secs")
HELP = f"""python -m live close SYMBOL [reason="why"] ...

Closes what every strategy holds in an instrument and cancels what works there, with reduce-only orders, then waits and
says what is left. Nothing is halted: a strategy may open a position there again once it is flat; python -m live halt
first keeps it from that. A node has to run: without one python -m live flatten closes what is at the venue.

  SYMBOL            AAPL or AAPL.XNAS; symbol=AAPL is the same
  timeout_secs=30   how long to wait until it is flat
{ABOUT_HELP}
Example: python -m live close AAPL reason="trading halt announced"
"""


def close(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code: 1 when something is left."""
    return guarded(lambda: _close(argv))


def _close(argv: Sequence[str]) -> int:
    given = arguments("close", [_named(word) for word in argv], KEYS, HELP)
    if given is None:
        return 0
    symbol = given.get("symbol", "").strip()
    if not symbol:
        raise ConfigError("symbol: close what? name an instrument, as in python -m live close AAPL")
    timeout_secs = seconds(given, "timeout_secs", FLAT_SECS)
    found, started = one_meant(given), time.time_ns()
    done = ask_node(found, "close", {"symbol": symbol}, given.get("reason", "").strip())
    if done.outcome == "DONE" and timeout_secs:
        instrument = done.answer["instrument"]

        def wanted(row: Mapping[str, Any]) -> bool:
            return bool(row["instrument"] == instrument)

        done = told_flat(done, until_flat(found, wanted, started, timeout_secs), timeout_secs)
    return concluded(given, done)


def _named(word: str) -> str:
    """A bare word is the symbol."""
    return word if "=" in word or word.startswith("-") or word == "help" else f"symbol={word}"
