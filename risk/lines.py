"""What can a line of `risk.overrides` say: whose limits are tighter, and which of them?"""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from risk.hours import known_calendar
from risk.numbers import OFF_WORDS, Amount, AnyNumber, Count, Multiple, Share, exact

KINDS = ("strategy", "venue", "asset_class")
"""What a line can be about: exactly one of these."""

HIGHEST_WINS = ("min_cash_pct", "repeat_window_secs", "min_win_rate", "min_sharpe")
"""Floors, and the window of a count: the higher is the tighter. Of every other number it is the lower."""
FALSE_WINS = ("allow_short", "allow_self_crossing")
TRUE_WINS = ("dry_run", "require_stop_loss", "require_approval")

BREAKERS = (
    *("max_daily_loss_pct", "max_daily_loss", "max_drawdown_pct", "max_drawdown"),
    *("max_consecutive_losses", "min_win_rate", "min_sharpe"),
)
"""Keys that, in a line for a strategy or a venue, make a breaker of its own beside the book's."""

WHOLE_RUN = (
    *("performance_trades", "warn_at_pct", "latch_daily_loss", "on_trip", "untrusted_jump_pct"),
    *("tick_confirmations", "session_zone", "session_start", "session_calendar"),
    *("allow_off", "research_only", "overrides"),
)
"""Keys of RiskConfig that hold for the whole run and cannot stand in a line."""

CALENDAR, NAMES = "trading_hours", "allowed_instruments"
AssetClass = Literal["alternative", "commodity", "crypto", "cryptocurrency", "debt", "equity", "fx", "index"]
"""The engine's asset classes; `crypto` is short for cryptocurrency."""


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


