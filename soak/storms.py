"""What goes wrong at a broker while a node trades there: one thing after another, drawn from a seed?"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.alpaca.control import Control

Request = Mapping[str, Any]
ORDERS = ("submit", "submit", "submit", "replace", "cancel")
QUESTIONS = ("order_by_client_id", "order", "orders", "positions", "account", "activities", "clock", "*")
LEAST_SECS, MOST_SECS = 2.0, 5.0
"""From one fault to the next."""
LEAST_SHARE, MOST_SHARE = 0.15, 0.7
"""How much of that it stays."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: what is asked of the broker's control, for how long it stays, and how long nothing is wrong then."""

    name: str
    requests: tuple[Request, ...]
    secs: float
    pause_secs: float


class Storm:
    """Draws faults. Those that only a look once a minute can find are left out of a `short` one."""

    def __init__(self, seed: int, *, short: bool = False) -> None:
        """The same seed draws the same faults in the same order."""
        self._dice = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._bag: list[str] = []
        self._names = [name for name in KINDS if not (short and name in UNNOTICED)]

    def next(self) -> Strike:
        """The next one; each kind comes once before any comes again."""
        if not self._bag:
            self._bag = self._dice.sample(self._names, len(self._names))
        name = self._bag.pop()
        requests = tuple(KINDS[name](self._dice))
        whole = self._dice.uniform(LEAST_SECS, MOST_SECS)
        secs = whole * self._dice.uniform(LEAST_SHARE, MOST_SHARE)
        return Strike(name, requests, secs, whole - secs)


def strike(control: Control, each: Strike) -> None:
    """Let it happen."""
    for request in each.requests:
        control.ask(**request)


def clear(control: Control) -> None:
    """No fault is in force any more, and no limit of requests."""
    control.ask("fault", kind="clear")
    control.ask("reset_limits", calls_per_min=0)


# -- kinds -------------------------------------------------------------------------------------------------------------


def _orders(kind: str, **more: Any) -> Callable[[random.Random], list[Request]]:
    def made(dice: random.Random) -> list[Request]:
        return [_fault(kind, dice.choice(ORDERS), dice.randint(1, 3), **more)]

    return made


def _questions(kind: str, **more: Any) -> Callable[[random.Random], list[Request]]:
    def made(dice: random.Random) -> list[Request]:
        return [_fault(kind, on, dice.randint(1, 4), **more) for on in dice.sample(QUESTIONS, 2)]

    return made


def _both(kind: str, **more: Any) -> Callable[[random.Random], list[Request]]:
    """An order goes wrong, and so do the questions what became of it."""

    def made(dice: random.Random) -> list[Request]:
        return [
            _fault(kind, "submit", dice.randint(1, 2), **more),
            _fault("status", "order_by_client_id", 2, status=500),
        ]

    return made


def _stream(**faults: Any) -> Callable[[random.Random], list[Request]]:
    def made(dice: random.Random) -> list[Request]:
        drawn = {
            name: dice.choice(value) if isinstance(value, tuple) else value for name, value in faults.items()
        }
        return [{"op": "fault", **drawn}]

    return made


def _line(op: str, *and_then: Request) -> Callable[[random.Random], list[Request]]:
    def made(dice: random.Random) -> list[Request]:
        return [*and_then, {"op": op, "which": dice.choice(("all", "trading", "trading", "data"))}]

    return made


def _race(on: str) -> Callable[[random.Random], list[Request]]:
    def made(dice: random.Random) -> list[Request]:
        return [{"op": "race", "on": on, "times": dice.randint(1, 2)}]

    return made


def _few_calls(dice: random.Random) -> list[Request]:
    return [{"op": "reset_limits", "calls_per_min": dice.randint(1, 20)}]


def _fault(kind: str, on: str, times: int, **more: Any) -> Request:
    return {"op": "fault", "kind": kind, "on": on, "times": times, **more}


KINDS: dict[str, Callable[[random.Random], list[Request]]] = {
    "an order is answered with 500": _orders("status", status=500),
    "an order is answered with 503": _orders("status", status=503),
    "an order is taken, and answered with 504": _orders("status", status=504, after=True),
    "an order is answered with 429": _orders("status", status=429),
    "an order is never answered": _orders("hang"),
    "an order is lost on its way": _orders("lose"),
    "an order is taken, and the line cut": _orders("cut_after"),
    "the line is cut before an order": _orders("cut_before"),
    "an order is answered late": _orders("delay", secs=0.7),
    "an order is answered too late": _orders("delay", secs=1.6),
    "an order is answered with nonsense": _orders("garbage"),
    "a lost order that cannot be asked for": _both("lose"),
    "an unanswered order that cannot be asked for": _both("hang"),
    "questions are answered with 500": _questions("status", status=500),
    "questions are answered with 429": _questions("status", status=429),
    "questions are never answered": _questions("hang"),
    "questions are lost": _questions("lose"),
    "questions are answered late": _questions("delay", secs=0.7),
    "questions are answered with nonsense": _questions("garbage"),
    "questions end in a cut line": _questions("cut_after"),
    "a burst of 429": _few_calls,
    "news are late": _stream(event_delay_ms=(20, 200, 900)),
    "news come twice": _stream(duplicate_events=True),
    "news are out of order": _stream(reorder_events=True),
    "news are out of order, late and twice": _stream(
        reorder_events=True, duplicate_events=True, event_delay_ms=50
    ),
    "news are lost": _stream(drop_events=True),
    "some news are lost": _stream(drop_next_events=(1, 2, 5)),
    "prices are late": _stream(data_delay_ms=(50, 500)),
    "prices come twice": _stream(duplicate_data=True),
    "prices are lost": _stream(drop_data=True),
    "the clock is wrong": _stream(clock_skew_secs=(-120.0, -5.0, 5.0, 120.0)),
    "streams are cut": _line("drop_streams"),
    "streams are cut and refused": _line("drop_streams", {"op": "fault", "refuse_streams": True}),
    "streams are open and silent": _line("half_close"),
    "a cancel comes too late": _race("cancel"),
    "a change comes too late": _race("replace"),
    "an order is rejected after it was accepted": _race("reject"),
}
UNNOTICED = frozenset({"news are lost", "some news are lost", "streams are open and silent"})
"""Nothing tells a node of these: it finds them by looking at the account once a minute, or by a line's silence."""
