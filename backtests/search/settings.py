"""How is a sweep to look for the best point, and what is best?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.closest import closest
from configs.edge import one_line
from configs.errors import ConfigError
from configs.messages import unknown_key

PREFIX = "sweep."
METRICS: dict[str, Literal["maximize", "minimize"]] = {
    "sharpe": "maximize",
    "sortino": "maximize",
    "calmar": "maximize",
    "total_return": "maximize",
    "cagr": "maximize",
    "final_equity": "maximize",
    "profit_factor": "maximize",
    "win_rate": "maximize",
    "max_drawdown": "minimize",
    "volatility": "minimize",
    "turnover": "minimize",
    "fees": "minimize",
}
"""Figure a sweep can rank by -> which way is better. calmar is cagr / max_drawdown, the others are the summary's."""


class SweepSettings(BaseModel):
    """The keys `sweep.*`; `metric` decides what is best among the trials that came to their end."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    search: Literal["grid", "optuna"] = "grid"
    """grid: every combination; optuna: each trial is chosen in view of those before it."""
    metric: str = "sharpe"
    """What is best: a key of METRICS."""
    direction: Literal["maximize", "minimize"] | None = None
    """Which way is better; none takes the metric's own."""
    trials: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """How many trials Optuna makes; a grid has its own number."""
    sampler: Literal["tpe", "random"] = "tpe"
    """How Optuna chooses: tree-structured Parzen estimator, or at random."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Of Optuna's choices: the same seed, the same trials, whatever the number of workers."""
    ahead: Annotated[int, Field(ge=1, le=10_000)] = 8
    """How many trials Optuna has out at once: each is chosen without the results of so many minus one before it."""
    prune: Literal["off", "median"] = "off"
    """median: a trial ends early when it is worse, at some share of the data, than the median of those before it."""
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)] = "auto"
    """Processes on this machine; auto: one a core where the sweep is long enough to be worth it."""
    heat: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)] | None = None
    """The two keys of the heat map; none takes the first two with several numbers."""

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return (self.direction or METRICS[self.metric]) == "maximize"


def settings_of(given: Mapping[str, Any]) -> SweepSettings:
    """Settings from plain values by key. Raises ConfigError, in one line."""
    for key in given:
        if key not in SweepSettings.model_fields:
            raise ConfigError(unknown_key(f"{PREFIX}{key}", list(SweepSettings.model_fields)))
    try:
        settings = SweepSettings.model_validate(
            {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise ConfigError(f"{PREFIX}{key}={given[key]}: must be {_WANTED[key]}") from None
    if settings.metric not in METRICS:
        near = closest(settings.metric, METRICS)
        hint = f"did you mean {near}? There are" if near else "there are"
        raise ConfigError(f"{PREFIX}metric={settings.metric}: no such metric; {hint}: {', '.join(METRICS)}")
    return settings


_WANTED = {
    "search": "grid or optuna",
    "metric": f"one of {', '.join(METRICS)}",
    "direction": "maximize or minimize",
    "trials": "a whole number of at least 1",
    "sampler": "tpe or random",
    "seed": "a whole number of at least 0",
    "ahead": "a whole number of at least 1",
    "prune": "off or median",
    "workers": "a whole number of at least 1, or auto",
    "heat": "two swept keys, such as [strategy.fast,strategy.slow]",
}


def taken(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The values of `sweep.KEY=VALUE` on a command line by key, and the other words. Raises ConfigError."""
    given: dict[str, Any] = {}
    rest = []
    for word in words:
        plain = word.lstrip("+")
        if not plain.startswith(PREFIX) or "=" not in plain:
            rest.append(word)
            continue
        key, _, text = plain.removeprefix(PREFIX).partition("=")
        if key in given:
            raise ConfigError(f"{PREFIX}{key} is given twice; give it once")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"cannot read {PREFIX}{key}={text}: {one_line(error)}") from None
        given[key] = "off" if value is False and key == "prune" else value  # YAML reads off as false
    return given, rest


def score(figures: Mapping[str, Any], metric: str) -> float | None:
    """What a finished trial is ranked by; None where it is undefined."""
    if metric == "calmar":
        gain, loss = figures.get("cagr"), figures.get("max_drawdown")
        return gain / loss if gain is not None and loss else None
    value = figures.get(metric)
    return None if value is None else float(value)
