"""How is the engine itself set, alike in backtest and live node: its log and its own risk checks?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from nautilus_trader.common import FileWriterConfig, LoggerConfig, LogLevel

from market.rates import settlement_currency
from risk.desk import BACKSTOP

if TYPE_CHECKING:
    from pathlib import Path

    from configs.schema import RunConfig
    from market.catalog import MarketData

ENGINE_LOG = "engine.jsonl"
_FINEST = Decimal("1e-8")  # of a notional: a coin's smallest part
ROTATE = (50_000_000, 5)  # (bytes a log file, files kept)
LEVELS = {
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warning": LogLevel.WARNING,
    "error": LogLevel.ERROR,
}


def logging_into(folder: Path, config: RunConfig) -> LoggerConfig:
    """The engine's log as JSON lines in the run folder; nothing of it on stdout."""
    return LoggerConfig(
        stdout_level=LogLevel.OFF,
        fileout_level=LEVELS[config.log.level],
        file_config=FileWriterConfig(
            directory=str(folder),
            file_name=ENGINE_LOG.removesuffix(".jsonl"),
            file_format="json",
            file_rotate=ROTATE,
        ),
        bypass_logging=False,
        print_config=False,
    )


def no_log() -> LoggerConfig:
    """No log of the engine anywhere; for backtests that leave nothing on disk."""
    return LoggerConfig(stdout_level=LogLevel.OFF, fileout_level=LogLevel.OFF, print_config=False)


def submit_rate(config: RunConfig, *, wall_clock_is_market_time: bool) -> str:
    """The engine's order rate. It counts by its own clock, so where that is not the market's it is left wide open."""
    rate = config.risk.max_orders_per_sec
    return f"{rate}/00:00:01" if rate is not None and wall_clock_is_market_time else "1000000/00:00:01"


def max_notionals(config: RunConfig, market: MarketData) -> dict[str, str]:
    """Instrument id -> the notional, in the currency it settles in, above which the engine itself denies an order.

    It stays the same all along, so a foreign currency counts at its lowest rate.
    """
    limit = config.risk.max_order_notional
    if limit is None:
        return {}
    found = {}
    for instrument in market.instruments:
        series = market.rates.series.get(settlement_currency(instrument))
        lowest = Decimal(1) if series is None else min(series.rates)
        found[str(instrument.id)] = f"{(limit * BACKSTOP / lowest).quantize(_FINEST).normalize():f}"
    return found
