"""What does a strategy send that leaves nothing out: every kind of order, several a second, changed and cancelled?

It has no opinion and earns nothing. What matters is that at any moment something is being sent, filled or cancelled.
"""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

from nautilus_trader.model import (
    Bar,
    BarType,
    ClientOrderId,
    ContingencyType,
    InstrumentId,
    OrderSide,
    OrderType,
    Price,
    Quantity,
    TimeInForce,
    TriggerType,
)
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import ConfigDict, Field, validate_call

from soak.samples import Sampling

MOST_WORKING = 12
"""Orders that may work at once, in one instrument; beyond it the oldest is cancelled."""
KINDS = {  # what is done, how often
    "market": 5, "limit": 6, "stop": 3, "stop_limit": 1, "bracket": 2, "at_once": 1, "modify": 5, "cancel": 4,
    "emulated": 1, "close": 2,
}  # fmt: skip


class BusyConfig(StrategyConfig):
    """Parameters of `Busy`."""

    @validate_call(config=ConfigDict(arbitrary_types_allowed=True))
    def __init__(  # noqa: PLR0913 - parameters of a strategy are the arguments of its config class
        self,
        instrument_ids: list[InstrumentId],
        bar_types: list[BarType],
        each_bar: Annotated[float, Field(gt=0, le=10)] = 0.5,
        most_units: Annotated[int, Field(ge=1)] = 60,
        reduce_only: Literal[True, False] = True,  # noqa: FBT002 - always given by name, from YAML
        seed: int | None = None,
        samples: str | None = None,
        **_: object,
    ) -> None:
        """each_bar: things done a bar, on average; most_units: how far from flat it goes; seed: none is a new one.

        samples: a file that gets a line a second about the process.

        reduce_only: whether it sends such orders and brackets. The venue sees the account's net position: where two
        strategies share an instrument it may fill one that its own strategy has nothing to reduce with.
        """
        self.instrument_ids = instrument_ids
        self.bar_types = bar_types
        self.each_bar = each_bar
        self.most_units = most_units
        self.reduce_only = reduce_only
        self.seed = seed
        self.samples = samples


