"""When must trading halt, and when must it not? Worked out from what really happened, at every update, from scratch.

This is the specification (docs/risk.md), not the breakers: it knows the true prices and which ones were wrong, adds up
equity anew each time, and uses nothing of risk/. Of a halt it says whether it is false, of a path until when trading
must have halted.
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
JUMP = Decimal("0.25")
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class Moment:
    """What was true after one true update: equity, the floors it is held against, and what was held then."""

    update: Update
    equity: Decimal
    believed: Decimal  # the same where a price that jumped and was not confirmed counts at its old level
    floor: Decimal  # where a halt is right: under the highest equity there ever was, or the highest start of the day
    sure_floor: Decimal  # where it is due: under equity that had lasted, and the lowest start of the day
    held: dict[str, int]
    day: str
    traded: bool  # fills follow this update


@dataclass
class Truth:
    """A path with the fills that were made on it. `needed`: updates that must agree on a breach."""

    path: Path
    fills: list[dict[str, Any]]
    needed: int
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        account = Account(self.path.kind)
        fills = list(self.fills)
        lasting, peak, day, starts = Lasting(self.needed), CASH, "", [CASH]
        stamps = [update.ts for update in self.path.true[1:]] + [1 << 63]
        for update, following in zip(self.path.true, stamps, strict=True):
            if _day(update.ts) != day:
                day = _day(update.ts)
                starts = [account.equity(prices) for prices in account.views]
            account.take(update, self._wrongs_before(update))
            equity, believed = account.equity(), account.equity(account.believed)
            lowest = min(equity, believed)
            peak, sure = max(peak, equity), lasting.take(update.symbol, lowest, account.held)
            own = [fill for fill in fills if fill["ts"] < following]
            fills = fills[len(own) :]
            floors = self._floor(peak, max(starts)), self._floor(sure, min(starts))
            self.moments.append(Moment(update, equity, believed, *floors, dict(account.held), day, bool(own)))
            for fill in own:
                account.fill(fill)
            if own:
                peak = max(peak, account.equity())
                lasting.begin(account.equity(), certain=not any(account.held.values()))

    def _wrongs_before(self, update: Update) -> int:
        """Wrong prices of an instrument since its true price before this one."""
        own = [each for each in self.path.told if each.symbol == update.symbol and each.ts < update.ts]
        return next((n for n, each in enumerate(reversed(own)) if not each.wrong), len(own))

    def _floor(self, peak: Decimal, day_start: Decimal) -> Decimal:
        daily, drawdown = self.path.risk["max_daily_loss_pct"], self.path.risk["max_drawdown_pct"]
        floor = peak * (1 - Decimal(str(drawdown)))
        return floor if daily == "off" else max(floor, day_start * (1 - Decimal(str(daily))))

    # -- judging -----------------------------------------------------------------------------------------------------

    def is_false(self, ts: int) -> bool:
        """Whether a halt at `ts` was wrong: equity by the newest true prices was above every floor, doubted or not."""
        before = [moment for moment in self.moments if moment.update.ts <= ts]
        return not before or min(before[-1].equity, before[-1].believed) > before[-1].floor

    def deadline(self) -> int | None:
        """The latest moment at which trading must have halted; None when it need not have."""
        dues = (self._due(begin) for begin in range(len(self.moments)))
        return min((ts for ts in dues if ts is not None), default=None)

    def _due(self, begin: int) -> int | None:
        """When a breach that begins here has lasted for enough updates of everything that is held."""
        first = self.moments[begin]
        held = [symbol for symbol, units in first.held.items() if units]
        for end in range(begin, len(self.moments)):
            moment = self.moments[end]
            if moment.equity > moment.sure_floor or moment.day != first.day:
                return None
            if all(self._agree(symbol, begin, end) for symbol in held):
                return moment.update.ts
            if moment.traded:
                return None
        return None

    def _agree(self, symbol: str, begin: int, end: int) -> bool:
        """Whether enough prices of one instrument agree on the breach.

        A price that jumped waits for a second one that agrees, and where a wrong one came between for another; right
        after a wrong one half as much is a jump. Besides that no price needs to be new on bars; on quotes there must
        be three, and three more where a wrong one came between.
        """
        since, until = self.moments[begin].update.ts, self.moments[end].update.ts
        own = [moment.update for moment in self.moments[: end + 1] if moment.update.symbol == symbol]
        recent = sum(1 for update in own if update.ts >= since)
        jumps = self._jumps(own, recent)
        if jumps:
            after = jumps[0]
            wrong = sum(
                each.wrong and each.symbol == symbol and each.ts > own[-1 - after].ts
                for each in self._until(until)
            )
            if after < 1 + wrong:
                return False
        if self.needed == 1:
            return True
        disturbed = any(each.wrong and each.ts >= since for each in self._until(until))
        return recent >= self.needed * (2 if disturbed else 1) + len(jumps)

    def _until(self, ts: int) -> list[Update]:
        return [each for each in self.path.told if each.ts <= ts]

    def _jumps(self, own: list[Update], recent: int) -> list[int]:
        """Of every jump that matters here, the newest first: how many updates of the instrument came after it."""
        found = []
        for after in range(min(recent + 2, len(own) - 1)):
            newer, older = own[-1 - after], own[-2 - after]
            wrong = any(
                each.wrong and each.symbol == newer.symbol and older.ts < each.ts < newer.ts
                for each in self.path.told
            )
            if _jumped(newer.price, older.price, JUMP / 2 if wrong else JUMP):
                found.append(after)
        return found


class Account:
    """Cash and positions at true prices.

    `believed`: a price that jumped and was not confirmed counts at its old level. `cautious`: on quotes so does one
    that moved by a fifth of a jump. A day may be measured from any of these `views`.
    """

    def __init__(self, kind: str) -> None:
        self.held: dict[str, int] = {}
        self.true: dict[str, Decimal] = {}
        self.believed: dict[str, Decimal] = {}
        self.cautious: dict[str, Decimal] = {}
        self.views = (self.true, self.believed, self.cautious)
        self._kind = kind
        self._cash = CASH
        self._waits: dict[str, int] = {}  # instrument -> prices until the newest one counts

    def take(self, update: Update, wrongs: int) -> None:
        """A true price, after so many wrong ones of the instrument."""
        symbol, price = update.symbol, Decimal(round(update.price * 100)) * CENT
        old = self.true.get(symbol, price)
        self.true[symbol] = price
        if _jumped(float(price), float(old), JUMP / 2 if wrongs else JUMP):
            self._waits[symbol] = 1
        elif self._waits.get(symbol, 0) > 0:
            self._waits[symbol] += wrongs - 1
        if self._waits.get(symbol, 0) <= 0:
            self.believed[symbol] = price
        alone = self._kind == "quotes" and _jumped(float(price), float(old), JUMP / 5)
        self.cautious[symbol] = old if alone else self.believed.get(symbol, price)

    def fill(self, fill: dict[str, Any]) -> None:
        """A fill as the engine told it."""
        symbol, units = fill["instrument"].partition(".")[0], int(fill["quantity"])
        units = units if fill["side"] == "BUY" else -units
        self.held[symbol] = self.held.get(symbol, 0) + units
        self._cash -= units * Decimal(fill["price"])
        for view in self.views:
            view[symbol] = self.true[symbol]

    def equity(self, prices: dict[str, Decimal] | None = None) -> Decimal:
        """A long is worth the bid, a short the ask."""
        prices = self.true if prices is None else prices
        half_spread = CENT if self._kind == "quotes" else Decimal(0)
        sides = ((units, prices[symbol]) for symbol, units in self.held.items() if units)
        return self._cash + sum(units * price - abs(units) * half_spread for units, price in sides)


class Lasting:
    """The highest equity that lasted: on bars every close does, on quotes what six updates of everything held reach."""

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._peak = CASH
        self._recent: list[tuple[str, Decimal]] = []

    def begin(self, equity: Decimal, *, certain: bool) -> None:
        """Fills changed what is held; equity that is cash is certain."""
        self._recent.clear()
        if certain:
            self._peak = max(self._peak, equity)

    def take(self, symbol: str, equity: Decimal, held: dict[str, int]) -> Decimal:
        """Equity after an update; answers the peak."""
        if self._needed == 1:
            self._peak = max(self._peak, equity)
            return self._peak
        self._recent.append((symbol, equity))
        missing = {name: 2 * self._needed for name, units in held.items() if units}
        lowest = equity
        for name, value in reversed(self._recent):
            lowest = min(lowest, value)
            missing[name] = missing.get(name, 0) - 1
            if all(count <= 0 for count in missing.values()):
                self._peak = max(self._peak, lowest)
                break
        return self._peak


def _jumped(price: float, before: float, jump: Decimal) -> bool:
    return abs(Decimal(str(price)) / Decimal(str(before)) - 1) > jump - Decimal("0.001")


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // 1_000_000_000, tz=NEW_YORK).date().isoformat()
