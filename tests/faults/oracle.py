"""When must trading halt, and when must it not? Worked out from what really happened, at every update, from scratch.

This is the specification (design, section 6), not the breakers: it knows the true prices and which ones were wrong, adds
up equity anew each time, and uses nothing of risk/. It says of a halt whether it is false, and of a path without one
whether one was missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.faults.paths import Path, Update

CASH = Decimal(100_000)
CENT = Decimal("0.01")
JUMP = 0.25
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class Moment:
    """What was true after one true update: equity, the floors it is held against, and what was held then."""

    update: Update
    equity: Decimal
    floor: Decimal  # where a halt is right: under the highest equity there ever was
    sure_floor: Decimal  # where it is due: under equity that had lasted
    held: dict[str, int]
    day: str
    traded: bool  # fills follow this update

    @property
    def in_breach(self) -> bool:
        return self.equity <= self.floor

    @property
    def is_due(self) -> bool:
        return self.equity <= self.sure_floor


@dataclass
class Truth:
    """A path with the fills that were made on it."""

    path: Path
    fills: list[dict[str, Any]]
    needed: int  # updates that must agree
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        prices: dict[str, Decimal] = {}
        held: dict[str, int] = {}
        cash, peak, day, day_start, equity = CASH, CASH, "", CASH, CASH
        lasting = Lasting(self.needed)
        for update in self.path.true:
            today = _day(update.ts)
            if today != day:
                day, day_start = today, equity
            prices[update.symbol] = Decimal(round(update.price * 100)) * CENT
            equity = cash + sum(units * self._side(prices[symbol], units) for symbol, units in held.items())
            peak = max(peak, equity)
            sure = lasting.peak(update.symbol, equity, held)
            fills = [fill for fill in self.fills if self._belongs(fill["ts"], update)]
            self.moments.append(
                Moment(
                    update, equity, self._floor(peak, day_start), self._floor(sure, day_start), dict(held), day, bool(fills)
                )
            )
            for fill in fills:
                symbol, units = fill["instrument"].partition(".")[0], int(fill["quantity"])
                units = units if fill["side"] == "BUY" else -units
                held[symbol] = held.get(symbol, 0) + units
                cash -= units * Decimal(fill["price"])
            if fills:
                equity = cash + sum(units * self._side(prices[symbol], units) for symbol, units in held.items())
                peak = max(peak, equity)
                lasting.begin(equity, certain=not any(held.values()))

    def _side(self, mid: Decimal, units: int) -> Decimal:
        """A long is worth the bid, a short the ask."""
        return mid if self.path.kind == "bars" else mid - CENT if units > 0 else mid + CENT

    def _belongs(self, ts: int, update: Update) -> bool:
        following = [each.ts for each in self.path.true if each.ts > update.ts]
        return update.ts <= ts and (not following or ts < following[0])

    def _floor(self, peak: Decimal, day_start: Decimal) -> Decimal:
        daily, drawdown = self.path.risk["max_daily_loss_pct"], self.path.risk["max_drawdown_pct"]
        floor = peak * (1 - Decimal(str(drawdown)))
        return floor if daily == "off" else max(floor, day_start * (1 - Decimal(str(daily))))

    # -- judging -----------------------------------------------------------------------------------------------------

    def is_false(self, ts: int) -> bool:
        """Whether a halt at `ts` was wrong: equity was, by the newest true prices, above every floor."""
        before = [moment for moment in self.moments if moment.update.ts <= ts]
        return not before or not before[-1].in_breach

    def deadline(self) -> int | None:
        """The latest moment at which trading must have halted; None when it need not have."""
        return next((ts for begin in range(len(self.moments)) if (ts := self._due(begin)) is not None), None)

    def _due(self, begin: int) -> int | None:
        """When a breach that begins here has lasted for enough updates of everything that is held."""
        first = self.moments[begin]
        for end in range(begin, len(self.moments)):
            moment = self.moments[end]
            if not moment.is_due or moment.day != first.day or moment.held != first.held:
                return None
            if all(self._count(symbol, begin, end) >= self._wanted(symbol, begin, end) for symbol in first.held if first.held[symbol]):
                return moment.update.ts
            if moment.traded:
                return None
        return None

    def _count(self, symbol: str, begin: int, end: int) -> int:
        return sum(1 for moment in self.moments[begin : end + 1] if moment.update.symbol == symbol)

    def _wanted(self, symbol: str, begin: int, end: int) -> int:
        """On bars none: one close is enough. On quotes three, and three more where a wrong price came between.

        A price that jumped waits for a second one that agrees, on bars and on quotes.
        """
        since, until = self.moments[begin].update.ts, self.moments[end].update.ts
        disturbed = any(each.wrong and since <= each.ts <= until for each in self.path.told)
        base = 0 if self.needed == 1 else self.needed * (2 if disturbed else 1)
        own = [m.update for m in self.moments[: end + 1] if m.update.symbol == symbol]
        recent = self._count(symbol, begin, end)
        looked = own[-(recent + 2) :]
        jumps = [abs(b.price / a.price - 1) > JUMP - 0.001 for a, b in zip(looked, looked[1:], strict=False)]
        if not any(jumps):
            return base
        after = len(jumps) - 1 - max(n for n, jumped in enumerate(jumps) if jumped)  # updates since the last jump
        return max(base + 1, 1 if after else recent + 1)


class Lasting:
    """The highest equity that lasted for `needed` updates of everything held; on bars every close lasts."""

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._peak = CASH
        self._recent: list[tuple[str, Decimal]] = []

    def begin(self, equity: Decimal, *, certain: bool) -> None:
        """Fills changed what is held; equity that is cash is certain."""
        self._recent.clear()
        if certain:
            self._peak = max(self._peak, equity)

    def peak(self, symbol: str, equity: Decimal, held: dict[str, int]) -> Decimal:
        self._recent.append((symbol, equity))
        if self._needed == 1:
            self._peak = max(self._peak, equity)
            return self._peak
        names = {name for name, units in held.items() if units}
        counts = dict.fromkeys(names, 0)
        lowest = equity
        for name, value in reversed(self._recent):
            lowest = min(lowest, value)
            if name in counts:
                counts[name] += 1
            if all(count >= 2 * self._needed for count in counts.values()):
                self._peak = max(self._peak, lowest)
                break
        return self._peak


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // 1_000_000_000, tz=NEW_YORK).date().isoformat()
