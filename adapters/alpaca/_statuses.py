"""Does an instrument trade now? Halts come from the stream, the open and the close from the calendar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.model import InstrumentStatus, MarketStatusAction

from adapters.alpaca.calendar import Session
from adapters.alpaca.history import is_pair


class Statuses:
    """The instruments whose status somebody asked for. Crypto has neither an open nor a close, nor halts."""

    def __init__(self, give: Callable[[InstrumentStatus], None], now: Callable[[], int]) -> None:
        """Nobody asked for any; `now` is market time."""
        self._give, self._now = give, now
        self._asked: dict[str, Any] = {}
        self._session: Session | None = None

    def add(self, instrument: Any) -> None:
        """Tell of an instrument from now on, and how it is at once."""
        self._asked[str(instrument.raw_symbol)] = instrument
        self._tell(instrument, None)

    def discard(self, symbol: str) -> None:
        """Tell of it no more."""
        self._asked.pop(symbol, None)

    def has(self, symbol: str) -> bool:
        """Whether somebody asked for it."""
        return symbol in self._asked

    def look(self, session: Session | None) -> None:
        """The session that is on now; tells all when it is another than before."""
        before, self._session = self._session, session
        if before != session:
            for instrument in self._asked.values():
                self._tell(instrument, before)

    def _tell(self, instrument: Any, before: Session | None) -> None:
        if is_pair(instrument):
            return
        session, now = self._session, self._now()
        changed = session.opens if session is not None else before.closes if before is not None else now
        action = MarketStatusAction.CLOSE if session is None else MarketStatusAction.TRADING
        reason = "outside regular hours" if session is None else "regular hours"
        trading = session is not None
        self._give(InstrumentStatus(instrument.id, action, changed, now, reason=reason, is_trading=trading))
