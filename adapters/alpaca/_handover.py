"""When may data reach the engine, and how much of it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.model import Bar, BarType, QuoteTick

from adapters.replay.data import shadow_of, shadow_types

MOST_HELD = 10_000


class Handover:
    """Nothing is handed on before `begin`, and nothing after `cease` or after `most` bars.

    What comes before `begin` is kept and handed on then: between a strategy's warm-up and its first bar nothing may be
    missing. With `shadows` the engine's sandbox fills resting orders before the strategy sees a bar (adapters.replay).
    """

    def __init__(self, handle: Callable[[Any], None], most: int | None, *, shadows: bool) -> None:
        """`handle` takes one piece of data into the engine."""
        self._handle = handle
        self._most = most
        self._shadows: dict[Any, tuple[BarType, ...]] | None = {} if shadows else None
        self._held: list[Any] | None = []
        self._stopped = False
        self.count = 0
        """Bars handed on so far."""

    @property
    def ended(self) -> bool:
        """Whether as many bars were handed on as the run wanted."""
        return self._most is not None and self.count >= self._most

    def begin(self) -> None:
        """Hand on what came so far, and what comes from now on."""
        held, self._held = self._held or [], None
        for update in held:
            self.give(update)

    def cease(self) -> None:
        """Hand on nothing more."""
        self._stopped = True

    def give(self, update: Any) -> None:
        """Hand on one piece of data, if it is time for it."""
        if self._held is not None:
            if len(self._held) < MOST_HELD:
                self._held.append(update)
            return
        if self._stopped or self.ended:
            return
        if self._shadows is not None and isinstance(update, Bar | QuoteTick):
            self._give_shadows(update, self._shadows)
        self._handle(update)
        if isinstance(update, Bar):
            self.count += 1

    def _give_shadows(self, update: Bar | QuoteTick, known: dict[Any, tuple[BarType, ...]]) -> None:
        key = update.bar_type if isinstance(update, Bar) else update.instrument_id
        if key not in known:
            known[key] = shadow_types(key)
        for kind in known[key]:
            self._handle(shadow_of(update, kind))
