"""What does it cost to hold a position overnight: shares that were borrowed, and cash below zero?

In backtests only: a live sandbox has no way to change its account but by a fill. The same amount, rounded to the
smallest unit of the account's currency, leaves the engine's account, Keel's book and the record of the run.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.backtest import SimulationModule
from nautilus_trader.model import Currency, Money

from adapters.costs import BORROW, INTEREST
from risk.sessions import SessionDays

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.costs import Costs
    from adapters.slipping import Slipping
    from adapters.tape import Tape
    from risk.desk import RiskDesk

NIGHTS = 360
"""Nights of a year that a rate is told for, as brokers count them."""


def charge(value: Decimal, rate: Decimal, nights: int, step: Decimal) -> Decimal:
    """What `value` costs over so many nights at a yearly rate, in whole steps (0.01: cents), half to even."""
    return (value * rate * nights / NIGHTS).quantize(step, rounding=ROUND_HALF_EVEN)


class Financing(SimulationModule):
    """Charges each night for what was held into it, with the first data after it; shows a tape every bar first.

    `told` gets (UTC ns, kind, strategy, instrument, amount paid) of each charge; strategy and instrument are None of
    interest. A night is a date of `zone` that ends; a weekend is three.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        costs: Costs,
        desk: RiskDesk,
        told: Callable[[int, str, str | None, str | None, Decimal], None],
        *,
        tape: Tape,
        fills: Slipping | None,
        currency: str,
        zone: str,
    ) -> None:
        """currency: the account's; fills: the fill model, whose tape this is; None where the engine's own fills."""
        self._costs = costs
        self._desk = desk
        self._told = told
        self._tape = tape if costs.moves_prices else None
        self._fills = fills
        self._currency = Currency.from_str(currency)
        self._step = Decimal(1).scaleb(-self._currency.precision)
        self._days = SessionDays.of(zone, "00:00")
        self._day: date | None = None
        self._day_ends = 0
        self._shorts: list[
            tuple[str, str, str, Decimal]
        ] = []  # strategy, instrument, venue, value: into the night
        self._debt = Decimal(0)

    def pre_process(self, data: Any) -> None:
        """Before the venue sees it."""
        if self._tape is not None:
            self._tape.see(data)

    def process(self, ts: int, _context: Any) -> list[Money] | None:
        """After everything that happened at a stamp: what leaves the account."""
        if self._fills is not None and self._fills.error is not None:
            raise self._fills.error
        if not self._costs.financed:
            return None
        charged = self._charge(ts) if ts - 1 >= self._day_ends else None
        self._remember()
        return charged

    def acknowledge(self, outcomes: Any) -> None:
        """Raise where the account did not take a charge: the book would be another than the engine's."""
        for outcome in outcomes:
            if not outcome.applied:
                raise RuntimeError(f"the account refused the cost of a night: {outcome.error}")

    def _charge(self, ts: int) -> list[Money] | None:
        name, self._day_ends = self._days.day_of(ts - 1)
        today, before = date.fromisoformat(name), self._day
        self._day = today
        if before is None:
            return None
        nights, paid = (today - before).days, []
        for strategy, instrument, venue, value in self._shorts:
            cost = charge(value, self._costs.borrow_rate, nights, self._step)
            if cost:
                self._desk.carry(-cost, self._currency.code, venue=venue, strategy=strategy)
                self._told(ts, BORROW, strategy, instrument, cost)
                paid.append(cost)
        interest = charge(self._debt, self._costs.margin_rate, nights, self._step)
        if interest:
            self._desk.carry(-interest, self._currency.code)
            self._told(ts, INTEREST, None, None, interest)
            paid.append(interest)
        return [Money.from_decimal(-cost, self._currency) for cost in paid] or None

    def _remember(self) -> None:
        """What is held now is held into the night, unless something changes it before."""
        desk = self._desk
        desk.prices.mark_held()
        self._shorts = [
            (each.strategy, each.instrument.instrument, each.instrument.venue, self._worth(each))
            for each in desk.book.held()
            if each.position < 0
        ]
        self._debt = max(-desk.book.cash, Decimal(0)) if self._costs.margin_rate else Decimal(0)

    def _worth(self, holding: Any) -> Decimal:
        known = holding.instrument
        return self._desk.book.in_base(abs(holding.position * known.unit), known.currency)
