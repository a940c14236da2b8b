"""What is an order, and what is a fill, at the local broker and on its wire?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

SIDES = ("BUY", "SELL")
TYPES = ("MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT")
TIFS = ("GTC", "DAY", "IOC")
LINKS = ("OCO", "OUO")
PENDING, ACCEPTED, PARTIALLY_FILLED = "PENDING", "ACCEPTED", "PARTIALLY_FILLED"
FILLED, CANCELED, EXPIRED, REJECTED = "FILLED", "CANCELED", "EXPIRED", "REJECTED"
OPEN = (PENDING, ACCEPTED, PARTIALLY_FILLED)
AMOUNTS = ("quantity", "filled", "average_price", "price", "trigger_price", "commission")


class RefusedError(Exception):
    """The broker refuses a request; `code` is for machines, `str()` one line for people."""

    def __init__(self, code: str, text: str) -> None:
        """`code` is one word in capitals."""
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Order:
    """An order as the broker knows it. `ts` is its last change, UTC ns of the wall clock."""

    venue_order_id: str
    client_order_id: str | None
    instrument: str
    side: str
    type: str
    quantity: Decimal
    tif: str
    ts: int
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    reduce_only: bool = False
    contingency: str | None = None
    """OCO or OUO: what happens to the `linked` orders when this one fills or ends."""
    linked: tuple[str, ...] = ()
    """Client order ids."""
    parent: str | None = None
    """Client order id of the order whose first fill makes this one live."""
    status: str = ACCEPTED
    filled: Decimal = field(default=Decimal(0))
    average_price: Decimal | None = None
    triggered: bool = False
    reason: str | None = None

    @property
    def leaves(self) -> Decimal:
        """What is still to be filled."""
        return self.quantity - self.filled

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sale."""
        return 1 if self.side == "BUY" else -1

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status in OPEN

    def row(self) -> dict[str, Any]:
        """As on the wire: amounts are text."""
        return _row(asdict(self))

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Order:
        """The order of such a row."""
        return cls(**{**_amounts(row), "linked": tuple(row.get("linked") or ())})


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `ts` is UTC ns of the wall clock."""

    trade_id: str
    client_order_id: str | None
    venue_order_id: str
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    currency: str
    liquidity: str
    ts: int

    def row(self) -> dict[str, Any]:
        """As on the wire: amounts are text."""
        return _row(asdict(self))

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Fill:
        """The fill of such a row."""
        return cls(**_amounts(row))


def amount(name: str, text: object) -> Decimal:
    """A positive decimal of a request. Raises RefusedError naming the field."""
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise RefusedError("INVALID", f"{name}={text}: must be a decimal above 0")
    return value


def one_of(name: str, text: object, allowed: tuple[str, ...]) -> str:
    """A word of a request. Raises RefusedError naming what is allowed."""
    if text not in allowed:
        raise RefusedError("INVALID", f"{name}={text}: must be one of {', '.join(allowed)}")
    return str(text)


def _row(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: f"{value:f}" if isinstance(value, Decimal) else value for key, value in fields.items()}


def _amounts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: Decimal(value) if key in AMOUNTS and value is not None else value for key, value in row.items()
    }
