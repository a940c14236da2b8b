"""How are days dealt, and what is best in sample: which keys `walk.*` and `holdout.*` are there?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backtests.bias.settings import taken
from backtests.search.settings import METRICS, SweepSettings, settings_of
from configs.closest import closest
from configs.errors import ConfigError

ROLLING, ANCHORED, KFOLD = "rolling", "anchored", "purged_kfold"
POOLED = ("sharpe", "sortino", "calmar", "total_return", "cagr", "max_drawdown", "volatility")
"""Metrics that follow from returns by day, and so can be had of a train of two pieces."""
_LENGTH = re.compile(r"([1-9]\d{0,5})([dmy]?)")
_LENGTH_WORDS = "a number of session days of at least 1, or years or months such as 3y or 6m"
Days = Annotated[int, Field(ge=0, le=100_000)]
Length = Annotated[int, Field(ge=1, le=100_000)] | Annotated[str, Field(pattern=f"^{_LENGTH.pattern}$")]


class WalkSettings(BaseModel):
    """The keys `walk.*`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["rolling", "anchored", "purged_kfold"] = Field(
        "rolling", description="rolling, anchored or purged_kfold"
    )
    """rolling: the train moves on with the test; anchored: it begins with the data; purged_kfold: all other days."""
    train: Length = Field(756, description=_LENGTH_WORDS)
    """Session days to choose on (anchored: in the first window)."""
    test: Length = Field(252, description=_LENGTH_WORDS)
    """Session days the choice is then judged on."""
    folds: Annotated[int, Field(ge=2, le=1_000)] = Field(5, description="a whole number from 2 to 1000")
    """Tests of purged_kfold."""
    purge: Days = Field(0, description="a number of session days of at least 0")
    """purged_kfold: session days that a label or a position reaches beyond its own."""
    embargo: Days = Field(0, description="a number of session days of at least 0")
    """Session days left out between train and test; in purged_kfold between a test and the train after it."""
    metric: str = Field("sharpe", description=f"one of {', '.join(METRICS)}")
    """What is best in sample: a key of METRICS."""
    direction: Literal["maximize", "minimize"] | None = Field(None, description="maximize or minimize")
    """Which way is better; none takes the metric's own."""
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)] = Field(
        "auto", description="a whole number of at least 1, or auto"
    )
    """Processes on this machine; auto: one a core where it is worth it."""

    @property
    def ranking(self) -> SweepSettings:
        """What is best, as a sweep says it."""
        return settings_of({"metric": self.metric, "direction": self.direction, "workers": self.workers})


class HoldoutSettings(BaseModel):
    """The keys `holdout.*`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    start: date | None = Field(None, description="a date such as 2010-01-01")
    """First day that is held out."""
    share: Annotated[float, Field(gt=0, lt=1)] | None = Field(None, description="a fraction between 0 and 1")
    """The last share of the session days that is held out."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        None, description="a few words"
    )
    """Why; said by whoever opens it."""
    again: bool = Field(default=False, description="true or false")
    """Whether to look once more at what was opened; it stays spoiled."""


def walk_settings(words: Sequence[str]) -> tuple[WalkSettings, list[str]]:
    """The settings of `walk.KEY=VALUE` on a command line, and its other words. Raises ConfigError, in one line."""
    settings, rest = taken(WalkSettings, "walk", words)
    checked(settings)
    return settings, rest


def checked(settings: WalkSettings) -> None:
    """Raise ConfigError for keys that have no meaning together."""
    metric = settings.metric
    if metric not in METRICS:
        near = closest(metric, METRICS)
        hint = f"did you mean {near}? There are" if near else "there are"
        raise ConfigError(f"walk.metric={metric}: no such metric; {hint}: {', '.join(METRICS)}")
    given = settings.model_fields_set
    folded = settings.kind == KFOLD
    if folded and metric not in POOLED:
        raise ConfigError(
            f"walk.metric={metric}: a train of two pieces has none; with walk.kind=purged_kfold there are "
            f"{', '.join(POOLED)}"
        )
    for key in ("train", "test") if folded else ("folds", "purge"):
        if key in given:
            other = "rolling or anchored" if folded else KFOLD
            raise ConfigError(f"walk.{key} has no meaning with walk.kind={settings.kind}; it is for {other}")


def holdout_settings(words: Sequence[str]) -> tuple[HoldoutSettings, list[str]]:
    """The settings of `holdout.KEY=VALUE`, which may also be written `KEY=VALUE`, and the other words."""
    own = tuple(f"{name}=" for name in HoldoutSettings.model_fields)
    named = [f"holdout.{word}" if word.startswith(own) else word for word in words]
    given = []
    for word in named:
        key, _, value = word.partition("=")
        given.append(f"{key}={json.dumps(value)}" if key == "holdout.reason" and value else word)
    return taken(HoldoutSettings, "holdout", given)


def session_days(length: int | str, days_per_year: int) -> int:
    """A length as session days: `3y` is three times days_per_year, `6m` half of one."""
    match = _LENGTH.fullmatch(str(length))
    assert match is not None  # noqa: S101 - the settings hold nothing else
    unit = {"": 1.0, "d": 1.0, "m": days_per_year / 12, "y": float(days_per_year)}[match[2]]
    return max(1, round(int(match[1]) * unit))
