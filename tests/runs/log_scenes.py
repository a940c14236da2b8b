"""Every event of the log brought about once, as in a run: by what the desk tells, or by the log's own methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import nautilus_trader.model as m
from nautilus_trader.core import UUID4

from risk.breaker import Notice, Trip
from runs.logs.events import EventName
from runs.logs.logger import Style, line_maker
from runs.logs.outlets import Outlet, Outlets
from runs.logs.rendering import Line
from runs.logs.run_log import RunLog
from runs.logs.scrub import Scrubber
from runs.logs.writer import Writer

T0 = 1_704_229_200_000_000_000  # 2024-01-02 16:00 in New York
STYLE = Style("2026-03-02_160000", "paper", "alpaca_paper", "America/New_York", 10, as_json=True)
WHO: dict[str, Any] = {
    "trader_id": m.TraderId("KEEL-001"),
    "strategy_id": m.StrategyId("EmaCross-001"),
    "instrument_id": m.InstrumentId.from_str("AAPL.XNAS"),
    "client_order_id": m.ClientOrderId("O-1"),
}
STAMPS: dict[str, Any] = {"event_id": UUID4(), "ts_event": T0, "ts_init": T0}
TOLD: dict[str, Any] = {**STAMPS, "reconciliation": False}
ACCOUNT: dict[str, Any] = {"account_id": m.AccountId("ALPACA-1")}
AT_VENUE: dict[str, Any] = {**ACCOUNT, "venue_order_id": m.VenueOrderId("61e69015")}


@dataclass
class Kept:
    """An outlet that keeps its lines in memory."""

    least: int = 10
    name: str = "memory"
    lines: list[Line] = field(default_factory=list)

    def write(self, lines: Sequence[Line]) -> None:
        self.lines += lines

    def close(self) -> None: ...


def log_into(*outlets: Outlet, style: Style = STYLE, secrets: Sequence[str] = ()) -> RunLog:
    """A log that writes to these places."""
    scrubber = Scrubber(secrets)
    return RunLog(Writer(Outlets(outlets), lambda: line_maker(style, scrubber)), scrubber)


def order(quantity: int = 100, **more: Any) -> m.OrderInitialized:
    """A limit order to buy shares."""
    plain: dict[str, Any] = {
        "order_side": m.OrderSide.BUY,
        "order_type": m.OrderType.LIMIT,
        "quantity": m.Quantity(quantity, 0),
        "time_in_force": m.TimeInForce.DAY,
        "post_only": False,
        "reduce_only": False,
        "quote_quantity": False,
        "price": m.Price(187.15, 2),
    }
    return m.OrderInitialized(**{**WHO, **TOLD, **plain, **more})


def fill(quantity: int = 100, price: float = 187.15, trade: str = "T-1") -> m.OrderFilled:
    """A fill of it."""
    return m.OrderFilled(
        **WHO, **AT_VENUE, **TOLD, trade_id=m.TradeId(trade), order_side=m.OrderSide.BUY,
        order_type=m.OrderType.LIMIT, last_qty=m.Quantity(quantity, 0), last_px=m.Price(price, 2),
        currency=m.Currency.from_str("USD"), liquidity_side=m.LiquiditySide.MAKER,
        commission=m.Money.from_str("0.35 USD"),
    )  # fmt: skip


def voided() -> m.OrderFillVoided:
    """A fill that was taken back."""
    return m.OrderFillVoided(
        **WHO, **AT_VENUE, **TOLD, correction_id="C-1", trade_id=m.TradeId("T-1"),
        voided_qty=m.Quantity(100, 0), order_side=m.OrderSide.BUY, order_type=m.OrderType.LIMIT,
        last_px=m.Price(187.15, 2), currency=m.Currency.from_str("USD"), liquidity_side=m.LiquiditySide.MAKER,
        reason="busted by the exchange",
    )  # fmt: skip


TOO_MUCH = "MAX_POSITION: AAPL.XNAS would be 18,715.00 USD, 18.7% of equity 100,000.00 USD; limit 10.0%"
LOST = "DAILY_LOSS: equity 97,990.00 is 2.01% below session day 2024-01-02 began at 100,000.00; trips at 98,000.00"
TRIP = Trip("DAILY_LOSS", LOST, T0, Decimal("97990.00"), Decimal("100000.00"))
Scene = Callable[[RunLog], None]


def events(*told: Any, approved: bool = True) -> Scene:
    """An order passes the gate, and this happens to it."""

    def scene(log: RunLog) -> None:
        if approved:
            log.approved(T0, order())
        for each in told:
            log.event(T0, each)

    return scene


def _raises(log: RunLog) -> None:
    try:
        _on_bar()
    except ZeroDivisionError as error:
        log.failed("EmaCross-001", "on_bar", error)


def _on_bar() -> None:
    raise ZeroDivisionError("division by zero")


ORDER: dict[str, Any] = {"strategy": "EmaCross-001", "instrument": "AAPL.XNAS", "client_order_id": "O-1"}
SCENES: dict[EventName, Scene] = {
    "run.started": lambda log: log.started(
        strategies=["EmaCross"], instruments=["AAPL"], bar="1d", folder="outputs/live/2026-03-02_16-00-00-alpaca_paper"
    ),
    "run.ended": lambda log: log.ended("stopped by SIGTERM"),
    "order.approved": events(),
    "order.refused": lambda log: log.refused(T0, order(), TOO_MUCH),
    "order.approval": lambda log: log.waits(
        T0, "HELD", [order()], "O-1 waits; approve or reject it within 30 minutes", T0 + 1_800_000_000_000, None
    ),
    "order.submitted": events(m.OrderSubmitted(**WHO, **ACCOUNT, **STAMPS)),
    "order.accepted": events(m.OrderAccepted(**WHO, **AT_VENUE, **TOLD)),
    "order.rejected": events(m.OrderRejected(**WHO, **ACCOUNT, **TOLD, reason="insufficient buying power")),
    "order.denied": events(m.OrderDenied(**WHO, **STAMPS, reason="NOTIONAL_EXCEEDS_MAX_PER_ORDER")),
    "order.emulated": events(m.OrderEmulated(**WHO, **STAMPS)),
    "order.released": events(m.OrderReleased(**WHO, **STAMPS, released_price=m.Price(187.15, 2))),
    "order.triggered": events(m.OrderTriggered(**WHO, **TOLD, **AT_VENUE)),
    "order.pending_update": events(m.OrderPendingUpdate(**WHO, **TOLD, **AT_VENUE)),
    "order.updated": events(
        m.OrderUpdated(**WHO, **TOLD, **AT_VENUE, quantity=m.Quantity(80, 0), price=m.Price(187.10, 2))
    ),
    "order.modify_rejected": events(m.OrderModifyRejected(**WHO, **TOLD, **AT_VENUE, reason="too late to change")),
    "order.pending_cancel": events(m.OrderPendingCancel(**WHO, **TOLD, **AT_VENUE)),
    "order.cancel_rejected": events(m.OrderCancelRejected(**WHO, **TOLD, **AT_VENUE, reason="already filled")),
    "order.canceled": events(fill(40), m.OrderCanceled(**WHO, **TOLD, **AT_VENUE)),
    "order.expired": events(m.OrderExpired(**WHO, **TOLD, **AT_VENUE)),
    "fill.received": events(fill(40)),
    "order.filled": events(fill(40), fill(60, 187.10, "T-2")),
    "fill.voided": events(fill(), voided()),
    "order.unknown": lambda log: log.emit("order.unknown", T0, **ORDER, reason="no answer within 5 s"),
    "order.resolved": lambda log: log.emit("order.resolved", T0, **ORDER, outcome="ACCEPTED"),
    "order.foreign": lambda log: log.emit(
        "order.foreign", T0, strategy="EXTERNAL", instrument="AAPL.XNAS", client_order_id="web-7",
        venue_order_id="61e69016", side="SELL", quantity=Decimal(10),
    ),
    "fill.foreign": lambda log: log.emit(
        "fill.foreign", T0, strategy="EXTERNAL", instrument="AAPL.XNAS", client_order_id="web-7",
        venue_order_id="61e69016", trade_id="T-9", side="SELL", quantity=Decimal(10), price=Decimal("187.20"),
    ),
    "risk.violation": lambda log: log.refused(T0, order(), TOO_MUCH),
    "trading.halted": lambda log: log.tripped(TRIP),
    "trading.resumed": lambda log: log.noticed(
        Notice("HALT_ENDED", f"session day 2024-01-03 began: {LOST}", T0)
    ),
    "risk.notice": lambda log: log.noticed(
        Notice("TIMEOUT", "O-1 works for more than 60 minutes: cancelled", T0, "strategy:EmaCross-001")
    ),
    "policy.error": _raises,
    "market_data.error": lambda log: log.market_data_error(
        "no bar for 180 s", instrument="AAPL.XNAS", component="alpaca_paper"
    ),
    "engine.error": lambda log: log.engine_error(
        "Client XNAS operation _cancel_order failed", component="XNAS"
    ),
    "health.check": lambda log: log.health(
        state="ACTIVE", equity=Decimal("100012.40"), currency="USD", positions=1, working=2, held=0
    ),
    "alert.raised": lambda log: log.alert("JOURNAL", "the journal cannot be written: new exposure is refused"),
    "command.received": lambda log: log.command("halt", "anna", "earnings tonight"),
    "command.answered": lambda log: log.emit(
        "command.answered", T0, command="halt", outcome="DONE", reason="halted; 2 orders cancelled"
    ),
    "log.lost": lambda log: log.emit(
        "log.lost", T0, lines=3, where="keel.log", reason="cannot be written: No space left on device"
    ),
}  # fmt: skip
"""Event -> what brings it about."""


def told(scene: Scene, style: Style = STYLE) -> list[Line]:
    """The lines that a scene causes."""
    kept = Kept()
    log = log_into(kept, style=style)
    scene(log)
    log.close()
    return kept.lines
