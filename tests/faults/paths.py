"""Random markets with wrong prices in them: calm, trending, jumpy and crashing, of one to three instruments.

A path is what really happened, `true`, and what was told: `told` has the same updates and wrong ones between them. What
a strategy does on it is drawn too. Everything follows from the seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model import OrderSide, Quantity

from tests.driving import T0, Scripted
from tests.faults.scenes import HOUR, MINUTE, SECOND, OnQuotes, bar, quote

SYMBOLS = ("AAPL", "MSFT", "IBM")
MORE_THAN_A_JUMP = (0.0, 0.01, 0.3, 0.6, 1.5, 3.0, 100.0)
LESS_THAN_A_JUMP = (0.78, 0.85, 0.92, 1.06, 1.12, 1.2)
UPDATES = 60


@dataclass(frozen=True)
class Update:
    """One price; `wrong` was never the market's."""

    ts: int
    symbol: str
    price: float
    wrong: bool = False


@dataclass
class Path:
    """What happened, what was told, what is traded (number of the update told, from 1 -> symbol, signed quantity)."""

    kind: str
    symbols: tuple[str, ...]
    true: list[Update] = field(default_factory=list)
    told: list[Update] = field(default_factory=list)
    trades: dict[int, tuple[str, int]] = field(default_factory=dict)
    risk: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[Any]:
        """What is told, as the engine's objects; a bar opens where the one before it closed, wrong or not."""
        made, before = list[Any](), dict.fromkeys(self.symbols, 0.0)
        for each in self.told:
            if self.kind == "quotes":
                made.append(quote(each.price, each.ts, each.symbol, bid=None if each.price else 0.0))
            else:
                made.append(bar(before[each.symbol] or each.price, each.price, each.ts, each.symbol))
            before[each.symbol] = each.price
        return made


def path(seed: int, kind: str) -> Path:
    """The path of a seed."""
    rng = random.Random(f"{kind} {seed}")  # noqa: S311 - a market, not a secret
    made = Path(kind, SYMBOLS[: rng.choice((1, 1, 2, 3))])
    made.risk = {
        "max_drawdown_pct": rng.choice((0.03, 0.06, 0.12)), "max_daily_loss_pct": rng.choice((0.02, 0.03, "off")),
        "untrusted_jump_pct": 0.25, "warn_at_pct": rng.choice((0.8, "off")),
    }  # fmt: skip
    made.true = _true(rng, made)
    _trade(rng, made)
    _tell(rng, made)
    return made


# -- what happens ------------------------------------------------------------------------------------------------------


def _true(rng: random.Random, made: Path) -> list[Update]:
    prices = {symbol: rng.uniform(40, 160) for symbol in made.symbols}
    moods = {symbol: _mood(rng) for symbol in made.symbols}
    found, ts = [], T0 + rng.randrange(0, 6) * HOUR
    for number in range(UPDATES):
        symbol = made.symbols[number] if number < len(made.symbols) else rng.choice(made.symbols)
        if rng.random() < 0.06:
            moods[symbol] = _mood(rng)
        prices[symbol] = max(2.0, prices[symbol] * (1 + moods[symbol](rng)))
        prices[symbol] = round(prices[symbol], 2)
        found.append(Update(ts, symbol, prices[symbol]))
        ts += rng.choice((MINUTE, MINUTE, HOUR, 5 * HOUR)) if made.kind == "bars" else _pause(rng)
    return found


def _pause(rng: random.Random) -> int:
    return 7 * HOUR if rng.random() < 0.04 else rng.randrange(1, 5) * SECOND


def _mood(rng: random.Random) -> Any:
    """How the next prices move: calm, trending, jumpy, or a crash that happens once."""
    kind, drift = rng.choice(("calm", "calm", "trend", "jumpy", "crash")), rng.choice((-0.006, -0.003, 0.004))
    once = [rng.choice((-0.04, -0.08, -0.2, -0.35, -0.5, 0.3))]

    def move(rng: random.Random) -> float:
        if kind == "crash" and once and rng.random() < 0.3:
            return once.pop()
        if kind == "trend":
            return drift + rng.gauss(0, 0.002)
        if kind == "jumpy" and rng.random() < 0.25:
            return rng.choice((-1, 1)) * rng.uniform(0.01, 0.05)
        return rng.gauss(0, 0.001)

    return move


