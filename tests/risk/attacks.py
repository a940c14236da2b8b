"""Runs many attacks on the gate one after the other in a single run, and tells them apart afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model import (
    LimitOrder,
    MarketOrder,
    OrderInitialized,
    OrderSide,
    Price,
    Quantity,
    StopMarketOrder,
)

from tests.driving import Driven, Scripted, bars, drive

BUY, SELL = OrderSide.BUY, OrderSide.SELL
KINDS: dict[str, Any] = {"MARKET": MarketOrder, "LIMIT": LimitOrder, "STOP_MARKET": StopMarketOrder}
BARS_AN_ATTACK = 4


class Attacker(Scripted):
    """Calls each method whose name begins with `tries_` on a bar of its own, in the order of the class's body.

    On the second bar after it `later_NAME` is called where there is one, on the third everything is cancelled and
    closed, so that attacks do not disturb each other.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.notes: dict[str, Any] = {}  # what an attack wants to be asked about

    @classmethod
    def attacks(cls) -> list[str]:
        """The names of the attacks, without `tries_`."""
        names = [name for base in cls.__mro__ for name in vars(base) if name.startswith("tries_")]
        return [name.removeprefix("tries_") for name in names]

    def on_bar(self, bar: Any) -> None:
        if bar.bar_type.instrument_id == self.iid:
            super().on_bar(bar)

    def at_bar(self, n: int, _bar: Any) -> None:
        number, phase = divmod(n - 2, BARS_AN_ATTACK)
        if n < 2 or number >= len(self.attacks()):
            return
        name = self.attacks()[number]
        if phase == 0:
            getattr(self, f"tries_{name}")()
        elif phase == 2:
            getattr(self, f"later_{name}", lambda: None)()
        elif phase == 3:
            self.cancel_all_orders(self.iid)
            self.close_all_positions(self.iid)

    def remade(self, order: Any, **fields: Any) -> Any:
        """The order with other fields than the factory gives it, as a strategy may make it by hand."""
        made = OrderInitialized.from_dict({**order.init_event.to_dict(), **fields})
        return KINDS[made.order_type.name].create(made)

    def market(self, side: OrderSide, quantity: int, **fields: Any) -> Any:
        order = self.order_factory.market(self.iid, side, Quantity(quantity, 0))
        return self.remade(order, **fields) if fields else order

    def resting(self, side: OrderSide, quantity: int, price: float, **fields: Any) -> Any:
        order = self.order_factory.limit(self.iid, side, Quantity(quantity, 0), Price(price, 2))
        return self.remade(order, **fields) if fields else order

    def stop_at(self, side: OrderSide, quantity: int, price: float, **fields: Any) -> Any:
        order = self.order_factory.stop_market(self.iid, side, Quantity(quantity, 0), Price(price, 2))
        return self.remade(order, **fields) if fields else order

    def family(self, entry: Any, *children: Any, contingency: str | None = "OUO") -> list[Any]:
        """An OTO entry and its children, which are tied to each other where there are several."""
        names = [str(child.client_order_id) for child in children]
        own = self.order_factory.generate_order_list_id()
        tied = [
            self.remade(
                child,
                parent_order_id=str(entry.client_order_id),
                order_list_id=str(own),
                contingency_type=contingency if len(names) > 1 else None,
                linked_order_ids=[other for other in names if other != name] or None,
            )
            for name, child in zip(names, children, strict=True)
        ]
        head = self.remade(entry, contingency_type="OTO", linked_order_ids=names, order_list_id=str(own))
        return [head, *tied]


@dataclass
class Outcome:
    """What came of one attack. `held` is the position after its last bar, `most` and `least` what it was meanwhile."""

    refused: list[str] = field(default_factory=list)  # codes
    held: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    least: Decimal = Decimal(0)
    note: Any = None


@dataclass
class Attacked:
    """A run of attacks."""

    driven: Driven
    outcomes: dict[str, Outcome]

    @property
    def trips(self) -> list[str]:
        return [trip["breaker"] for trip in self.driven.record.trips]


def attacked(mode: str, attacker: type[Attacker], **options: Any) -> Attacked:
    """Run all attacks of a class; prices stand still at 100 unless `rows` says otherwise."""
    names = attacker.attacks()
    rows = options.pop("rows", None) or bars([100.0] * (BARS_AN_ATTACK * len(names) + 2))
    driven = drive(mode, [attacker, *options.pop("beside", [])], rows, **options)
    instrument = "AAPL.XNAS"
    stamps = [row.ts_event for row in rows if str(row.bar_type.instrument_id) == instrument]
    me = driven.strategies[0]
    outcomes = {}
    for number, name in enumerate(names):
        start = stamps[1 + number * BARS_AN_ATTACK]
        end = stamps[min(len(stamps) - 1, 1 + (number + 1) * BARS_AN_ATTACK)]
        outcome = outcomes[name] = Outcome(note=me.notes.get(name))
        outcome.refused = [row["limit"] for row in driven.record.refusals if start <= row["ts"] < end]
        for fill in driven.record.fills:
            if (
                start <= fill["ts"] < end
                and fill["instrument"] == instrument
                and fill["strategy"] == me.known_as
            ):
                outcome.held += fill["quantity"] if fill["side"] == "BUY" else -fill["quantity"]
                outcome.most, outcome.least = (
                    max(outcome.most, outcome.held),
                    min(outcome.least, outcome.held),
                )
    return Attacked(driven, outcomes)
