"""Is a new order, or a change of one, written correctly? What can be told from the request alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.alpaca.assets import CENT, Asset
from simulators.alpaca.refusal import RefusedError, unprocessable
from simulators.alpaca.wire import number

TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
CRYPTO_TYPES = ("market", "limit", "stop_limit")
TIMES_IN_FORCE = ("day", "gtc", "opg", "cls", "ioc", "fok")
CRYPTO_TIMES_IN_FORCE = ("gtc", "ioc")
CLASSES = ("", "simple", "bracket", "oco", "oto")
KNOWN = frozenset({
    "symbol", "qty", "notional", "side", "type", "time_in_force", "limit_price", "stop_price", "trail_price",
    "trail_percent", "extended_hours", "client_order_id", "order_class", "take_profit", "stop_loss",
    "position_intent", "legs", "advanced_instructions", "subtag", "source",
})  # fmt: skip
LONGEST_ID = 128
_SUB_DOLLAR = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request for an order, read and checked by itself."""

    symbol: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    order_class: str
    client_order_id: str | None
    take_profit: Decimal | None
    stop_loss: Decimal | None
    stop_loss_limit: Decimal | None
    position_intent: str | None

    @property
    def is_whole(self) -> bool:
        """Whether it is for whole units."""
        return self.qty is not None and self.qty == self.qty.to_integral_value()


def read(body: Any, asset: Asset) -> Ticket:
    """A ticket out of a POST body. Raises RefusedError 422."""
    unknown = sorted(set(body) - KNOWN)
    if unknown:
        raise RefusedError(422, 40010000, f"request body format is invalid: unknown field {unknown[0]}")
    take_profit, stop_loss = body.get("take_profit") or {}, body.get("stop_loss") or {}
    order_class = body.get("order_class") or ""
    kind = body.get("type") or ("limit" if order_class == "oco" else None)
    ticket = Ticket(
        symbol=asset.symbol,
        side=_one_of("side", body.get("side"), ("buy", "sell")),
        type=_one_of("order type", kind, CRYPTO_TYPES if asset.is_crypto else TYPES),
        time_in_force=_one_of(
            "time_in_force",
            body.get("time_in_force"),
            CRYPTO_TIMES_IN_FORCE if asset.is_crypto else TIMES_IN_FORCE,
            " for crypto orders" if asset.is_crypto else "",
        ),
        qty=number("qty", body.get("qty")),
        notional=number("notional", body.get("notional")),
        limit_price=number("limit_price", body.get("limit_price")),
        stop_price=number("stop_price", body.get("stop_price")),
        trail_price=number("trail_price", body.get("trail_price")),
        trail_percent=number("trail_percent", body.get("trail_percent")),
        extended_hours=bool(body.get("extended_hours")),
        order_class=_one_of("order_class", order_class, ("", "simple") if asset.is_crypto else CLASSES),
        client_order_id=body.get("client_order_id") or None,
        take_profit=number("take_profit.limit_price", take_profit.get("limit_price")),
        stop_loss=number("stop_loss.stop_price", stop_loss.get("stop_price")),
        stop_loss_limit=number("stop_loss.limit_price", stop_loss.get("limit_price")),
        position_intent=body.get("position_intent"),
    )
    _check_size(ticket, asset)
    _check_prices(ticket, asset)
    _check_time(ticket)
    _check_class(ticket)
    return ticket


