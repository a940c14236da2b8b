"""What does each fill cost where a fee is more than a fraction of the notional: a unit, a minimum, a levy on sales?

Built for simulated venues; the engine asks for every fill, in the backtest and in the sandbox alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.execution import FeeModel
from nautilus_trader.model import LiquiditySide, Money, OrderSide

if TYPE_CHECKING:
    from adapters.costs import Costs

ZERO = Decimal(0)


@dataclass(slots=True)
class OrderFees:
    """What one order has been filled with so far, and been charged. Amounts in the currency of the fee, exact.

    Minimum and maximum are an order's, not a fill's, so each fill costs what the order costs more than before it.
    """

    quantity: Decimal = ZERO
    notional: Decimal = ZERO
    by_value: Decimal = ZERO
    charged: Decimal = ZERO

    def add(self, costs: Costs, quantity: Decimal, notional: Decimal, *, maker: bool) -> None:
        """Count a fill of `quantity` units that are worth `notional`."""
        self.quantity += quantity
        self.notional += notional
        self.by_value += notional * (costs.maker_fee if maker else costs.taker_fee)

    def total(self, costs: Costs, *, sale: bool) -> Decimal:
        """Everything the order costs as it is filled now; below zero where rebates are more than fees."""
        commission = self.by_value + self.quantity * costs.fee_per_unit
        if costs.min_fee:
            commission = max(commission, costs.min_fee)
        if costs.max_fee_pct:
            commission = min(commission, self.notional * costs.max_fee_pct)
        if not sale:
            return commission
        levy = self.quantity * costs.sale_fee_per_unit
        if costs.sale_fee_per_unit_max:
            levy = min(levy, costs.sale_fee_per_unit_max)
        return commission + levy + self.notional * costs.sale_fee


class ScheduleFees(FeeModel):
    """The engine's question for a fill's commission, answered from a schedule; each fill is rounded half to even."""

    def __init__(self, costs: Costs) -> None:
        """Fees of `costs`."""
        self._costs = costs
        self._orders: dict[
            str, OrderFees
        ] = {}  # client order id -> so far; those filled in full are forgotten

    def get_commission(self, order: Any, quantity: Any, price: Any, instrument: Any) -> Money:
        """Commission of one fill in the currency its notional is in."""
        worth = instrument.notional_value(quantity, price)
        key, costs = str(order.client_order_id), self._costs
        fees = self._orders.pop(key, None) or OrderFees()
        maker = order.liquidity_side == LiquiditySide.MAKER
        fees.add(costs, quantity.as_decimal(), abs(worth.as_decimal()), maker=maker)
        due = fees.total(costs, sale=order.side == OrderSide.SELL) - fees.charged
        step = Decimal(1).scaleb(-worth.currency.precision)
        charged = due.quantize(step, rounding=ROUND_HALF_EVEN)
        fees.charged += charged
        if fees.quantity < order.quantity.as_decimal():
            self._orders[key] = fees
        return Money.from_decimal(charged, worth.currency)
