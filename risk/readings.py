"""Whose equity does a breaker look at, what is it now, and how far may a price go before somebody must look again?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING

from risk.numbers import ZERO
from risk.scopes import BOOK

if TYPE_CHECKING:
    from risk.book import Book
    from risk.breaker import Breakers
    from risk.holding import Holding, Instrument
    from risk.ledger import Ledger


class Readings:
    """The scopes that have breakers of their own besides the book: `venue:XNAS`, `strategy:EmaCross-001`."""

    def __init__(self, book: Book) -> None:
        """Only the book, until more are added."""
        self._book = book
        self.names: tuple[str, ...] = ()

    def add(self, scope: str, starting_cash: Decimal = ZERO) -> None:
        """Keep a ledger for a scope; a venue's begins with its own cash, a strategy's P&L at zero."""
        kind, _, name = scope.partition(":")
        self._book.watch_scope(kind, name, starting_cash)
        self.names = (*self.names, scope)

    def now(self) -> dict[str, Decimal]:
        """Scope -> its equity or P&L in the base currency. Raises LookupError without a price or a rate."""
        return {scope: self._ledger(scope).worth() for scope in self.names}

    def worth_in(self, scope: str, currency: str) -> Decimal:
        """Cash and positions of a scope in one currency."""
        return self._ledger(scope).worths().get(currency, ZERO)

    def _ledger(self, scope: str) -> Ledger:
        if scope == BOOK:
            return self._book.ledger
        kind, _, name = scope.partition(":")
        return (self._book.venues if kind == "venue" else self._book.strategies)[name]

    def positions(self, instrument: Instrument) -> Iterator[tuple[str, Decimal]]:
        """(scope, net position in the instrument) of every scope that holds it."""
        held = [holding for holding in instrument.holdings if holding.position]
        yield from self._nets(BOOK, held)
        for scope in self.names:
            yield from self._nets(scope, [h for h in held if self._belongs(scope, h)])

    @staticmethod
    def _nets(scope: str, held: list[Holding]) -> Iterator[tuple[str, Decimal]]:
        net = sum((holding.position for holding in held), ZERO)
        if net:
            yield scope, net

    @staticmethod
    def _belongs(scope: str, holding: Holding) -> bool:
        return scope in (f"strategy:{holding.strategy}", f"venue:{holding.instrument.venue}")

    def headroom(self, breakers: Breakers) -> tuple[dict[str, float], dict[str, float]]:
        """Scope -> how much each instrument in it may lose, and gain, before somebody must look.

        Empty when something must be read at every price: a reading is missing, or is at a level already.
        """
        try:
            values = {BOOK: self._book.equity(), **self.now()}
        except LookupError:
            return {}, {}
        falls, rises = {}, {}
        for scope, value in values.items():
            low, high = breakers.watch_levels(scope)
            count = max(1, self._instruments(scope))
            fall = inf if low is None else float(value - low)
            if fall <= 0:
                return {}, {}
            falls[scope] = fall / count
            rises[scope] = inf if high is None else max(0.0, float(high - value)) / count
        return falls, rises

    def _instruments(self, scope: str) -> int:
        held = {
            h.instrument.instrument for h in self._book.held() if scope == BOOK or self._belongs(scope, h)
        }
        return len(held)
