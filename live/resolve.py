"""`python -m live resolve order=ID outcome=...`: say what became of an order that nobody knew of."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from configs.edge import guarded
from configs.errors import ConfigError
from journal import tables
from live._about import ABOUT_HELP
from live._control import (
    Done,
    arguments,
    ask,
    concluded,
    one_meant,
    record,
    risk_event,
    taken,
    who,
)
from live._moved import Moved
from live._resolution import FILLED, OUTCOMES, check_fits, read_resolution, resolved_row, told_of
from live._told import one_of

if TYPE_CHECKING:
    from live._about import About
    from live._moved import Rows
    from live._resolution import Resolution

KEYS = ("order", "outcome", "quantity", "price", "trade", "reason")
UNSURE = ("UNKNOWN", "SENDING")
HELP = f"""python -m live resolve order=ID outcome=OUTCOME reason="how you know" ...

Answers the question of an order whose outcome nobody knows (UNKNOWN: no answer came, or the venue no longer knows it).
Until then nothing new is opened in its instrument. Look at the broker's own page first: what you say is booked.

  outcome=never_arrived   the venue never had it
  outcome=canceled        it had it, and none of it filled
  outcome=filled          so much of it filled: quantity=100 price=187.23, and trade=ID, the venue's own id of the
                          fill, where it shows one, so that it is never counted twice
{ABOUT_HELP}
Example: python -m live resolve order=O-20260302-143000-001-001-1 outcome=never_arrived reason="asked the broker"
"""


def resolve(argv: Sequence[str]) -> int:
    """The verb. Answers the exit code."""
    return guarded(lambda: _resolve(argv))


def _resolve(argv: Sequence[str]) -> int:
    given = arguments("resolve", argv, KEYS, HELP)
    if given is None:
        return 0
    reason = given.get("reason", "").strip()
    if not given.get("order"):
        raise ConfigError("order: which one? python -m live orders shows those that are unknown")
    if not given.get("outcome"):
        raise ConfigError(f"outcome: what became of it? one of {', '.join(OUTCOMES)}")
    args = {key: given[key] for key in KEYS if key in given and key != "reason"}
    read_resolution(args)
    if not reason:
        raise ConfigError('reason: say how you know, as in reason="looked at the broker\'s page"')
    found = one_meant(given)
    with taken(found) as hold:
        if hold is not None:
            return concluded(given, _by_itself(found, args, reason))
    return concluded(given, ask(found, "resolve", args, reason))


def _by_itself(found: About, args: Mapping[str, str], reason: str) -> Done:
    """No node runs: the journal is told, and the next start goes on from there."""
    rows = {
        row["client_order_id"]: row
        for row in found.reader.order_states(found.scope, tables.orders.c.status.in_(UNSURE))
    }
    if not rows:
        raise ConfigError(f"order={args['order']}: what became of every order is known")
    row = dict(rows[one_of("order", args["order"], list(rows))])
    resolution = read_resolution(dict(args))
    check_fits(row, resolution)
    said = f"{told_of(row['client_order_id'], resolution)}: {reason} ({who()})"
    now = time.time_ns()
    kept: Rows = [(tables.orders, resolved_row(plain_row(row), resolution, said, now))]
    if resolution.outcome == FILLED:
        kept += _fill(found, row, resolution, now)
    kept.append((tables.risk_events, risk_event(found, "RESOLVED", said, breaker=None, scope="book")))
    text = f"{said}; no node runs: the next start asks the venue as well"
    done = Done("resolve", "DONE", text, {"order": args["order"], "outcome": resolution.outcome}, by="verb")
    record(found, done, args, reason, kept)
    return done


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """An order's row without its place in the chain it came from."""
    return {
        key: value for key, value in row.items() if key not in ("id", "at", "run_id", "seq", "prev", "hash")
    }


def _fill(found: About, row: Mapping[str, Any], resolution: Resolution, now: int) -> Rows:
    """The fill, the position it makes, and the round trip it ends."""
    quantity, price = resolution.quantity or Decimal(0), resolution.price or Decimal(0)
    name, currency = row["client_order_id"], found.run["currency"]
    base = {"scope": found.scope, "mode": found.account.mode, "venue": found.account.venue}
    fill = {
        **base, "ts": now, "trade_id": resolution.trade_id or f"OPERATOR-{name}", "client_order_id": name,
        "venue_order_id": row["venue_order_id"], "strategy": row["strategy"], "instrument": row["instrument"],
        "side": row["side"], "quantity": quantity, "price": price, "commission": Decimal(0),
        "currency": currency, "liquidity": "UNKNOWN", "decision_price": None, "slippage": None,
        "source": "operator",
    }  # fmt: skip
    positions = {
        (each["strategy"], each["instrument"]): each for each in found.reader.open_positions(found.scope)
    }
    moved = Moved(base, currency, positions).by(fill, _settled_in(found, row["instrument"]) or currency)
    return [(tables.fills, fill), *moved]


def _settled_in(found: About, instrument: str) -> str | None:
    """In which currency the venue told the fills of an instrument; None where it told none."""
    fills = tables.fills.c
    known = found.reader.rows(
        tables.fills, fills.scope == found.scope, fills.instrument == instrument, fills.source != "operator"
    )
    return str(known[-1]["currency"]) if known else None
