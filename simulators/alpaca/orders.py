"""What is an order at the local Alpaca, and what does it look like on the wire?"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from simulators.alpaca.wire import amount, optional, optional_iso

ZERO = Decimal(0)
OPEN = frozenset({
    "new", "partially_filled", "accepted", "pending_new", "held", "pending_cancel", "pending_replace", "calculated",
    "stopped", "accepted_for_bidding", "done_for_day",
})  # fmt: skip
WORKING = frozenset({"new", "partially_filled", "pending_cancel", "pending_replace"})
_AMOUNTS = (
    "qty",
    "notional",
    "limit_price",
    "stop_price",
    "trail_price",
    "trail_percent",
    "hwm",
    "filled_avg_price",
)
_TIMES = ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at")


@dataclass(slots=True)
class Order:
    """One order; times in UTC nanoseconds."""

    id: str
    client_order_id: str
    symbol: str
    asset_id: str
    asset_class: str
    side: str
    type: str
    time_in_force: str
    created_at: int
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    hwm: Decimal | None = None
    extended_hours: bool = False
    order_class: str = ""
    position_intent: str = "buy_to_open"
    status: str = "pending_new"
    filled_qty: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    updated_at: int = 0
    filled_at: int | None = None
    expired_at: int | None = None
    expires_at: int = 0
    canceled_at: int | None = None
    failed_at: int | None = None
    replaced_at: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    group_id: str | None = None
    group_role: str | None = None
    legs: list[str] = field(default_factory=list)
    triggered: bool = False

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to it."""
        return self.status in OPEN

    @property
    def is_listed_open(self) -> bool:
        """Whether Alpaca lists it with the open orders: an exit that is held counts as closed there."""
        return self.is_open and self.status != "held"

    @property
    def is_crypto(self) -> bool:
        """Whether it trades around the clock."""
        return self.asset_class == "crypto"

    @property
    def leaves(self) -> Decimal:
        """What is left to fill; of a notional order that has not begun, nothing is known yet."""
        return ZERO if self.qty is None else self.qty - self.filled_qty

    @property
    def waits_for_stop(self) -> bool:
        """Whether a price has to be reached before it does anything."""
        return self.stop_price is not None and not self.triggered

    def fill(self, qty: Decimal, price: Decimal, stamp: int) -> None:
        """Book a fill of it."""
        before = (self.filled_avg_price or ZERO) * self.filled_qty
        self.filled_qty += qty
        self.filled_avg_price = (before + qty * price) / self.filled_qty
        self.updated_at = stamp
        done = self.qty is None or self.filled_qty >= self.qty
        self.status = "filled" if done else "partially_filled"
        self.filled_at = stamp if done else None

    def row(self, legs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """As on the wire; `legs` are rows, null where they are not asked for."""
        row: dict[str, Any] = {
            "id": self.id,
            "client_order_id": self.client_order_id,
            "created_at": optional_iso(self.created_at),
            "updated_at": optional_iso(self.updated_at or self.created_at),
            "submitted_at": optional_iso(self.created_at),
            **{name: optional_iso(getattr(self, name)) for name in _TIMES},
            "replaced_by": self.replaced_by,
            "replaces": self.replaces,
            "asset_id": self.asset_id,
            "symbol": self.symbol,
            "asset_class": self.asset_class,
            **{name: optional(getattr(self, name)) for name in _AMOUNTS},
            "filled_qty": amount(self.filled_qty),
            "order_class": self.order_class,
            "order_type": self.type,
            "type": self.type,
            "side": self.side,
            "position_intent": self.position_intent,
            "time_in_force": self.time_in_force,
            "status": self.status,
            "extended_hours": self.extended_hours,
            "legs": legs,
            "subtag": None,
            "source": None,
        }
        if self.expires_at:
            row["expires_at"] = optional_iso(self.expires_at)
        if self.group_id is not None:
            row |= {"group_id": self.group_id, "group_role": self.group_role}
        return row

    def state(self) -> dict[str, Any]:
        """Everything, for the record."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in found.items()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Order:
        """Back from the record."""
        exact = (*_AMOUNTS, "filled_qty")
        fields_of: dict[str, Any] = {
            name: Decimal(value) if name in exact and value is not None else value
            for name, value in state.items()
        }
        return cls(**fields_of)
