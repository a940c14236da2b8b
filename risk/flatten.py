"""Is everything flat yet, and who must be told if not?

`Flattener.start` closes the book, a venue or strategies, `Flattener.close` one holding; `step` goes on with it until it
is verified flat (FLAT), or says what stands in the way (ALARM, once a minute, while it goes on trying). A rest smaller
than any order is left, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from risk.closing import ALARM_EVERY, Closing
from risk.means import SECOND, Gate, Holdings, Hours, Means
from risk.scopes import BOOK
from risk.state import Notice

if TYPE_CHECKING:
    from risk.holding import Holding

PATIENCE_SECS = 60
MOST_ROUNDS = 1_000
"""Looks at one moment: a venue that fills at once needs one a close, and no venue as many as this."""
Key = tuple[str, str]


@dataclass(slots=True)
class Goal:
    """What is to be flat; None takes all."""

    scope: str
    reason: str
    strategy: str | None = None
    venue: str | None = None
    instrument: str | None = None
    doubted_at: int | None = None  # market time since which the engine has disagreed with the book
    alarm_at: int = 0

    def takes(self, holding: Holding) -> bool:
        """Whether the goal is about this holding."""
        return (
            self.strategy in (None, holding.strategy)
            and self.venue in (None, holding.instrument.venue)
            and self.instrument in (None, holding.instrument.instrument)
        )


class Flattener:
    """Closes what it is told to. Its rule: never two closes of one holding at once, and never more than is held."""

    def __init__(  # noqa: PLR0913 - what it works with, handed in
        self,
        book: Holdings,
        gates: Sequence[Gate],
        hours_of: Callable[[str], Hours | None],
        notify: Callable[[Notice], None],
        *,
        most_of: Callable[[str], Decimal | None] = lambda _instrument: None,
        engine_position: Callable[[str, str], Decimal] | None = None,
        patience_secs: int = PATIENCE_SECS,
    ) -> None:
        """`gates` may still grow. `most_of(instrument)`: the notional above which the engine denies any order.

        `engine_position(strategy, instrument)`: the signed position the engine's cache knows; flat is said only when it
        agrees with the book. `patience_secs` of market time pass, with the market open, before a person is called.
        """
        self.means = Means(book, gates, hours_of, most_of)
        self._notify = notify
        self._engine_position = engine_position
        self._patience = patience_secs * SECOND
        self._goals: list[Goal] = []
        self._closings: dict[Key, Closing] = {}
        self._ts = 0
        self._stepping = False
        self._again = False

    @property
    def active(self) -> bool:
        """Whether anything is being closed: `step` wants to be called."""
        return bool(self._goals)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that `start` flattens: what has to be started again after a restart."""
        return tuple(goal.scope for goal in self._goals if goal.instrument is None)

    def covers(self, strategy: str, instrument: str) -> bool:
        """Whether this holding is being closed: no other order of its strategy should pass there."""
        holding = self.means.book.holdings.get((strategy, instrument))
        return holding is not None and any(goal.takes(holding) for goal in self._goals)

    def start(
        self, ts: int, reason: str, strategies: Sequence[str] | None = None, venue: str | None = None
    ) -> None:
        """Flatten the whole book, or these strategies, or one venue; only where the engine may be called."""
        if strategies is not None:
            for each in strategies:
                self._aim(ts, Goal(f"strategy:{each}", reason, strategy=each))
        elif venue is not None:
            self._aim(ts, Goal(f"venue:{venue}", reason, venue=venue))
        else:
            self._aim(ts, Goal(BOOK, reason))
        self.step(ts)

    def close(self, ts: int, strategy: str, instrument: str, reason: str) -> None:
        """Close one holding; only where the engine may be called."""
        self._aim(ts, Goal(f"strategy:{strategy}", reason, strategy=strategy, instrument=instrument))
        self.step(ts)

    def stop(self, ts: int, reason: str, scopes: Sequence[str] | None = None) -> None:
        """Give up all of it, or the flattening of these scopes: nothing more is sent. What was sent still works."""
        for goal in tuple(self._goals):
            if scopes is None or (goal.scope in scopes and goal.instrument is None):
                self._goals.remove(goal)
                self._notify(Notice("FLATTEN", f"stopped ({reason}): {goal.reason}", ts, goal.scope))
        for key, closing in tuple(self._closings.items()):
            if not any(goal.takes(closing.holding) for goal in self._goals):
                del self._closings[key]

    def ended(self, order_id: str, status: str, reason: str = "") -> None:
        """An order was denied, rejected, cancelled or expired. Only notes it: may be called in any handler."""
        if self._stepping or any(closing.order == order_id for closing in self._closings.values()):
            self.means.answers[order_id] = f"{status}: {reason}" if reason else status

    def step(self, ts: int) -> None:
        """Go on; call it at every price, order event and second while active, where the engine may be called."""
        self._ts = max(self._ts, ts)
        self._again = True
        if self._stepping:
            return
        self._stepping = True
        try:
            for _ in range(MOST_ROUNDS):
                if not self._again or not self._goals:
                    break
                self._again = False
                self._round()
            self._judge()
        finally:
            self._stepping = False

    # -- inside ----------------------------------------------------------------------------------------------------

    def _aim(self, ts: int, goal: Goal) -> None:
        aims = [(g.scope, g.instrument) for g in self._goals]
        if (goal.scope, goal.instrument) in aims:
            return
        open_ = self._open(goal)
        positions = sum(1 for holding in open_ if holding.position)
        orders = sum(len(holding.working) for holding in open_)
        self._goals.append(goal)
        text = f"{goal.reason}: closes {positions} positions, cancels {orders} orders"
        self._notify(Notice("FLATTEN", text, ts, goal.scope))

    def _open(self, goal: Goal) -> list[Holding]:
        holdings = list(self.means.book.holdings.values())
        return [each for each in holdings if each.is_open() and goal.takes(each)]

    def _round(self) -> None:
        """One look at everything that is to be flat and is not."""
        seen: set[Key] = set()
        for goal in tuple(self._goals):
            for holding in self._open(goal):
                key = holding.strategy, holding.instrument.instrument
                if key not in seen:
                    seen.add(key)
                    self._work_at(self._closing(holding, goal))

    def _closing(self, holding: Holding, goal: Goal) -> Closing:
        key = holding.strategy, holding.instrument.instrument
        closing = self._closings.get(key)
        if closing is None:

            def say(kind: str, text: str) -> None:
                self._notify(Notice(kind, text, self._ts, goal.scope))  # type: ignore[arg-type]

            closing = self._closings[key] = Closing(holding, self.means, say)
        return closing

    def _work_at(self, closing: Closing) -> None:
        try:
            if closing.step(self._ts):
                self._again = True
        except Exception as error:  # noqa: BLE001 - one holding's error must not leave the others open; it is said
            closing.fail(self._ts, f"{type(error).__name__}: {error}")

    def _judge(self) -> None:
        """Who is flat, who is not and late?"""
        for goal in tuple(self._goals):
            open_ = self._open(goal)
            closings = [self._closing(holding, goal) for holding in open_]
            for closing in closings:
                closing.alarm(self._ts, self._patience)
            if all(closing.is_rest for closing in closings) and self._is_verified(goal):
                self._goals.remove(goal)
                if not closings:
                    self._notify(Notice("FLAT", f"{goal.reason}: verified flat", self._ts, goal.scope))
        for key, closing in tuple(self._closings.items()):
            if not any(goal.takes(closing.holding) for goal in self._goals):
                del self._closings[key]
        if not self._goals:
            self.means.answers.clear()

    def _is_verified(self, goal: Goal) -> bool:
        """Whether the engine agrees that nothing but a rest is held; if it goes on disagreeing a person is called."""
        if self._engine_position is None:
            return True
        for holding in list(self.means.book.holdings.values()):
            if not goal.takes(holding):
                continue
            known = self._engine_position(holding.strategy, holding.instrument.instrument)
            if known != holding.position:
                self._doubt(goal, holding, known)
                return False
        goal.doubted_at = None
        return True

    def _doubt(self, goal: Goal, holding: Holding, known: Decimal) -> None:
        goal.doubted_at = self._ts if goal.doubted_at is None else goal.doubted_at
        if self._ts - goal.doubted_at >= self._patience and self._ts >= goal.alarm_at:
            goal.alarm_at = self._ts + ALARM_EVERY
            what = f"{holding.position} {holding.instrument.instrument} of {holding.strategy}"
            text = f"not verified: the book holds {what}, the engine {known}; look at the venue"
            self._notify(Notice("ALARM", text, self._ts, goal.scope))
