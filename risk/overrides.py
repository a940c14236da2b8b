"""Which limits are tighter for one strategy, venue or asset class?

`risk.overrides` holds lines such as `{strategy: ema_cross, max_position_pct: 0.05}` (risk/lines.py). A line can only
tighten: of the run's own value and those of every line that matches an order, the tightest holds, key by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from risk.lines import (
    BREAKERS,
    CALENDAR,
    HIGHEST_WINS,
    NAMES,
    TRUE_WINS,
    Override,
    plain,
)

if TYPE_CHECKING:
    from risk.limits import RiskConfig


@dataclass(frozen=True, slots=True)
class Target:
    """Whose orders in what are asked about. An empty name is one that is not known, and matches nothing."""

    strategy_id: str
    strategy_name: str
    venue: str
    """The venue in the instrument's id: XNAS."""
    asset_class: str
    venue_name: str = ""
    """The name of the venue's config: replay."""

    def matches(self, line: Override) -> bool:
        """Whether a line is about these orders."""
        kind, name = line.target
        return plain(name) in {plain(word) for word in self.names(kind) if word}

    def names(self, kind: str) -> tuple[str, ...]:
        """Every name under which a line of this kind may mean these orders."""
        if kind == "strategy":
            return (self.strategy_name, self.strategy_id, self.strategy_id.rpartition("-")[0])
        return (self.venue, self.venue_name) if kind == "venue" else (self.asset_class,)


class Tightened(NamedTuple):
    """A value that lines made tighter than the run's own, and the numbers of those lines (from 0)."""

    value: Any
    lines: tuple[int, ...]


def effective(  # noqa: PLR0913 - an order has that many names
    limits: RiskConfig,
    *,
    strategy_id: str,
    strategy_name: str,
    venue: str,
    asset_class: str,
    venue_name: str = "",
) -> RiskConfig:
    """The limits for one strategy's orders in one instrument: of every matching line the tightest, key by key.

    `venue` is the id in the instrument's (XNAS), `venue_name` the venue's config. Never looser than the run's own
    limits or any matching line. Not for every order: an answer holds for as long as the run does. Raises ValueError
    when two lines that match have different calendars.
    """
    if not limits.overrides:
        return limits
    target = Target(strategy_id, strategy_name, venue, asset_class, venue_name)
    changed = {key: tight.value for key, tight in tightened(limits, target).items()}
    return limits.model_copy(update={**changed, "overrides": ()})


def tightened(limits: RiskConfig, target: Target) -> dict[str, Tightened]:
    """Key -> what the lines that match make of it, where that is tighter than the run's own."""
    found: dict[str, Tightened] = {}
    for number, line in enumerate(limits.overrides):
        if not target.matches(line):
            continue
        for key, value in line.keys.items():
            before = found.get(key, Tightened(getattr(limits, key), ()))
            after = tightest(key, before.value, value, target.venue)
            if after == value != before.value:
                found[key] = Tightened(value, (number,))
            elif after != before.value:
                found[key] = Tightened(after, (*before.lines, number))
    return found


def tightest(key: str, one: Any, other: Any, venue: str = "") -> Any:
    """The tighter of two values of a key; None is none at all. Raises ValueError for two different calendars."""
    if one is None or other is None or one == other:
        return other if one is None else one
    if key == CALENDAR:
        raise ValueError(f"risk.overrides: trading_hours={one} and {other} both hold for an order; give one")
    if key == NAMES:
        return _in_both(one, other, venue)
    return max(one, other) if key in HIGHEST_WINS + TRUE_WINS else min(one, other)


def _in_both(one: tuple[str, ...], other: tuple[str, ...], venue: str) -> tuple[str, ...]:
    """The instruments of a venue that both lists name, by symbol (AAPL) or by id (AAPL.XNAS)."""
    ending = f".{venue}" if venue else ""

    def symbols(names: tuple[str, ...]) -> dict[str, None]:
        return dict.fromkeys(part for name in names for part in (name, name.removesuffix(ending)))

    return tuple(f"{symbol}{ending}" for symbol in symbols(one) if symbol in symbols(other))


def breaker_lines(limits: RiskConfig) -> tuple[Override, ...]:
    """The lines that make breakers for one strategy or one venue."""
    return tuple(line for line in limits.overrides if not line.keys.keys().isdisjoint(BREAKERS))


def scoped_breakers(
    limits: RiskConfig, strategies: Mapping[str, str], venues: Iterable[str], venue_name: str = ""
) -> dict[str, dict[str, Tightened]]:
    """Scope -> breaker key -> the tightest of its lines; only scopes that a line names.

    strategies: id -> name in the run; venues: ids in the instruments'. Scopes are `strategy:EmaCross-001` and
    `venue:XNAS`. The run's own breakers are the book's and are not taken over here.
    """
    asked = [(f"strategy:{each}", Target(each, name, "", "")) for each, name in strategies.items()]
    asked += [(f"venue:{each}", Target("", "", each, "", venue_name)) for each in dict.fromkeys(venues)]
    found = {scope: _tightest_breakers(limits, target) for scope, target in asked}
    return {scope: keys for scope, keys in found.items() if keys}


def _tightest_breakers(limits: RiskConfig, target: Target) -> dict[str, Tightened]:
    found: dict[str, Tightened] = {}
    for number, line in enumerate(limits.overrides):
        for key, value in line.keys.items() if target.matches(line) else ():
            if key in BREAKERS:
                before = found.get(key)
                if before is None or tightest(key, before.value, value) != before.value:
                    found[key] = Tightened(value, (number,))
    return found


def unmatched_venues(limits: RiskConfig, known: Iterable[str]) -> tuple[int, ...]:
    """The numbers of the lines about a venue that is none of `known` (config names and ids in the instruments')."""
    names = {plain(name) for name in known}
    return tuple(
        number
        for number, line in enumerate(limits.overrides)
        if line.venue is not None and plain(line.venue) not in names
    )
