"""A strategy that does what a test planned, bar by bar: `buy 10; limit buy 5 95; stop sell 5 90 reduce; exit`."""

from __future__ import annotations

from typing import Any

from nautilus_trader.model import Bar, BarType, InstrumentId, OrderSide, Price, Quantity, TriggerType
from nautilus_trader.trading import Strategy, StrategyConfig


class PlannedConfig(StrategyConfig):
    """The plan: one step a bar, separated by semicolons; `-` does nothing."""

    def __init__(
        self, instrument_ids: list[InstrumentId], bar_types: list[BarType], plan: str = "", **_: object
    ) -> None:
        self.instrument_ids, self.bar_types, self.plan = instrument_ids, bar_types, plan


class Planned(Strategy):
    """Takes one step of its plan at each bar, and then does nothing more."""

    def __init__(self, config: PlannedConfig) -> None:
        super().__init__(config)
        self._kinds = config.bar_types
        self._steps = [step.split() for step in config.plan.split(";") if step.strip()]

    def on_start(self) -> None:
        for kind in self._kinds:
            self.subscribe_bars(kind)

    def on_bar(self, bar: Bar) -> None:
        step = self._steps.pop(0) if self._steps else ["-"]
        self._take(step, bar.bar_type.instrument_id)

    def _take(self, step: list[str], instrument_id: InstrumentId) -> None:
        match step:
            case ["buy" | "sell" as side, units]:
                self._send("market", instrument_id, side, units)
            case ["limit", side, units, price]:
                self._send("limit", instrument_id, side, units, Price(float(price), 4))
            case ["stop", side, units, price, *rest]:
                self._send(
                    "stop_market", instrument_id, side, units, Price(float(price), 4),
                    reduce_only=rest == ["reduce"],
                )  # fmt: skip
            case ["emulated", side, units, price]:
                self._send(
                    "limit", instrument_id, side, units, Price(float(price), 4),
                    emulation_trigger=TriggerType.BID_ASK,
                )  # fmt: skip
            case ["exit"]:
                net = self.held(instrument_id)
                self._send(
                    "market", instrument_id, "sell" if net > 0 else "buy", str(abs(net)), reduce_only=True
                )
            case ["cancel"]:
                self.cancel_all_orders(instrument_id)

    def held(self, instrument_id: InstrumentId) -> int:
        """What it holds, as the engine tells it."""
        positions = self.cache.positions_open(instrument_id=instrument_id, strategy_id=self.strategy_id)
        return sum(int(each.signed_qty) for each in positions)

    def _send(
        self, kind: str, instrument_id: InstrumentId, side: str, units: str, *price: Any, **more: Any
    ) -> None:
        order_side = OrderSide.BUY if side == "buy" else OrderSide.SELL
        make = getattr(self.order_factory, kind)
        self.submit_order(make(instrument_id, order_side, Quantity(int(units), 0), *price, **more))
