"""A strategy that does what a test planned, and notes at its start and after each bar what the engine shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nautilus_trader.model import Bar, Currency, InstrumentId, OrderSide, Quantity

from tests.live.planned import Planned, PlannedConfig

USD = Currency.from_str("USD")


class NotingConfig(PlannedConfig):
    """`notes` is the file that it writes."""

    def __init__(self, notes: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.notes = notes


class Noting(Planned):
    """Planned, with orders at the instrument's own prices."""

    def __init__(self, config: NotingConfig) -> None:
        super().__init__(config)
        self._notes = Path(config.notes)
        self._mine = config.instrument_ids

    def on_start(self) -> None:
        super().on_start()
        self._note("start")

    def on_bar(self, bar: Bar) -> None:
        self._note(f"{bar.close}")
        super().on_bar(bar)
        self._note("sent")

    def _take(self, step: list[str], instrument_id: InstrumentId) -> None:
        match step:
            case ["limit", side, units, price]:
                order_side = OrderSide.BUY if side == "buy" else OrderSide.SELL
                instrument: Any = self.cache.instrument(instrument_id)
                at = instrument.make_price(float(price))
                order = self.order_factory.limit(instrument_id, order_side, Quantity(int(units), 0), at)
                self.submit_order(order)
            case _:
                super()._take(step, instrument_id)

    def _note(self, at: str) -> None:
        account: Any = self.portfolio.account(self._mine[0].venue)
        note = {
            "at": at,
            "net": [str(self.portfolio.net_position(each)) for each in self._mine],
            "positions": [
                (str(p.instrument_id), str(p.signed_qty), p.avg_px_open, str(p.realized_pnl))
                for p in self.cache.positions(strategy_id=self.strategy_id)
            ],
            "equity": [str(money) for money in self.portfolio.equity(self._mine[0].venue).values()],
            "balance": str(account.balance_total(USD)),
        }
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")


class Heir(Noting):
    """Another strategy, that does the same."""
