"""Which windows of which market does a walk-forward go through, with which points?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtests.search.space import Space, first_run
from backtests.trial import market_of
from backtests.windows.folds import folds_of
from backtests.windows.guard import decides_market, kinds_of
from backtests.windows.legs import Legs, calendar_of
from backtests.windows.settings import WalkSettings, checked
from configs.errors import ConfigError
from configs.launcher import Launcher
from runs.trials.holdouts import refuse_held_out

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from market.held import HeldMarket


@dataclass(frozen=True)
class Plan:
    """A walk-forward that is to run. config: of the first point that is a run; windows: its days as stamps."""

    space: Space
    settings: WalkSettings
    launcher: Launcher
    output: str
    config: RunConfig
    market: HeldMarket
    windows: tuple[Legs, ...]

    @property
    def kept(self) -> str:
        """What the folder says of it, enough to go on."""
        return json.dumps(
            {
                "settings": self.settings.model_dump(mode="json", exclude_unset=True),
                "launcher": self.launcher.model_dump(mode="json"),
                "output": self.output,
                "space": json.loads(self.space.to_json()),
            },
            indent=2,
        )


def planned(space: Space, settings: WalkSettings, launcher: Launcher, output: str) -> Plan:
    """The plan, with its windows. Raises ConfigError for what cannot be walked, HoldoutError for days held out."""
    checked(settings)
    if space.interval is not None:
        raise ConfigError(
            f"{space.interval}: walk_forward runs a grid; write a list or range(FIRST,END,STEP)"
        )
    for key in space.keys:
        if decides_market(key):
            raise ConfigError(
                f"{key} cannot be swept: every window chooses among runs on the same days; give one value"
            )
    config = first_run(space)
    market = market_of(config)
    kinds = kinds_of(space)
    if len({(each.symbols, each.bar) for each, _ in kinds}) > 1:
        raise ConfigError("the points trade different instruments or bars; walk_forward takes one market")
    for each, own in kinds:
        refuse_held_out(each, own)
    calendar = calendar_of(config, market)
    folds = folds_of(len(calendar), settings, config.data.days_per_year)
    return Plan(space, settings, launcher, output, config, market, tuple(map(calendar.legs, folds)))