def check_price(name: str, price: Decimal | None, asset: Asset) -> None:
    """Positive, and no finer than the market's increment. Raises RefusedError 422."""
    if price is None:
        return
    if price <= 0:
        raise unprocessable(f"{name} must be > 0")
    increment = asset.price_increment if asset.is_crypto or price >= 1 else _SUB_DOLLAR
    if price % increment:
        raise unprocessable(
            f"invalid {name} {price:f}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _one_of(name: str, value: Any, allowed: tuple[str, ...], suffix: str = "") -> str:
    if value is None:
        raise unprocessable(f"{name} is required")
    if value not in allowed:
        raise unprocessable(f"invalid {name}{suffix}")
    return str(value)


def _check_size(ticket: Ticket, asset: Asset) -> None:
    qty, notional = ticket.qty, ticket.notional
    if (qty is None) == (notional is None):
        raise unprocessable(
            "qty or notional is required" if qty is None else "only one of qty or notional is accepted"
        )
    if qty is not None and qty <= 0:
        raise unprocessable("qty must be > 0")
    if notional is not None:
        if notional < 1:
            raise RefusedError(
                403, 40310000, "cost basis must be >= minimal amount of order 1", cost_basis=f"{notional:f}"
            )
        if notional % CENT:
            raise unprocessable("notional value must be limited to 2 decimal places")
    if asset.is_crypto:
        _check_crypto_size(ticket, asset)
    elif not ticket.is_whole:
        _check_fractional(ticket, asset)


def _check_crypto_size(ticket: Ticket, asset: Asset) -> None:
    if ticket.qty is not None and ticket.qty < asset.min_order_size:
        raise RefusedError(403, 40310000, f"minimal qty of order {asset.min_order_size:f}")
    if ticket.qty is not None and ticket.qty % asset.min_trade_increment:
        raise unprocessable("qty must be limited to 9 decimal places")
    if ticket.notional is not None and ticket.type != "market":
        raise unprocessable("notional orders must be market orders")


def _check_fractional(ticket: Ticket, asset: Asset) -> None:
    if not asset.fractionable:
        raise RefusedError(403, 40310000, f'asset "{asset.symbol}" is not fractionable')
    if ticket.type != "market":
        raise unprocessable("fractional orders must be market orders")
    if ticket.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")
    if ticket.order_class not in ("", "simple"):
        raise unprocessable("fractional orders must be simple orders")
    if ticket.qty is not None and ticket.qty % Decimal("0.000000001"):
        raise unprocessable("qty must be limited to 9 decimal places")


def _check_prices(ticket: Ticket, asset: Asset) -> None:
    wants_limit = ticket.type in ("limit", "stop_limit") and ticket.order_class != "oco"
    if wants_limit and ticket.limit_price is None:
        raise unprocessable(f"{ticket.type.replace('_', ' ')} orders require a limit price")
    if not wants_limit and ticket.limit_price is not None and ticket.order_class != "oco":
        raise unprocessable(f"{ticket.type.replace('_', ' ')} orders must not have a limit price")
    wants_stop = ticket.type in ("stop", "stop_limit")
    if wants_stop != (ticket.stop_price is not None):
        raise unprocessable(
            f"{ticket.type.replace('_', ' ')} orders {'require a' if wants_stop else 'must not have a'} stop price"
        )
    trails = (ticket.trail_price is not None) + (ticket.trail_percent is not None)
    if trails != (ticket.type == "trailing_stop"):
        raise unprocessable(
            "trailing stop orders require exactly one of trail_price or trail_percent, others none"
        )
    for name in ("limit_price", "stop_price", "take_profit", "stop_loss", "stop_loss_limit"):
        check_price(name, getattr(ticket, name), asset)
    for name in ("trail_price", "trail_percent"):
        if (getattr(ticket, name) or Decimal(1)) <= 0:
            raise unprocessable(f"{name} must be > 0")


def _check_time(ticket: Ticket) -> None:
    if ticket.client_order_id is not None and len(ticket.client_order_id) > LONGEST_ID:
        raise unprocessable(f"client_order_id must be no more than {LONGEST_ID} characters")
    if ticket.extended_hours and (ticket.type != "limit" or ticket.time_in_force not in ("day", "gtc")):
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if ticket.type == "trailing_stop" and ticket.time_in_force not in ("day", "gtc"):
        raise unprocessable("trailing stop orders must be DAY or GTC orders")
    if ticket.time_in_force in ("opg", "cls") and ticket.type not in ("market", "limit"):
        raise unprocessable("opg and cls orders must be market or limit orders")


def _check_class(ticket: Ticket) -> None:
    has = (ticket.take_profit is not None, ticket.stop_loss is not None)
    if ticket.order_class in ("", "simple"):
        if any(has):
            raise unprocessable("simple orders must not have take_profit or stop_loss")
        return
    if ticket.time_in_force not in ("day", "gtc"):
        raise unprocessable(f"{ticket.order_class} orders must be DAY or GTC orders")
    if ticket.extended_hours:
        raise unprocessable(f"{ticket.order_class} orders must not be extended hours orders")
    if ticket.order_class == "oto":
        if sum(has) != 1:
            raise unprocessable(
                "oto orders require exactly one of take_profit.limit_price or stop_loss.stop_price"
            )
    elif not has[0] and not (ticket.order_class == "oco" and ticket.limit_price):
        raise unprocessable(f"{ticket.order_class} orders require take_profit.limit_price")
    elif not has[1]:
        raise unprocessable(f"{ticket.order_class} orders require stop_loss.stop_price")
    if ticket.order_class == "oco" and ticket.type != "limit":
        raise unprocessable("oco orders must be limit orders")
    _check_exits(ticket)


def _check_exits(ticket: Ticket) -> None:
    """The profit is on the far side of the stop. Exits of a buy sell, an OCO is itself the exit."""
    profit = ticket.take_profit or (ticket.limit_price if ticket.order_class == "oco" else None)
    stop = ticket.stop_loss
    exit_is_sell = (ticket.side == "sell") == (ticket.order_class == "oco")
    if profit is not None and stop is not None and (profit - stop) * (1 if exit_is_sell else -1) < CENT:
        raise unprocessable(
            f"take_profit.limit_price must be {'>' if exit_is_sell else '<'} stop_loss.stop_price"
        )
    base = ticket.limit_price if ticket.order_class != "oco" else None
    if base is not None and stop is not None and (base - stop) * (1 if exit_is_sell else -1) < CENT:
        bound = "<= base_price - 0.01" if exit_is_sell else ">= base_price + 0.01"
        raise unprocessable(
            f"stop_loss.stop_price must be {bound}",
            base_price=f"{base:f}",
        )
