"""How are the numbers of the status document written?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from journal.tables import plain

NANOS = 1_000_000_000
PLACES = 8
"""No currency and no price has more places that mean anything; divisions have many that do not."""
SMALLEST = Decimal(1).scaleb(-PLACES)
LARGEST = Decimal(10) ** 18
"""Beyond it a Decimal has no room for eight places."""


def amount(value: Decimal | None) -> str | None:
    """The text of an amount without an exponent, to eight places at most."""
    if value is None or not value.is_finite():
        return None
    text = f"{value:f}"
    places = len(text) - text.find(".") - 1 if "." in text else 0
    if places > PLACES and abs(value) < LARGEST:
        text = f"{value.quantize(SMALLEST):f}"
    if places:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def quantity(value: Decimal) -> str:
    """The text of a quantity, with all its places: a coin has nine and more."""
    return plain(value)


def fraction(part: Decimal | None, whole: Decimal | None) -> float | None:
    """Part / whole to six places; None where that says nothing."""
    if part is None or whole is None or whole <= 0:
        return None
    return round(float(part / whole), 6)


def iso(ts: int) -> str:
    """UTC nanoseconds as ISO 8601 to the millisecond."""
    return datetime.fromtimestamp(ts / NANOS, UTC).isoformat(timespec="milliseconds")


def age_secs(now: int, ts: int) -> float:
    """Seconds since a stamp, never below zero."""
    return round(max(0, now - ts) / NANOS, 3)


def known(ask: Callable[[], Decimal]) -> Decimal | None:
    """The answer, or None while a price or a rate for it is missing."""
    try:
        return ask()
    except LookupError:
        return None
