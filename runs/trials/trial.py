"""What was tried, and when is it the same trial once more?"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from runs.luck.sharpe import Track
from runs.trials.code import code_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from configs.schema import RunConfig
    from risk.measures import FloatArray

_NO_PART_OF_IT = {
    "": {"journal", "live", "log", "output", "trials"},
    "data": {"catalog_dir", "folder", "path"},
    "run": {"dir", "name", "on_strategy_error", "plots", "tearsheet"},
    "venue": {"costs_for", "speed"},
}
"""Section -> keys that change where files lie, what is shown or how fast it goes, not what is tried."""
_MOST_SYMBOLS = 5


@dataclass(frozen=True)
class Ran:
    """One backtest that ended, as the ledger is told of it.

    symbols, data_version: of the market data it saw; kind: run, replay, api, sweep, walk_forward ...; returns: shape
    (days,), of each session day, fractions, None or empty where there are none; figures: `total_return`, `max_drawdown`
    and `orders` by their names in runs.summary.Summary; error: one line, of one that failed; folder: where it is kept.
    """

    config: RunConfig
    symbols: Sequence[str]
    data_version: str
    kind: str
    returns: FloatArray | None = None
    figures: Mapping[str, Any] | None = None
    error: str | None = None
    folder: str | None = None

    def row(self, code: str) -> dict[str, Any]:
        """Its row in the table of trials. code: `code_of(self.config)`."""
        config = config_text(self.config)
        figures = self.figures or {}
        days = 0 if self.returns is None else len(self.returns)
        track = _track(self.returns)
        return {
            "key": _hash(config, ",".join(self.symbols), self.data_version, code),
            "family": family_of(self.config, self.symbols),
            "config": config,
            "config_hash": _hash(config),
            "code": code,
            "data_version": self.data_version,
            "days": days,
            "days_per_year": self.config.data.days_per_year,
            "sharpe_daily": None if track is None else track.sharpe,
            "sharpe_annual": None
            if track is None
            else track.sharpe * math.sqrt(self.config.data.days_per_year),
            "skewness": None if track is None else track.skewness,
            "kurtosis": None if track is None else track.kurtosis,
            "total_return": _number(figures.get("total_return")),
            "max_drawdown": _number(figures.get("max_drawdown")),
            "orders": figures.get("orders"),
            "error": None if self.error is None else " ".join(self.error.split()),
        }


def family_of(config: RunConfig, symbols: Sequence[str]) -> str:
    """What was tried on the same data: strategy classes, instruments and bar, as one line.

    symbols: of the market data. Whatever the source and the period, so that a longer file starts no new count.
    """
    classes = "+".join(sorted(spec.strategy_path for spec in config.all_strategies.values()))
    names = sorted(symbols)
    shown = ",".join(names[:_MOST_SYMBOLS])
    if len(names) > _MOST_SYMBOLS:
        shown += f",+{len(names) - _MOST_SYMBOLS}-{_hash(*names)[:8]}"
    return f"{classes} {shown} {config.bar}"


def code_of(config: RunConfig) -> str:
    """Version of the strategies' and execution algorithms' own code."""
    specs = config.all_strategies.values()
    paths = [path for spec in specs for path in (spec.strategy_path, spec.config_path)]
    return code_version([*paths, *(spec.algorithm_path for spec in config.exec_algorithms.values())])


def config_text(config: RunConfig) -> str:
    """The part of a config that decides a result, as JSON in one form: keys in order, without Keel's own defaults.

    So an option that a later Keel adds makes no new trial of an old config.
    """
    document = config.model_dump(mode="json", exclude_defaults=True)
    for section, keys in _NO_PART_OF_IT.items():
        place = document if not section else document.get(section, {})
        for key in keys:
            place.pop(key, None)
        if section and not place:
            document.pop(section, None)
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


def _track(returns: FloatArray | None) -> Track | None:
    """The track record of returns; None also where one is no number: what cannot be measured still counts."""
    if returns is None or not np.isfinite(returns).all():
        return None
    return Track.of(returns)


def _number(value: object) -> float | None:
    """A finite number, or none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
