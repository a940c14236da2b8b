"""What comes over the wire is what Alpaca's own OpenAPI files describe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from simulators.alpaca.control import AlpacaProcess
from tests.simulators.alpaca.asking import ask
from tests.simulators.alpaca.desks import Broker

ORDER = {
    "symbol": "AAPL",
    "side": "buy",
    "type": "limit",
    "time_in_force": "gtc",
    "qty": "10",
    "limit_price": "40",
}
FAR_EXITS = {"take_profit": {"limit_price": "90"}, "stop_loss": {"stop_price": "35"}}
NEEDED = {
    "Order": {
        "id", "client_order_id", "created_at", "updated_at", "submitted_at", "filled_at", "expired_at", "canceled_at",
        "failed_at", "replaced_at", "replaced_by", "replaces", "asset_id", "symbol", "asset_class", "notional", "qty",
        "filled_qty", "filled_avg_price", "order_class", "order_type", "type", "side", "time_in_force", "limit_price",
        "stop_price", "status", "extended_hours", "legs", "trail_percent", "trail_price", "hwm", "expires_at",
        "position_intent", "subtag", "source",
    },
    "Account": {
        "id", "account_number", "status", "currency", "cash", "equity", "last_equity", "buying_power", "multiplier",
        "regt_buying_power", "non_marginable_buying_power", "initial_margin", "maintenance_margin", "created_at",
        "long_market_value", "short_market_value", "trading_blocked", "account_blocked", "transfers_blocked",
        "shorting_enabled", "trade_suspended_by_user", "portfolio_value", "crypto_status", "balance_asof",
    },
}  # fmt: skip
"""The specification requires next to nothing of these two; its example has all of this."""


def specification(name: str) -> dict[str, Any]:
    folder = os.environ.get("KEEL_TEST_DATA")
    path = Path(folder or "nowhere") / "venues" / "specs" / "alpaca" / name
    if not path.exists():
        pytest.skip("KEEL_TEST_DATA does not name the folder with venues/specs/alpaca")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def violations(spec: dict[str, Any], schema: dict[str, Any], body: Any) -> list[str]:
    validator = Draft202012Validator(
        schema | {"components": spec["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{list(error.path)}: {error.message}"[:200] for error in validator.iter_errors(body)]


def check(
    spec: dict[str, Any], broker: AlpacaProcess, method: str, path: str, of: str, body: Any = None
) -> Any:
    """Ask, and compare with what the specification says of the answer to a request like that."""
    status, answer, headers = ask(broker, method, path, body)
    responses = spec["paths"][of][method.lower()]["responses"]
    assert str(status) in responses, (status, answer)
    content = responses[str(status)].get("content")
    if content is not None:
        assert violations(spec, content["application/json"]["schema"], answer) == []
    assert int(headers["X-RateLimit-Limit"]) > 0
    return answer


def test_the_trading_interface_answers_as_specified(start: Any) -> None:
    spec = specification("trading-api.patched.json")
    broker = start("instruments=AAPL,BTC/USD")
    broker.control().price("AAPL", 50)

    def has(method: str, path: str, of: str, body: Any = None) -> Any:
        return check(spec, broker, method, path, of, body)

    account = has("GET", "/v2/account", "/v2/account")
    assert set(account) >= NEEDED["Account"]
    has("GET", "/v2/account/configurations", "/v2/account/configurations")
    has("PATCH", "/v2/account/configurations", "/v2/account/configurations", {"no_shorting": False})
    has("GET", "/v2/clock", "/v2/clock")
    has("GET", "/v2/calendar?start=2012-11-19&end=2012-11-26", "/v2/calendar")
    has("GET", "/v2/assets?status=active", "/v2/assets")
    for name in ("AAPL", "BTC%2FUSD", "BTC/USD", "BTCUSD"):
        has("GET", f"/v2/assets/{name}", "/v2/assets/{symbol_or_asset_id}")
    order = has("POST", "/v2/orders", "/v2/orders", ORDER)
    assert set(order) >= NEEDED["Order"]
    bracket = has("POST", "/v2/orders", "/v2/orders", ORDER | {"order_class": "bracket"} | FAR_EXITS)
    assert {leg["status"] for leg in bracket["legs"]} == {"held"}
    market = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day"}
    filled = has("POST", "/v2/orders", "/v2/orders", market | {"notional": "100"})
    has("POST", "/v2/orders", "/v2/orders", market | {"qty": 3})
    has("POST", "/v2/orders", "/v2/orders", market | {"type": "trailing_stop", "trail_percent": 2, "qty": 1})
    has("POST", "/v2/orders", "/v2/orders",
        {"symbol": "BTC/USD", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "0.01"})  # fmt: skip
    has("GET", "/v2/orders?status=all&nested=true&limit=500", "/v2/orders")
    has("GET", f"/v2/orders/{filled['id']}", "/v2/orders/{order_id}")
    name = order["client_order_id"]
    has("GET", f"/v2/orders:by_client_order_id?client_order_id={name}", "/v2/orders:by_client_order_id")
    new = has("PATCH", f"/v2/orders/{order['id']}", "/v2/orders/{order_id}", {"limit_price": "41"})
    has("DELETE", f"/v2/orders/{new['id']}", "/v2/orders/{order_id}")
    has("DELETE", f"/v2/orders/{new['id']}", "/v2/orders/{order_id}")
    has("GET", "/v2/positions", "/v2/positions")
    has("GET", "/v2/positions/AAPL", "/v2/positions/{symbol_or_asset_id}")
    has("DELETE", "/v2/orders", "/v2/orders")
    broker.control().ask(
        "activity", type="DIV", net_amount="12.34", symbol="AAPL", qty="3", per_share_amount="4.1"
    )
    broker.control().ask("activity", type="CSD", net_amount="1000")
    has("GET", "/v2/account/activities", "/v2/account/activities")
    fills = ask(broker, "GET", "/v2/account/activities/FILL")[1]
    one_fill = {
        "$ref": "#/components/schemas/TradingActivities"
    }  # its oneOf does not hold for its own example
    assert fills
    assert violations(spec, {"type": "array", "items": one_fill}, fills) == []
    has("DELETE", "/v2/positions/AAPL?qty=1", "/v2/positions/{symbol_or_asset_id}")
    has("DELETE", "/v2/positions?cancel_orders=true", "/v2/positions")
    has("GET", "/v2/account/portfolio/history", "/v2/account/portfolio/history")


@pytest.mark.parametrize(
    ("path", "of"),
    [
        ("/v2/stocks/bars?symbols=AAPL,IBM&timeframe=1Min&limit=3", "/v2/stocks/bars"),
        ("/v2/stocks/bars?symbols=AAPL&timeframe=1Day&start=2013-01-02", "/v2/stocks/bars"),
        ("/v2/stocks/trades?symbols=AAPL&limit=5", "/v2/stocks/trades"),
        ("/v2/stocks/quotes?symbols=AAPL&limit=5", "/v2/stocks/quotes"),
        ("/v2/stocks/AAPL/bars?timeframe=5Min", "/v2/stocks/{symbol}/bars"),
        ("/v2/stocks/bars/latest?symbols=AAPL", "/v2/stocks/bars/latest"),
        ("/v2/stocks/trades/latest?symbols=AAPL", "/v2/stocks/trades/latest"),
        ("/v2/stocks/quotes/latest?symbols=AAPL", "/v2/stocks/quotes/latest"),
        ("/v2/stocks/AAPL/quotes/latest", "/v2/stocks/{symbol}/quotes/latest"),
        ("/v2/stocks/snapshots?symbols=AAPL,IBM", "/v2/stocks/snapshots"),
        ("/v2/stocks/AAPL/snapshot", "/v2/stocks/{symbol}/snapshot"),
        ("/v1beta3/crypto/us/bars?symbols=BTC/USD&timeframe=1Hour", "/v1beta3/crypto/{loc}/bars"),
        ("/v1beta3/crypto/us/trades?symbols=BTC/USD&limit=3", "/v1beta3/crypto/{loc}/trades"),
        ("/v1beta3/crypto/us/quotes?symbols=BTC/USD&limit=3", "/v1beta3/crypto/{loc}/quotes"),
        ("/v1beta3/crypto/us/latest/bars?symbols=BTC/USD", "/v1beta3/crypto/{loc}/latest/bars"),
        ("/v1beta3/crypto/us/latest/trades?symbols=BTC/USD", "/v1beta3/crypto/{loc}/latest/trades"),
        ("/v1beta3/crypto/us/latest/quotes?symbols=BTC/USD", "/v1beta3/crypto/{loc}/latest/quotes"),
        ("/v1beta3/crypto/us/latest/orderbooks?symbols=BTC/USD", "/v1beta3/crypto/{loc}/latest/orderbooks"),
        ("/v1beta3/crypto/us/snapshots?symbols=BTC/USD", "/v1beta3/crypto/{loc}/snapshots"),
        ("/v1beta1/news?symbols=AAPL", "/v1beta1/news"),
    ],
)
def test_the_market_data_interface_answers_as_specified(broker: AlpacaProcess, path: str, of: str) -> None:
    broker.control().ask(
        "news",
        headline="A headline",
        summary="What it says",
        content="More",
        url="https://example.com",
        symbols=["AAPL"],
    )
    answer = check(specification("market-data-api.json"), broker, "GET", path, of)
    assert answer
    assert any(answer.values())


def test_every_order_in_a_trade_update_is_an_order() -> None:
    spec = specification("trading-api.patched.json")
    desk = Broker()
    order = desk.submit(
        qty="10", order_class="bracket", take_profit={"limit_price": "55"}, stop_loss={"stop_price": "45"}
    )
    desk.replace(order["legs"][0]["id"], limit_price="56")
    desk.price("AAPL", "44")
    desk.cancel(desk.submit(qty="1", type="limit", limit_price="30")["id"])
    desk.submit(qty="1", type="limit", limit_price="30")
    desk.clock("2013-02-01T21:00:00Z")
    assert {"new", "fill", "replaced", "canceled", "expired"} <= set(desk.events)
    for row in desk.updates:
        assert violations(spec, {"$ref": "#/components/schemas/Order"}, row["order"]) == []
