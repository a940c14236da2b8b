"""What does a strategy know of one instrument: its prices, its opinion, and the orders it has out?"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from nautilus_trader.model import Bar, BarType, ClientOrderId, InstrumentId

from strategies.signals.opinion import Opinion, Signal
from strategies.sizing import Lot


class Purpose(Enum):
    """Why an order was sent."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"


@dataclass(slots=True)
class Working:
    """An order of the strategy's own that is not done yet."""

    client_order_id: ClientOrderId
    purpose: Purpose
    side: Opinion  # LONG buys, SHORT sells
    cancelling: bool = False


class Prices:
    """Feeds a signal each bar once, in the order of time, whether it comes as history or as it happens.

    History may arrive late, after the first streamed bars. Until the signal has an opinion the streamed ones are kept,
    and everything is learned anew in the right order.
    """

    def __init__(self, signal: Signal, window: int) -> None:
        """A feed for `signal` that also keeps the last `window` closes."""
        self.signal = signal
        self.closes: deque[float] = deque(maxlen=window)
        self.opinion: Opinion | None = None
        self._streamed: list[Bar] = []
        self._last_ts = -1

    def streamed(self, bar: Bar) -> Opinion | None:
        """Learn a bar that just closed, unless history held it already; answers the opinion, None when too early."""
        if self.opinion is None:
            self._streamed.append(bar)
        self._learn(bar)
        return self.opinion

    def history(self, bars: Iterable[Bar], signal: Signal) -> None:
        """Learn past bars, with a new `signal` when others were learned already; ignored once there is an opinion."""
        if self.opinion is not None:
            return
        if self._streamed:
            self.signal, self._last_ts = signal, -1
            self.closes.clear()
        for bar in sorted([*bars, *self._streamed], key=lambda bar: bar.ts_event):
            self._learn(bar)

    def _learn(self, bar: Bar) -> None:
        if bar.ts_event <= self._last_ts:
            return
        self._last_ts = bar.ts_event
        close = bar.close.as_double()
        self.closes.append(close)
        self.opinion = self.signal.learn(close)
        if self.opinion is not None:
            self._streamed.clear()


@dataclass(slots=True)
class Holding:
    """One instrument, the side the strategy wants, and the orders on their way there."""

    instrument: Any  # any of the engine's instruments
    bar_type: BarType
    lot: Lot
    prices: Prices
    opinion: Opinion | None = None  # the last one acted on
    target: Opinion = Opinion.FLAT  # the side to be on
    entry_due: bool = False  # an opinion gets one entry; this one's is still to be sent
    entry: Decimal | None = None  # its quantity
    order: Working | None = None  # entry or exit
    stop: Working | None = None
    settled: bool = True  # nothing left to do until the opinion changes or an order's event arrives
    complained: set[str] = field(default_factory=set)  # what was logged once for this opinion

    @property
    def instrument_id(self) -> InstrumentId:
        """The instrument's id."""
        found: InstrumentId = self.instrument.id
        return found

    def form(self, opinion: Opinion, target: Opinion) -> None:
        """Take a new opinion: a side to be on, and one entry to get there."""
        self.opinion, self.target = opinion, target
        self.entry_due, self.entry = target is not Opinion.FLAT, None
        self.settled = False
        self.complained.clear()

    def spend_entry(self) -> None:
        """Use up this opinion's entry, whatever became of it."""
        self.entry_due, self.entry = False, None

    def working(self, client_order_id: ClientOrderId) -> Working | None:
        """The strategy's own order of that id, if it is still out."""
        for order in (self.order, self.stop):
            if order is not None and order.client_order_id == client_order_id:
                return order
        return None

    def done(self, order: Working) -> None:
        """Forget an order that can no longer fill."""
        if order is self.stop:
            self.stop = None
        else:
            self.order = None
        self.settled = False
