"""What is every price worth to the book and the breakers?

Most updates cost two comparisons (see risk/watch.py). One that leaves its band, comes at a day's roll or a deadline, or
follows a fill is read exactly: is it believed, what is equity now, does a breaker go off?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import Bar, BarType, InstrumentId, QuoteTick, TradeTick

from risk.breaker import Breakers, TradingState
from risk.numbers import ZERO
from risk.pulse import ALWAYS, NEVER, NOBODY, Pulse
from risk.readings import Readings
from risk.scopes import BOOK
from risk.watch import PriceWatch, Update, exact_price, middle, moved_by

if TYPE_CHECKING:
    from decimal import Decimal

    from risk.book import Book
    from risk.breaker import Trip
    from risk.limits import RiskConfig
    from risk.streaks import Bounds


PEAK_STEP = 0.01
"""How far beyond the peak's price, as a fraction, a close may go unread."""


class Prices:
    """Keeps the newest update of each instrument, marks the book, and lets the breakers read equity.

    `on_trips` is told what went off; `on_look` runs after every exact reading and answers the next deadline
    (market time, UTC nanoseconds).
    """

    def __init__(  # noqa: PLR0913 - the parts it joins
        self,
        limits: RiskConfig,
        book: Book,
        breakers: Breakers,
        readings: Readings,
        pulse: Pulse,
        *,
        on_trips: Callable[[list[Trip]], None],
        on_look: Callable[[int], int],
    ) -> None:
        """Nothing seen yet."""
        self._limits = limits
        self._book = book
        self._breakers = breakers
        self._readings = readings
        self._pulse = pulse
        self._on_trips = on_trips
        self._on_look = on_look
        self._jump = None if limits.untrusted_jump_pct is None else float(limits.untrusted_jump_pct)
        self._by_key: dict[BarType | InstrumentId, PriceWatch] = {}  # what an update names -> its watch
        self._rates: dict[
            InstrumentId, tuple[str, PriceWatch, bool]
        ] = {}  # pair -> (currency, watch, turned over)
        self._suspects: set[str] = set()  # instruments and pairs whose newest price is not believed yet
        self._bar_types: dict[InstrumentId, BarType] = {}
        self.watches: dict[str, PriceWatch] = {}  # instrument id -> its watch
        self.next_deadline = NEVER  # market time
        self.rate_moved = False  # since equity was last read
        self.on_day: Callable[[int], None] | None = (
            None  # told the last nanosecond of a day, before the next begins
        )
        self._ticks = False  # whether quotes or trades price anything

    # -- what is priced ---------------------------------------------------------------------------------------------

    def add_instrument(self, instrument: Any) -> None:
        """Watch the prices of a traded instrument."""
        known = self._book.instruments[str(instrument.id)]
        watch = self.watches[str(instrument.id)] = self._by_key[instrument.id] = PriceWatch(known)
        watch.left()
        self._pulse.sole = watch if len(self.watches) == 1 and not self._rates else NOBODY

    def add_rate(self, pair: InstrumentId, currency: str, *, turned_over: bool) -> None:
        """Take a currency's rate from the quotes of a pair; `turned_over`: the pair gives units of it for one base."""
        named = self._book.add_instrument(f"rate:{pair}", ZERO)
        self._rates[pair] = (currency, PriceWatch(named), turned_over)
        if str(pair) not in self.watches:
            self._pulse.rates_only |= {pair}
        self._pulse.sole = NOBODY

    def joins(self, key: BarType | tuple[str, InstrumentId]) -> None:
        """A strategy subscribes to bars, or to the (kind, instrument) of ticks: they price their instrument."""
        instrument_id = key.instrument_id if isinstance(key, BarType) else key[1]
        watch = self.watches.get(str(instrument_id))
        if watch is None:  # only looked at, not traded: its prices are nobody's marks
            self._pulse.sole = NOBODY
        elif not isinstance(key, BarType):
            self._ticks = True
        else:
            self._by_key[key] = watch
            self._bar_types.setdefault(instrument_id, key)

    def bar_type_of(self, instrument_id: InstrumentId) -> BarType | None:
        """The bars that any strategy of this run prices the instrument with."""
        return self._bar_types.get(instrument_id)

    # -- updates ----------------------------------------------------------------------------------------------------

    def bar(self, bar: Bar) -> None:
        """A close while something is held or waits."""
        self._take(self._by_key.get(bar.bar_type), bar, 1)

    def quote(self, quote: QuoteTick) -> None:
        """A quote while something is held or waits; the side that counts is compared."""
        self._take(self._by_key.get(quote.instrument_id), quote, self._limits.tick_confirmations)

    def trade(self, trade: TradeTick) -> None:
        """A trade while something is held or waits."""
        self._take(self._by_key.get(trade.instrument_id), trade, self._limits.tick_confirmations)

    def _take(self, watch: PriceWatch | None, update: Update, needed: int) -> None:
        if watch is None:
            return
        if update.ts_event >= self._breakers.next_roll:
            self.roll(update.ts_event)  # the new day is measured from the prices before this one
        if watch.held:
            if not watch.low < watch.float_of(update) < watch.high or update.ts_event >= self._pulse.wake_at:
                self._look(watch, update, needed)
            else:
                watch.before = watch.nearer(update)
                watch.update = watch.looked = update
        elif update.ts_event >= self._pulse.wake_at:
            self.reading(update.ts_event, needed)

    def rate(self, quote: QuoteTick) -> None:
        """A quote of a currency pair: its middle is the rate, once it is believed."""
        found = self._rates.get(quote.instrument_id)
        if found is None:
            return
        currency, watch, turned_over = found
        if quote == watch.update:  # every strategy hears it
            return
        if quote.ts_event >= self._breakers.next_roll:
            self.roll(quote.ts_event)
        before, previous, doubted = watch.update, watch.last_price(), watch.suspect is not None
        watch.update = quote
        rate = middle(quote)
        name = f"rate of {currency}"
        if not watch.believes(float(rate), previous, self._jump):
            self._suspects.add(name)
            self._doubt()
            return
        watch.before = quote if doubted else before
        self._suspects.discard(name)
        self._book.set_rate(currency, 1 / rate if turned_over else rate)
        self._doubt()
        self.rate_moved = True
        self._pulse.wake_at = (
            ALWAYS  # the next price is read exactly: those of this very stamp are still to come
        )

    # -- reading ----------------------------------------------------------------------------------------------------

    def _look(self, watch: PriceWatch, update: Update, needed: int) -> None:
        """Is a price believed, after those before it? Then read equity; if not, it stays at what was believed."""
        self.read_peak()
        self.mark_held()
        now, doubted = self._pulse.market_now(), watch.suspect is not None
        previous, older, before = watch.last_price(), watch.older_price(), watch.nearer(update)
        watch.update = watch.looked = update
        if not watch.believes(watch.float_of(update), previous, self._jump, older):
            watch.always_look()
            self._suspects.add(watch.instrument.instrument)
            self._doubt()
            self.next_deadline = self._on_look(now)
            return
        watch.before = watch.update if doubted else before  # what two prices say is not one price's word
        self._suspects.discard(watch.instrument.instrument)
        self._doubt()
        self.reading(now, needed, watch)

    def reading(self, ts: int, needed: int, watch: PriceWatch | None = None) -> None:
        """Read exactly: day, equity, breakers, deadlines; then set the bands anew. `watch`: whose price made it."""
        pulse, self.rate_moved = self._pulse, False
        pulse.now = max(pulse.now, ts)
        self.read_peak()
        self.roll(pulse.now)
        self.mark_held()
        if watch is None and not self._rates and self._book.is_flat():
            needed = 1  # equity is cash: no price to doubt
        trips = self._read(needed, watch)
        if trips:
            self._on_trips(trips)
        self.next_deadline = self._on_look(pulse.now)
        self._set_bands()

    def _read(self, needed: int, watch: PriceWatch | None = None) -> list[Trip]:
        try:
            equity = self._book.equity()
        except LookupError:  # a position without a price or a rate: a doubt, never a trip
            return []
        bounds = None if watch is None or needed == 1 else self._bounds(watch)
        return self._breakers.read(self._pulse.now, equity, needed, self._readings.now(), bounds)

    def _bounds(self, updated: PriceWatch) -> Bounds:
        """How far a scope's value is off if the newest price of anything else, or the newest rate, is wrong."""

        def bounds(scope: str) -> tuple[Decimal, Decimal]:
            steps = [ZERO, *self._steps(scope, updated)]
            return -max(steps), -min(steps)

        return bounds

    def _worth(self, watch: PriceWatch, scope: str, step: Decimal) -> Decimal:
        """What a step of one unit's worth, in the settlement currency, does to a scope's value."""
        if not step or not watch.held:
            return ZERO
        net = dict(self._readings.positions(watch.instrument)).get(scope, ZERO)
        return net * step * (self._book.rates.get(watch.instrument.currency) or ZERO)

    def _steps(self, scope: str, updated: PriceWatch) -> Iterator[Decimal]:
        """What the newest price of each other instrument, and the newest rates, did to a scope's value."""
        for watch in self.watches.values():
            if watch is not updated:
                yield self._worth(watch, scope, watch.change())
        for currency, watch, turned_over in self._rates.values():
            rate = self._book.rates.get(currency)
            if watch is not updated and watch.suspect is None and watch.before is not None and rate:
                was = middle(watch.before)
                step = rate - (1 / was if turned_over else was)
                yield self._readings.worth_in(scope, currency) * step

    def roll(self, ts: int) -> None:
        """Begin a new session day when it is time; its reference is equity before the new day's prices."""
        if ts < self._breakers.next_roll:
            return
        self.read_peak()
        self.mark_held()
        try:
            equity = self._book.equity()
        except LookupError:
            return
        unsure = [watch for watch in self.watches.values() if self._is_one_prices_word(watch)]
        scoped = self._readings.now()
        for watch in unsure:
            equity -= self._worth(watch, BOOK, watch.change())
            scoped = {
                scope: value - self._worth(watch, scope, watch.change()) for scope, value in scoped.items()
            }
        if self.on_day is not None and self._breakers.next_roll:
            self.on_day(self._breakers.next_roll - 1)
        self._breakers.roll(ts, equity, scoped)

    def _is_one_prices_word(self, watch: PriceWatch) -> bool:
        """Whether the newest quote moved so far that a day should not be measured from it alone."""
        if self._jump is None or not self._ticks or not watch.held:
            return False
        return abs(float(watch.change())) > self._jump / 5 * abs(float(watch.instrument.unit))

    def read_now(self, needed: int = 1) -> list[Trip]:
        """Read equity as it stands, as after a fill that left nothing open; answers what went off, to be acted on."""
        self.read_peak()
        self.roll(self._pulse.market_now())
        return self._read(needed)

    def read_peak(self) -> None:
        """Read the highest price that went by unread, as it would have been then; before anything changes equity."""
        watch = self._pulse.sole
        update, watch.top_update = watch.top_update, None
        if update is None:
            return
        watch.always_look()  # the next price above it is a new peak, whoever asked for this one
        self._book.mark(watch.instrument, exact_price(update, long=True))
        self._breakers.read(update.ts_event, self._book.equity(), 1, self._readings.now())
        watch.marked = None
        self.mark_held()

    def mark_held(self) -> None:
        """Mark everything held at its newest trusted price."""
        for holding in self._book.held():
            watch = self.watches[holding.instrument.instrument]
            update = watch.update
            if update is not None and update is not watch.marked and watch.suspect is None:
                self._book.mark(holding.instrument, exact_price(update, long=not watch.sells))
                watch.marked = update

    # -- doubt ------------------------------------------------------------------------------------------------------

    def suspects(self) -> tuple[str, ...]:
        """What has a newest price that is not believed yet, and what has none at all though equity depends on it."""
        return tuple(sorted(self._suspects))

    def _doubt(self) -> None:
        """An untrusted price blocks new exposure until every price is trusted again."""
        state = self._breakers.state
        if state.state is not TradingState.HALTED:
            state.state = TradingState.REDUCING if self._suspects else TradingState.ACTIVE

    # -- after a fill -----------------------------------------------------------------------------------------------

    def traded(self, instrument: str, price: Decimal, ts: int) -> None:
        """A fill changed what is held: the next update of anything is read exactly.

        Where it opened a position its price is the newest one known: a mark from when the order was sent may be old.
        """
        watch = self.watches[instrument]
        net = sum((holding.position for holding in watch.instrument.holdings), ZERO)
        if not any(holding.position for holding in watch.instrument.holdings):
            watch.left()
            self._suspects.discard(instrument)
            self._doubt()
        else:
            sells = net < ZERO
            if not watch.held or watch.sells is not sells:
                watch.sells = sells
                watch.opened(price, ts)
                self._book.mark(watch.instrument, price)
            watch.always_look()
        flat = self._book.is_flat() and not self._book.ledger.holds_other_than(self._book.currency)
        self._pulse.wake_at = min(self._breakers.next_roll, self.next_deadline) if flat else ALWAYS

    def adopted(self, instrument: str) -> None:
        """A position was taken over that no fill of this run made: its price counts from the next update on.

        One that jumped from the last close of the history that a strategy asks for has to be confirmed (`remember`).
        """
        watch = self.watches[instrument]
        net = sum((holding.position for holding in watch.instrument.holdings), ZERO)
        watch.held, watch.sells = True, net < ZERO
        watch.always_look()
        self._pulse.wake_at = ALWAYS

    def remember(self, bars: Sequence[Bar]) -> None:
        """Closes from before the run: they say which first price of a position that was taken over would be a jump.

        They mark nothing: equity stays unknown until a price of this run is believed.
        """
        for bar in bars:
            watch = self.watches.get(str(bar.bar_type.instrument_id))
            waits = watch is not None and watch.held and watch.update is None and watch.paid is None
            if watch is not None and waits and bar.ts_event >= watch.seen_at:
                watch.price, watch.seen_at = float(bar.close), int(bar.ts_event)

    # -- bands ------------------------------------------------------------------------------------------------------

    def _set_bands(self) -> None:
        """Share out what equity may lose and gain, in every scope, over the instruments it depends on."""
        pulse = self._pulse
        pulse.wake_at = min(self._breakers.next_roll, self.next_deadline)
        falls, rises = self._readings.headroom(self._breakers)
        if self._breakers.confirming or not falls or pulse.stopping or pulse.retired:
            pulse.wake_at = ALWAYS
            return
        for watch in self.watches.values():
            if watch.held:
                self._set_band(watch, falls, rises)

    def _set_band(self, watch: PriceWatch, falls: dict[str, float], rises: dict[str, float]) -> None:
        price, of = watch.last_price(), watch.instrument
        unmarked = watch.update is None and watch.paid is None
        if price is None or price <= 0 or watch.suspect is not None or unmarked:
            watch.always_look()
            return
        rate = self._book.rates.get(of.currency)
        fall, rise = inf, inf
        for scope, net in self._readings.positions(of):
            down, up = (falls[scope], rises[scope]) if net > ZERO else (rises[scope], falls[scope])
            share = float(rate) if rate else 0.0
            fall = min(fall, self._step(of, net, price, down / share if share else 0.0))
            rise = min(rise, self._step(of, net, price, up / share if share else 0.0))
        if fall <= 0 or rise < 0:
            watch.always_look()
            return
        beyond = min(fall / 2, price * PEAK_STEP) if self._peaks_can_wait(watch) else 0.0
        watch.band(price, fall - beyond, rise + beyond, self._jump)
        watch.top = price + rise if beyond else inf

    def _peaks_can_wait(self, watch: PriceWatch) -> bool:
        """Whether a price above the peak's may go by unread: the highest is kept, and read before anything else.

        Its floor is higher by no more than the price went beyond, so the band's low end is that much nearer. Only
        where one close is one reading, of one position that gains when its price rises.
        """
        return (
            watch is self._pulse.sole and not self._ticks and not watch.sells and not watch.instrument.inverse
        )

    @staticmethod
    def _step(of: Any, net: Decimal, price: float, equity_step: float) -> float:
        return inf if equity_step == inf else moved_by(of, net, price, equity_step)
