"""Backtests made up for the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np

from configs.schema import RunConfig
from configs.validate import validated
from runs.trials import Ran

FAMILY = "strategies.ema_cross:EmaCross AAPL 1d"


def config(fast: int = 20, **sections: dict[str, Any]) -> RunConfig:
    """A config as a command line would make it."""
    return validated(
        {
            "strategy": {
                "strategy_path": "strategies.ema_cross:EmaCross",
                "config_path": "strategies.ema_cross:EmaCrossConfig",
                "fast": fast,
            },
            "venue": {
                "config": "adapters.replay.config:ReplayVenueConfig",
                "factory": "adapters.replay.factories:ReplayVenue",
                "name": "replay",
                "mode": "sandbox",
                "maker_fee": 0,
                "taker_fee": 0,
            },
            "data": {"source": "market.us_equities:UsEquities"},
            **sections,
        }
    )


def ran(fast: int = 20, seed: int | None = None, days: int = 300, **given: Any) -> Ran:
    """A backtest that ended, or failed where `error` is given."""
    returns = np.random.default_rng(fast if seed is None else seed).standard_normal(days) * 0.01
    figures = {"total_return": 0.1, "max_drawdown": 0.2, "orders": 12, "final_equity": "ignored"}
    made: dict[str, Any] = {
        "config": config(fast),
        "symbols": ("AAPL",),
        "data_version": "v1",
        "kind": "run",
        "returns": returns,
        "figures": figures,
    }
    if "error" in given:
        made |= {"returns": None, "figures": None}
    return Ran(**{**made, **given})