# -- what is done and told ---------------------------------------------------------------------------------------------


def _trade(rng: random.Random, made: Path) -> None:
    """Buys, short sales and exits; all of them together are a third of the account, or nearly all of it."""
    first = {update.symbol: update.price for update in reversed(made.true)}
    for symbol in made.symbols:
        share = rng.choice((0.35, 0.6, 0.95)) / len(made.symbols)
        units = max(1, int(100_000 * share / first[symbol]))
        side = rng.choice((1, 1, 1, -1))
        begin = rng.randrange(len(made.symbols) + 1, 12)
        plan = [(begin, side * units)]
        if rng.random() < 0.4:
            plan.append((begin + rng.randrange(8, 20), -side * (units // 2)))
        if rng.random() < 0.25:
            plan.append((plan[-1][0] + rng.randrange(4, 14), -side * (units - units // 2 * (len(plan) - 1))))
        for number, quantity in plan:
            while number in made.trades:
                number += 1  # noqa: PLW2901 - the next update that is free
            if quantity and number <= len(made.true):
                made.trades[number] = (symbol, quantity)


def _tell(rng: random.Random, made: Path) -> None:
    """Tell what happened, and up to four wrong prices between; never two in a row of one instrument."""
    wrongs: dict[int, Update] = {}
    for _ in range(rng.choice((0, 1, 2, 4))):
        after = rng.randrange(len(made.symbols), len(made.true) - 1)
        wrong = _wrong(rng, made, after)
        if not _is_traded_on(made, after, wrong.symbol) and not _in_a_row(made, wrongs, after, wrong.symbol):
            wrongs[after] = wrong
    trades, told = made.trades, []
    made.trades = {}
    for number, update in enumerate(made.true):
        told.append(update)
        if number + 1 in trades:
            made.trades[len(told)] = trades[number + 1]
        if number in wrongs:
            told.append(wrongs[number])
    made.told = told


def _is_traded_on(made: Path, after: int, symbol: str) -> bool:
    """Whether an order would fill at it: a real loss, for the simulated venue takes it for the market."""
    until = next(
        (n for n in range(after + 1, len(made.true)) if made.true[n].symbol == symbol), len(made.true)
    )
    return any(made.trades.get(number + 1, ("", 0))[0] == symbol for number in range(after, until + 1))


def _in_a_row(made: Path, wrongs: dict[int, Update], after: int, symbol: str) -> bool:
    """Whether two wrong prices of the instrument have no true one between: two that agree are no longer wrong."""
    for other in (number for number, wrong in wrongs.items() if wrong.symbol == symbol):
        first, last = sorted((other, after))
        if all(update.symbol != symbol for update in made.true[first + 1 : last + 1]):
            return True
    return after in wrongs


def _wrong(rng: random.Random, made: Path, after: int) -> Update:
    """A price just after a true one, of an instrument whose newest true price is known."""
    symbol = rng.choice(made.symbols)
    newest = next(update.price for update in reversed(made.true[: after + 1]) if update.symbol == symbol)
    factors = MORE_THAN_A_JUMP if made.kind == "bars" else MORE_THAN_A_JUMP + LESS_THAN_A_JUMP
    price = round(newest * rng.choice(factors), 2)
    return Update(made.true[after].ts + SECOND // 2, symbol, price, wrong=True)


# -- who trades --------------------------------------------------------------------------------------------------------


class Follows(Scripted):
    """Does what the path in `now` says."""

    now: Path

    def at_bar(self, n: int, _update: Any) -> None:
        trade = Follows.now.trades.get(n)
        if trade is not None:
            symbol, quantity = trade
            instrument_id = self.settings.instrument_ids[Follows.now.symbols.index(symbol)]
            side = OrderSide.BUY if quantity > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(instrument_id, side, Quantity(abs(quantity), 0)))


class FollowsOnQuotes(OnQuotes, Follows):
    pass
