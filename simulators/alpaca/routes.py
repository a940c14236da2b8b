"""Which address is which request?"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.alpaca.gateway import Handler
from simulators.alpaca.prices import Prices
from simulators.alpaca.trading import Trading

type Route = tuple[str, str, str, Handler, dict[str, str]]
"""Method, address, operation, handler, and what the address says."""


def trading_routes(trading: Trading) -> Iterator[Route]:
    """The trading interface."""
    for method, path, op, handler in _trading(trading):
        yield method, f"/v2{path}", op, handler, {}


def data_routes(prices: Prices) -> Iterator[Route]:
    """The market data interface; news apart, which shares its address with a stream."""
    stocks, crypto = {"kind": "stocks"}, {"kind": "crypto"}
    for name, handler in (("bars", prices.bars), ("trades", prices.trades), ("quotes", prices.quotes)):
        for base in ("/v2/stocks", "/v2/stocks/{symbol}"):
            yield "GET", f"{base}/{name}", name, handler, stocks
            yield "GET", f"{base}/{name}/latest", "latest", prices.latest, stocks | {"what": name}
        yield "GET", f"/v1beta3/crypto/us/{name}", name, handler, crypto
    for name in ("bars", "trades", "quotes", "orderbooks"):
        yield "GET", f"/v1beta3/crypto/us/latest/{name}", "latest", prices.latest, crypto | {"what": name}
    yield "GET", "/v2/stocks/snapshots", "snapshots", prices.snapshots, stocks
    yield "GET", "/v2/stocks/{symbol}/snapshot", "snapshots", prices.snapshots, stocks
    yield "GET", "/v1beta3/crypto/us/snapshots", "snapshots", prices.snapshots, crypto


def _trading(trading: Trading) -> list[tuple[str, str, str, Handler]]:
    return [
        ("GET", "/account", "account", trading.account),
        ("GET", "/account/configurations", "configurations", trading.configurations),
        ("PATCH", "/account/configurations", "configure", trading.configure),
        ("GET", "/account/activities", "activities", trading.activities),
        ("GET", "/account/activities/{type}", "activities", trading.activities),
        ("GET", "/account/portfolio/history", "portfolio", trading.portfolio),
        ("GET", "/clock", "clock", trading.clock),
        ("GET", "/calendar", "calendar", trading.calendar),
        ("GET", "/assets", "assets", trading.assets),
        ("GET", "/assets/{symbol:.+}", "asset", trading.asset),
        ("POST", "/orders", "submit", trading.submit),
        ("GET", "/orders", "orders", trading.orders),
        ("DELETE", "/orders", "cancel_all", trading.cancel_all),
        ("GET", "/orders:by_client_order_id", "order_by_client_id", trading.order_by_client_id),
        ("GET", "/orders/{id}", "order", trading.order),
        ("PATCH", "/orders/{id}", "replace", trading.replace),
        ("DELETE", "/orders/{id}", "cancel", trading.cancel),
        ("GET", "/positions", "positions", trading.positions),
        ("DELETE", "/positions", "close_positions", trading.close_positions),
        ("GET", "/positions/{symbol:.+}", "position", trading.position),
        ("DELETE", "/positions/{symbol:.+}", "close_position", trading.close_position),
    ]
