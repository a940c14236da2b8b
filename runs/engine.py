"""How is the engine itself set, alike in backtest and live node: its log and its own risk checks?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from nautilus_trader.common import FileWriterConfig, LoggerConfig, LogLevel

from risk.desk import BACKSTOP

if TYPE_CHECKING:
    from pathlib import Path

    from configs.schema import RunConfig
    from market.catalog import MarketData

ENGINE_LOG = "engine.jsonl"
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


def submit_rate(config: RunConfig, *, wall_clock_is_market_time: bool) -> str:
    """The engine's order rate. It counts by its own clock, so where that is not the market's it is left wide open."""
    rate = config.risk.max_orders_per_sec
    return f"{rate}/00:00:01" if rate is not None and wall_clock_is_market_time else "1000000/00:00:01"


def max_notionals(config: RunConfig, market: MarketData) -> dict[str, str]:
    """Instrument id -> the notional above which the engine itself denies an order."""
    limit = config.risk.max_order_notional
    if limit is None:
        return {}
    return {
        str(instrument.id): str((limit * BACKSTOP).quantize(Decimal(1))) for instrument in market.instruments
    }