class Busy(Strategy):
    """Does something at random at each bar."""

    def __init__(self, config: BusyConfig) -> None:
        super().__init__(config)
        self._settings = config
        self._random = random.Random(config.seed)  # noqa: S311 - nothing is to be kept secret
        without = () if config.reduce_only else ("bracket", "close")
        self._kinds = {kind: often for kind, often in KINDS.items() if kind not in without}
        self._net: dict[InstrumentId, int] = dict.fromkeys(config.instrument_ids, 0)
        self._orders: dict[InstrumentId, list[Any]] = {each: [] for each in config.instrument_ids}

    def on_start(self) -> None:
        """Listen."""
        if self._settings.samples is not None:
            Sampling(Path(self._settings.samples))
        for kind in self._settings.bar_types:
            self.subscribe_bars(kind)
        for instrument_id in self._settings.instrument_ids:
            self.subscribe_quotes(instrument_id)  # orders that are emulated wait for these

    def on_bar(self, bar: Bar) -> None:
        """Do something, or several things."""
        wanted = self._settings.each_bar
        times = int(wanted) + (self._random.random() < wanted % 1)
        for _ in range(times):
            self._act(bar.bar_type.instrument_id, float(bar.close))

    def on_order_filled(self, event: Any) -> None:
        """Count, so that it stays near flat."""
        units = int(event.last_qty)
        self._net[event.instrument_id] += units if event.order_side == OrderSide.BUY else -units

    # -- what it does ---------------------------------------------------------------------------------------------

    def _act(self, instrument_id: InstrumentId, price: float) -> None:
        working = self._working(instrument_id)
        if len(working) >= MOST_WORKING:
            self.cancel_order(working[0].client_order_id)
            return
        kind = self._random.choices(list(self._kinds), list(self._kinds.values()))[0]
        if kind in ("modify", "cancel"):
            if working:
                self._change(kind, self._random.choice(working), price)
            return
        getattr(self, f"_{kind}")(instrument_id, price)

    def _market(self, instrument_id: InstrumentId, _price: float) -> None:
        side, units = self._side(instrument_id), self._units()
        self._send(self.order_factory.market(instrument_id, side, units, client_order_id=self._name()))

    def _close(self, instrument_id: InstrumentId, _price: float) -> None:
        """An exit of what it knows to hold."""
        net = self._net[instrument_id]
        if net:
            side = OrderSide.SELL if net > 0 else OrderSide.BUY
            units, name = Quantity(abs(net), 0), self._name()
            self._send(
                self.order_factory.market(instrument_id, side, units, reduce_only=True, client_order_id=name)
            )

    def _limit(self, instrument_id: InstrumentId, price: float, **more: Any) -> None:
        side = self._side(instrument_id)
        away = self._away() if side == OrderSide.SELL else -self._away()
        limit, name = self._price(instrument_id, price, away), self._name()
        self._send(
            self.order_factory.limit(instrument_id, side, self._units(), limit, client_order_id=name, **more)
        )

    def _at_once(self, instrument_id: InstrumentId, price: float) -> None:
        self._limit(instrument_id, price, time_in_force=TimeInForce.IOC)

    def _emulated(self, instrument_id: InstrumentId, price: float) -> None:
        """The engine holds it and sends it by itself."""
        self._limit(instrument_id, price, emulation_trigger=TriggerType.BID_ASK)

    def _stop(self, instrument_id: InstrumentId, price: float) -> None:
        side = self._side(instrument_id)
        away = self._away() if side == OrderSide.BUY else -self._away()
        trigger, name = self._price(instrument_id, price, away), self._name()
        self._send(
            self.order_factory.stop_market(instrument_id, side, self._units(), trigger, client_order_id=name)
        )

    def _stop_limit(self, instrument_id: InstrumentId, price: float) -> None:
        side = self._side(instrument_id)
        away = self._away() if side == OrderSide.BUY else -self._away()
        trigger, name = self._price(instrument_id, price, away), self._name()
        self._send(
            self.order_factory.stop_limit(
                instrument_id, side, self._units(), trigger, trigger, client_order_id=name
            )
        )

    def _bracket(self, instrument_id: InstrumentId, price: float) -> None:
        side = self._side(instrument_id)
        up = 1 if side == OrderSide.BUY else -1
        entry: dict[str, Any] = {}
        if self._random.random() < 0.5:  # noqa: PLR2004 - half of them wait for their price
            entry = {
                "entry_order_type": OrderType.LIMIT,
                "entry_price": self._price(instrument_id, price, -up * self._away()),
            }
        orders = self.order_factory.bracket(
            instrument_id, side, self._units(),
            contingency_type=self._random.choice((ContingencyType.OUO, ContingencyType.OCO)),
            tp_price=self._price(instrument_id, price, up * (0.01 + self._away())), tp_post_only=False,
            sl_trigger_price=self._price(instrument_id, price, -up * (0.01 + self._away())),
            entry_client_order_id=self._name(), tp_client_order_id=self._name(), sl_client_order_id=self._name(),
            **entry,
        )  # fmt: skip
        self._orders[instrument_id] += orders
        self.submit_order_list(orders)

    def _change(self, kind: str, order: Any, price: float) -> None:
        name, instrument_id = order.client_order_id, order.instrument_id
        if kind == "cancel":
            self.cancel_order(name)
        elif order.order_type == OrderType.LIMIT:
            away = self._away() if order.side == OrderSide.SELL else -self._away()
            if (limit := self._price(instrument_id, price, away)) != order.price:
                self.modify_order(name, price=limit)
        elif order.order_type == OrderType.STOP_MARKET:
            away = self._away() if order.side == OrderSide.BUY else -self._away()
            if (trigger := self._price(instrument_id, price, away)) != order.trigger_price:
                self.modify_order(name, trigger_price=trigger)

    # -- what it needs for that -------------------------------------------------------------------------------------

    def _name(self) -> ClientOrderId:
        """A name that is used once, and tells whose order it is: the checks of the soak ask nobody else."""
        return ClientOrderId(f"{self.strategy_id}-{uuid4().hex[:16]}")

    def _send(self, order: Any) -> None:
        self._orders[order.instrument_id].append(order)
        self.submit_order(order)

    def _working(self, instrument_id: InstrumentId) -> list[Any]:
        """Its orders that are not over, the oldest first; those of a former life too, where the engine says so."""
        known = [self.cache.order(each.client_order_id) for each in self._orders[instrument_id]]
        self._orders[instrument_id] = [each for each in known if each is not None and not each.is_closed]
        names = {each.client_order_id for each in self._orders[instrument_id]}
        earlier = self.cache.orders_open(instrument_id=instrument_id, strategy_id=self.strategy_id)
        return [each for each in earlier if each.client_order_id not in names] + self._orders[instrument_id]

    def _side(self, instrument_id: InstrumentId) -> OrderSide:
        lean = self._net[instrument_id] / self._settings.most_units
        return OrderSide.BUY if self._random.uniform(-1, 1) > lean else OrderSide.SELL

    def _units(self) -> Quantity:
        return Quantity(self._random.randint(1, 9), 0)

    def _away(self) -> float:
        """A fraction of the price: at times so near that the next bar fills it, at times so far that none does."""
        return self._random.choice((0.002, 0.01, 0.05, 0.3)) * self._random.uniform(0.5, 1)

    def _price(self, instrument_id: InstrumentId, price: float, away: float) -> Price:
        instrument = self.cache.instrument(instrument_id)
        if instrument is None:
            raise LookupError(instrument_id)
        made: Price = instrument.make_price(Decimal(str(round(price * (1 + away), 6))))
        return made
