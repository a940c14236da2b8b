"""What does a position look like on the wire, and how is it closed?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.alpaca.assets import Asset
from simulators.alpaca.desk import Desk
from simulators.alpaca.orders import Order
from simulators.alpaca.rules import counts, price_of
from simulators.alpaca.wire import amount

ZERO = Decimal(0)
_SHARE = Decimal("0.0000001")


def row(desk: Desk, symbol: str) -> dict[str, Any]:
    """A position at the newest price."""
    asset, position = desk.assets.get(symbol), desk.ledger.positions[symbol]
    price = price_of(symbol, desk.exchange.quotes, position.average_price)
    lastday = desk.ledger.lastday.get(symbol, price)
    value, cost = position.quantity * price, position.quantity * position.average_price
    gain, today = value - cost, position.quantity * (price - lastday)
    side = "sell" if position.quantity > 0 else "buy"
    promised = sum(
        (
            each.leaves
            for each in desk.exchange.open_orders()
            if each.symbol == symbol and counts(each) and each.side == side
        ),
        ZERO,
    )
    return {
        "asset_id": asset.id, "symbol": symbol.replace("/", ""), "exchange": asset.exchange,
        "asset_class": asset.asset_class, "asset_marginable": asset.marginable,
        "avg_entry_price": amount(position.average_price), "qty": amount(position.quantity),
        "qty_available": amount(position.quantity - promised * (1 if position.quantity > 0 else -1)),
        "side": "long" if position.quantity > 0 else "short", "market_value": amount(value),
        "cost_basis": amount(cost), "unrealized_pl": amount(gain), "unrealized_plpc": _share(gain, abs(cost)),
        "unrealized_intraday_pl": amount(today),
        "unrealized_intraday_plpc": _share(today, abs(position.quantity * lastday)), "current_price": amount(price),
        "lastday_price": amount(lastday), "change_today": _share(price - lastday, lastday),
    }  # fmt: skip


def close(desk: Desk, asset: Asset, qty: Decimal) -> Order:
    """Send the market order that closes so much of a position. Raises RefusedError."""
    side = "sell" if desk.ledger.held(asset.symbol) > 0 else "buy"
    return desk.exchange.submit({
        "symbol": asset.symbol, "qty": amount(qty), "side": side, "type": "market",
        "time_in_force": "gtc" if asset.is_crypto else "day",
    })  # fmt: skip


def _share(part: Decimal, whole: Decimal) -> str:
    return amount((part / whole).quantize(_SHARE)) if whole else "0"
