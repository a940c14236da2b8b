"""Whose equity does a breaker look at, what is it now, and how far may a price go before somebody must look again?"""

from __future__ import annotations

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
        self._ledgers: dict[str, Ledger] = {}  # scope -> its ledger
        self._scopes: dict[tuple[str, str], tuple[str, ...]] = {}  # (strategy, venue) -> scopes it counts in

    def add(self, scope: str, starting_cash: Decimal = ZERO) -> None:
        """Keep a ledger for a scope; a venue's begins with its own cash, a strategy's P&L at zero."""
        kind, _, name = scope.partition(":")
        self._ledgers[scope] = self._book.watch_scope(kind, name, starting_cash)
        self.names = (*self.names, scope)
        self._scopes.clear()

    def now(self) -> dict[str, Decimal]:
        """Scope -> its equity or P&L in the base currency. Raises LookupError without a price or a rate."""
        return {scope: ledger.worth() for scope, ledger in self._ledgers.items()}

    def worth_in(self, scope: str, currency: str) -> Decimal:
        """Cash and positions of a scope in one currency."""
        ledger = self._book.ledger if scope == BOOK else self._ledgers[scope]
        return ledger.worths().get(currency, ZERO)

    def positions(self, instrument: Instrument) -> list[tuple[str, Decimal]]:
        """(scope, net position in the instrument) of every scope that holds it."""
        held = [holding for holding in instrument.holdings if holding.position]
        if len(held) == 1:
            position = held[0].position
            return [(scope, position) for scope in self._scopes_of(held[0])]
        nets: dict[str, Decimal] = {}
        for holding in held:
            for scope in self._scopes_of(holding):
                nets[scope] = nets.get(scope, ZERO) + holding.position
        return [(scope, net) for scope, net in nets.items() if net]

    def _scopes_of(self, holding: Holding) -> tuple[str, ...]:
        """The scopes that a holding counts in, the book among them."""
        strategy, venue = holding.strategy, holding.instrument.venue
        found = self._scopes.get((strategy, venue))
        if found is None:
            belongs = (f"strategy:{strategy}", f"venue:{venue}")
            found = BOOK, *(scope for scope in self.names if scope in belongs)
            self._scopes[strategy, venue] = found
        return found

    def headroom(self, breakers: Breakers) -> tuple[dict[str, float], dict[str, float]]:
        """Scope -> how much each instrument in it may lose, and gain, before somebody must look.

        Empty when something must be read at every price: a reading is missing, or is at a level already.
        """
        try:
            values = [(BOOK, self._book.equity())]
            if self._ledgers:
                values += self.now().items()
        except LookupError:
            return {}, {}
        counts = self._instruments()
        falls, rises = {}, {}
        for scope, value in values:
            low, high = breakers.watch_levels(scope)
            count = counts.get(scope, 1)
            fall = inf if low is None else float(value - low)
            if fall <= 0:
                return {}, {}
            falls[scope] = fall / count
            if high is None:
                rises[scope] = inf
            else:
                rises[scope] = float(high - value) / count if high > value else 0.0
        return falls, rises

    def _instruments(self) -> dict[str, int]:
        """Scope -> how many instruments it holds, where that may be more than one."""
        if len(self._book.holdings) == 1:
            return {}
        held = tuple(self._book.held())
        if len(held) <= 1:
            return {}
        names: dict[str, set[str]] = {}
        for holding in held:
            for scope in self._scopes_of(holding):
                names.setdefault(scope, set()).add(holding.instrument.instrument)
        return {scope: len(each) for scope, each in names.items()}
