"""Which strategies does a run have, by which names, and does `risk.overrides` name only those?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from configs.closest import closest
from configs.parameters import accepted
from risk.lines import Override, plain

if TYPE_CHECKING:
    from configs.schema import StrategySpec


@dataclass(frozen=True, slots=True)
class NamedStrategy:
    """One strategy of a run as the engine will know it, or several of which the number is not known yet."""

    name: str
    """Its name in the run: `strategy`, `second`."""
    class_name: str
    number: int | None
    """Its place in the run; None where that depends on symbols that only the data knows."""
    symbols: tuple[str, ...]
    """What it trades; empty is whatever the data holds."""

    @property
    def strategy_id(self) -> str:
        """EmaCross-001; without the number where that is not known."""
        return self.class_name if self.number is None else f"{self.class_name}-{self.number:03d}"

    def is_meant(self, line: Override) -> bool:
        """Whether a line names this strategy."""
        named = plain(line.strategy or "")
        any_number = rf"{re.escape(plain(self.class_name))}-\d{{3,}}"
        if self.number is None and re.fullmatch(any_number, named):
            return True
        return named in {plain(self.name), plain(self.class_name), plain(self.strategy_id)}


def named_strategies(
    strategies: Mapping[str, StrategySpec], symbols: Sequence[str]
) -> tuple[NamedStrategy, ...]:
    """Every strategy in the order of the run. strategies: name in the run -> spec; no symbols: not known yet.

    A config class that takes one `instrument_id` makes one strategy for each symbol. Raises ConfigError when a class
    cannot be had.
    """
    found: list[NamedStrategy] = []
    counted = True
    for name, spec in strategies.items():
        strategy_class, config_class = spec.classes()
        wanted = accepted(config_class)
        single = "instrument_id" in wanted and "instrument_ids" not in wanted
        own = tuple(spec.instruments or symbols)
        counted = counted and bool(own or not single)
        for group in [(symbol,) for symbol in own] if single and own else [own]:
            number = len(found) + 1 if counted else None
            found.append(NamedStrategy(name, strategy_class.__name__, number, group))
    return tuple(found)


def check_lines(lines: Sequence[Override], strategies: Sequence[NamedStrategy]) -> None:
    """Raise ValueError for a line about a strategy that is not in the run, or two calendars for one that is."""
    about = [(number, line) for number, line in enumerate(lines) if line.strategy is not None]
    for number, line in about:
        if not any(strategy.is_meant(line) for strategy in strategies):
            raise ValueError(
                f"risk.overrides[{number}].strategy={line.strategy}: no such strategy in this run; "
                f"{_offered(str(line.strategy), strategies)}"
            )
    for (first, one), (second, other) in combinations(about, 2):
        if None not in (one.trading_hours, other.trading_hours) and one.trading_hours != other.trading_hours:
            both = [each for each in strategies if each.is_meant(one) and each.is_meant(other)]
            if both:
                raise ValueError(
                    f"risk.overrides[{first}] and [{second}] are both about {both[0].strategy_id}, with "
                    f"trading_hours={one.trading_hours} and {other.trading_hours}; give it one"
                )


def _offered(word: str, strategies: Sequence[NamedStrategy]) -> str:
    names = [name for each in strategies for name in (each.name, each.class_name, each.strategy_id)]
    near = closest(word, names) or closest(plain(word), names)
    there = ", ".join(f"{each.name} ({each.strategy_id})" for each in strategies)
    return f"did you mean {near}? There are: {there}" if near else f"there are: {there}"
