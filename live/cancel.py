"""`python -m live cancel order=ID`: cancel working orders of a running node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from configs.edge import guarded
from configs.errors import ConfigError
from live._about import ABOUT_HELP
from live._control import Done, arguments, ask_node, concluded, one_meant, seconds, switch
from live._following import ENDED, until_ended

KEYS = ("order", "symbol", "all", "protective", "reason", "timeout_secs")
CANCELED_SECS = 5.0
HELP = f"""python -m live cancel order=ID | symbol=AAPL | all=true [protective=true] ...

Cancels entry orders: one, those in an instrument, or all; it tells which of them are gone. Orders that protect a
position or close one stay, unless protective=true says that they are meant too. One that waits for a person is refused.
A node has to run: without one python -m live flatten cancels and closes what is at the venue.

  timeout_secs=5  how long to wait for the venue's answers
{ABOUT_HELP}
Example: python -m live cancel symbol=AAPL reason="earnings tonight"
"""


def cancel(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code: 1 when some are not gone in time."""
    return guarded(lambda: _cancel(argv))


def _cancel(argv: Sequence[str]) -> int:
    given = arguments("cancel", argv, KEYS, HELP)
    if given is None:
        return 0
    args: dict[str, Any] = {key: given[key] for key in ("order", "symbol") if key in given}
    args |= {key: True for key in ("all", "protective") if switch(given, key)}
    if len({"order", "symbol", "all"} & args.keys()) != 1:
        raise ConfigError("cancel what? give one of order=ID, symbol=AAPL, all=true")
    timeout_secs = seconds(given, "timeout_secs", CANCELED_SECS)
    found = one_meant(given)
    done = ask_node(found, "cancel", args, given.get("reason", "").strip())
    if done.outcome == "DONE" and done.answer.get("canceled"):
        done = _followed(done, until_ended(found, done.answer["canceled"], timeout_secs))
    return concluded(given, done)


def _followed(done: Done, states: dict[str, str]) -> Done:
    working = [name for name, state in states.items() if state not in ENDED]
    answer = {**done.answer, "states": states, "working": working}
    if working:
        text = f"{done.text}\nnot gone yet: {', '.join(working)}; the node goes on asking"
        return replace(done, outcome="FAILED", text=text, answer=answer)
    words = ", ".join(f"{name} {state.lower()}" for name, state in states.items())
    return replace(done, text=f"{done.text}\n{words}" if words else done.text, answer=answer)
