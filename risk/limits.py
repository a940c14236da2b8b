"""Which limits and breakers does a user set, in which unit, and what do they start as?

`RiskConfig` is every limit and breaker setting a user can choose (group `risk` of the configuration, docs/risk.md).
What each limit looks at is in risk/checks.py; lines for one strategy, venue or asset class are in risk/lines.py.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from risk.hours import known_calendar
from risk.lines import Overrides, refuse_daily_loss_above_drawdown
from risk.numbers import Amount, AnyNumber, Count, Multiple, Share, exact

NEEDED_LIVE = (  # one of each line has to be on before real money trades
    ("max_leverage",),
    ("max_position_pct", "max_position_notional"),
    ("max_orders_per_day",),
    ("max_daily_loss_pct", "max_daily_loss"),
    ("max_drawdown_pct", "max_drawdown"),
)


def _names_or_none(value: object) -> object:
    if isinstance(value, str):
        value = value.strip()
        return None if value.lower() in ("", "off", "none", "null") else [v.strip() for v in value.split(",")]
    return None if value is False else value


Names = Annotated[tuple[str, ...] | None, BeforeValidator(_names_or_none)]


class RiskConfig(BaseModel):
    """Every limit and breaker; `off` switches a limit off. Fractions: 0.05 is 5% of equity. Money: account currency.

    Raises pydantic.ValidationError naming the field for unknown keys, wrong types and values out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    max_leverage: Multiple = Decimal(1)
    """Gross exposure (working orders counted as filled) divided by equity, at most."""
    max_gross_notional: Amount = None
    """Gross exposure, at most this much money."""
    max_position_pct: Share = Decimal("0.1")
    """Exposure in one instrument, at most this share of equity."""
    max_position_notional: Amount = None
    """Exposure in one instrument, at most this much money."""
    max_strategy_pct: Share = None
    """Gross exposure of one strategy, at most this share of equity: its share of the capital."""
    max_strategy_notional: Amount = None
    """Gross exposure of one strategy, at most this much money."""
    max_open_positions: Count = None
    """Instruments held or about to be held, at most."""
    max_new_positions_per_day: Count = None
    """Positions opened in one session day, at most; an order that may open one counts when it is sent."""
    min_cash_pct: Share = None
    """Share of equity that stays free: equity less gross exposure, working orders counted as filled."""
    max_order_pct: Share = None
    """One order's notional, at most this share of equity."""
    max_order_notional: Amount = None
    """One order's notional, at most this much money; the engine's own check backs it up."""
    max_orders_per_day: Count = 100
    """Orders sent in one session day, at most."""
    max_orders_per_sec: Count = 100
    """Orders sent in one second of market time, at most; the engine's own check backs it up."""
    price_collar_pct: Share = None
    """How far an order's limit or trigger price may lie from the newest price, either way."""
    max_slippage_pct: Share = None
    """How far a market order's far side may lie from the middle of the quote; it is valued that much dearer."""
    max_price_age_secs: Amount = None
    """How old the newest price of the order's instrument, and of everything held, may be."""
    max_repeats: Count = None
    """Orders of the same strategy, instrument, side and quantity within `repeat_window_secs`, at most."""
    repeat_window_secs: Annotated[Decimal, Field(gt=0), BeforeValidator(exact)] = Decimal(60)
    """The window of `max_repeats`, in seconds of market time."""
    allow_short: bool = False
    """Whether a position may go below zero."""
    allow_self_crossing: bool = False
    """Whether an order may meet a resting limit order of this account on the other side."""
    allowed_instruments: Names = None
    """The only symbols (AAPL) or instrument ids (AAPL.XNAS) that may be bought or sold short; none allows all."""
    trading_hours: str | None = None
    """An exchange calendar such as XNYS: new exposure only while it is open; none allows every hour."""
    dry_run: bool = False
    """Decide and record every order, send none."""

    require_stop_loss: bool = False
    """Whether every entry needs a stop: in its own list, or `default_stop_loss_pct`."""
    default_stop_loss_pct: Share = None
    """A reduce-only stop this far from the average entry follows every fill that has none."""
    take_profit_pct: Amount = None
    """A reduce-only limit order this far from the average entry follows every fill: 0.05 is 5%."""
    max_holding_mins: Amount = None
    """Minutes after which a position is closed."""
    order_timeout_mins: Amount = None
    """Minutes after which what is left of an order that adds exposure is cancelled."""
    require_approval: bool = False
    """Whether a person has to approve every order that adds exposure."""
    approval_timeout_mins: Amount = Decimal(30)
    """Minutes after which an order nobody approved is refused."""
    approval_band_pct: Share = Decimal("0.01")
    """How far the price may move, either way, while an order waits; beyond that it is refused."""

    max_daily_loss_pct: Share = Decimal("0.02")
    """Loss since the session day's start, open P&L included, at which trading halts."""
    max_daily_loss: Amount = None
    """The same in money."""
    max_drawdown_pct: Share = Decimal("0.2")
    """Fall from the highest equity, open P&L included, at which trading halts until a person resumes it."""
    max_drawdown: Amount = None
    """The same in money."""
    max_consecutive_losses: Count = None
    """Closed trades in a row that lost money, at which trading halts until a person resumes it."""
    min_win_rate: Share = None
    """Share of winners among the last `performance_trades` closed trades below which trading halts."""
    min_sharpe: AnyNumber = None
    """Mean over standard deviation of the returns of the last `performance_trades` trades below which trading halts."""
    performance_trades: Annotated[int, Field(ge=2)] = 20
    """Closed trades that `min_win_rate` and `min_sharpe` look at; fewer are not judged."""
    warn_at_pct: Share = Decimal("0.8")
    """A warning is given once this share of a daily loss or drawdown limit is used up."""
    latch_daily_loss: bool = False
    """Whether a daily-loss halt outlives its session day."""
    on_trip: Literal["cancel", "flatten", "stop"] = "cancel"
    """What a trip does besides halting: cancel what could add exposure; close positions; and stop the strategy."""
    untrusted_jump_pct: Share = Decimal("0.25")
    """A price that moves more than this in one step needs a second one that agrees before it counts."""
    tick_confirmations: Annotated[int, Field(ge=1)] = 3
    """On quotes and trades a breach trips after this many distinct trusted updates; on bars one close is enough."""
    session_zone: str | None = None
    """IANA time zone of the session day; none takes the data's own."""
    session_start: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    """Local time (HH:MM) at which a session day begins, for example 17:00 in New York for currencies."""
    session_calendar: str | None = None
    """An exchange calendar such as XNYS: a session day then ends at its close; none goes by the clock alone."""
    allow_off: bool = False
    """Live trading refuses a limit that is switched off unless this says that it is meant."""
    research_only: bool = False
    """Paper, live and rehearsal venues refuse a config that says so."""
    overrides: Overrides = ()
    """Lines that are tighter for one strategy, venue or asset class; the last field, checked against the others."""

    @field_validator("trading_hours", "session_calendar", mode="before")
    @classmethod
    def _known_calendar(cls, name: Any) -> str | None:
        return known_calendar(name)

    @field_validator("session_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(
                    f"{zone!r} is not a time zone; use an IANA name such as America/New_York"
                ) from None
        return zone

    @model_validator(mode="after")
    def _daily_loss_below_drawdown(self) -> Self:
        refuse_daily_loss_above_drawdown(self.max_daily_loss_pct, self.max_drawdown_pct)
        return self

    @property
    def switched_off(self) -> tuple[str, ...]:
        """The limits nobody should trade money without that are off; live trading wants `allow_off` beside them."""
        return tuple(names[0] for names in NEEDED_LIVE if all(getattr(self, name) is None for name in names))
