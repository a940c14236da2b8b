"""The trading interface, /v2: what each request answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from simulators.alpaca import positions
from simulators.alpaca.calendar import EPOCH, REGULAR, local
from simulators.alpaca.desk import Desk
from simulators.alpaca.orders import Order
from simulators.alpaca.refusal import RefusedError, not_found, unprocessable
from simulators.alpaca.wire import NANOS, amount, day_of, iso, nanos, number

ZERO = Decimal(0)
MOST_ORDERS, USUAL_ORDERS = 500, 50
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, taken apart."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What it is answered with; `body` None is no body at all."""

    body: Any = None
    status: int = 200


class Trading:
    """One method a request."""

    def __init__(self, desk: Desk, settings: Mapping[str, Any] | None = None) -> None:
        self._desk = desk
        self.configuration: Row = {
            "dtbp_check": "entry", "trade_confirm_email": "all", "suspend_trade": False, "no_shorting": False,
            "fractional_trading": True, "max_margin_multiplier": "2", "max_options_trading_level": 0,
            "pdt_check": "entry", "ptp_no_exception_entry": False, "disable_overnight_trading": False,
        } | dict(settings or {})  # fmt: skip
        for gone in ("dtbp_check", "pdt_check"):  # removed by Alpaca in 2026-07
            self.configuration.pop(gone)

    def account(self, _asked: Asked) -> Answer:
        """GET /v2/account."""
        exchange, ledger, flags = self._desk.exchange, self._desk.ledger, self._desk.exchange.flags
        free = exchange.power()
        return Answer({
            "id": ledger.id, "account_number": ledger.number, "status": flags.status, "crypto_status": flags.status,
            "currency": "USD", "cash": amount(ledger.cash), "portfolio_value": amount(free.equity),
            "equity": amount(free.equity), "last_equity": amount(ledger.last_equity),
            "buying_power": amount(free.buying_power), "regt_buying_power": amount(free.buying_power),
            "non_marginable_buying_power": amount(free.cash_power), "options_buying_power": amount(free.cash_power),
            "long_market_value": amount(free.long_value), "short_market_value": amount(free.short_value),
            "initial_margin": amount(free.initial_margin), "maintenance_margin": amount(free.maintenance_margin),
            "last_maintenance_margin": amount(free.maintenance_margin), "sma": "0",
            "multiplier": str(exchange.multiplier), "accrued_fees": "0", "pending_transfer_in": "0",
            "pending_reg_taf_fees": amount(ledger.fees_due), "intraday_adjustments": "0",
            "shorting_enabled": flags.shorting_enabled, "trading_blocked": flags.trading_blocked,
            "account_blocked": flags.account_blocked, "transfers_blocked": flags.transfers_blocked,
            "trade_suspended_by_user": flags.trade_suspended_by_user, "created_at": iso(ledger.created_at),
            "balance_asof": iso(self._desk.clock.now())[:10], "options_approved_level": 0, "options_trading_level": 0,
        })  # fmt: skip

    def configurations(self, _asked: Asked) -> Answer:
        """GET /v2/account/configurations."""
        return Answer(self.configuration)

    def configure(self, asked: Asked) -> Answer:
        """PATCH /v2/account/configurations."""
        unknown = sorted(set(asked.body) - set(self.configuration) - {"dtbp_check", "pdt_check"})
        if unknown:
            raise unprocessable(f"unknown configuration {unknown[0]}")
        self.configuration |= {
            name: value for name, value in asked.body.items() if name in self.configuration
        }
        flags = self._desk.exchange.flags
        flags.trade_suspended_by_user = bool(self.configuration["suspend_trade"])
        flags.shorting_enabled = not self.configuration["no_shorting"]
        return Answer(self.configuration)

    def clock(self, _asked: Asked) -> Answer:
        """GET /v2/clock."""
        skew = int(self._desk.faults.streams.clock_skew_secs * NANOS)
        now, calendar = self._desk.clock.now() + skew, self._desk.calendar
        return Answer({
            "timestamp": local(now), "is_open": calendar.phase(now) == REGULAR,
            "next_open": local(calendar.next_open(now)), "next_close": local(calendar.next_close(now)),
        })  # fmt: skip

    def calendar(self, asked: Asked) -> Answer:
        """GET /v2/calendar."""
        first = day_of(asked.query.get("start") or "1970-01-01")
        last = day_of(asked.query.get("end") or "2099-12-31")
        return Answer([each.row() for each in self._desk.calendar.between(first, last)])

    def assets(self, asked: Asked) -> Answer:
        """GET /v2/assets."""
        rows = [each.row() for each in self._desk.assets.all]
        wanted = {"status": "status", "asset_class": "class", "exchange": "exchange"}
        for name, key in wanted.items():
            if asked.query.get(name):
                rows = [row for row in rows if row[key] in asked.query[name].split(",")]
        return Answer(rows)

    def asset(self, asked: Asked) -> Answer:
        """GET /v2/assets/{symbol or id}."""
        return Answer(self._desk.assets.get(asked.path["symbol"]).row())

    # -- orders

    def submit(self, asked: Asked) -> Answer:
        """POST /v2/orders."""
        order = self._desk.exchange.submit(asked.body)
        return Answer(self.nested(order))

    def order(self, asked: Asked) -> Answer:
        """GET /v2/orders/{id}."""
        return Answer(self.nested(self._desk.exchange.get(asked.path["id"])))

    def order_by_client_id(self, asked: Asked) -> Answer:
        """GET /v2/orders:by_client_order_id."""
        return Answer(
            self.nested(self._desk.exchange.get_by_client_id(asked.query.get("client_order_id", "")))
        )

    def orders(self, asked: Asked) -> Answer:
        """GET /v2/orders."""
        query = asked.query
        status = query.get("status") or "open"
        if status not in ("open", "closed", "all"):
            raise unprocessable(f"invalid order status: {status}")
        limit = int(number("limit", query.get("limit")) or USUAL_ORDERS)
        if not 1 <= limit <= MOST_ORDERS:
            raise unprocessable(f"limit must be between 1 and {MOST_ORDERS}")
        found = [each for each in self._desk.exchange.orders.values() if _listed(each, query, status)]
        found.sort(key=lambda each: each.created_at, reverse=query.get("direction", "desc") != "asc")
        nested = query.get("nested", "").lower() == "true"
        if nested:
            legs = {leg for each in self._desk.exchange.orders.values() for leg in each.legs}
            found = [each for each in found if each.id not in legs]
        return Answer([self.nested(each) if nested else each.row() for each in found[:limit]])

    def replace(self, asked: Asked) -> Answer:
        """PATCH /v2/orders/{id}."""
        exchange = self._desk.exchange
        return Answer(self.nested(exchange.replace(exchange.get(asked.path["id"]), asked.body)))

    def cancel(self, asked: Asked) -> Answer:
        """DELETE /v2/orders/{id}."""
        exchange = self._desk.exchange
        exchange.cancel(exchange.get(asked.path["id"]))
        return Answer(status=204)

    def cancel_all(self, _asked: Asked) -> Answer:
        """DELETE /v2/orders."""
        rows = []
        for order in self._desk.exchange.open_orders():
            try:
                self._desk.exchange.cancel(order)
            except RefusedError as refused:
                rows.append({"id": order.id, "status": refused.status})
            else:
                rows.append({"id": order.id, "status": 200})
        return Answer(rows, 207)

    def nested(self, order: Order) -> Row:
        """An order with its legs in it."""
        legs = [self._desk.exchange.orders[each].row() for each in order.legs]
        return order.row(legs or None)

    # -- positions

    def positions(self, _asked: Asked) -> Answer:
        """GET /v2/positions."""
        return Answer([positions.row(self._desk, symbol) for symbol in sorted(self._desk.ledger.positions)])

    def position(self, asked: Asked) -> Answer:
        """GET /v2/positions/{symbol or id}."""
        asset = self._desk.assets.get(asked.path["symbol"])
        if asset.symbol not in self._desk.ledger.positions:
            raise not_found("position does not exist")
        return Answer(positions.row(self._desk, asset.symbol))

    def close_position(self, asked: Asked) -> Answer:
        """DELETE /v2/positions/{symbol or id}."""
        asset = self._desk.assets.get(asked.path["symbol"])
        held = self._desk.ledger.held(asset.symbol)
        if not held:
            raise not_found("position does not exist")
        qty = number("qty", asked.query.get("qty"))
        share = number("percentage", asked.query.get("percentage"))
        if share is not None:
            qty = (abs(held) * share / 100).quantize(
                asset.min_trade_increment if asset.is_crypto else Decimal("1e-9")
            )
        return Answer(self.nested(positions.close(self._desk, asset, abs(held) if qty is None else qty)))

    def close_positions(self, asked: Asked) -> Answer:
        """DELETE /v2/positions."""
        if asked.query.get("cancel_orders", "").lower() == "true":
            self.cancel_all(asked)
            self._desk.settle()
        rows = []
        for symbol in sorted(self._desk.ledger.positions):
            asset = self._desk.assets.get(symbol)
            try:
                order = positions.close(self._desk, asset, abs(self._desk.ledger.held(symbol)))
            except RefusedError as refused:
                rows.append({"symbol": symbol, "status": refused.status, "body": refused.body()})
            else:
                rows.append({"symbol": symbol, "status": 200, "body": order.row()})
        return Answer(rows, 207)

    # -- activities and history

    def activities(self, asked: Asked) -> Answer:
        """GET /v2/account/activities and /v2/account/activities/{type}."""
        query = asked.query
        if query.get("category") and query.get("activity_types"):
            raise unprocessable("category cannot be used with activity_types")
        types = asked.path.get("type") or query.get("activity_types") or ""
        newest_first = query.get("direction", "desc") != "asc"
        rows = [each for each in self._desk.ledger.activities if _active(each, query, types)]
        rows.sort(key=lambda row: str(row["id"]), reverse=newest_first)
        token = query.get("page_token")
        if token:
            at = next((place for place, row in enumerate(rows) if row["id"] == token), len(rows))
            rows = rows[at + 1 :]
        size = int(number("page_size", query.get("page_size")) or 100)
        if not 1 <= size <= 100:  # noqa: PLR2004 - Alpaca's limit
            raise unprocessable("page_size must be between 1 and 100")
        return Answer(rows[:size])

    def portfolio(self, asked: Asked) -> Answer:
        """GET /v2/account/portfolio/history: yesterday and now, which is all that is kept."""
        now, ledger = self._desk.clock.now() // NANOS, self._desk.ledger
        equity, base = self._desk.exchange.power().equity, ledger.last_equity
        gain = equity - base
        return Answer({
            "timestamp": [now - 86_400, now], "equity": [float(base), float(equity)], "profit_loss": [0.0, float(gain)],
            "profit_loss_pct": [0.0, float(gain / base) if base else 0.0], "base_value": float(base),
            "base_value_asof": (EPOCH + timedelta(days=now // 86_400 - 1)).isoformat(),
            "timeframe": asked.query.get("timeframe") or "1D", "cashflow": {},
        })  # fmt: skip


def _listed(order: Order, query: Mapping[str, str], status: str) -> bool:
    if status != "all" and order.is_listed_open != (status == "open"):
        return False
    symbols = query.get("symbols")
    if (
        symbols
        and order.symbol not in symbols.split(",")
        and order.symbol.replace("/", "") not in symbols.split(",")
    ):
        return False
    if query.get("side") and order.side != query["side"]:
        return False
    if query.get("asset_class") and order.asset_class not in query["asset_class"].split(","):
        return False
    if query.get("after") and order.created_at <= nanos(query["after"]):
        return False
    return not query.get("until") or order.created_at < nanos(query["until"])


def _active(row: Row, query: Mapping[str, str], types: str) -> bool:
    kind, is_trade = row["activity_type"], row["activity_type"] == "FILL"
    if types and kind not in types.split(","):
        return False
    if query.get("category") and (query["category"] == "trade_activity") != is_trade:
        return False
    if query.get("order_id") and row.get("order_id") != query["order_id"]:
        return False
    stamp = nanos(row.get("transaction_time") or row["created_at"])
    if query.get("date") and date.fromisoformat(query["date"][:10]) != EPOCH + timedelta(
        days=stamp // (86_400 * NANOS)
    ):
        return False
    if query.get("after") and stamp <= nanos(query["after"]):
        return False
    return not query.get("until") or stamp < nanos(query["until"])
