"""How does Alpaca write amounts and times? Amounts are text, times RFC 3339 in UTC with up to nine decimals."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid5

from simulators.alpaca.refusal import RefusedError, unprocessable

NANOS = 1_000_000_000
MINUTE = 60 * NANOS
_NAMESPACE = UUID("6f0c1a52-93c1-4a3e-9d56-0d6ad2a4c9c5")


def amount(value: Decimal) -> str:
    """`Decimal("1.50")` is "1.5", zero is "0"."""
    return f"{value.normalize():f}" if value else "0"


def optional(value: Decimal | None) -> str | None:
    """An amount, or null."""
    return None if value is None else amount(value)


def iso(stamp: int) -> str:
    """UTC nanoseconds as `2013-03-01T14:30:00.25Z`."""
    secs, nanos = divmod(stamp, NANOS)
    text = datetime.fromtimestamp(secs, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{nanos:09d}".rstrip("0").rstrip(".") + "Z"


def optional_iso(stamp: int | None) -> str | None:
    """A time, or null."""
    return None if stamp is None else iso(stamp)


def nanos(text: str) -> int:
    """A date (its first moment, in UTC) or an RFC 3339 time. Raises RefusedError 422 for anything else."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise RefusedError(422, 42210000, f"invalid time: {text}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole = int(moment.replace(microsecond=0).timestamp())
    fraction = text.partition(".")[2]
    digits = ""
    for char in fraction:
        if not char.isdigit():
            break
        digits += char
    return whole * NANOS + int(digits.ljust(9, "0")[:9] or 0)


def day_of(text: str) -> date:
    """A date, or the date of a time. Raises RefusedError 422."""
    try:
        return datetime.fromisoformat(text.replace(" ", "+")).date()
    except ValueError:
        raise RefusedError(422, 42210000, f"invalid date: {text}") from None


def number(name: str, value: Any) -> Decimal | None:
    """An amount out of a request, as text or number; None when absent. Raises RefusedError 422."""
    if value is None or value == "":
        return None
    try:
        found = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise unprocessable(f"{name} is not a number: {value}")
    return found


def loads(text: str) -> Any:
    """JSON with exact numbers. Raises ValueError."""
    return json.loads(text, parse_float=Decimal)


def identity(*parts: object) -> str:
    """A UUID that is the same for the same parts."""
    return str(uuid5(_NAMESPACE, "/".join(map(str, parts))))
