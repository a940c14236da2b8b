"""At which price does an order fill that takes liquidity, when the data alone would be too kind to it?

The engine asks this model for a book before it fills an order, in backtests only: a live sandbox takes none but the
engine's own. Resting limit orders keep their price; what they may not get is a fill (`fill_probability`).
"""

from __future__ import annotations

import random
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.execution import FillModel
from nautilus_trader.model import (
    BookOrder,
    BookType,
    LiquiditySide,
    OrderBook,
    OrderSide,
    OrderType,
    Price,
    Quantity,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.costs import Costs
    from adapters.tape import Tape

HALF_BASIS_POINT = Decimal("0.00005")
IMPACT_EXPONENT = 0.6
STOPS = (OrderType.STOP_MARKET, OrderType.TRAILING_STOP_MARKET, OrderType.MARKET_IF_TOUCHED)
BAR_SHARE = 4  # the engine offers a quarter of a bar's volume at each of its prices
ENDLESS = 1_000_000_000


def shift(costs: Costs, quantity: float, volatility: float, volume: float) -> float:
    """How much worse than the market an order of `quantity` units fills, as a fraction of the price.

    Half the spread; slippage_vol times volatility; and the temporary impact of Almgren, Thum, Hauptmann & Li, Direct
    Estimation of Equity Market Impact, Risk, July 2005:
    eta x sigma x (X / (V T)) ** 0.6, of which the paper finds eta = 0.142 for US shares. Here X / (V T) is the quantity
    over the average volume of a bar, sigma the volatility of a day as a fraction. Their permanent impact is left out:
    it needs the shares outstanding, and would change prices that others see. volume 0 is none known, so no impact.
    """
    moved = float(costs.spread_bps * HALF_BASIS_POINT) + float(costs.slippage_vol) * volatility
    if costs.impact and volume > 0:
        moved += float(costs.impact) * volatility * (quantity / volume) ** IMPACT_EXPONENT
    return moved


class Slipping(FillModel):
    """The engine's question for the book that an order meets, answered with one price that is `shift` worse.

    `expected` is told client order id and the price there would have been.
    """

    def __init__(
        self, costs: Costs, tape: Tape, expected: Callable[[str, Decimal], None], *, quoted: bool
    ) -> None:
        """quoted: the data has bid and ask, and so a spread of its own."""
        self._costs = costs
        self._tape = tape
        self._expected = expected
        self._quoted = quoted
        self._touched = random.Random(costs.fill_seed)  # noqa: S311 - a simulation, and repeated to the bit
        self._rounded = random.Random(costs.fill_seed)  # noqa: S311
        self.error: Exception | None = None  # the engine would only log it, and the order would never fill

    def is_limit_filled(self) -> bool:
        """Whether a resting order fills that the price has just touched."""
        return self._costs.fill_probability >= 1 or self._touched.random() < self._costs.fill_probability

    def is_slipped(self) -> bool:
        """Whether the engine moves this fill one tick more."""
        return bool(self._costs.slippage_ticks)

    def fill_limit_inside_spread(self) -> bool:
        """As the engine's own model."""
        return False

    def get_orderbook_for_fill_simulation(
        self, instrument: Any, order: Any, best_bid: Price | None = None, best_ask: Price | None = None
    ) -> OrderBook | None:
        """The book an order meets; None: the one that the data made."""
        try:
            return self._book(instrument, order, best_bid, best_ask)
        except Exception as error:
            self.error = self.error or error
            raise

    def _book(self, instrument: Any, order: Any, bid: Price | None, ask: Price | None) -> OrderBook | None:
        buys = order.side == OrderSide.BUY
        best = ask if buys else bid
        maker = order.liquidity_side == LiquiditySide.MAKER
        if maker or best is None or self._quoted or not self._costs.moves_prices:
            return None
        base = self._without_costs(order, best.as_decimal(), buys=buys)
        worse = shift(
            self._costs,
            order.leaves_qty.as_double(),
            self._tape.volatility(instrument.id),
            self._tape.volume(instrument.id),
        )
        price = self._on_tick(base, worse, instrument.price_increment.as_decimal(), buys=buys)
        limit = getattr(order, "price", None)
        if (
            limit is not None
        ):  # what is dearer than its limit does not fill, and half of it would be no fill at all
            price = min(price, limit.as_decimal()) if buys else max(price, limit.as_decimal())
        self._expected(str(order.client_order_id), base)
        made = Price.from_decimal_dp(price, instrument.price_precision)
        size = self._offered(instrument, limited=limit is not None)
        book = OrderBook(instrument.id, BookType.L2_MBP)
        for number, side in enumerate((OrderSide.SELL,) if buys else (OrderSide.BUY,), start=1):
            book.add(BookOrder(side, made, size, number), 0, 0, 0)
        return book

    def _without_costs(self, order: Any, market: Decimal, *, buys: bool) -> Decimal:
        """The price without costs: of a stop within a bar its trigger, of one that the open jumped over the open."""
        if order.order_type not in STOPS:
            return market
        opened = self._tape.opened(order.instrument_id, after=order.ts_accepted)
        trigger: Decimal = order.trigger_price.as_decimal()
        if opened is None:  # it was through its trigger when it came
            return market
        first, rises = opened.as_decimal(), buys != (order.order_type == OrderType.MARKET_IF_TOUCHED)
        jumped = first >= trigger if rises else first <= trigger
        return market if jumped else trigger

    def _on_tick(self, base: Decimal, worse: float, tick: Decimal, *, buys: bool) -> Decimal:
        """A price `worse` than `base`, on a tick: the one or the other by chance, so that it is right on average.

        A sale gets one tick at the least, the worst price there is.
        """
        ticks = base * Decimal(repr(worse)) / tick
        whole = ticks.to_integral_value(rounding=ROUND_FLOOR)
        whole += Decimal(self._rounded.random()) < ticks - whole
        price = base + whole * tick if buys else base - whole * tick
        return max(price, tick)

    def _offered(self, instrument: Any, *, limited: bool) -> Quantity:
        """A market order finds what it wants, at a price that says so; a limit order what the bar has at one price."""
        volume = self._tape.last_volume(instrument.id)
        if not limited or volume is None:
            size: Quantity = instrument.make_qty(float(ENDLESS))
            return size
        least = instrument.size_increment.as_double()
        offered: Quantity = instrument.make_qty(max(volume / BAR_SHARE, least), round_down=True)
        return offered
