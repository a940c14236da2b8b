"""What do the rows of the local broker say? Pure: rows in, plain values out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nautilus_trader.model import Bar, BarType, QuoteTick

from adapters.account import VenueFill, VenueOrder, VenuePosition, VenueSnapshot
from adapters.reports import price_of, quantity_of

Row = dict[str, Any]
QUOTE_SIZE = Decimal(1_000_000)


def order_of(row: Row) -> VenueOrder:
    """An order."""
    return VenueOrder(
        client_order_id=row["client_order_id"],
        venue_order_id=row["venue_order_id"],
        instrument=row["instrument"],
        side=row["side"],
        type=row["type"],
        quantity=Decimal(row["quantity"]),
        filled=Decimal(row["filled"]),
        average_price=_maybe(row["average_price"]),
        price=_maybe(row["price"]),
        trigger_price=_maybe(row["trigger_price"]),
        tif=row["tif"],
        status=row["status"],
        reduce_only=row["reduce_only"],
        ts=row["ts"],
        reason=row["reason"],
    )


def fill_of(row: Row) -> VenueFill:
    """A fill."""
    amounts = {key: Decimal(row[key]) for key in ("quantity", "price", "commission")}
    return VenueFill(**{**row, **amounts})


def snapshot_of(row: Row, ts: int) -> VenueSnapshot:
    """The account, with the orders and fills that the row holds, if any."""
    return VenueSnapshot(
        account=row["account"],
        currency=row["currency"],
        cash=Decimal(row["cash"]),
        equity=Decimal(row["equity"]),
        buying_power=None,
        orders=tuple(order_of(each) for each in row.get("orders", ())),
        fills=tuple(fill_of(each) for each in row.get("fills", ())),
        positions=tuple(
            VenuePosition(each["instrument"], Decimal(each["quantity"]), Decimal(each["average_price"]))
            for each in row["positions"]
        ),
        ts=ts,
    )


def bar_of(row: Row, instrument: Any, now: int) -> Bar:
    """A bar."""
    opened, high, low, close = (
        price_of(Decimal(row[key]), instrument) for key in ("open", "high", "low", "close")
    )
    volume = quantity_of(Decimal(row["volume"]), instrument)
    return Bar(BarType.from_str(row["bar_type"]), opened, high, low, close, volume, row["ts"], now)


def quote_of(row: Row, instrument: Any, now: int) -> QuoteTick:
    """The quote behind a bar's close: the broker fills at one price, whatever the side."""
    price, size = price_of(Decimal(row["close"]), instrument), quantity_of(QUOTE_SIZE, instrument)
    return QuoteTick(instrument.id, price, price, size, size, row["ts"], now)


def _maybe(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
