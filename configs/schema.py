"""What does one run need to know, and which values are allowed?

`RunConfig` is the whole of it, frozen. Sections whose class a YAML names by its path (venue, data, a
strategy's parameters) are validated by that class. Raises pydantic.ValidationError; configs/messages.py makes
one line of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from nautilus_trader.trading import (
    ExecutionAlgorithm,
    ExecutionAlgorithmConfig,
    Strategy,
    StrategyConfig,
)
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json

from adapters.venue import VenueConfig
from configs.errors import ConfigError
from configs.parameters import checked
from configs.resolve import resolve
from configs.strategy_names import NamedStrategy, check_lines, named_strategies
from journal.config import JournalConfig
from market.source import DataSource
from risk.limits import RiskConfig
from risk.numbers import Amount, Share

CHOSEN_BY = {"venue": "config", "data": "source"}
"""Section -> the key in it whose value is the path of the class that validates the section."""
CLASS_PATH = "class_path"
"""Type of the validation error of a key that names a class; its message begins with that key."""


def from_plain[Model: BaseModel](model: type[Model], plain: object) -> Model:
    """Validate what YAML gave (text, numbers, lists, mappings) as a document, not as Python objects."""
    return model.model_validate_json(to_json(plain, inf_nan_mode="constants"))


def _class_of(path: str, key: str, base: type) -> type:
    try:
        return resolve(path, key, of=base)
    except ConfigError as error:
        raise PydanticCustomError(CLASS_PATH, "{line}", {"line": str(error)}) from error


def _chosen(base: type[BaseModel], key: str) -> Callable[[object], object]:
    """Read a section as the class it names under `key`, which must derive from `base`."""

    def read(section: object) -> object:
        if not isinstance(section, dict):
            return section
        if not isinstance(section.get(key), str):
            raise PydanticCustomError(CLASS_PATH, f"{key} is missing; name a class as package.module:Name")
        return from_plain(_class_of(section[key], key, base), section)

    return read


def _one_or_many(value: object) -> object:
    return [symbol.strip() for symbol in value.split(",")] if isinstance(value, str) else value


def _distinct(symbols: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} more than once; name each instrument once")
    return symbols


def text_like(pattern: str, wanted: str) -> AfterValidator:
    """A check that a text matches a pattern, told by examples instead of the pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {wanted}")
        return text

    return AfterValidator(check)


def _own_folder(path: object) -> object:
    return str(Path(path).expanduser()) if isinstance(path, str) and path.startswith("~") else path


Symbol = Annotated[str, Field(min_length=1)]
Symbols = Annotated[
    tuple[Symbol, ...], Field(min_length=1), AfterValidator(_distinct), BeforeValidator(_one_or_many)
]
UserPath = Annotated[Path, BeforeValidator(_own_folder)]
BarLength = Annotated[str, text_like(r"[1-9]\d*[smhd]", "a length such as 30s, 15m, 1h or 1d")]
FolderWord = Annotated[
    str, text_like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a word of letters, digits and ._- (64 at most)")
]
StrategyName = Annotated[str, text_like(r"[a-z][a-z0-9_]*", "a name in small letters, such as second")]
AlgorithmName = Annotated[
    str, text_like(r"[A-Za-z][A-Za-z0-9_]{0,31}", "a word of letters, digits and _ such as TWAP (32 at most)")
]
LowerCase = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


