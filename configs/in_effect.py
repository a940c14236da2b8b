"""Under which limits does a run trade, after presets and overrides, and which line set each?

Needs no market data: an instrument whose venue or asset class only the data knows is told as far as it is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from configs.asked import asked, asked_limits
from configs.errors import ConfigError
from configs.schema import RunConfig
from configs.strategy_names import NamedStrategy
from configs.units import UNITS
from market.files import CsvFiles, ParquetFiles
from risk.limits import RiskConfig
from risk.lines import BREAKERS, Override
from risk.overrides import Target, Tightened, scoped_breakers, tightened, tightest

BY_DEFAULT = "Keel's default"
EVERY = "all instruments"


@dataclass(frozen=True, slots=True)
class Limit:
    """One key: its value (None is off), its unit, and the line or lines that set it."""

    key: str
    value: Any
    unit: str
    set_by: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the lines of `risk.overrides` change for one strategy's orders in one instrument."""

    strategy: str
    instrument: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class InEffect:
    """The limits of a run: those of every order, those that lines tighten, breakers of one scope, and remarks."""

    limits: tuple[Limit, ...]
    narrowed: tuple[Narrowed, ...]
    breakers: Mapping[str, tuple[Limit, ...]]
    """Scope (`strategy:EmaCross-001`, `venue:XNAS`) -> its breakers."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: money is text, ratios and times are numbers, off is null."""
        return {
            "limits": {limit.key: _row(limit) for limit in self.limits},
            "overrides": [
                {
                    "strategy": each.strategy,
                    "instrument": each.instrument,
                    "limits": {limit.key: _row(limit) for limit in each.limits},
                }
                for each in self.narrowed
            ],
            "breakers": {
                scope: {limit.key: _row(limit) for limit in limits} for scope, limits in self.breakers.items()
            },
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class _Instrument:
    """A symbol, with the venue and asset class of its instrument; empty where only the data knows them."""

    symbol: str
    venue: str = ""
    asset_class: str = ""

    @property
    def name(self) -> str:
        return f"{self.symbol}.{self.venue}" if self.venue and self.symbol != EVERY else self.symbol


def in_effect(config: RunConfig, sources: Mapping[str, str]) -> InEffect:
    """The limits of a run. sources: key of `risk` -> the file or command line that set it (configs/load.py).

    Raises ConfigError when two lines give one order two calendars.
    """
    try:
        return _in_effect(config, sources)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _in_effect(config: RunConfig, sources: Mapping[str, str]) -> InEffect:
    risk, currency = asked_limits(config), config.venue.currency
    sources = {**sources, **{key: by for key, (_, by) in asked(config.approval, config.venue.mode).items()}}
    names = _Names(risk.overrides, sources)
    known = {symbol: _instrument(config, symbol) for symbol in config.symbols or (EVERY,)}
    narrowed, matched = [], set[int]()
    for strategy, instrument, target in _targets(config, known):
        matched |= {number for number, line in enumerate(risk.overrides) if _matches(line, target, strategy)}
        tight = tightened(risk, target)
        limits = _limits({key: tight[key] for key in tight if key not in BREAKERS}, names, currency)
        if limits:
            narrowed.append(Narrowed(strategy.strategy_id, instrument.name, limits))
    strategies = {each.strategy_id: each.name for each in config.named_strategies}
    venues = [each.venue or config.venue.name for each in known.values()]
    scoped = scoped_breakers(risk, strategies, venues, config.venue.name)
    return InEffect(
        tuple(
            Limit(key, value, unit.format(currency=currency), sources.get(key, BY_DEFAULT))
            for key, unit in UNITS.items()
            for value in [getattr(risk, key)]
        ),
        tuple(narrowed),
        {scope: _limits(keys, names, currency) for scope, keys in scoped.items()},
        tuple(_notes(config, names, matched, knows_all=all(each.asset_class for each in known.values()))),
    )


class _Names:
    """What the lines of the overrides, and what set a key of the run itself, are called."""

    def __init__(self, lines: tuple[Override, ...], sources: Mapping[str, str]) -> None:
        self.lines = lines
        self.sources = sources

    def line(self, number: int) -> str:
        kind, name = self.lines[number].target
        return f"overrides[{number}] ({kind}: {name})"


def _limits(found: Mapping[str, Tightened], names: _Names, currency: str) -> tuple[Limit, ...]:
    return tuple(
        Limit(key, tight.value, UNITS[key].format(currency=currency), ", ".join(map(names.line, tight.lines)))
        for key, tight in found.items()
    )


def _instrument(config: RunConfig, symbol: str) -> _Instrument:
    data = config.data
    if isinstance(data, CsvFiles | ParquetFiles):  # it would read the file to count decimals
        return _Instrument(symbol, data.venue, data.instrument_class)
    if symbol == EVERY:
        return _Instrument(symbol)
    try:
        instrument = data.instrument(symbol)
    except Exception:  # noqa: BLE001 - a user's own source may need data that is not there; the run will say so
        return _Instrument(symbol)
    return _Instrument(symbol, str(instrument.id.venue), instrument.asset_class.name)


def _targets(
    config: RunConfig, known: Mapping[str, _Instrument]
) -> Iterator[tuple[NamedStrategy, _Instrument, Target]]:
    for strategy in config.named_strategies:
        for symbol in strategy.symbols or tuple(known):
            each = known.get(symbol) or _instrument(config, symbol)
            yield (
                strategy,
                each,
                Target(strategy.strategy_id, strategy.name, each.venue, each.asset_class, config.venue.name),
            )


def _matches(line: Override, target: Target, strategy: NamedStrategy) -> bool:
    return target.matches(line) or (line.strategy is not None and strategy.is_meant(line))


def _notes(config: RunConfig, names: _Names, matched: set[int], *, knows_all: bool) -> Iterator[str]:
    risk = config.risk
    where = "in this run" if knows_all else "that is known without the data"
    for number, line in enumerate(risk.overrides):
        if number not in matched:
            yield f"{names.line(number)} matches no order {where}"
            continue
        for key, value in line.keys.items():
            own = getattr(risk, key)
            if key not in BREAKERS and own is not None and tightest(key, own, value) == own:
                source = names.sources.get(key, BY_DEFAULT)
                yield f"{names.line(number)} changes nothing with {key}={written(value)}: {source} has {written(own)}"
    yield from _about_live(risk)


def _about_live(risk: RiskConfig) -> Iterator[str]:
    if risk.research_only:
        yield "research_only: paper, live and rehearsal venues refuse these limits"
    elif risk.switched_off and not risk.allow_off:
        yield f"venues with real money refuse {' and '.join(f'{key}=off' for key in risk.switched_off)}"


def written(value: Any) -> str:
    """A value as a user would give it on the command line."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, Override):
        return ": ".join(value.target)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _row(limit: Limit) -> dict[str, Any]:
    return {"value": _plain(limit.key, limit.value), "unit": limit.unit, "set_by": limit.set_by}


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, Override):
        kind, name = value.target
        return {kind: name} | {each: _plain(each, its) for each, its in value.keys.items()}
    if isinstance(value, Decimal):
        is_money = UNITS[key] == "{currency}"
        return f"{value:f}" if is_money else float(value)
    return [_plain(key, item) for item in value] if isinstance(value, tuple) else value
