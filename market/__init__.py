"""Past market data: sources, the check of their rows, and the catalog they are read from."""

from market.catalog import open_market
from market.errors import DataError
from market.market_data import MarketData
from market.source import DataSource

__all__ = ["DataError", "DataSource", "MarketData", "open_market"]
