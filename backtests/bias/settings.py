"""How thorough is a check to be: which keys `lookahead.*`, `warmup.*` and `stress.*` are there?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.edge import one_line
from configs.errors import ConfigError
from configs.messages import unknown_key

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Number = Annotated[int, Field(ge=1, le=10_000)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class LookaheadSettings(_Settings):
    """The keys `lookahead.*`."""

    cuts: Annotated[int, Field(ge=2, le=1_000)] = Field(12, description="a whole number from 2 to 1000")
    """Moments at which the future is taken away and changed: half of them where the strategy decided, half anywhere."""
    changes: Annotated[int, Field(ge=0, le=100)] = Field(2, description="a whole number from 0 to 100")
    """How often the future is changed at each cut: returns shuffled and turned round in turn, prices scaled."""
    histories: Annotated[int, Field(ge=0, le=100)] = Field(10, description="a whole number from 0 to 100")
    """Markets dealt anew from blocks of the real one, in which nothing real can be known."""
    block: Number = Field(20, description="a whole number from 1 to 10000")
    """Bars in a block of those."""
    seed: Seed = Field(1, description="a whole number of at least 0")
    """Of every random choice."""


class WarmupSettings(_Settings):
    """The keys `warmup.*`."""

    bars: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        250, description="a whole number from 0 to 1000000"
    )
    """Bars after its start by which a strategy must decide as one that started long before."""
    starts: Number = Field(24, description="a whole number from 1 to 10000")
    """Later starts that are compared with the run over all of the data."""
    tolerance: Annotated[float, Field(ge=0, le=1, strict=False)] = Field(
        0.01, description="a fraction from 0 to 1"
    )
    """How far the share of equity that an entry takes may differ; one lot more is always allowed."""
    seed: Seed = Field(1, description="a whole number of at least 0")
    """Of the choice of starts."""


class StressSettings(_Settings):
    """The keys `stress.*`."""

    costs: Annotated[
        tuple[Annotated[float, Field(gt=1, le=1000, strict=False)], ...], Field(min_length=1)
    ] = Field((2.0, 5.0), description="numbers above 1, such as [2,5]")
    """How many times the costs of the run; the verdict looks at the first."""
    missing_pct: Annotated[float, Field(gt=0, lt=1, strict=False)] = Field(
        0.01, description="a fraction between 0 and 1"
    )
    """Share of the bars that are left out."""
    reshuffled: Number = Field(20, description="a whole number from 1 to 10000")
    """Markets dealt anew from blocks of the real one's returns."""
    block: Number = Field(20, description="a whole number from 1 to 10000")
    """Bars in a block of those."""
    random_entries: Annotated[int, Field(ge=20, le=1_000_000)] = Field(
        1000, description="a whole number of at least 20"
    )
    """Random strategies with the same trades at other times."""
    min_sharpe: Annotated[float, Field(strict=False)] = Field(0.0, description="a number")
    """What the Sharpe ratio must exceed, also with the first of `costs`, slipped, a bar later and with bars missing."""
    max_p_value: Annotated[float, Field(gt=0, le=1, strict=False)] = Field(
        0.1, description="a fraction between 0 and 1"
    )
    """Share of the random strategies that may do as well or better."""
    seed: Seed = Field(1, description="a whole number of at least 0")
    """Of every random choice."""


def taken[Settings: BaseModel](
    model: type[Settings], section: str, words: Sequence[str]
) -> tuple[Settings, list[str]]:
    """The settings of `SECTION.KEY=VALUE` on a command line, and its other words. Raises ConfigError, in one line."""
    prefix = f"{section}."
    given: dict[str, Any] = {}
    typed: dict[str, str] = {}
    rest = []
    for word in words:
        plain = word.lstrip("+")
        if not plain.startswith(prefix) or "=" not in plain:
            rest.append(word)
            continue
        key, _, text = plain.removeprefix(prefix).partition("=")
        if key not in model.model_fields:
            raise ConfigError(unknown_key(f"{prefix}{key}", list(model.model_fields)))
        if key in given:
            raise ConfigError(f"{prefix}{key} is given twice; give it once")
        given[key], typed[key] = _read(prefix + key, text), text
    try:
        return model.model_validate(given), rest
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        raise ConfigError(
            f"{prefix}{key}={typed[key]}: must be {model.model_fields[key].description}"
        ) from None


def _read(key: str, text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"cannot read {key}={text}: {one_line(error)}") from None
    if key == "stress.costs" and not isinstance(value, list):
        parts = str(text).split(",")
        value = [yaml.safe_load(part) for part in parts]
    return tuple(value) if isinstance(value, list) else value
