"""Which events does the log have, how loud is each, and which fields does it bring?

docs/logs.md shows the same table; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

EventName = Literal[
    "run.started", "run.ended",
    "order.approved", "order.refused", "order.approval",
    "order.submitted", "order.accepted", "order.rejected", "order.denied",
    "order.emulated", "order.released", "order.triggered", "order.pending_update", "order.updated",
    "order.modify_rejected", "order.pending_cancel", "order.cancel_rejected", "order.canceled", "order.expired",
    "fill.received", "order.filled", "fill.voided",
    "order.unknown", "order.resolved", "order.foreign", "fill.foreign",
    "risk.violation", "trading.halted", "trading.resumed", "risk.notice",
    "policy.error", "market_data.error", "engine.error",
    "health.check", "alert.raised", "command.received", "command.answered", "log.lost",
]  # fmt: skip

COMMON = ("ts", "at", "level", "event", "run_id", "mode", "venue")
"""What every line begins with: market time, wall clock, and which run it is."""

_ID = ("strategy", "instrument", "client_order_id")
_ORDER = (*_ID, "side", "type", "quantity", "price", "trigger_price", "tif", "reduce_only")
_AT_VENUE = (*_ID, "venue_order_id")


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of line: its usual level, its fields beside the common ones, and when it is written.

    open: it may bring more fields than these, and leaves out those that nobody told.
    """

    level: Level
    fields: tuple[str, ...]
    when: str
    open: bool = False


EVENTS: dict[EventName, Event] = {
    "run.started": Event(
        "info", ("strategies", "instruments", "bar", "folder"), "the run folder is open", open=True
    ),
    "run.ended": Event("info", ("reason", "error"), "the run ended; `error` where an error ended it", open=True),
    "order.approved": Event("debug", _ORDER, "an order passed the gate and is handed on"),
    "order.refused": Event("info", (*_ORDER, "limit", "reason"), "the gate refused an order or a change of one"),
    "order.approval": Event(
        "info",
        (*_ID, "side", "type", "quantity", "price", "outcome", "reason", "until"),
        "an order waits for a person (`outcome` HELD), or no longer does",
    ),
    "order.submitted": Event("info", _ORDER, "the order is on its way to the venue"),
    "order.accepted": Event("info", _AT_VENUE, "the venue has the order"),
    "order.rejected": Event("warning", (*_ID, "reason"), "the venue refused the order"),
    "order.denied": Event(
        "warning", (*_ID, "reason"), "the engine refused the order; `debug` where it repeats the gate's refusal"
    ),
    "order.emulated": Event("info", _ID, "the engine itself watches the order's trigger"),
    "order.released": Event("info", _ID, "an emulated order's trigger was met: it goes to the venue"),
    "order.triggered": Event("info", _AT_VENUE, "the order's trigger was met at the venue"),
    "order.pending_update": Event("debug", _ID, "a change was asked for"),
    "order.updated": Event("info", (*_ID, "quantity", "price", "trigger_price"), "the order was changed"),
    "order.modify_rejected": Event("warning", (*_ID, "reason"), "a change was refused; the order stays as it was"),
    "order.pending_cancel": Event("debug", _ID, "a cancel was asked for"),
    "order.cancel_rejected": Event("warning", (*_ID, "reason"), "a cancel was refused"),
    "order.canceled": Event("info", (*_ID, "filled", "reason"), "the order was cancelled; `filled` of it before"),
    "order.expired": Event("info", (*_ID, "filled"), "the order's time is over; `filled` of it before"),
    "fill.received": Event(
        "info",
        (*_AT_VENUE, "trade_id", "side", "quantity", "price", "commission", "currency", "liquidity"),
        "the venue reported a fill, of a part or of all",
    ),
    "order.filled": Event(
        "info", (*_ID, "side", "quantity", "average_price", "fills"), "nothing of the order is left"
    ),
    "fill.voided": Event(
        "error", (*_AT_VENUE, "trade_id", "quantity", "price", "reason"), "the venue took a fill back"
    ),
    "order.unknown": Event(
        "error", (*_ID, "reason"), "nobody knows whether the venue has the order", open=True
    ),
    "order.resolved": Event("info", (*_ID, "outcome"), "what became of an unknown order is known", open=True),
    "order.foreign": Event(
        "warning", (*_AT_VENUE, "side", "quantity"), "an order that no strategy of this run sent", open=True
    ),
    "fill.foreign": Event(
        "warning", (*_AT_VENUE, "trade_id", "side", "quantity", "price"), "a fill of such an order", open=True
    ),
    "risk.violation": Event(
        "warning",
        ("limit", "scope", "reason", *_ID, "side", "quantity", "equity", "reference"),
        "a limit was broken: by an order that is refused (`scope` order), or by a loss that trips a breaker",
    ),
    "trading.halted": Event(
        "error", ("breaker", "scope", "reason", "equity", "reference"), "trading is halted, for whatever reason"
    ),
    "trading.resumed": Event("warning", ("kind", "scope", "reason"), "a halt ended: with its day, or by a person"),
    "risk.notice": Event(
        "info", ("kind", "scope", "reason"), "another notice of the risk desk; its level goes by its kind"
    ),
    "policy.error": Event(
        "error",
        ("strategy", "where", "error", "reason", "traceback"),
        "a strategy raised, or logged an error (`where` log)",
        open=True,
    ),
    "market_data.error": Event(
        "error", ("instrument", "component", "reason"), "prices do not come, or cannot be read", open=True
    ),
    "engine.error": Event(
        "error", ("component", "reason"), "the engine logged an error, or at level `warning` a warning", open=True
    ),
    "health.check": Event(
        "info",
        ("state", "equity", "currency", "positions", "working", "held", "lost_lines"),
        "once a minute in a live run",
        open=True,
    ),
    "alert.raised": Event("warning", ("kind", "reason"), "somebody was to be told of something", open=True),
    "command.received": Event("info", ("command", "by", "reason"), "a person's command arrived", open=True),
    "command.answered": Event("info", ("command", "outcome", "reason"), "it was carried out, or not", open=True),
    "log.lost": Event("error", ("lines", "where", "reason"), "lines could not be written, or can be again"),
}  # fmt: skip

NOTICE_LEVELS: dict[str, Level] = {
    "ALARM": "error",
    "UNPROTECTED": "error",
    "WARNING": "warning",
    "APPROVAL": "warning",
    "TIMEOUT": "warning",
    "STRAY": "warning",
    "FLATTEN": "warning",
}
"""Kind of a risk.notice -> its level; others are `info`."""
RESUMES = ("HALT_ENDED", "RESUMED")
"""Kinds of notice that are told as trading.resumed."""