# Overrides arrive typed by Hydra's grammar, so "10" is no number and 1 is not true.
Day = Annotated[date, Field(strict=True)]
WholeNumber = Annotated[int, Field(strict=True, gt=0)]
Minutes = Annotated[float, Field(strict=True, gt=0, le=10_000_000)]
Switch = Annotated[bool, Field(strict=True)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class StrategySpec(_Section):
    """One strategy of the run: its classes by path, what it trades, and its own parameters.

    In YAML the parameters stand beside the other keys (`strategy.fast=20`); here they are gathered in
    `params`, in the types the config class declares. Only those given are there; its defaults fill the rest.
    """

    strategy_path: str
    """Path of the strategy's class (package.module:Name)."""
    config_path: str
    """Path of its config class, whose `__init__` names the parameters."""
    instruments: Symbols | None = None
    """The symbols this strategy trades; none takes all of the run."""
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_parameters(cls, section: object) -> object:
        return _gathered(section, cls, "strategy_path", Strategy, StrategyConfig)

    def classes(self) -> tuple[type[Strategy], type[StrategyConfig]]:
        """The strategy's class and its config class. Raises ConfigError when they have gone since."""
        return (
            resolve(self.strategy_path, "strategy_path", of=Strategy),
            resolve(self.config_path, "config_path", of=StrategyConfig),
        )


class AlgorithmSpec(_Section):
    """One execution algorithm of the run: its classes by path and its own parameters, as a strategy's.

    Orders name it with `exec_algorithm_id`; the name is its key in the run.
    """

    algorithm_path: str
    """Path of the algorithm's class (package.module:Name), written in Python."""
    config_path: str
    """Path of its config class, whose `__init__` names the parameters."""
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_parameters(cls, section: object) -> object:
        return _gathered(section, cls, "algorithm_path", ExecutionAlgorithm, ExecutionAlgorithmConfig)

    def classes(self) -> tuple[type[ExecutionAlgorithm], type[ExecutionAlgorithmConfig]]:
        """The algorithm's class and its config class. Raises ConfigError when they have gone since."""
        return (
            resolve(self.algorithm_path, "algorithm_path", of=ExecutionAlgorithm),
            resolve(self.config_path, "config_path", of=ExecutionAlgorithmConfig),
        )


def _gathered(
    section: object, model: type[BaseModel], path_key: str, base: type, config_base: type
) -> object:
    """A section whose parameters stand beside its other keys, with them in `params`, checked."""
    if not isinstance(section, dict):
        return section
    own = {key: value for key, value in section.items() if key in model.model_fields}
    rest = {key: value for key, value in section.items() if key not in model.model_fields}
    class_path, config_path = own.get(path_key), own.get("config_path")
    if isinstance(class_path, str) and isinstance(config_path, str):
        _class_of(class_path, path_key, base)
        config_class = _class_of(config_path, "config_path", config_base)
        own["params"] = checked(config_class, {**own.get("params", {}), **rest})
    return own


class RunSettings(_Section):
    """Where a run writes, which part of the data it trades, and how it ends."""

    dir: UserPath | None = None
    """The run folder; none makes a new one under outputs/."""
    name: FolderWord | None = None
    """A word for the run folder's name."""
    start: Day | None = None
    """First day traded, in the data's zone; none is the data's first."""
    end: Day | None = None
    """The day before which trading ends; none is the end of the data."""
    max_bars: WholeNumber | None = None
    """Stop after this many bars."""
    max_minutes: Minutes | None = None
    """Stop after this many minutes by the clock on the wall."""
    chunk_rows: WholeNumber = 500_000
    """About how many bars or quotes a backtest holds in memory at a time."""
    on_stop: Literal["leave", "cancel", "flatten"] = "cancel"
    """At a stop: leave everything, cancel entry orders, or close every position too."""
    on_strategy_error: Literal["halt", "stop", "ignore"] = "halt"
    """When a strategy raises: halt trading, stop the run, or log it and go on."""
    foreign_positions: Literal["freeze", "adopt", "refuse"] = "freeze"
    """What of a position on the account that no order of Keel explains: open nothing more in that instrument, give it
    to the one strategy that trades the instrument, or refuse to start."""
    tearsheet: Switch = True
    """Whether to write the HTML tear sheet."""
    plots: Switch = True
    """Whether to write the PNG of equity, drawdown and trades."""

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(
                f"start={self.start} is not before end={self.end}; end is the day after the last traded"
            )
        return self


class LogSettings(_Section):
    """What is logged, in which form, and where to."""

    level: Annotated[Literal["debug", "info", "warning", "error"], LowerCase] = "info"
    """The lowest level that is written; stderr shows warnings and errors, at debug everything."""
    format: Literal["text", "json"] = "text"
    """text for people, or json: one JSON object a line."""
    file: UserPath | None = None
    """One more copy of the log, of every run that names it; the run folder of a live run always holds one."""


class ApprovalSettings(_Section):
    """Which orders wait for a person; those that only reduce never do."""

    mode: Literal["none", "live_orders", "all"] = "none"
    """none: those that `risk.require_approval` asks for; live_orders: all that add exposure where real money trades;
    all: all that add exposure wherever somebody can be asked."""
    timeout_mins: Amount = None
    """Minutes after which an order nobody approved is refused; none takes `risk.approval_timeout_mins`."""
    band_pct: Share = None
    """How far the price may move while an order waits; none takes `risk.approval_band_pct`."""


class TrialsSettings(_Section):
    """Where every backtest is counted: the ledger of trials."""

    path: UserPath | None = None
    """The SQLite file; none is trials.db in the user's own state folder."""


class LiveSettings(_Section):
    """What has to be said before real money is traded; venues of other modes do not ask."""

    enabled: Switch = False
    """Whether a venue of mode live may be traded at all."""
    confirm: str | None = None
    """The phrase YES I UNDERSTAND, where no terminal is there to ask for it."""


class RunConfig(_Section):
    """Everything a run needs to know; the same for backtests and live."""

    FIRST: ClassVar[str] = "strategy"
    """What the strategy of the key `strategy` is called in `all_strategies`."""

    instruments: Symbols | None = None
    """The symbols of the run; none takes those of the data set."""
    bar: BarLength = "1d"
    """Length of a bar: seconds, minutes, hours or days (30s, 15m, 1h, 1d)."""
    strategy: StrategySpec
    strategies: dict[StrategyName, StrategySpec] = {}
    """More strategies beside the first, by name, in the order they are asked."""
    exec_algorithms: dict[AlgorithmName, AlgorithmSpec] = {}
    """Execution algorithms that orders may name, by name."""
    venue: Annotated[SerializeAsAny[VenueConfig], BeforeValidator(_chosen(VenueConfig, CHOSEN_BY["venue"]))]
    data: Annotated[SerializeAsAny[DataSource], BeforeValidator(_chosen(DataSource, CHOSEN_BY["data"]))]
    risk: RiskConfig = RiskConfig()
    approval: ApprovalSettings = ApprovalSettings()
    run: RunSettings = RunSettings()
    live: LiveSettings = LiveSettings()
    journal: JournalConfig = JournalConfig()
    trials: TrialsSettings = TrialsSettings()
    log: LogSettings = LogSettings()
    output: Literal["text", "json"] = "text"
    """json: stdout holds one JSON document and nothing else."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of the run: those asked for, else the data set's own (empty: what its files hold)."""
        return self.instruments or self.data.symbols

    @property
    def all_strategies(self) -> dict[str, StrategySpec]:
        """Name -> strategy, in the order in which they are asked."""
        return {self.FIRST: self.strategy, **self.strategies}

    @property
    def named_strategies(self) -> tuple[NamedStrategy, ...]:
        """Every strategy as the engine will know it, as far as that is known without the data."""
        return named_strategies(self.all_strategies, self.symbols)

    @model_validator(mode="after")
    def _strategies_fit_the_run(self) -> Self:
        if self.FIRST in self.strategies:
            raise ValueError(f"strategies.{self.FIRST}: the first strategy has this name; choose another")
        known = ", ".join(self.symbols)
        for name, spec in self.all_strategies.items():
            for symbol in spec.instruments or ():
                if self.symbols and symbol not in self.symbols:
                    key = name if name == self.FIRST else f"strategies.{name}"
                    raise ValueError(f"{key}.instruments names {symbol}, but the run has only {known}")
        return self

    @model_validator(mode="after")
    def _overrides_name_what_is_there(self) -> Self:
        if any(line.strategy is not None for line in self.risk.overrides):
            check_lines(self.risk.overrides, self.named_strategies)
        return self

    @model_validator(mode="after")
    def _research_stays_research(self) -> Self:
        if self.risk.research_only and self.venue.mode != "sandbox":
            raise ValueError(
                f"risk.research_only=true: venue {self.venue.name} is {self.venue.mode}, where every limit counts; "
                "choose another preset (risk=default), or venue=replay for research"
            )
        return self