class Override(BaseModel):
    """One line: a strategy, a venue or an asset class, and the keys of RiskConfig that are tighter there.

    A key means what it means in RiskConfig, asked for the orders of that strategy, venue or asset class only:
    `max_leverage` still looks at the whole book. Raises pydantic.ValidationError naming the field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Annotated[str, Field(min_length=1)] | None = None
    """A strategy's name in the run (`strategy`, `second`), its class (EmaCross, ema_cross) or id (EmaCross-001)."""
    venue: Annotated[str, Field(min_length=1)] | None = None
    """A venue by the name of its config (`replay`) or by the id its instruments carry (XNAS)."""
    asset_class: Annotated[AssetClass, BeforeValidator(_lower)] | None = None
    """An asset class of the engine."""

    max_leverage: Multiple = None
    max_gross_notional: Amount = None
    max_position_pct: Share = None
    max_position_notional: Amount = None
    max_strategy_pct: Share = None
    max_strategy_notional: Amount = None
    max_open_positions: Count = None
    max_new_positions_per_day: Count = None
    min_cash_pct: Share = None
    max_order_pct: Share = None
    max_order_notional: Amount = None
    max_orders_per_day: Count = None
    max_orders_per_sec: Count = None
    price_collar_pct: Share = None
    max_slippage_pct: Share = None
    max_price_age_secs: Amount = None
    max_repeats: Count = None
    repeat_window_secs: Annotated[Annotated[Decimal, Field(gt=0)] | None, BeforeValidator(exact)] = None
    allow_short: bool | None = None
    allow_self_crossing: bool | None = None
    allowed_instruments: Annotated[tuple[str, ...] | None, BeforeValidator(_names)] = None
    trading_hours: str | None = None
    dry_run: bool | None = None
    require_stop_loss: bool | None = None
    default_stop_loss_pct: Share = None
    take_profit_pct: Amount = None
    max_holding_mins: Amount = None
    order_timeout_mins: Amount = None
    require_approval: bool | None = None
    approval_timeout_mins: Amount = None
    approval_band_pct: Share = None
    max_daily_loss_pct: Share = None
    max_daily_loss: Amount = None
    max_drawdown_pct: Share = None
    max_drawdown: Amount = None
    max_consecutive_losses: Count = None
    min_win_rate: Share = None
    min_sharpe: AnyNumber = None

    @model_validator(mode="before")
    @classmethod
    def _one_target(cls, given: object) -> object:
        """Leave out what is null, and see that what is left names one target and sets something that can be."""
        if not isinstance(given, dict):
            return given
        line = {key: value for key, value in given.items() if value is not None}
        targets = [kind for kind in KINDS if kind in line]
        if any(key not in cls.model_fields and key not in WHOLE_RUN for key in line):
            return line  # an unknown key is told as such, with its close match
        if not targets:
            raise ValueError("names no strategy, venue or asset_class; add one, as in strategy: ema_cross")
        if len(targets) > 1:
            raise ValueError(f"names both {targets[0]} and {targets[1]}; write a line for each")
        for key in line:
            if key in WHOLE_RUN:
                raise ValueError(f"{key} holds for the whole run and cannot stand in a line; set risk.{key}")
            if key in BREAKERS and "asset_class" in line:
                raise ValueError(
                    f"{key} is a breaker, which watches a strategy or a venue, not an asset class"
                )
        if len(line) == 1:
            raise ValueError("sets no limit; add one, as in max_position_pct: 0.05")
        return line

    @field_validator("*", mode="before")
    @classmethod
    def _never_off(cls, value: Any, info: ValidationInfo) -> Any:
        is_switch = info.field_name in FALSE_WINS + TRUE_WINS
        if info.field_name not in KINDS and not is_switch and _is_off(value):
            raise ValueError("a line can only tighten, so it cannot switch a limit off; leave it out")
        return value

    @field_validator(*FALSE_WINS)
    @classmethod
    def _only_false(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic gives a validator its value by place
        if value:
            raise ValueError("a line can only tighten; true belongs in the run's own risk settings")
        return value

    @field_validator(*TRUE_WINS)
    @classmethod
    def _only_true(cls, value: bool) -> bool:  # noqa: FBT001 - as above
        if not value:
            raise ValueError("a line can only tighten; false belongs in the run's own risk settings")
        return value

    @field_validator("trading_hours", mode="before")
    @classmethod
    def _known_calendar(cls, name: Any) -> str | None:
        return known_calendar(name)

    @model_validator(mode="after")
    def _daily_loss_below_drawdown(self) -> Self:
        refuse_daily_loss_above_drawdown(self.max_daily_loss_pct, self.max_drawdown_pct)
        return self

    @property
    def target(self) -> tuple[str, str]:
        """What the line is about: (kind, name as the user wrote it)."""
        return next((kind, name) for kind in KINDS if (name := getattr(self, kind)) is not None)

    @property
    def keys(self) -> dict[str, Any]:
        """Key -> value of what the line sets, without its target."""
        return {
            key: getattr(self, key)
            for key in type(self).model_fields
            if key in self.model_fields_set and key not in KINDS
        }


def refuse_daily_loss_above_drawdown(daily: Decimal | None, drawdown: Decimal | None) -> None:
    """Raise ValueError for a share of the day's loss that the drawdown would always come before."""
    if daily is not None and drawdown is not None and daily > drawdown:
        raise ValueError(
            f"max_daily_loss_pct={daily} is above max_drawdown_pct={drawdown}: it could never trip; "
            "lower the first or raise the second"
        )


def _is_off(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() in OFF_WORDS)


def _one_calendar(lines: tuple[Override, ...], info: ValidationInfo) -> tuple[Override, ...]:
    """Refuse two different calendars that may both hold for one order."""
    own = info.data.get(CALENDAR)
    hours = [(number, line) for number, line in enumerate(lines) if line.trading_hours is not None]
    for number, line in hours:
        if own is not None and line.trading_hours != own:
            raise ValueError(
                f"line {number} has trading_hours={line.trading_hours}, but risk.trading_hours={own} holds for every "
                "order; switch that off and give each asset class, venue or strategy its own line"
            )
    for (first, one), (second, other) in combinations(hours, 2):
        if one.trading_hours != other.trading_hours and not _disjoint(one, other):
            raise ValueError(
                f"lines {first} and {second} may both hold for an order, with trading_hours={one.trading_hours} and "
                f"{other.trading_hours}; an order keeps to one calendar"
            )
    return lines


def _disjoint(one: Override, other: Override) -> bool:
    """Whether no order can match both: two names of one kind; what names the same is found out in the run."""
    (kind, name), (other_kind, other_name) = one.target, other.target
    return kind == other_kind and plain(name) != plain(other_name)


def _a_list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of lines, such as [{strategy: ema_cross, max_position_pct: 0.05}]")  # noqa: TRY004 - pydantic turns only ValueError into a message
    return value


Overrides = Annotated[tuple[Override, ...], BeforeValidator(_a_list), AfterValidator(_one_calendar)]
"""The type of `RiskConfig.overrides`; it has to be the last field, because it is checked against the others."""


def plain(name: str) -> str:
    """A name as it is compared: ema_cross and EmaCross are one, crypto is cryptocurrency."""
    word = name.strip().casefold().replace("_", "")
    return "cryptocurrency" if word == "crypto" else word
