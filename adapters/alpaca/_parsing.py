"""What do Alpaca's orders, fills, positions and account say? Pure: its JSON in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from adapters.account import VenueFill, VenuePosition

Row = dict[str, Any]
ZERO = Decimal(0)
VENUE = "ALPACA"
CURRENCY = "USD"
QUOTES = ("USDT", "USDC", "USD", "BTC", "EUR")
"""What crypto is priced in, longest first."""
TYPES = {
    "market": "MARKET",
    "limit": "LIMIT",
    "stop": "STOP_MARKET",
    "stop_limit": "STOP_LIMIT",
    "trailing_stop": "TRAILING_STOP_MARKET",
}
TIFS = {
    "day": "DAY",
    "gtc": "GTC",
    "ioc": "IOC",
    "fok": "FOK",
    "opg": "AT_THE_OPEN",
    "cls": "AT_THE_CLOSE",
}
ENDS = {"filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED"}
WAITING = ("accepted", "pending_new", "accepted_for_bidding", "pending_review", "held")
"""Taken, not yet live."""
REPLACED = "replaced"
_FILLS = UUID("1b0c1e0e-7a5b-4c43-9d0f-0f4f8d6a3c11")
"""What the names of fills are made from."""
EXITS = ("take_profit", "stop_loss")


def instrument_of(row: Row) -> str:
    """The instrument of an order, position or fill: AAPL.ALPACA, BTC/USD.ALPACA; positions leave the slash out."""
    symbol = str(row["symbol"])
    if row.get("asset_class") == "crypto" and "/" not in symbol:
        for quote in QUOTES:
            if symbol.endswith(quote) and symbol != quote:
                symbol = f"{symbol.removesuffix(quote)}/{quote}"
                break
    return f"{symbol}.{VENUE}"


def symbol_of(instrument: str) -> str:
    """What Alpaca calls an instrument."""
    return instrument.removesuffix(f".{VENUE}")


def is_crypto(instrument: str) -> bool:
    """Whether it is a pair of crypto: only these have a slash."""
    return "/" in instrument


def amount(value: Any) -> Decimal | None:
    """An amount, which is text or (rarely) a number; None and "" are None."""
    return None if value is None or value == "" else Decimal(str(value))


def amount_or_zero(value: Any) -> Decimal:
    """The same, with zero for none."""
    return amount(value) or ZERO


def nanos(text: str) -> int:
    """UTC nanoseconds of an RFC 3339 time, with up to nine decimals. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    fraction = text.partition(".")[2]
    digits = fraction[: next((i for i, each in enumerate(fraction) if not each.isdigit()), len(fraction))]
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + int(digits[:9].ljust(9, "0") or 0)


def iso(stamp: int) -> str:
    """Nanoseconds as Alpaca reads them."""
    secs, rest = divmod(max(0, stamp), 1_000_000_000)
    return f"{datetime.fromtimestamp(secs, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def status_of(row: Row) -> str:
    """A status of VenueOrder; `replaced` is none of its own: the order goes on under another id."""
    word, filled = str(row["status"]), amount_or_zero(row.get("filled_qty"))
    if word in ENDS:
        return ENDS[word]
    if word == "calculated" and filled and filled == amount(row.get("qty")):
        return "FILLED"
    if filled:
        return "PARTIALLY_FILLED"
    return "PENDING" if word in WAITING else "ACCEPTED"


def is_exit(row: Row) -> bool:
    """Whether it is the take-profit or stop-loss of another order, or of a pair: these only close."""
    return row.get("group_role") in EXITS


def names_instrument(row: Row) -> bool:
    """Whether it says what is traded, and which way: an order of options with several legs says neither."""
    return bool(row.get("symbol") and row.get("side"))


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of one order of Alpaca's: from `cum - qty` to `cum` of what was filled of it.

    Trade updates and activities give it different ids, so that `cum` is what it is known by: it only rises.
    """

    order_id: str
    qty: Decimal
    cum: Decimal
    price: Decimal
    ts: int

    @property
    def trade_id(self) -> str:
        """The same from either source; in 36 letters, which is what the engine takes."""
        return str(uuid5(_FILLS, f"{self.order_id}:{self.cum.normalize():f}"))

    @property
    def start(self) -> Decimal:
        """What was filled of the order before."""
        return self.cum - self.qty


def execution_of_update(update: Row) -> Execution:
    """The fill that a trade update tells."""
    order = update["order"]
    return Execution(
        order["id"],
        Decimal(str(update["qty"])),
        Decimal(str(order["filled_qty"])),
        Decimal(str(update["price"])),
        nanos(update["timestamp"]),
    )


def execution_of_activity(row: Row) -> Execution:
    """The fill that an account activity tells."""
    return Execution(
        row["order_id"],
        Decimal(str(row["qty"])),
        Decimal(str(row["cum_qty"])),
        Decimal(str(row["price"])),
        nanos(row["transaction_time"]),
    )


def fill_of(execution: Execution, name: str, venue_order_id: str, row: Row) -> VenueFill:
    """A fill of the order `row`, called `name` here. Fees of a day come later, as activities of their own."""
    return VenueFill(
        trade_id=execution.trade_id,
        client_order_id=name,
        venue_order_id=venue_order_id,
        instrument=instrument_of(row),
        side=str(row["side"]).upper(),
        quantity=execution.qty,
        price=execution.price,
        commission=ZERO,
        currency=CURRENCY,
        liquidity="UNKNOWN",
        ts=execution.ts,
    )


def position_of(row: Row) -> VenuePosition:
    """A position; Alpaca gives the quantity of a short one with a minus, or (in old answers) without."""
    quantity = abs(Decimal(str(row["qty"])))
    signed = -quantity if row.get("side") == "short" else quantity
    return VenuePosition(instrument_of(row), signed, Decimal(str(row["avg_entry_price"])))
